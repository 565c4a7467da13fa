"""The workload file: what a month brings to each resource, and the user's own prices.

Shape of a workload (YAML or JSON; every part optional; quantities are those of one month)::

    region: ap-northeast-2
    free_tier: true
    savings_plan: {plan: no-upfront, coverage: 0.8}
    functions:
      Orders/Handler: {invocations: 3000000, duration_ms: 120, cold_starts: 0.01, init_ms: 400, log_kb: 1}
    queues: {"*": {messages: 1000000, size_kb: 4}}
    nat_gateways: {"*": {gb: 100}}
    paths: {zones: 2, services: {secretsmanager: 1, sqs: 20}, internet_gb: 0}

A resource is named by its logical id, by stack/id, or by its construct path; `*` and `?` stand for what
they stand for in file names.

Shape of a price file: ``{Region: {item: USD}}``.

Not modelled: months of other lengths, growth within the month, and what depends on the hour of the day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.facts import prices
from lambda_patterns.facts.limit import Limit
from lambda_patterns.facts.limits import DEFAULT_TIMEOUT
from lambda_patterns.model.cost.line import name_of
from lambda_patterns.model.cost.loads import SECTIONS, FunctionLoad, Load, limits
from lambda_patterns.model.cost.path_load import PathLoad, parse_paths
from lambda_patterns.model.cost.reading import mapping, number, only, read, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource

PLANS = ("no-upfront", "all-upfront")
_COVERAGE = Limit("coverage", 0, 1, "of the duration", "it is a share", "", whole=False)
_PRICE = Limit("price", 0, 1_000_000, "USD", "a price is not negative", "", whole=False)
_TOP = ("region", "free_tier", "savings_plan", "paths", *SECTIONS)


@dataclass(frozen=True, slots=True)
class Workload:
    """What one month brings.

    Args:
        where: the file it was read from, as messages name it.
        region: the Region it names, or None.
        free_tier: whether the account's monthly free quantities are still there for it. Default True.
        plan: the Compute Savings Plan's payment, one of `PLANS`, or None.
        coverage: the share of the duration on demand that the plan covers, 0-1. Default 1.
        loads: the quantities: section -> name or pattern -> load.
        paths: what `compare-paths` compares, or None.
    """

    where: str = "workload"
    region: str | None = None
    free_tier: bool = True
    plan: str | None = None
    coverage: float = 1.0
    loads: Mapping[str, Mapping[str, Load]] = field(default_factory=dict)
    paths: PathLoad | None = None


def read_workload(path: Path) -> Workload:
    """Read a workload file.

    Raises:
        LambdaPatternsError: there is no such file, it is no YAML, or something in it makes no sense.
    """
    return parse_workload(read(path), str(path))


def read_prices(path: Path) -> dict[str, dict[str, float]]:
    """Read a user's prices: Region -> item -> USD for the item's unit.

    Raises:
        LambdaPatternsError: there is no such file, it is no YAML, or it names an item that does not exist.
    """
    found: dict[str, dict[str, float]] = {}
    for region, listed in mapping(read(path), str(path)).items():
        where = f"{path}: {region}"
        found[region] = {}
        for item, value in mapping(listed, where).items():
            if not prices.is_item(item):
                raise LambdaPatternsError(unknown(where, item, prices.items()))
            found[region][item] = number(value, _PRICE, f"{where}.{item}")
    return found


def sheet_of(region: str, price_file: Path | None) -> prices.PriceSheet:
    """The prices of a Region, with those of a user's file before those of the table.

    Raises:
        LambdaPatternsError: see `read_prices`; the file says nothing of the Region; or nothing does.
    """
    if price_file is None:
        return prices.PriceSheet(region)
    own = read_prices(price_file)
    if region not in own:
        raise LambdaPatternsError(unknown(str(price_file), region, own))
    return prices.PriceSheet(region, own[region], source=str(price_file))


def parse_workload(data: object, where: str = "workload") -> Workload:
    """Make a workload of parsed YAML or JSON.

    Raises:
        LambdaPatternsError: something in it makes no sense; the message names the place.
    """
    top = mapping(data if data is not None else {}, where)
    only(top, _TOP, where)
    region = top.get("region")
    if region is not None and not isinstance(region, str):
        raise LambdaPatternsError(f"{where}: region is {region!r}, allowed is the name of a Region")
    free_tier = top.get("free_tier", True)
    if not isinstance(free_tier, bool):
        raise LambdaPatternsError(f"{where}: free_tier is {free_tier!r}, allowed are true and false")
    plan, coverage = _savings_plan(top.get("savings_plan"), f"{where}: savings_plan")
    loads = {
        section: _section(section, top.get(section) or {}, f"{where}: {section}") for section in SECTIONS
    }
    paths = parse_paths(top["paths"], f"{where}: paths") if "paths" in top else None
    return Workload(where, region, free_tier, plan, coverage, loads, paths)


def check_names(workload: Workload, deployments: Iterable[Deployment]) -> None:
    """Refuse a name that stands for no resource of any deployment, or for two of them without a wildcard.

    Raises:
        LambdaPatternsError: with the nearest names there are.
    """
    everything = tuple(deployments)
    for section, loads in workload.loads.items():
        for pattern in loads:
            if any(_matching(deployment, section, pattern) for deployment in everything):
                continue
            names = sorted(
                {name_of(each) for one in everything for each in one.of_type(*SECTIONS[section][1])}
            )
            raise LambdaPatternsError(unknown(f"{workload.where}: {section}", pattern, names))


def assign(workload: Workload, deployment: Deployment) -> dict[Resource, Load]:
    """Give each named resource of the deployment its load.

    Raises:
        LambdaPatternsError: a name stands for two resources, two names stand for one, or a function would
            run for longer than its timeout.
    """
    given: dict[Resource, Load] = {}
    by: dict[Resource, str] = {}
    for section, loads in workload.loads.items():
        for pattern, load in loads.items():
            where = f"{workload.where}: {section}.{pattern}"
            found = _matching(deployment, section, pattern)
            if len(found) > 1 and not set(pattern) & set("*?["):
                names = ", ".join(f"{each.template}/{each.id}" for each in found)
                raise LambdaPatternsError(f"{where} stands for {len(found)} resources: write one of {names}")
            for resource in found:
                if resource in given:
                    raise LambdaPatternsError(
                        f"{where} names {name_of(resource)}, which {by[resource]} names too"
                    )
                _check_duration(load, resource, where)
                given[resource], by[resource] = load, pattern
    return given


def _check_duration(load: Load, function: Resource, where: str) -> None:
    """Refuse an average that the function's own timeout makes impossible."""
    timeout = function.number("Timeout", default=DEFAULT_TIMEOUT)
    if (
        isinstance(load, FunctionLoad)
        and isinstance(timeout, int | float)
        and load.duration_ms > timeout * 1000
    ):
        raise LambdaPatternsError(
            f"{where}: duration_ms is {load.duration_ms:,g} milliseconds, {name_of(function)} is ended after "
            f"{timeout * 1000:,g}: that is its Timeout"
        )


def _matching(deployment: Deployment, section: str, pattern: str) -> list[Resource]:
    return [
        resource
        for resource in deployment.of_type(*SECTIONS[section][1])
        if any(
            fnmatchcase(name, pattern)
            for name in (resource.id, f"{resource.template}/{resource.id}", name_of(resource))
        )
    ]


def _section(section: str, data: object, where: str) -> dict[str, Load]:
    kind = SECTIONS[section][0]
    known = limits(kind)
    found: dict[str, Load] = {}
    for name, values in mapping(data, where).items():
        here = f"{where}.{name}"
        only(mapping(values, here), known, here)
        found[name] = kind(
            **{key: number(value, known[key], here) for key, value in mapping(values, here).items()}
        )
    return found


def _savings_plan(data: object, where: str) -> tuple[str | None, float]:
    if data is None:
        return None, 1.0
    given = mapping(data, where)
    only(given, ("plan", "coverage"), where)
    plan = given.get("plan")
    if plan not in PLANS:
        raise LambdaPatternsError(f"{where}.plan is {plan!r}, allowed are {' and '.join(PLANS)}")
    return str(plan), number(given.get("coverage", 1), _COVERAGE, where)
