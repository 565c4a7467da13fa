"""What a demonstration shows: the stacks while they are deployed, and the summary at its end."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.json import JSON
from rich.markup import escape
from rich.table import Column, Table

from lambda_patterns.local import show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from lambda_patterns.local.failure_paths import Walked
    from lambda_patterns.local.proof import Proved
    from lambda_patterns.local.stage import Answer, Deployed, Kept

_SHOWN_ANSWER = 100


@dataclass(kw_only=True)
class Result:
    """What has been done so far."""

    stacks: list[Deployed] = field(default_factory=list)
    proved: list[Proved] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    walked: list[Walked] = field(default_factory=list)
    recorded: list[dict[str, str]] = field(default_factory=list)
    other_runtimes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def progress(names: Sequence[str], states: Mapping[str, str], seconds: float) -> Table:
    """Show every stack with its state now."""
    table = Table(title=f"deploying, {seconds:.0f} s", title_justify="left", show_header=False, box=None)
    for name in names:
        state = states.get(name, "waiting")
        table.add_row(escape(name), state.replace("_", " ").lower())
    return table


def summary(console: Console, result: Result, seconds: float, memory: float) -> None:
    """Print everything that was done, the failure records whole."""
    for kept in result.kept:
        _show_record(console, kept)
    console.print(_stacks(result.stacks))
    if result.proved:
        console.print(_proved(result.proved))
    if result.answers:
        console.print(_answers(result.answers))
    for kept in result.kept:
        console.print(_failure(kept))
    if result.walked:
        console.print(walked(result.walked))
    show.not_what_it_seems(console, result.recorded, result.other_runtimes)
    parts = ", ".join(f"{name} {value:.1f} s" for name, value in result.seconds.items())
    console.print(f"\n{seconds:.1f} s in all ({parts}); largest process {memory:.0f} MiB")


def _show_record(console: Console, kept: Kept) -> None:
    console.print(f"\nthe failure record in {escape(kept.queue)}:")
    console.print(JSON(json.dumps(kept.record)), soft_wrap=True)
    console.print()


def _stacks(stacks: Sequence[Deployed]) -> Table:
    table = Table("stack", "resources", "state", title="deployed", title_justify="left")
    for stack in stacks:
        table.add_row(escape(stack.name), str(stack.resources), stack.status.replace("_", " ").lower())
    return table


def _proved(proved: Sequence[Proved]) -> Table:
    title = "proved from the templates (the network here lets everything through)"
    columns = (Column(overflow="fold"), Column(overflow="fold"))
    table = Table(*columns, title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
    last = ""
    for entry in proved:
        if entry.function != last:
            table.add_row(escape(entry.function))
            last = entry.function
        fault = entry.verdict == "unknown" or (entry.needed and entry.verdict == "blocked")
        target = entry.target if entry.needed else f"{entry.target} (not needed)"
        joined = " " if entry.verdict == "reached" else ": "
        table.add_row(
            f"  {escape(target)}",
            escape(f"{entry.verdict}{joined}{entry.how}"),
            style="yellow" if fault else "",
        )
    return table


def _answers(answers: Sequence[Answer]) -> Table:
    answer = Column("answer", overflow="fold")
    table = Table("stack", "function", answer, "ms", title="called", title_justify="left")
    for each in answers:
        milliseconds = f"{each.seconds * 1000:.0f}"
        called = (each.call.stack, each.call.function, _short(each.payload), milliseconds)
        table.add_row(*(escape(cell) for cell in called))
    return table


def _failure(kept: Kept) -> Table:
    context, payload = kept.record["requestContext"], kept.record.get("responsePayload") or {}
    noticed = "no alarm" if kept.alarm is None else f"{kept.alarm}, {kept.alarm_seconds:.1f} s later"
    table = Table(title="failed", title_justify="left", show_header=False)
    for name, value in (
        ("event", _short(kept.failure.event)),
        ("function", context["functionArn"].split(":function:")[1]),
        (
            "attempts",
            f"{context['approximateInvokeCount']} in {kept.seconds:.1f} s, then {context['condition']}",
        ),
        ("error", f"{payload.get('errorType')}: {payload.get('errorMessage')}"),
        ("kept in", kept.queue),
        ("noticed by", noticed),
    ):
        table.add_row(name, escape(value))
    return table


def walked(ways: Sequence[Walked]) -> Table:
    """Show every failure path with how far it is."""
    # in a pipe a table has 80 columns: the path is folded, names that can be looked up are not
    table = Table(
        Column("path", min_width=10),
        Column("kept in\nafter", no_wrap=True),
        Column("noticed by", no_wrap=True),
        Column("replayed by\ndone after", no_wrap=True),
        title="failed, kept, mended, replayed",
        title_justify="left",
        box=SIMPLE_HEAD,
        show_lines=True,
    )
    for way in ways:
        table.add_row(
            escape(way.path.way),
            f"{escape(way.path.queue)}\n{_seconds(way.kept)}",
            "..." if way.alarm is None else escape(_in_its_stack(way.alarm)),
            f"{way.path.replay}\n{_seconds(way.done)}",
        )
    return table


def _in_its_stack(name: str) -> str:
    """Give the id in its stack that CloudFormation made a name from."""
    made = re.fullmatch(r"[^-]+-(\w+?)(?:[0-9A-F]{8})?-[0-9A-Z]{8,}", name)
    return made[1] if made else name


def _seconds(value: float | None) -> str:
    return "..." if value is None else f"{value:.1f} s"


def _short(value: Any) -> str:  # noqa: ANN401  # any JSON
    text = json.dumps(value)
    return text if len(text) <= _SHOWN_ANSWER else text[:_SHOWN_ANSWER] + " ..."
