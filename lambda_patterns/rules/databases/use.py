"""How functions use databases: through a proxy, with permission, in time, and never over the internet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.facts import engines, limits
from lambda_patterns.model.databases import CLUSTER, CONNECT
from lambda_patterns.model.policies import Decision
from lambda_patterns.model.values import plain
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource

_RDS = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/"
# As many connections as this cannot exhaust the smallest database.
_FEW_ENVIRONMENTS = 5
_CUSTOM_RESOURCES = ("AWS::CloudFormation::CustomResource",)
_USER_SUFFIXES = ("USER", "USERNAME")


def _runs_at_deployments(deployment: Deployment, function: Resource) -> bool:
    """Whether a function is the handler of a custom resource."""
    return any(
        (resource.type.startswith("Custom::") or resource.type in _CUSTOM_RESOURCES)
        and resource.resource("ServiceToken") is function
        for resource in deployment.resources
    )


def _without_proxy(deployment: Deployment) -> Iterator[Found]:
    for function, database, path in deployment.databases.direct_users():
        facts = deployment.databases.engine(database)
        if facts is None or facts.proxies(plain(database.get("EngineVersion"))) is False:
            continue
        reserved = function.number("ReservedConcurrentExecutions")
        if isinstance(reserved, int | float) and reserved <= _FEW_ENVIRONMENTS:
            continue
        if reserved is not None and not isinstance(reserved, int | float):
            continue
        if _runs_at_deployments(deployment, function):
            continue
        kind = "cluster" if database.type == CLUSTER else "instance"
        what = f"it connects to the {kind} {database.id} itself: one connection for each environment"
        yield Found(function, path, what, subject=database.id)


def _connect_denied(deployment: Deployment) -> Iterator[Found]:
    databases = deployment.databases
    for function, proxy, path in databases.proxy_users():
        entries = databases.authentication(proxy)
        asks = databases.end_to_end(proxy) or any(
            entry.get("IAMAuth") == "REQUIRED" for _, entry in entries or ()
        )
        if not asks:
            continue
        named, known = _named_user(function, path), databases.users(proxy)
        if named is not None and known is not None and named not in known:
            what = (
                f"it connects as {named}, and {proxy.id} has credentials of {', '.join(sorted(known))} alone"
            )
            fix = f"connect as {' or '.join(sorted(known))}, or give {proxy.id} a secret of {named}"
            yield Found(function, path, what, fix, subject=f"{proxy.id} user")
            continue
        users = [named] if named is not None else sorted(known or ("*",))
        may = [
            deployment.permissions.may(
                function.get("Role"), CONNECT, databases.proxy_user_arn(proxy, user), by_code=True
            )
            for user in users
        ]
        if any(decision is not Decision.DENIED for decision in may):
            continue
        whom = "any user" if users == ["*"] else " or ".join(users)
        what = f"its role may not do {CONNECT} on {proxy.id} as {whom}"
        fix = f"allow {CONNECT} on dbuser:<id of {proxy.id}>/{users[0]} in its role"
        yield Found(function, path, what, fix, subject=proxy.id)


def _named_user(function: Resource, path: tuple[str | int, ...]) -> str | None:
    """The user that the environment names beside the host: DATABASE_USER beside DATABASE_HOST."""
    if len(path) != len(("Environment", "Variables", "NAME")):
        return None
    prefix = str(path[-1]).rpartition("_")[0]
    for suffix in _USER_SUFFIXES:
        name = f"{prefix}_{suffix}" if prefix else suffix
        user = plain(function.get("Environment", "Variables", name))
        if user is not None:
            return user
    return None


def _borrow_timeout(deployment: Deployment) -> Iterator[Found]:
    for function, proxy, _ in deployment.databases.proxy_users():
        timeout = function.number("Timeout", default=limits.DEFAULT_TIMEOUT)
        for group in deployment.databases.target_groups(proxy):
            path = ("ConnectionPoolConfigurationInfo", "ConnectionBorrowTimeout")
            borrow = group.number(*path, default=engines.DEFAULT_BORROW_TIMEOUT)
            if not isinstance(timeout, int | float) or not isinstance(borrow, int | float):
                continue
            if borrow >= timeout:
                given = "" if group.get(*path) is not None else " (the default)"
                what = (
                    f"the borrow timeout is {borrow:g} s{given}, {function.id} runs for {timeout:g} s at most"
                )
                fix = f"set it below {timeout:g} s, or raise the timeout of {function.id}"
                yield Found(group, path, what, fix, subject=function.id)


def _public(deployment: Deployment) -> Iterator[Found]:
    for database in deployment.databases.used():
        places = [database, *(deployment.databases.members(database) if database.type == CLUSTER else ())]
        for place in places:
            if place.boolean("PubliclyAccessible") is True:
                what = "PubliclyAccessible is true, it must be false"
                yield Found(place, ("PubliclyAccessible",), what)


RULES = (
    Rule(
        "database-without-proxy",
        "databases",
        Severity.WARNING,
        "a function that opens connections to a database instance or cluster itself",
        "each execution environment holds a connection of its own, and a burst exhausts max_connections",
        "put a proxy before the database; ProxiedDatabase.connect(function, user=...) does",
        engines.PROXY_PAGE,
        _without_proxy,
        (
            f"a reserved concurrency of {_FEW_ENVIRONMENTS} or less, which bounds the connections",
            "the handler of a custom resource, which runs at deployments alone",
            "an engine or version that no proxy serves",
        ),
    ),
    Rule(
        "proxy-connect-denied",
        "databases",
        Severity.ERROR,
        "a function that uses a proxy with IAM and may not connect to it",
        "the proxy refuses a token whose signer may not do rds-db:connect as that user, and a user that "
        "it has no "
        "credentials for",
        "allow rds-db:connect on the proxy's resource and user; ProxiedDatabase.connect() does",
        _RDS + "rds-proxy-connecting.html",
        _connect_denied,
        ("a role that is not in the template", "a proxy whose clients give a password"),
    ),
    Rule(
        "borrow-timeout-over-function",
        "databases",
        Severity.WARNING,
        "a proxy's borrow timeout that is not shorter than the timeout of a function that uses it",
        "while it waits for a free connection the function is ended, and never hears that there was none",
        "set ConnectionBorrowTimeout below the function's timeout; ProxiedDatabase's is 5 s",
        engines.POOL_PAGE,
        _borrow_timeout,
        ("a timeout that a parameter decides",),
    ),
    Rule(
        "database-public",
        "databases",
        Severity.ERROR,
        "a publicly accessible database that functions use",
        "functions reach it inside the VPC, so a public address serves nobody but strangers",
        "set PubliclyAccessible to false",
        _RDS + "USER_VPC.WorkingWithRDSInstanceinaVPC.html",
        _public,
        ("a database that no function uses",),
    ),
)
