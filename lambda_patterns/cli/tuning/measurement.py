"""What was measured at each memory size, and the sizes that are worth choosing."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_REPORT = re.compile(r"^REPORT RequestId: .*$", re.MULTILINE)
_FIELD = {
    "duration": re.compile(r"\tDuration: ([\d.]+) ms"),
    "billed": re.compile(r"\tBilled Duration: ([\d.]+) ms"),
    "used": re.compile(r"\tMax Memory Used: ([\d.]+) MB"),
    "init": re.compile(r"\t(?:Init|Restore) Duration: ([\d.]+) ms"),
}
_JSON_FIELD = {"duration": "durationMs", "billed": "billedDurationMs", "used": "maxMemoryUsedMB"}


@dataclass(frozen=True, slots=True)
class Run:
    """One invocation, as Lambda reports it.

    Args:
        duration: milliseconds that the handler ran.
        billed: milliseconds that are charged, the start of the environment included.
        used: the most memory that was in use, MB.
        start: milliseconds that the environment took to start, or None if it was running already.
        error: what the function failed with, or None.
    """

    duration: float
    billed: float
    used: float
    start: float | None = None
    error: str | None = None


def parse_report(log: str) -> Run | None:
    """Read the platform's report from the tail of a log, in text or JSON; None where there is none.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html
    """
    lines = _REPORT.findall(log)
    if lines:
        found = {name: pattern.search(lines[-1]) for name, pattern in _FIELD.items()}
        values = {name: float(match[1]) for name, match in found.items() if match}
        if {"duration", "billed", "used"} <= values.keys():
            return Run(values["duration"], values["billed"], values["used"], values.get("init"))
    for line in reversed(log.splitlines()):
        if '"platform.report"' not in line:
            continue
        try:
            metrics = json.loads(line)["record"]["metrics"]
            duration, billed, used = (float(metrics[key]) for key in _JSON_FIELD.values())
        except (ValueError, KeyError, TypeError):
            continue
        start = metrics.get("initDurationMs", metrics.get("restoreDurationMs"))
        return Run(duration, billed, used, None if start is None else float(start))
    return None


@dataclass(frozen=True, slots=True)
class Measurement:
    """One memory size.

    Args:
        memory: MB.
        runs: the invocations, in their order.
        refused: why AWS does not take this size, or None.
    """

    memory: int
    runs: tuple[Run, ...] = ()
    refused: str | None = None

    @property
    def good(self) -> tuple[Run, ...]:
        """The runs that did not fail, and of these the warm ones where there are any."""
        done = tuple(run for run in self.runs if run.error is None)
        return tuple(run for run in done if run.start is None) or done

    @property
    def errors(self) -> int:
        """How many runs failed."""
        return sum(1 for run in self.runs if run.error is not None)

    @property
    def usable(self) -> bool:
        """Whether it can be chosen: no run failed, and there was one."""
        return bool(self.runs) and not self.errors

    @property
    def duration(self) -> float:
        """The median of the milliseconds that a warm handler ran: an outlier moves it little."""
        return median(run.duration for run in self.good)

    @property
    def slow(self) -> float:
        """The milliseconds that 95 of 100 runs do not exceed (nearest rank)."""
        ordered = sorted(run.duration for run in self.good)
        return ordered[max(0, -(-95 * len(ordered) // 100) - 1)]

    @property
    def billed(self) -> float:
        """The median of the milliseconds that are charged."""
        return median(run.billed for run in self.good)

    @property
    def start(self) -> float | None:
        """The median of the starts of environments, in milliseconds, or None if none was seen."""
        starts = [run.start for run in self.runs if run.start is not None]
        return median(starts) if starts else None

    @property
    def used(self) -> float:
        """The most memory that any run used, MB."""
        return max(run.used for run in self.runs)

    @property
    def gb_seconds(self) -> float:
        """What one warm invocation is charged for."""
        return self.billed / 1000 * self.memory / 1024


@dataclass(frozen=True, slots=True)
class Choice:
    """The memory sizes worth choosing, MB; of equals the smallest.

    Args:
        cheapest: the fewest GB-seconds.
        fastest: the shortest duration.
        balanced: the least sum of both, each as a share of the largest measured.
    """

    cheapest: int
    fastest: int
    balanced: int


def choose(measured: Sequence[Measurement]) -> Choice | None:
    """Choose among the sizes at which no run failed; None where there is no such size."""
    usable = sorted((each for each in measured if each.usable), key=lambda each: each.memory)
    if not usable:
        return None
    most_time = max(each.duration for each in usable) or 1.0
    most_cost = max(each.gb_seconds for each in usable) or 1.0
    return Choice(
        cheapest=min(usable, key=lambda each: each.gb_seconds).memory,
        fastest=min(usable, key=lambda each: each.duration).memory,
        balanced=min(usable, key=lambda each: each.duration / most_time + each.gb_seconds / most_cost).memory,
    )
