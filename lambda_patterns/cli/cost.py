"""`lambda-patterns cost`: what a deployment costs in a month, with and without traffic."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambda_patterns.cli.money import count, table, usd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.cost import Estimate

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("cost")
@click.argument("template", type=click.Path(path_type=Path))
@click.option("--workload", "workload_file", type=FILE, help="What a month brings (YAML); else no traffic.")
@click.option("--region", help="The Region to price. Default: the workload's, else the stacks'.")
@click.option("--prices", "price_file", type=FILE, help="Your own prices (YAML): {Region: {item: USD}}.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    template: Path, workload_file: Path | None, region: str | None, price_file: Path | None, *, as_json: bool
) -> None:
    """Price TEMPLATE (a template, or a cdk.out folder) for one month, in USD without tax."""
    from lambda_patterns.model.assembly import read
    from lambda_patterns.model.cost import Workload, estimate, read_workload, sheet_of
    from lambda_patterns.model.cost.estimate import region_of
    from lambda_patterns.model.cost.workload import check_names

    workload = read_workload(workload_file) if workload_file else Workload()
    deployments = tuple(read(template).deployments())
    check_names(workload, deployments)
    where = region_of(deployments, workload, region)
    sheet = sheet_of(where, price_file)
    estimates = sorted(
        (estimate(deployment, workload, sheet) for deployment in deployments), key=lambda each: each.monthly
    )
    dearest = estimates[-1]
    others = [each.monthly for each in estimates[:-1]]
    if as_json:
        click.echo(json.dumps(_as_json(dearest, others), indent=2))
        return
    for line in _report(dearest, others):
        click.echo(line)


def _as_json(found: Estimate, others: list[float]) -> dict[str, object]:
    dominant = found.dominant()
    return {
        "region": found.region,
        "monthly_usd": found.monthly,
        "floor_usd": found.floor,
        "complete": not found.unknown,
        "dominant": {"item": dominant[0], "share": dominant[1]} if dominant else None,
        "stacks": found.by_stack(),
        "lines": [asdict(line) for line in found.lines if line.quantity != 0],
        "not_priced": dict(found.unpriced),
        "without_workload": list(found.silent),
        "deployed_elsewhere": dict(found.elsewhere),
        "other_conditions_usd": others,
    }


def _report(found: Estimate, others: list[float]) -> Iterator[str]:
    rows = []
    order = {key: number for number, key in enumerate(found.by_resource())}
    shown = [line for line in found.lines if line.quantity != 0]
    for line in sorted(shown, key=lambda each: order.get((each.stack, each.resource), len(order))):
        quantity = count(line.quantity, line.unit)
        rows.append((line.stack, line.resource, line.what, quantity, usd(line.monthly), "*" * line.floor))
    yield from table(("stack", "resource", "what", "quantity a month", "USD", "floor"), rows, right=(3, 4))
    yield ""
    for stack, amount in found.by_stack().items():
        yield f"{stack}: {usd(amount)} USD a month"
    least = "at least " if found.unknown else ""
    floor_least = "at least " if any(line.floor for line in found.unknown) else ""
    yield f"total: {least}{usd(found.monthly)} USD a month in {found.region}, without tax"
    yield f"floor with no traffic (*): {floor_least}{usd(found.floor)} USD a month"
    if dominant := found.dominant():
        yield f"dominated by {dominant[0]}: {dominant[1]:.0%} of what is charged"
    for why in dict.fromkeys(line.why or "" for line in found.unknown):
        lines = [line for line in found.unknown if line.why == why]
        names = ", ".join(dict.fromkeys(line.resource for line in lines))
        fix = "" if any(line.quantity is None for line in lines) else "; give a price with --prices FILE"
        yield f"unknown: {why} ({names}){fix}"
    if found.elsewhere:
        named = ", ".join(f"{stack} ({region})" for stack, region in found.elsewhere.items())
        yield f"at the prices of {found.region}, though deployed elsewhere: {named}"
    if found.unpriced:
        yield "not priced: " + ", ".join(f"{kind} ({count})" for kind, count in found.unpriced.items())
    if found.silent:
        yield "without a workload, counted as never invoked: " + ", ".join(found.silent)
    if others and round(others[0], 2) != round(found.monthly, 2):
        cheapest = usd(others[0])
        yield f"conditions are undecided: this is the dearest case, the cheapest is {cheapest} USD a month"
