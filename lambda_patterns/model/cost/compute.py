"""What Lambda charges: requests, duration, /tmp, provisioned concurrency, SnapStart, less rebates.

Each function's line is at the first price; free quantities, volume tiers and a savings plan are lines of the
account, because AWS grants them to all functions together.

A function at the edge has prices of its own, the same everywhere, and no free quantities.

Not modelled: the init of provisioned environments, savings plans on provisioned concurrency, data transfer
out of the Region, Managed Instances, CloudFront Functions, response streaming, durable functions, SnapStart
versions that an earlier deployment left behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from lambda_patterns.facts.limits import DEFAULT_MEMORY, DEFAULT_STORAGE
from lambda_patterns.facts.prices import (
    DURATION_TIERS,
    FREE_GB_SECONDS,
    FREE_REQUESTS,
    HOURS,
    PROVISIONED_STEP,
    SECONDS,
)
from lambda_patterns.model.cost.line import ACCOUNT, Line, charge
from lambda_patterns.model.cost.loads import FunctionLoad
from lambda_patterns.model.edge import edge_functions
from lambda_patterns.model.scaling import targets_of
from lambda_patterns.model.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lambda_patterns.facts.prices import PriceSheet
    from lambda_patterns.model.cost.loads import Load
    from lambda_patterns.model.cost.workload import Workload
    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource

_ARCHITECTURES = {"x86_64": "x86", "arm64": "arm"}
_LEAST_POLLERS = 2
_SCALED = (
    "provisioned concurrency is scaled, and counted at its least: say `provisioned` and `provisioned_hours` "
    "in the workload"
)


@dataclass(frozen=True, slots=True)
class _Size:
    """A function as the bill sees it. None: decided at deployment, for the reason in `why`."""

    gb: float | None
    storage_gb: float | None
    architecture: str
    why: str | None


def function_lines(
    sheet: PriceSheet, deployment: Deployment, loads: Mapping[Resource, Load]
) -> Iterator[Line]:
    """The lines of every function of the deployment."""
    at_edge = edge_functions(deployment)
    for function in deployment.of_type("AWS::Lambda::Function"):
        given = loads.get(function)
        load = given if isinstance(given, FunctionLoad) else FunctionLoad()
        if function in at_edge:
            yield from _at_edge(sheet, function, load)
        else:
            yield from _on_demand_and_provisioned(sheet, deployment, function, load)
            yield from _snap_start(sheet, deployment, function, load)
        ingested = load.invocations * load.log_kb / 1024**2
        yield charge(sheet, function, "log lines", "logs-ingest-gb", ingested)
        yield charge(sheet, function, "log storage", "logs-storage-gb-month", load.log_stored_gb)


def poller_lines(sheet: PriceSheet, deployment: Deployment) -> Iterator[Line]:
    """The lines of SQS mappings in provisioned mode; those of other sources are priced by the throughput."""
    for mapping in deployment.of_type("AWS::Lambda::EventSourceMapping"):
        source = mapping.resource("EventSourceArn")
        if (
            source is None
            or source.type != "AWS::SQS::Queue"
            or mapping.get("ProvisionedPollerConfig") is None
        ):
            continue
        least = mapping.number("ProvisionedPollerConfig", "MinimumPollers", default=_LEAST_POLLERS)
        hours = least * HOURS if isinstance(least, int | float) else None
        why = least.why if isinstance(least, Unknown) else None
        yield charge(sheet, mapping, "event pollers", "sqs-poller-hour", hours, floor=True, why=why)


def rebates(sheet: PriceSheet, workload: Workload, lines: Sequence[Line]) -> Iterator[Line]:
    """What the account gets off the functions' lines: volume tiers, the free tier, the savings plan."""
    used = {
        short: sum(line.quantity or 0 for line in lines if line.item == f"lambda-duration-{short}-1")
        for short in DURATION_TIERS
    }
    requests = sum(line.quantity or 0 for line in lines if line.item == "lambda-requests")
    free = min(FREE_GB_SECONDS, sum(used.values())) if workload.free_tier else 0.0
    if workload.free_tier:
        yield charge(
            sheet, "free tier", "requests", "lambda-requests", min(FREE_REQUESTS, requests), credit=True
        )
    for short, seconds in used.items():
        share = free * seconds / sum(used.values()) if free else 0.0
        if share:
            yield charge(sheet, "free tier", "duration", f"lambda-duration-{short}-1", share, credit=True)
        yield from _volume(sheet, short, seconds, 1 - workload.coverage if workload.plan else 1)
        if workload.plan:
            covered = (seconds - share) * workload.coverage
            item = f"lambda-savings-{workload.plan}-{short}"
            yield _cheaper(sheet, "savings plan", f"lambda-duration-{short}-1", item, covered)


def _volume(sheet: PriceSheet, short: str, seconds: float, on_demand: float) -> Iterator[Line]:
    """The tiers count all seconds, and lower the price of the share that no savings plan covers."""
    second, third = DURATION_TIERS[short]
    first = f"lambda-duration-{short}-1"
    for tier, amount in (("2", min(seconds, third) - second), ("3", seconds - third)):
        if amount * on_demand > 0:
            item = f"lambda-duration-{short}-{tier}"
            yield _cheaper(sheet, "volume tiers", first, item, amount * on_demand)


def _cheaper(sheet: PriceSheet, name: str, usual: str, lower: str, quantity: float) -> Line:
    """What it saves that `quantity` is charged at the price of `lower` and not at that of `usual`."""
    full, less = (
        charge(sheet, name, "duration", usual, quantity),
        charge(sheet, name, "duration", lower, quantity),
    )
    if full.monthly is None or less.monthly is None:
        return Line(ACCOUNT, name, "duration", lower, quantity, "GB-s", None, why=full.why or less.why)
    saved = less.monthly - full.monthly
    return Line(ACCOUNT, name, "duration", lower, quantity, "GB-s", saved, source=less.source)


