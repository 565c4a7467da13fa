"""How much of an account's concurrency functions may take for themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.facts import limits
from lambda_patterns.model.scaling import TARGET, minima, targets_of
from lambda_patterns.model.values import plain
from lambda_patterns.rules.limits.ranges import FUNCTION
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource, Template

_QUALIFIERS = ("AWS::Lambda::Alias", "AWS::Lambda::Version")
_PROVISIONED = ("ProvisionedConcurrencyConfig", "ProvisionedConcurrentExecutions")


class _Taken(NamedTuple):
    function: Resource
    amount: int
    path: tuple[str | int, ...]
    at: Resource


def _provisioned(deployment: Deployment) -> dict[Resource, list[tuple[Resource, int]]]:
    """Give for each function the aliases and versions with provisioned concurrency, and how much of it."""
    found: dict[Resource, list[tuple[Resource, int]]] = {}
    for qualifier in deployment.of_type(*_QUALIFIERS):
        amount = qualifier.number(*_PROVISIONED)
        function = deployment.resource_of(qualifier.get("FunctionName"), FUNCTION)
        if isinstance(amount, int) and function is not None and qualifier.certain:
            found.setdefault(function, []).append((qualifier, amount))
    return found


def _taken(deployment: Deployment) -> Iterator[_Taken]:
    """Yield what each function takes out of the account's unreserved pool."""
    provisioned = _provisioned(deployment)
    for function in deployment.of_type(FUNCTION):
        if not function.certain or function.get("CapacityProviderConfig") is not None:
            continue
        reserved = function.number("ReservedConcurrentExecutions")
        if isinstance(reserved, int):
            yield _Taken(function, reserved, ("ReservedConcurrentExecutions",), function)
        elif reserved is None:
            for qualifier, amount in provisioned.get(function, ()):
                yield _Taken(function, amount, _PROVISIONED, qualifier)


def _stages(deployment: Deployment) -> dict[str, str]:
    """Map each template's name to the stage it is in: stages without a Region or account may go to any."""
    found: dict[str, str] = {}

    def add(template: Template, stage: str) -> None:
        found[template.name] = stage
        for child in template.children.values():
            add(child, stage)

    for root in deployment.assembly.roots:
        add(root, root.name.rpartition("/")[0] if root.path is None or root.stack_name else "")
    return found


def _over_quota(deployment: Deployment) -> Iterator[Found]:
    new = deployment.settings.quotas == "new-account"
    quota = limits.NEW_ACCOUNT_CONCURRENT_EXECUTIONS if new else limits.CONCURRENT_EXECUTIONS
    left = limits.NEW_ACCOUNT_CONCURRENT_EXECUTIONS if new else limits.UNRESERVED_MINIMUM
    stages = _stages(deployment)
    pools: dict[tuple[str, str, str], list[_Taken]] = {}
    for taken in _taken(deployment):
        region, account = (plain(part) or "" for part in taken.function.environment)
        stage = "" if region and account else stages.get(taken.function.template, "")
        pools.setdefault((region, account, stage), []).append(taken)
    for pool in pools.values():
        yield from _pool_over_quota(pool, quota, left)
    if new:
        yield from _over_new_memory(deployment)


def _over_new_memory(deployment: Deployment) -> Iterator[Found]:
    """Yield what a new account refuses and another does not; the rest is out of range in every account."""
    for function in deployment.of_type(FUNCTION):
        memory = function.number("MemorySize")
        if function.get("CapacityProviderConfig") is not None or not isinstance(memory, int | float):
            continue
        if limits.NEW_ACCOUNT_MEMORY.high < memory <= limits.MEMORY.high:
            problem = limits.NEW_ACCOUNT_MEMORY.problem(memory) or ""
            fix = "set MemorySize (memory_size=) to at most 3008, or have the quota raised first"
            yield Found(function, ("MemorySize",), problem, fix, limits.NEW_ACCOUNT_MEMORY.why)


def _pool_over_quota(pool: list[_Taken], quota: int, left: int) -> Iterator[Found]:
    for taken in pool:
        if taken.amount < 0:
            what = f"reserved concurrency is {taken.amount}, allowed are 0-{quota - left:,} executions"
            yield Found(taken.at, taken.path, what)
    total = sum(max(taken.amount, 0) for taken in pool)
    if total <= quota - left:
        return
    most = max(pool, key=lambda taken: taken.amount)
    others = len({taken.function for taken in pool}) - 1
    together = f" together with {others} other function{'s' if others > 1 else ''}" if others else ""
    executions = f"{total:,} execution{'s are' if total > 1 else ' is'}"
    what = (
        f"{executions} reserved{together}, allowed are at most {quota - left:,}: "
        f"{left:,} of the account's {quota:,} have to stay unreserved"
    )
    yield Found(most.at, most.path, what)


