"""`lambda-patterns tune`: measure a deployed function over memory sizes, with its real payload."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambda_patterns.cli.cost import FILE
from lambda_patterns.cli.money import table
from lambda_patterns.errors import ArgumentError, LambdaPatternsError
from lambda_patterns.facts.limits import MEMORY, SYNC_PAYLOAD_BYTES, VCPU_MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambda_patterns.cli.tuning.measurement import Choice, Measurement

SIZES = "128,256,512,1024,1769,3008"
"""From the smallest over one vCPU (1,769 MB) to the most that a new account offers."""
_FULL = 0.9


@click.command("tune")
@click.argument("function")
@click.option("--payload", type=FILE, required=True, help="The event to invoke it with (JSON).")
@click.option("--memory", default=SIZES, show_default=True, help="The sizes to measure, MB.")
@click.option("--runs", type=click.IntRange(1, 1000), default=10, show_default=True, help="Warm runs a size.")
@click.option(
    "--chart", type=click.Path(dir_okay=False, path_type=Path), help="Draw into a .png or .svg file."
)
@click.option("--prices", "price_file", type=FILE, help="Your own prices (YAML): {Region: {item: USD}}.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before invoking.")
@click.option("--profile", help="The AWS profile. [default: the environment's]")
@click.option("--region", help="The AWS Region. [default: the environment's or the profile's]")
@click.option("--endpoint-url", envvar="AWS_ENDPOINT_URL", help="Another endpoint: the embedded AWS.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(  # noqa: PLR0913  # one argument an option
    *,
    function: str,
    payload: Path,
    memory: str,
    runs: int,
    chart: Path | None,
    price_file: Path | None,
    yes: bool,
    profile: str | None,
    region: str | None,
    endpoint_url: str | None,
    as_json: bool,
) -> None:
    """Measure FUNCTION (its name or ARN) over memory sizes; it keeps the size that it has.

    It is invoked for real, in its VPC, with its role: what the payload writes, it writes as often as it is
    run.
    """
    from lambda_patterns.cli.tuning.measure import measure
    from lambda_patterns.cli.tuning.measurement import choose
    from lambda_patterns.cli.tuning.versions import TunedFunction
    from lambda_patterns.redrive.aws import Aws

    event, sizes = _event(payload), _sizes(memory)
    if chart is not None:
        from lambda_patterns.cli.charts import start

        start(chart, 1)  # refuse what cannot be drawn before anything is invoked
    aws = Aws(profile=profile, region=region, endpoint_url=endpoint_url, connections=len(sizes) + 2)
    tuned = TunedFunction(aws.lambda_, function)
    price = _price(tuned.configuration["Architectures"][0], aws.region, price_file)
    elsewhere = bool(endpoint_url) and "amazonaws.com" not in str(endpoint_url)
    if elsewhere:
        click.echo("this is no AWS: what is measured is this machine, whatever the memory size", err=True)
    if not yes:
        click.confirm(
            f"{tuned.arn} will be invoked {len(sizes) * (runs + 1)} times with {payload}: what it writes, "
            "sends or charges, it does as often. Go on?",
            abort=True,
            err=True,
        )
    if (restored := tuned.recover()) is not None:
        click.echo(f"an earlier call had ended early: {function} has its {restored} MB again", err=True)
    workers = max(1, min(len(sizes), len(sizes) if tuned.reserved is None else tuned.reserved))
    with tuned.versions(sizes) as versions:
        measured = measure(
            aws.waiting_lambda,
            function,
            versions,
            event,
            runs=runs,
            workers=workers,
            done=lambda each: click.echo(f"{each.memory} MB measured", err=True),
        )
    choice = choose(measured)
    if choice is None:
        why = next((each.refused or each.runs[-1].error for each in measured), "it was never run")
        raise LambdaPatternsError(f"{function} failed at every memory size: {why}")
    if chart is not None:
        from lambda_patterns.cli.charts import draw_tuning

        title = f"{function} (not on AWS: this machine's times)" if elsewhere else function
        draw_tuning(title, measured, choice, price, chart)
    if as_json:
        click.echo(json.dumps(_as_json(tuned.arn, tuned.memory, measured, choice, price), indent=2))
        return
    for line in _report(tuned.memory, measured, choice, price):
        click.echo(line)


def _event(path: Path) -> bytes:
    content = path.read_bytes()
    try:
        json.loads(content)
    except ValueError as error:
        raise ArgumentError(f"--payload: {path} is no JSON: {error}") from None
    if problem := SYNC_PAYLOAD_BYTES.problem(len(content)):
        raise ArgumentError(f"--payload: {path}: {problem}: {SYNC_PAYLOAD_BYTES.why}")
    return content


def _sizes(said: str) -> list[int]:
    sizes = []
    for each in said.split(","):
        try:
            size = int(each)
        except ValueError:
            raise ArgumentError(f"--memory: {each.strip()!r} is no number of MB, like {SIZES}") from None
        MEMORY.check(size, "--memory")
        sizes.append(size)
    return sorted(set(sizes))


def _price(architecture: str, region: str, price_file: Path | None) -> float | None:
    """USD for a GB-second where this is known: the sizes are compared by GB-seconds either way."""
    from lambda_patterns.facts.prices import regions
    from lambda_patterns.model.cost import sheet_of

    if price_file is None and region not in regions():
        return None
    price = sheet_of(region, price_file).price(
        f"lambda-duration-{'arm' if architecture == 'arm64' else 'x86'}-1"
    )
    return price.value if price else None


def _as_json(
    arn: str, memory: int, measured: Sequence[Measurement], choice: Choice, price: float | None
) -> dict[str, object]:
    return {
        "function": arn,
        "memory_now": memory,
        "cheapest": choice.cheapest,
        "fastest": choice.fastest,
        "balanced": choice.balanced,
        "sizes": [
            {
                "memory": each.memory,
                "refused": each.refused,
                "error": next((run.error for run in each.runs if run.error), None),
                **(_figures(each, price) if each.usable else {}),
            }
            for each in measured
        ],
    }


def _figures(each: Measurement, price: float | None) -> dict[str, float | int | None]:
    return {
        "runs": len(each.good),
        "duration_ms": each.duration,
        "duration_p95_ms": each.slow,
        "billed_ms": each.billed,
        "start_ms": each.start,
        "memory_used_mb": each.used,
        "gb_seconds": each.gb_seconds,
        "usd_per_million": None if price is None else each.gb_seconds * price * 1e6,
    }


def _report(
    memory: int, measured: Sequence[Measurement], choice: Choice, price: float | None
) -> Iterator[str]:
    marks = {"cheapest": choice.cheapest, "fastest": choice.fastest, "balanced": choice.balanced}
    rows = []
    for each in measured:
        said = [name for name, size in marks.items() if size == each.memory]
        said += ["now"] if each.memory == memory else []
        head = (f"{each.memory:,}", f"{each.memory / VCPU_MEMORY:.2f}")
        if not each.usable:
            why = each.refused or next((run.error for run in each.runs if run.error), "")
            rows.append((*head, "-", "-", "-", "-", "-", f"failed: {why}"))
            continue
        cost = each.gb_seconds if price is None else each.gb_seconds * price * 1e6
        start = "-" if each.start is None else f"{each.start:,.0f}"
        said += ["memory nearly full"] if each.used > _FULL * each.memory else []
        times = (f"{each.duration:,.1f}", f"{each.slow:,.1f}", start)
        rows.append((*head, *times, f"{each.used:,.0f}", f"{cost:,.4g}", ", ".join(said)))
    money = "GB-s" if price is None else "USD a million"
    titles = ("MB", "vCPU", "median ms", "95% ms", "start ms", "used MB", money, "")
    yield from table(titles, rows, right=range(7))
    yield ""
    yield f"cheapest {choice.cheapest} MB, fastest {choice.fastest} MB, balanced {choice.balanced} MB"
