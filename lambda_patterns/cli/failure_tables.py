"""How failures look at the terminal: tables, single records, reports; and the same as JSON."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lambda_patterns.cli.failure_summary import Kind, Summary, age
from lambda_patterns.redrive.targets import Parcel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_patterns.cli.failure_places import OpenPlace
    from lambda_patterns.redrive.message import Message
    from lambda_patterns.redrive.records import FailureRecord
    from lambda_patterns.redrive.replay import Report
    from lambda_patterns.redrive.targets import Refusal

_MOST_TEXT = 4_000
_MOST_NAMES = 3
_PIPED_WIDTH = 160


def print_json(value: object, *, on_stderr: bool = False) -> None:
    """Print JSON and nothing else."""
    click.echo(json.dumps(value, indent=2), err=on_stderr)


def _console(*, stderr: bool = False) -> Console:
    console = Console(highlight=False, stderr=stderr)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _PIPED_WIDTH
    return console


def _table(*columns: str, right: int | None = None) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index == right else "left", overflow="fold")
    return table


def print_summaries(summaries: Sequence[Summary]) -> None:
    """Print what each place holds; of several, those that hold nothing in one line."""
    idle = [summary for summary in summaries if summary.is_idle] if len(summaries) > 1 else []
    for summary in summaries:
        if summary not in idle:
            print_summary(summary)
    if idle:
        names = ", ".join(summary.place.store.name for summary in idle)
        _console().print(Text(f"nothing in {names}"))


def print_summary(summary: Summary) -> None:
    """Print what one place holds, in a table that a terminal of 80 columns has room for."""
    console, place = _console(), summary.place
    console.print(Text(f"{place.store.name}{_held(summary)}", style="bold"))
    if (what := purpose(place.whys, most=_MOST_NAMES)) != "named":
        console.print(Text(what, style="dim"))
    if not summary.counts:
        console.print(Text("  no failures"))
    else:
        table = _table("failures", "oldest", "newest", "failed with", right=0)
        for function, kinds in summary.by_function():
            table.add_row("", "", "", Text(function or "no function is named", style="bold"))
            for kind, count in kinds:
                cells = (f"{count.number:,}", age(count.oldest), age(count.newest), _failed_with(kind))
                table.add_row(*(Text(cell) for cell in cells))
        console.print(table)
    if summary.report.passed.stopped:
        found = summary.report.accepted.total()
        console.print(
            Text(f"  {found:,} were looked at ({summary.report.passed.stopped}): --limit looks at more")
        )
    print_edges(summary.report, console)


def _failed_with(kind: Kind) -> str:
    held = ", ".join(filter(None, (kind.condition, kind.shape)))
    said = f"{kind.error} ({held})" if kind.error else held
    return f"{said}: {kind.problem}" if kind.problem else said


def _held(summary: Summary) -> str:
    queue = summary.place.queue
    if queue is None:
        return ""
    depth = queue.depth
    parts = [(depth.hidden, "in somebody's hands"), (depth.delayed, "delayed")]
    said = "".join(f", {number:,} of them {how}" for number, how in parts if number)
    return f": about {depth.total:,} messages{said}"


def purpose(whys: Sequence[str], most: int | None = None) -> str:
    """Say what a place is in few words: "on-failure destination of orders ($LATEST, live), bill and 3 more".

    Args:
        whys: "on-failure destination of orders:live", one for each way by which it came to be known.
        most: of each kind, name so many and count the others. Default: name all.
    """
    kinds: dict[str, dict[str, list[str]]] = {}
    for why in whys:
        if any(longer.startswith(f"{why}, ") for longer in whys):
            continue  # "of work" beside "of work, which feeds orders"
        kind, _, of = why.partition(" of ")
        name, _, qualifier = of.rpartition(":") if " " not in of else (of, "", "")
        kinds.setdefault(kind, {}).setdefault(name or of, []).append(qualifier if name else "")
    return "; ".join(_kind(kind, owners, most) for kind, owners in kinds.items())


def _kind(kind: str, owners: Mapping[str, Sequence[str]], most: int | None) -> str:
    named = [
        f"{name} ({', '.join(qualifiers)})" if any(qualifiers) else name
        for name, qualifiers in owners.items()
    ]
    rest = len(named) - most if most is not None else 0
    more = f" and {rest} more" if rest > 0 else ""
    return f"{kind} of {', '.join(named[:most])}{more}" if any(owners) else kind


def print_edges(report: Report, console: Console | None = None) -> None:
    """Say what the run had to do, or could not do, to leave things as they were."""
    console, passed = console or _console(stderr=True), report.passed
    for number, what in (
        (passed.arrived, "arrived meanwhile and were left alone"),
        (
            passed.rewritten,
            "were written anew, because one more receive would have moved them on, or to note an attempt",
        ),
        (
            passed.at_edge,
            "are at their last receive and could not be written anew: the next look moves them on",
        ),
        (passed.undeleted, "were accepted and could not be deleted: they will come a second time"),
        (passed.unreleased, "could not be made visible again: they are within 5 minutes"),
        (
            passed.unseen,
            (
                "or so were not shown: of a FIFO queue SQS shows ten of each group, and the next when those "
                "are done with"
            ),
        ),
    ):
        if number:
            console.print(Text(f"  {number:,} {what}"))


def details(
    message: Message, record: FailureRecord, judged: Parcel | Refusal, place: OpenPlace
) -> dict[str, object]:
    """Give all that is known about one failure, as plain values."""
    fields = asdict(record)
    fields["failed_at"] = record.failed_at.isoformat() if record.failed_at else None
    fields["shape"] = str(record.shape)
    fields.pop("payload")
    known = {name: value for name, value in fields.items() if value not in (None, (), "")}
    to, stays = (str(judged.target), None) if isinstance(judged, Parcel) else (None, judged.why)
    return {
        "id": message.id,
        "place": place.store.name,
        "which_is": ", ".join(place.whys),
        **known,
        "receives": message.receives,
        "replays": message.ledger.attempts,
        "last_replay": message.ledger.reason,
        "goes_back_to": to,
        "stays_because": stays,
        "event": record.event(),
    }


def print_details(shown: Sequence[Mapping[str, object]]) -> None:
    """Print single failures, one below the other."""
    console = _console()
    if not shown:
        console.print("no failures")
    for entry in shown:
        console.print(Text(f"{entry['id']}", style="bold"))
        table = Table(box=None, show_header=False, pad_edge=True)
        table.add_column(style="dim")
        table.add_column(overflow="fold")
        for name, value in entry.items():
            if name != "id" and value not in (None, "", 0):
                table.add_row(name.replace("_", " "), Text(_readable(value)))
        console.print(table)


def _readable(value: object) -> str:
    if isinstance(value, tuple | list) and all(isinstance(line, str) for line in value):
        return "\n".join(value)
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)
    if len(text) <= _MOST_TEXT:
        return text
    return f"{text[:_MOST_TEXT]}\n... {len(text) - _MOST_TEXT:,} more characters: export shows all"


def print_reports(
    names: Sequence[str], reports: Sequence[Report], *, as_json: bool, on_stderr: bool = False
) -> None:
    """Print what was done, place by place; tables always on standard error, JSON there if asked to."""
    if as_json:
        plain = [{"name": name, **report.plain()} for name, report in zip(names, reports, strict=True)]
        print_json(plain, on_stderr=on_stderr)
        return
    console = _console(stderr=True)
    for name, report in zip(names, reports, strict=True):
        console.print(Text(name, style="bold"))
        print_report(console, report)


def print_report(console: Console, report: Report) -> None:
    """Print one report: how many went where, how many did not and why."""
    table = _table("events", "", "", right=0)
    for what, counts in (("", report.accepted), ("refused", report.refused), ("failed", report.failed)):
        for text, number in counts.most_common():
            table.add_row(f"{number:,}", what, Text(text))
    if report.skipped:
        table.add_row(f"{report.skipped:,}", "not chosen", "")
    if table.row_count:
        console.print(table)
    else:
        console.print("  nothing")
    if report.passed.stopped:
        console.print(Text(f"  stopped: {report.passed.stopped}"))
    print_edges(report, console)
