"""Choosing among failures: by function, error, condition, time and what the event says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import jmespath
from jmespath.exceptions import JMESPathError

from lambda_patterns.errors import ArgumentError
from lambda_patterns.redrive.message import moment

if TYPE_CHECKING:
    from jmespath.parser import ParsedResult

    from lambda_patterns.redrive.message import Message
    from lambda_patterns.redrive.records import FailureRecord

_AGE = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Filter:
    """What a failure must be to be chosen; everything given must hold, nothing given chooses all.

    Args:
        function: the function's name, with or without its alias, or a pattern ("orders-*").
        error: the error's type, or a pattern ("*TimeoutError").
        condition: the condition, or a pattern.
        shape: how it is held ("destination", "dead-letter", ...).
        after: failed at this time or later.
        before: failed earlier than this.
        contains: text that stands in the event as it was written.
        where: a JMESPath expression over the event, compiled; true unless null, false or empty.
        ids: message ids.
    """

    function: str | None = None
    error: str | None = None
    condition: str | None = None
    shape: str | None = None
    after: datetime | None = None
    before: datetime | None = None
    contains: str | None = None
    where: ParsedResult | None = None
    ids: frozenset[str] = frozenset()

    def takes(self, message: Message, record: FailureRecord) -> bool:
        """Say whether a failure is chosen."""
        time = failed_at(message, record)
        return (
            (not self.ids or message.id in self.ids)
            and self._names(record)
            and _like(record.error_type, self.error)
            and _like(record.condition, self.condition)
            and (self.shape is None or record.shape == self.shape)
            and (self.after is None or (time is not None and time >= self.after))
            and (self.before is None or (time is not None and time < self.before))
            and (self.contains is None or self.contains in (record.payload or ""))
            and self._selects(record)
        )

    def _names(self, record: FailureRecord) -> bool:
        if self.function is None:
            return True
        names = {record.function_name, record.function}
        if record.function is not None:
            names.add(record.function.rsplit(":", 1)[1])
        return any(_like(name, self.function) for name in names)

    def _selects(self, record: FailureRecord) -> bool:
        if self.where is None:
            return True
        try:
            return bool(self.where.search(record.event()))
        except JMESPathError:
            return False  # it asks for something that this event does not have the type for


def failed_at(message: Message, record: FailureRecord) -> datetime | None:
    """Tell when an event failed: by its record, else when its queue got it."""
    return record.failed_at or moment(message.since)


def expression(text: str) -> ParsedResult:
    """Compile a JMESPath expression.

    Raises:
        ArgumentError: it is not one.
    """
    try:
        return jmespath.compile(text)
    except JMESPathError as error:
        raise ArgumentError(f"{text!r} is no JMESPath expression: {' '.join(str(error).split())}") from None


def point_in_time(text: str, now: datetime) -> datetime:
    """Read a time: "2026-11-24T09:00", with or without zone (UTC), or an age: "90s", "15m", "2h", "3d".

    Raises:
        ArgumentError: it is neither.
    """
    try:
        if match := _AGE.fullmatch(text):
            return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
        read = datetime.fromisoformat(text)
    except (ValueError, OverflowError):  # an age before the year 1, too
        raise ArgumentError(
            f"{text!r} is no time: give 2026-11-24T09:00 (UTC) or an age, 90s, 15m, 2h, 3d"
        ) from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _like(value: str | None, pattern: str | None) -> bool:
    return pattern is None or (value is not None and fnmatchcase(value, pattern))
