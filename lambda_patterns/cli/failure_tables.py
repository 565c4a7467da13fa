"""How failures look at the terminal: tables, single records, reports; and the same as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lambda_patterns.cli.failure_summary import Summary, age
from lambda_patterns.redrive.targets import Parcel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_patterns.redrive.message import Message
    from lambda_patterns.redrive.records import FailureRecord
    from lambda_patterns.redrive.replay import Report
    from lambda_patterns.redrive.targets import Refusal

_MOST_TEXT = 4_000
_PIPED_WIDTH = 160


def print_json(value: object) -> None:
    """Print JSON and nothing else."""
    click.echo(json.dumps(value, indent=2))


def _console(*, stderr: bool = False) -> Console:
    console = Console(highlight=False, stderr=stderr)
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    return console


def _table(*columns: str, right: int | None = None) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index == right else "left", overflow="fold")
    return table


def print_summary(summary: Summary) -> None:
    """Print what one place holds."""
    console, place = _console(), summary.place
    queue, found = place.queue, summary.report.accepted.total()
    held = f", about {queue.depth.total:,} messages" if queue else ""
    console.print(Text(f"{place.store.name} ({place.why}{held})", style="bold"))
    if not summary.counts:
        hidden = f" ({queue.depth.hidden:,} are being worked on)" if queue and queue.depth.hidden else ""
        console.print(Text(f"  no failures{hidden}"))
    else:
        table = _table("failures", "function", "condition", "error", "shape", "oldest", "newest", right=0)
        for kind, count in summary.sorted():
            shape = f"{kind.shape}: {count.problem}" if count.problem else kind.shape
            cells = (f"{count.number:,}", kind.function, kind.condition, kind.error, shape)
            table.add_row(*(Text(cell) for cell in cells), age(count.oldest), age(count.newest))
        console.print(table)
    if not summary.is_complete:
        console.print(
            Text(f"  {found:,} were looked at ({summary.report.passed.stopped}): --limit looks at more")
        )
    _print_edges(console, summary.report)


def _print_edges(console: Console, report: Report) -> None:
    """Say what the run had to do, or could not do, to leave things as they were."""
    passed = report.passed
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
    ):
        if number:
            console.print(Text(f"  {number:,} {what}"))


def details(
    message: Message, record: FailureRecord, judged: Parcel | Refusal, place: str
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
        "place": place,
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


def print_reports(names: Sequence[str], reports: Sequence[Report], *, as_json: bool) -> None:
    """Print what was done, place by place."""
    if as_json:
        print_json([{"name": name, **report.plain()} for name, report in zip(names, reports, strict=True)])
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
    _print_edges(console, report)
