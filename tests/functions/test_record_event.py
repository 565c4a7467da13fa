from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.functions.load_handler import load

EVENT = {"id": "e-1", "table": "orders", "operation": "INSERT", "row": {"id": 7, "item": "tea"}}


class FakeTable:
    """Keeps items by id and refuses a second put of one id, as the condition asks DynamoDB to."""

    def __init__(self, failure: str | None = None) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.failure = failure

    def Table(self, name: str) -> "FakeTable":  # noqa: N802  # boto3's name
        assert name == "Events"
        return self

    def put_item(self, *, Item: dict[str, Any], ConditionExpression: str) -> None:  # noqa: N803  # boto3's names
        assert ConditionExpression == "attribute_not_exists(id)"
        code = self.failure or ("ConditionalCheckFailedException" if Item["id"] in self.items else None)
        if code:
            raise ClientError({"Error": {"Code": code, "Message": ""}}, "PutItem")
        self.items[Item["id"]] = Item


@pytest.fixture
def record_event(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("EVENTS_TABLE", "Events")
    return load("record_event")


def stand_in(monkeypatch: pytest.MonkeyPatch, table: FakeTable) -> FakeTable:
    monkeypatch.setattr(boto3, "resource", lambda service: table if service == "dynamodb" else None)
    return table


def test_an_event_is_recorded_under_its_id(record_event: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    table = stand_in(monkeypatch, FakeTable())
    assert record_event.handler(EVENT, None) == {"id": "e-1", "recorded": True}
    item = table.items["e-1"]
    assert (item["table"], item["operation"], item["row"]) == ("orders", "INSERT", '{"id": 7, "item": "tea"}')


def test_a_second_arrival_changes_nothing(record_event: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    table = stand_in(monkeypatch, FakeTable())
    record_event.handler(EVENT, None)
    before = dict(table.items["e-1"])
    assert record_event.handler({**EVENT, "row": {}}, None) == {"id": "e-1", "recorded": False}
    assert table.items["e-1"] == before


def test_a_failing_table_fails_the_invocation_so_that_lambda_tries_again(
    record_event: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, FakeTable(failure="ProvisionedThroughputExceededException"))
    with pytest.raises(ClientError, match="ProvisionedThroughputExceededException"):
        record_event.handler(EVENT, None)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({}, "the event lacks id, table, operation, row"),
        ({**EVENT, "id": 5}, "id is 5, it must be a text that is not empty"),
        ({**EVENT, "operation": "TRUNCATE"}, "operation is 'TRUNCATE', allowed are DELETE, INSERT, UPDATE"),
    ],
)
def test_what_no_trigger_sends_is_refused(
    record_event: ModuleType, event: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # the whole message is compared below
        record_event.handler(event, None)
    assert str(refused.value) == message
