"""Databases that call functions: an engine that can, a role that may, a path, and the parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.facts import engines
from lambda_patterns.facts.engines import Invoke
from lambda_patterns.model.databases import CLUSTER, INVOKE
from lambda_patterns.model.network.graph import HostKind
from lambda_patterns.model.network.solver import Service
from lambda_patterns.model.network.trace import Verdict
from lambda_patterns.model.policies import Decision
from lambda_patterns.model.values import Unknown, plain, same
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.facts.engines import Engine
    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

_PAGE = engines.ENGINES["postgres"].source
_FEATURE = "Lambda"
_DEFAULT_ROLE = "aws_default_lambda_role"
_DNS = "rds.custom_dns_resolution"
_HTTPS = 443
_RDS = "rds.amazonaws.com"


class _Association(NamedTuple):
    path: tuple[str | int, ...]
    role: Value
    feature: str | None


class _Invoking(NamedTuple):
    """A database that is set to invoke functions, and the roles that say so."""

    database: Resource
    facts: Engine
    associations: list[_Association]
    default_role: Value


def _invoking(deployment: Deployment) -> Iterator[_Invoking]:
    databases = deployment.databases
    for database in databases.standalone():
        facts = databases.engine(database)
        entries = databases.associated_roles(database)
        if facts is None or entries is None:
            continue
        associations = [
            _Association(("AssociatedRoles", index), entry.get("RoleArn"), plain(entry.get("FeatureName")))
            for index, entry in entries
        ]
        meant = [
            found
            for found in associations
            if found.feature == _FEATURE or (not found.feature and databases.may_invoke(found.role))
        ]
        default_role = databases.parameter(database, _DEFAULT_ROLE) if facts.is_aurora else None
        if meant or (default_role is not None and not isinstance(default_role, Unknown)):
            yield _Invoking(database, facts, meant, default_role)


def _unsupported(deployment: Deployment) -> Iterator[Found]:
    for found in _invoking(deployment):
        version = plain(found.database.get("EngineVersion"))
        if found.facts.invokes(version) is not False:
            continue
        path = found.associations[0].path if found.associations else ()
        if found.facts.invoke is Invoke.NONE:
            what = f"it is set to invoke functions, and {found.facts.title} cannot"
            yield Found(found.database, path, what)
            continue
        first = ", ".join(f"{major}.{minor}" for major, minor in found.facts.invoke_from)
        what = (
            f"it is set to invoke functions, and {found.facts.title} {version} cannot, allowed are {first} up"
        )
        yield Found(found.database, ("EngineVersion",), what, "upgrade the engine")


def _permission_missing(deployment: Deployment) -> Iterator[Found]:
    for found in _invoking(deployment):
        for association in found.associations:
            yield from _powerless(deployment, found.database, association.path, association.role)
            if found.facts.invoke is Invoke.FEATURE and not association.feature:
                what = "its role may invoke functions, and is not associated for the feature Lambda"
                fix = f"set FeatureName to {_FEATURE}"
                yield Found(found.database, (*association.path, "FeatureName"), what, fix, subject="feature")
        if found.facts.invoke is Invoke.PARAMETER and found.default_role is not None:
            yield from _unassociated(deployment, found)
            if all(same(found.default_role, other.role) is False for other in found.associations):
                yield from _powerless(deployment, found.database, ("AssociatedRoles",), found.default_role)


def _powerless(
    deployment: Deployment, database: Resource, path: tuple[str | int, ...], role: Value
) -> Iterator[Found]:
    if deployment.databases.may_invoke(role) is False:
        what = f"its role for {_FEATURE} may not do {INVOKE}"
        yield Found(database, path, what, subject="policy")
    if deployment.permissions.trusts(role, _RDS) is Decision.DENIED:
        what = f"its role for {_FEATURE} does not let {_RDS} assume it"
        fix = f"let {_RDS} do sts:AssumeRole in AssumeRolePolicyDocument"
        yield Found(database, path, what, fix, subject="trust")


def _unassociated(deployment: Deployment, found: _Invoking) -> Iterator[Found]:
    entries = deployment.databases.associated_roles(found.database) or []
    answers = [same(entry.get("RoleArn"), found.default_role) for _, entry in entries]
    if all(answer is False for answer in answers):
        what = f"{_DEFAULT_ROLE} names a role that is not associated with the cluster"
        fix = "add the role to AssociatedRoles"
        yield Found(found.database, ("AssociatedRoles",), what, fix, subject="association")


def _path_missing(deployment: Deployment) -> Iterator[Found]:
    for found in _invoking(deployment):
        if found.facts.invoke is Invoke.NONE:
            continue
        trace = deployment.network.trace(found.database, Service("lambda"), _HTTPS)
        if trace.verdict is Verdict.BLOCKED and trace.reason is not None:
            what = f"it does not reach the Lambda API on 443: {trace.reason.sentence}"
            yield Found(found.database, (), what)


def _parameter_missing(deployment: Deployment) -> Iterator[Found]:
    for found in _invoking(deployment):
        if found.facts.invoke is Invoke.PARAMETER and found.default_role is None:
            what = f"its cluster parameters do not set {_DEFAULT_ROLE}"
            fix = f"give it a cluster parameter group that sets {_DEFAULT_ROLE} to the role's ARN"
            yield Found(found.database, ("DBClusterParameterGroupName",), what, fix)
        if found.facts.name != "postgres" or found.database.type == CLUSTER:
            continue
        value = deployment.databases.parameter(found.database, _DNS)
        if isinstance(value, Unknown) or (value is not None and plain(value) != "0"):
            continue
        if _through_endpoint(deployment, found.database):
            what = f"it reaches Lambda through a VPC endpoint, and its parameters do not set {_DNS} to 1"
            fix = f"give it a parameter group that sets {_DNS} to 1"
            yield Found(found.database, ("DBParameterGroupName",), what, fix)


def _through_endpoint(deployment: Deployment, database: Resource) -> bool:
    trace = deployment.network.trace(database, Service("lambda"), _HTTPS)
    return trace.verdict is Verdict.REACHED and all(
        any(hop.kind == HostKind.ENDPOINT for hop in path.hops)
        for path in trace.paths
        if path.verdict is Verdict.REACHED
    )


RULES = (
    Rule(
        "invoke-engine-unsupported",
        "databases",
        Severity.ERROR,
        "a database that is set to invoke functions and whose engine or version cannot",
        "RDS for PostgreSQL, Aurora PostgreSQL and Aurora MySQL call functions from SQL, and no other engine",
        "take one of those engines, or have the application call the function",
        _PAGE,
        _unsupported,
        ("a version that a parameter decides",),
    ),
    Rule(
        "invoke-permission-missing",
        "databases",
        Severity.ERROR,
        "a database set to invoke functions without the role association that its engine needs, or "
        "whose role may "
        "not invoke the function",
        "the database calls Lambda with a role of its own, and the call fails without permission",
        "associate a role for the feature Lambda that may do lambda:InvokeFunction; DatabaseInvoke does",
        _PAGE,
        _permission_missing,
        ("a role that is not in the template", "roles for other features"),
    ),
    Rule(
        "invoke-path-missing",
        "databases",
        Severity.ERROR,
        "a database set to invoke functions that does not reach the Lambda API",
        "the call leaves by the database's own network interface, to the public API or to an endpoint",
        "let 443 out to an endpoint of Lambda with private DNS, or to a NAT gateway; DatabaseInvoke does",
        _PAGE,
        _path_missing,
        ("subnets or groups that are not in the template",),
    ),
    Rule(
        "invoke-parameter-missing",
        "databases",
        Severity.ERROR,
        "a database set to invoke functions without the parameter that its engine needs for this",
        "Aurora MySQL takes the role from aws_default_lambda_role, and RDS for PostgreSQL resolves an "
        "endpoint's "
        "name only with rds.custom_dns_resolution",
        "set it in the database's own parameter group; DatabaseInvoke does",
        _PAGE,
        _parameter_missing,
        ("a parameter group that is not in the template", "RDS for PostgreSQL behind a NAT gateway"),
    ),
)
