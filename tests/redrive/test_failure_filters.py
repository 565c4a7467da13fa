"""Which failures a filter chooses by time, and how a time is written."""

from datetime import UTC, datetime, timedelta

import pytest

from lambda_patterns.errors import ArgumentError
from lambda_patterns.redrive.filters import Filter, failed_at, point_in_time
from lambda_patterns.redrive.message import Message
from lambda_patterns.redrive.records import FailureRecord, Shape

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RECORD = FailureRecord(Shape.DESTINATION, "{}", failed_at=NOW)
MESSAGE = Message("m1", "", system={"SentTimestamp": str(int((NOW + SECOND).timestamp() * 1000))})


@pytest.mark.parametrize(
    ("chosen", "takes"),
    [
        (Filter(after=NOW), True),
        (Filter(after=NOW - SECOND), True),
        (Filter(after=NOW + SECOND), False),
        (Filter(before=NOW), False),
        (Filter(before=NOW + SECOND), True),
        (Filter(after=NOW, before=NOW + SECOND), True),
    ],
)
def test_after_takes_its_own_second_and_before_does_not(chosen: Filter, takes: bool) -> None:
    assert chosen.takes(MESSAGE, RECORD) is takes


def test_a_record_without_a_time_failed_when_its_queue_got_it() -> None:
    untimed = FailureRecord(Shape.DESTINATION, "{}")
    assert failed_at(MESSAGE, RECORD) == NOW
    assert failed_at(MESSAGE, untimed) == NOW + SECOND
    nowhere = Message("m2", "")
    assert failed_at(nowhere, untimed) is None
    assert Filter().takes(nowhere, untimed)
    assert not Filter(after=NOW).takes(nowhere, untimed)
    assert not Filter(before=NOW).takes(nowhere, untimed)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("15m", NOW - timedelta(minutes=15)),
        ("2h", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
        ("2026-11-24T12:00", NOW),
        ("2026-11-24T13:00+01:00", NOW),
        ("2026-11-24", NOW - timedelta(hours=12)),
    ],
)
def test_a_time_is_a_moment_or_an_age(text: str, time: datetime) -> None:
    assert point_in_time(text, NOW) == time


@pytest.mark.parametrize("text", ["", "soon", "3w", "-3d", "9999999d", "99999999999999d", "1" * 5000 + "d"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        point_in_time(text, NOW)
    assert str(refused.value) == (
        f"{text!r} is no time: give 2026-11-24T09:00 (UTC) or an age, 90s, 15m, 2h, 3d"
    )
