"""Counting what one place holds: by function, condition, error and shape, with the oldest and the newest."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lambda_patterns.redrive.filters import failed_at
from lambda_patterns.redrive.replay import Report, Run, look

if TYPE_CHECKING:
    from lambda_patterns.cli.failure_places import OpenPlace
    from lambda_patterns.redrive.filters import Filter
    from lambda_patterns.redrive.message import Message
    from lambda_patterns.redrive.records import FailureRecord


@dataclass(frozen=True, slots=True)
class Kind:
    """What failures have in common that are counted together."""

    function: str
    condition: str
    error: str
    shape: str
    problem: str | None


@dataclass(slots=True)
class Count:
    """How many of a kind there are, and since when."""

    number: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None

    def add(self, time: datetime | None) -> None:
        """Count one more."""
        self.number += 1
        if time is not None:
            self.oldest = min(self.oldest or time, time)
            self.newest = max(self.newest or time, time)


@dataclass(slots=True)
class Summary:
    """What was found in one place."""

    place: OpenPlace
    limit: int
    report: Report = field(default_factory=Report)
    counts: dict[Kind, Count] = field(default_factory=dict)

    def add(self, message: Message, record: FailureRecord) -> None:
        """Count one failure."""
        kind = Kind(
            record.function_name or "",
            record.condition or "",
            record.error_type or "",
            str(record.shape),
            record.problem,
        )
        self.counts.setdefault(kind, Count()).add(failed_at(message, record))

    def sorted(self) -> list[tuple[Kind, Count]]:
        """Give the most frequent first."""
        return sorted(
            self.counts.items(), key=lambda entry: (-entry[1].number, entry[0].function, entry[0].error)
        )

    def by_function(self) -> list[tuple[str, list[tuple[Kind, Count]]]]:
        """Give the same for each function, the one that failed most often first."""
        found: dict[str, list[tuple[Kind, Count]]] = {}
        for kind, count in self.sorted():
            found.setdefault(kind.function, []).append((kind, count))
        return sorted(found.items(), key=lambda entry: -sum(count.number for _, count in entry[1]))

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to say of the place: no failures, and nothing that was not seen."""
        queue = self.place.queue
        return not self.counts and self.is_complete and not (queue and queue.depth.total)

    @property
    def is_complete(self) -> bool:
        """Whether all that could be seen was looked at."""
        return self.report.passed.stopped is None and not self.report.passed.unseen

    def as_json(self) -> dict[str, object]:
        """Give it as plain values; times in UTC."""
        queue = self.place.queue
        depth = queue.depth if queue else None
        return {
            "name": self.place.store.name,
            "arn": self.place.store.arn,
            "why": ", ".join(self.place.whys),
            "messages": {"visible": depth.visible, "hidden": depth.hidden, "delayed": depth.delayed}
            if depth
            else None,
            "looked_at": self.report.passed.received,
            "complete": self.is_complete,
            "failures": [
                {
                    "function": kind.function or None,
                    "condition": kind.condition or None,
                    "error": kind.error or None,
                    "shape": kind.shape,
                    "count": count.number,
                    "oldest": count.oldest.isoformat() if count.oldest else None,
                    "newest": count.newest.isoformat() if count.newest else None,
                    "problem": kind.problem,
                }
                for kind, count in self.sorted()
            ],
        }


def summarize(place: OpenPlace, chosen: Filter, limit: int) -> Summary:
    """Look at a place, and leave everything as it was.

    Args:
        place: where.
        chosen: which failures.
        limit: at most so many of them.
    """
    summary = Summary(place, limit)
    summary.report = look(place.store, Run(chosen, most=limit), summary.add)
    return summary


def age(time: datetime | None, now: datetime | None = None) -> str:
    """Say how long ago a time is, in its largest unit: "3 d", "5 h", "12 min", "40 s"."""
    if time is None:
        return ""
    seconds = max(int(((now or datetime.now(UTC)) - time).total_seconds()), 0)
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
