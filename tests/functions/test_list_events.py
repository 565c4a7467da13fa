from types import ModuleType
from typing import Any

import boto3
import pytest

from tests.functions.load_handler import load


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[list[dict[str, Any]]]:
    """What the table holds at each look; the last stays."""
    looks: list[list[dict[str, Any]]] = []

    class Events:
        def scan(self) -> dict[str, Any]:
            return {"Items": looks.pop(0) if len(looks) > 1 else looks[0]}

    class Resource:
        def Table(self, name: str) -> Events:  # noqa: N802  # boto3's name
            assert name == "Events"
            return Events()

    monkeypatch.setenv("EVENTS_TABLE", "Events")
    monkeypatch.setattr(boto3, "resource", lambda _: Resource())
    return looks


@pytest.fixture
def list_events() -> ModuleType:
    return load("list_events")


def test_the_latest_event_is_first(list_events: ModuleType, scans: list[list[dict[str, Any]]]) -> None:
    scans.append([{"id": "1", "recorded_at": "2026-01-01"}, {"id": "2", "recorded_at": "2026-01-02"}])
    assert [event["id"] for event in list_events.handler({}, None)["events"]] == ["2", "1"]


def test_it_waits_for_the_first_event(list_events: ModuleType, scans: list[list[dict[str, Any]]]) -> None:
    scans.extend([[], [], [{"id": "1", "recorded_at": "2026-01-01"}]])
    assert len(list_events.handler({"wait": 5}, None)["events"]) == 1


def test_without_a_wait_there_may_be_nothing(
    list_events: ModuleType, scans: list[list[dict[str, Any]]]
) -> None:
    scans.append([])
    assert list_events.handler({}, None) == {"events": []}


def test_a_wait_longer_than_the_function_is_refused(
    list_events: ModuleType, scans: list[list[dict[str, Any]]]
) -> None:
    scans.append([])
    with pytest.raises(ValueError, match=r"^wait is 60, allowed are 0-20 s$"):
        list_events.handler({"wait": 60}, None)
