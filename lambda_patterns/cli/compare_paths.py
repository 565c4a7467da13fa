"""`lambda-patterns compare-paths`: the ways out of a VPC side by side, with their break-even."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambda_patterns.cli.cost import FILE
from lambda_patterns.cli.money import table, usd
from lambda_patterns.errors import LambdaPatternsError, nearest
from lambda_patterns.facts.services import SERVICES, by_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.cost import BreakEven, Way
    from lambda_patterns.model.cost.path_load import PathLoad


@click.command("compare-paths")
@click.option("--workload", "workload_file", type=FILE, help="A workload (YAML) with a section `paths`.")
@click.option("--region", help="The Region to price. Default: the workload's.")
@click.option("--zones", type=int, help="The zones the functions run in. Default 2.")
@click.option(
    "--service", "services", multiple=True, metavar="NAME[=GB]", help="A service, with the GB a month."
)
@click.option(
    "--internet-gb", type=float, help="GB a month to and from the internet; 0 if it only must work."
)
@click.option("--instance", help="The type of a NAT instance. Default t4g.micro.")
@click.option("--prices", "price_file", type=FILE, help="Your own prices (YAML): {Region: {item: USD}}.")
@click.option(
    "--chart", type=click.Path(dir_okay=False, path_type=Path), help="Draw into a .png or .svg file."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(  # noqa: PLR0913, PLR0917  # one argument an option, which click gives by name
    workload_file: Path | None,
    region: str | None,
    zones: int | None,
    services: tuple[str, ...],
    internet_gb: float | None,
    instance: str | None,
    price_file: Path | None,
    chart: Path | None,
    *,
    as_json: bool,
) -> None:
    """Price NAT gateway, NAT instance, endpoints and isolation for one month, in USD without tax."""
    from lambda_patterns.model.cost import (
        Workload,
        break_even,
        compare,
        read_workload,
        sheet_of,
    )
    from lambda_patterns.model.cost.path_load import parse_paths

    workload = read_workload(workload_file) if workload_file else Workload()
    where = region or workload.region
    if where is None:
        raise LambdaPatternsError("the Region to price is not known: give it with --region")
    given: dict[str, object] = asdict(workload.paths) if workload.paths else {}
    if services:
        given["services"] = dict(_service(each) for each in services)
    said = (("zones", zones), ("internet_gb", internet_gb), ("instance", instance))
    given |= {name: value for name, value in said if value is not None}
    load = parse_paths(given, "compare-paths")
    sheet = sheet_of(where, price_file)
    ways, even = compare(load, sheet), break_even(load, sheet)
    if chart is not None:
        from lambda_patterns.cli.charts import draw_paths

        draw_paths(load, sheet, chart)
    if as_json:
        found = [{**asdict(way), "monthly": way.monthly} for way in ways]
        click.echo(json.dumps({"region": where, "paths": found, "break_even": asdict(even)}, indent=2))
        return
    for line in _report(load, where, ways, even):
        click.echo(line)


def _service(said: str) -> tuple[str, object]:
    name, _, gb = said.partition("=")
    return name, gb or 0


def _near(name: str) -> str:
    near = nearest(name, (service.name for service in SERVICES))
    return f": did you mean {near!r}?" if near else ""


def _report(load: PathLoad, region: str, ways: tuple[Way, ...], even: BreakEven) -> Iterator[str]:
    names = ", ".join(f"{name} {gb:g} GB" for name, gb in sorted(load.services.items())) or "no AWS service"
    internet = "no internet" if load.internet_gb is None else f"internet {load.internet_gb:g} GB"
    yield f"{region}, {load.zones} zones, a month: {names}; {internet}"
    yield ""
    rows = [
        (
            way.name,
            usd(way.floor),
            "unknown" if way.per_gb is None else f"{way.per_gb:g}",
            "-" if way.refused else usd(way.monthly),
            way.refused or (f"no price of {', '.join(way.unknown)}" if way.unknown else way.note),
        )
        for way in ways
    ]
    yield from table(("path", "floor USD", "USD a GB", "USD a month", ""), rows, right=(1, 2, 3))
    yield ""
    able = [way for way in ways if not way.refused and way.monthly is not None]
    if able:
        best = min(reversed(able), key=lambda way: way.monthly or 0.0)  # of equal ones the least there is
        yield f"cheapest that carries it: {best.name}, {usd(best.monthly)} USD a month"
    if even.endpoints is not None:
        yield f"endpoints cost more than a NAT gateway in each zone from {even.endpoints:.2f} services on"
    if even.gb_beside_nat is not None:
        yield f"beside NAT gateways, an endpoint pays for itself from {even.gb_beside_nat:,.0f} GB a month on"
    for name in sorted(load.services):
        if by_name(name) is None:
            yield f"{name}: no endpoint of this name is known here, one is counted{_near(name)}"
    if even.gb_against_nat:
        yield f"these endpoints cost less than NAT gateways from {even.gb_against_nat:,.0f} GB a month on"
