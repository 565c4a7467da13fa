"""What aws_cdk's engine values mean to a proxy: its family, its port, what a version can do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aws_cdk import Token

from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import engines

if TYPE_CHECKING:
    from aws_cdk import aws_rds as rds

PROXIED = ("postgres", "mysql", "mariadb", "aurora-postgresql", "aurora-mysql")
"""The five engines that are built here. RDS Proxy also serves SQL Server, by rules of its own."""


# What RDS makes at creation: PostgreSQL's 63 bytes are the least of the engines'.
_NEW_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
# What stands between quotes in SQL, whatever the quotes.
_OLD_NAME = re.compile(r"[^\x00-\x1f\"'`\\]{1,64}")
_NAME_PAGE = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html"


def checked_database_name(name: str, made: str | None) -> None:
    """Raise ArgumentError for a name that RDS makes no database of, or that cannot stand in SQL.

    Args:
        name: the database in the server.
        made: the title of the engine that makes it, None for one that exists.
    """
    if Token.is_unresolved(name) or (_OLD_NAME if made is None else _NEW_NAME).fullmatch(name):
        return
    if made is None:
        raise ArgumentError(
            f"database_name: {name!r} is refused, allowed are 1-64 characters without quotes, backslashes "
            f"and line ends: the name stands in SQL ({_NAME_PAGE})"
        )
    raise ArgumentError(
        f"database_name: {name!r} is refused, allowed are 1-63 letters, digits and underscores without a "
        f"digit first: {made} makes no other at creation ({_NAME_PAGE})"
    )


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
