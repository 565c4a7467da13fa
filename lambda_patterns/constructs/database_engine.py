"""What aws_cdk's engine values mean to a proxy: its family, its port, what a version can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import engines

if TYPE_CHECKING:
    from aws_cdk import aws_rds as rds

PROXIED = ("postgres", "mysql", "mariadb", "aurora-postgresql", "aurora-mysql")
"""The five engines that are built here. RDS Proxy also serves SQL Server, by rules of its own."""


def version_of(engine: rds.IEngine) -> str | None:
    """The version that an engine value states ("16.4"), or None if it states none."""
    version = engine.engine_version
    return None if version is None else version.full_version or version.major_version


def proxied_engine(engine: rds.IEngine) -> engines.Engine:
    """Find the facts of `engine`, or raise ArgumentError if no proxy of this library serves it."""
    name = engine.engine_type
    facts = engines.engine(name)
    if facts is None or name not in PROXIED:
        raise ArgumentError(
            f"engine: {name} is not served, allowed are {', '.join(PROXIED)}: a proxy with IAM tokens and "
            f"secrets stands before no other engine here ({engines.PROXY_ENGINES_PAGE})"
        )
    version = version_of(engine)
    if facts.proxies(version) is False:
        raise ArgumentError(
            f"engine: {facts.title} {version} is not served, allowed are {', '.join(facts.proxied)}: "
            f"RDS Proxy speaks to no other version ({engines.PROXY_ENGINES_PAGE})"
        )
    return facts


def invoking_engine(engine: rds.IEngine) -> engines.Engine:
    """Find the facts of `engine`, or raise ArgumentError if it cannot invoke functions."""
    name = engine.engine_type
    facts = engines.engine(name)
    able = ", ".join(e.title for e in engines.ENGINES.values() if e.invoke is not engines.Invoke.NONE)
    if facts is None or facts.invoke is engines.Invoke.NONE:
        title = name if facts is None else facts.title
        source = engines.ENGINES["postgres"].source
        raise ArgumentError(f"engine: {title} cannot invoke functions, {able} can ({source})")
    if facts.invokes(version_of(engine)) is False:
        first = ", ".join(f"{major}.{minor}" for major, minor in facts.invoke_from)
        raise ArgumentError(
            f"engine: {facts.title} {version_of(engine)} cannot invoke functions, the first versions that "
            f"can are {first} ({facts.source})"
        )
    return facts