def _on_demand_and_provisioned(
    sheet: PriceSheet, deployment: Deployment, function: Resource, load: FunctionLoad
) -> Iterator[Line]:
    size = _size(function)
    yield charge(sheet, function, "requests", "lambda-requests", load.invocations)
    provisioned = _provisioned(deployment, function, load)
    share = load.provisioned_share if provisioned != 0 else 0.0
    ready = load.invocations * share
    rest = load.invocations - ready
    seconds = (rest * (load.duration_ms + load.cold_starts * load.init_ms)) / 1000
    ready_seconds = ready * load.duration_ms / 1000
    short = size.architecture
    yield charge(
        sheet, function, "duration", f"lambda-duration-{short}-1", _times(size.gb, seconds), why=size.why
    )
    if provisioned != 0:
        known = isinstance(provisioned, int | float)
        hours = ceil(load.provisioned_hours * 3600 / PROVISIONED_STEP) * PROVISIONED_STEP
        quantity = _times(size.gb, provisioned * hours) if isinstance(provisioned, int | float) else None
        why = size.why if known else provisioned.why  # type: ignore[union-attr]  # not known means Unknown
        yield charge(
            sheet, function, "provisioned", f"lambda-provisioned-{short}", quantity, floor=True, why=why
        )
        item = f"lambda-provisioned-duration-{short}"
        yield charge(
            sheet, function, "provisioned duration", item, _times(size.gb, ready_seconds), why=size.why
        )
    if load.provisioned is None:
        yield from _scaled(sheet, deployment, function, load, f"lambda-provisioned-{short}")
    excess = None if size.storage_gb is None else max(0.0, size.storage_gb - DEFAULT_STORAGE / 1024)
    quantity = _times(excess, seconds + ready_seconds)
    yield charge(sheet, function, "ephemeral storage", "lambda-ephemeral-storage", quantity, why=size.why)


def _at_edge(sheet: PriceSheet, function: Resource, load: FunctionLoad) -> Iterator[Line]:
    size = _size(function)
    seconds = load.invocations * (load.duration_ms + load.cold_starts * load.init_ms) / 1000
    yield charge(sheet, function, "requests", "lambda-edge-requests", load.invocations)
    yield charge(sheet, function, "duration", "lambda-edge-duration", _times(size.gb, seconds), why=size.why)


def _snap_start(
    sheet: PriceSheet, deployment: Deployment, function: Resource, load: FunctionLoad
) -> Iterator[Line]:
    if function.get("SnapStart", "ApplyOn") != "PublishedVersions":
        return
    runtime = function.get("Runtime")
    if isinstance(runtime, str) and runtime.startswith("java"):
        return
    size = _size(function)
    versions = sum(
        1 for each in deployment.of_type("AWS::Lambda::Version") if each.resource("FunctionName") is function
    )
    cached = _times(size.gb, versions * SECONDS)
    yield charge(sheet, function, "snapshot", "lambda-snap-start-cache", cached, floor=True, why=size.why)
    restored = _times(size.gb, load.invocations * load.cold_starts)
    yield charge(sheet, function, "restores", "lambda-snap-start-restore", restored, why=size.why)


def _provisioned(deployment: Deployment, function: Resource, load: FunctionLoad) -> float | Unknown:
    """The provisioned concurrency of all its versions and aliases; the least where it is scaled."""
    if load.provisioned is not None:
        return load.provisioned
    found = 0.0
    for each in deployment.of_type("AWS::Lambda::Version", "AWS::Lambda::Alias"):
        if each.resource("FunctionName") is not function:
            continue
        value = each.number("ProvisionedConcurrencyConfig", "ProvisionedConcurrentExecutions", default=0)
        if isinstance(value, Unknown):
            return value
        found += value or 0
    for target in targets_of(deployment, function):
        least = target.number("MinCapacity", default=0)
        if isinstance(least, Unknown):
            return least
        found += least or 0
    return found


def _scaled(
    sheet: PriceSheet, deployment: Deployment, function: Resource, load: FunctionLoad, item: str
) -> Iterator[Line]:
    """What is provisioned above the least, by the clock or by use: no template tells for how long."""
    for target in targets_of(deployment, function):
        by_clock = target.get("ScheduledActions") is not None
        bounds = (target.number("MinCapacity", default=0), target.number("MaxCapacity", default=0))
        if by_clock or (load.invocations and bounds[0] != bounds[1]):
            yield charge(sheet, function, "provisioned above", item, None, floor=by_clock, why=_SCALED)


def _size(function: Resource) -> _Size:
    memory = function.number("MemorySize", default=DEFAULT_MEMORY)
    storage = function.number("EphemeralStorage", "Size", default=DEFAULT_STORAGE)
    architecture = function.get("Architectures", 0, default="x86_64")
    why = None
    for value in (memory, storage, architecture):
        if isinstance(value, Unknown):
            why = value.why
    return _Size(
        gb=memory / 1024
        if isinstance(memory, int | float) and not isinstance(architecture, Unknown)
        else None,
        storage_gb=storage / 1024 if isinstance(storage, int | float) else None,
        architecture=_ARCHITECTURES.get(architecture, "x86") if isinstance(architecture, str) else "x86",
        why=why,
    )


def _times(size: float | None, amount: float) -> float | None:
    """0 of something is 0, however large one of it may be."""
    return 0.0 if amount == 0 else None if size is None else size * amount