def _refused(deployment: Deployment) -> Iterator[Found]:
    for function, provisioned in _provisioned(deployment).items():
        for qualifier, amount in provisioned:
            if amount < 1:
                what = f"provisioned concurrency is {amount}, allowed is at least 1 execution"
                yield Found(qualifier, _PROVISIONED, what, subject="amount")
            if qualifier.text("FunctionVersion") == "$LATEST":
                what = "provisioned concurrency on an alias of $LATEST, allowed are published versions"
                yield Found(qualifier, _PROVISIONED, what, subject="$LATEST")
        at = provisioned[-1][0]
        if function.text("SnapStart", "ApplyOn") == "PublishedVersions":
            what = f"provisioned concurrency on {function.id}, which uses SnapStart"
            yield Found(at, _PROVISIONED, what, "take one of the two off", subject="SnapStart")
        total = sum(amount for _, amount in provisioned)
        reserved = function.number("ReservedConcurrentExecutions")
        if isinstance(reserved, int) and total > reserved:
            what = f"{total:,} provisioned executions of {function.id}, which reserves {reserved:,}"
            yield Found(
                at, _PROVISIONED, what, f"reserve at least {total:,}, or provision less", subject="reserved"
            )
        yield from _twice(deployment, [qualifier for qualifier, _ in provisioned])


def _twice(deployment: Deployment, qualifiers: list[Resource]) -> Iterator[Found]:
    """Yield aliases with provisioned concurrency of a version that has its own."""
    for alias in qualifiers:
        version = (
            deployment.resource_of(alias.get("FunctionVersion")) if alias.type == _QUALIFIERS[0] else None
        )
        if version is not None and version in qualifiers:
            what = f"provisioned concurrency on the alias and on its version {version.id}, allowed is one"
            yield Found(alias, _PROVISIONED, what, "provision the alias alone", subject="twice")


def _scaled(deployment: Deployment) -> Iterator[Found]:
    """Yield what Application Auto Scaling will be refused when it comes to set it."""
    for function in deployment.of_type(FUNCTION):
        reserved = function.number("ReservedConcurrentExecutions")
        snap_start = function.text("SnapStart", "ApplyOn") == "PublishedVersions"
        for target in targets_of(deployment, function):
            if snap_start:
                what = f"scaling of provisioned concurrency on {function.id}, which uses SnapStart"
                yield Found(target, ("ResourceId",), what, "take one of the two off", subject="SnapStart")
            path, most = max(minima(target), key=lambda each: each[1], default=((), 0))
            if isinstance(reserved, int) and most > reserved:
                what = f"{most:,} provisioned executions of {function.id}, which reserves {reserved:,}"
                fix = f"reserve at least {most:,}, or provision less"
                yield Found(target, path, what, fix, subject="reserved")


def _unpublished(deployment: Deployment) -> Iterator[Found]:
    """Yield scaling of provisioned concurrency on what cannot have any."""
    for target in deployment.of_type(TARGET):
        if target.text("ScalableDimension") != "lambda:function:ProvisionedConcurrency":
            continue
        resource_id = target.get("ResourceId")
        end = resource_id if isinstance(resource_id, str) else getattr(resource_id, "parts", ("",))[-1]
        if isinstance(end, str) and end.endswith(":$LATEST"):
            what = "scaling of provisioned concurrency on $LATEST, allowed are aliases and versions"
            yield Found(target, ("ResourceId",), what, subject="$LATEST")


def _provisioned_refused(deployment: Deployment) -> Iterator[Found]:
    yield from _refused(deployment)
    yield from _scaled(deployment)
    yield from _unpublished(deployment)


RULES = (
    Rule(
        name="concurrency-over-quota",
        topic="limits",
        severity=Severity.ERROR,
        forbids=(
            "reservations and provisioned concurrency that do not leave the unreserved minimum of the "
            "account's quota (1,000 with 100 left; for a new account 10 with 10 left, and 3,008 MB of memory)"
        ),
        why="the deployment fails: AWS keeps a part of the concurrency for functions without reservation",
        fix="reserve less (reserved_concurrent_executions=), or have the quota raised first",
        source=limits.CONCURRENCY_PAGE,
        check=_over_quota,
        exceptions=(
            "stacks in different Regions or accounts, which are counted apart",
            "provisioned concurrency of a function with a reservation, which comes out of it",
            "a reservation of 0, which stops the function",
            "functions on a capacity provider (Lambda Managed Instances)",
        ),
    ),
    Rule(
        name="provisioned-concurrency-refused",
        topic="limits",
        severity=Severity.ERROR,
        forbids="provisioned concurrency on $LATEST, above the reservation, or with SnapStart",
        why="Lambda provisions published versions, within the reservation, and never beside SnapStart",
        fix="publish a version, point the alias at it and provision the alias",
        source=limits.PROVISIONED_PAGE,
        check=_provisioned_refused,
        exceptions=(
            "an alias whose version is only known at deployment",
            "scaling within the reservation, by the clock or by use",
        ),
    ),
)
