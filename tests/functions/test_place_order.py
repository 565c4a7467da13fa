import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.functions.load_handler import load


class FakeConnection:
    """Notes what is inserted and gives the next id."""

    def __init__(self) -> None:
        self.inserted: list[dict[str, Any]] = []

    def execute(self, statement: str, order: dict[str, Any]) -> "FakeConnection":
        assert "INSERT INTO orders" in statement
        self.inserted.append(order)
        return self

    def fetchall(self) -> list[dict[str, Any]]:
        return [{"id": len(self.inserted)}]


@pytest.fixture
def connection() -> FakeConnection:
    return FakeConnection()


@pytest.fixture
def place_order(monkeypatch: pytest.MonkeyPatch, connection: FakeConnection) -> ModuleType:
    monkeypatch.setitem(sys.modules, "handler", SimpleNamespace(connection=lambda: connection))
    return load("query_orders", "place_order")


def test_an_order_is_inserted_once_and_its_id_given(
    place_order: ModuleType, connection: FakeConnection
) -> None:
    event = {"customer": "c-1", "item": "tea", "quantity": 2}
    assert place_order.handler(event, None) == {"id": 1}
    assert connection.inserted == [event]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({}, "customer is None, it must be a text that is not empty"),
        ({"customer": "c-1"}, "item is None, it must be a text that is not empty"),
        (
            {"customer": "c-1", "item": "tea", "quantity": 0},
            "quantity is 0, allowed are whole numbers from 1",
        ),
    ],
)
def test_bad_orders_are_refused_before_the_database_is_asked(
    place_order: ModuleType, connection: FakeConnection, event: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # the whole message is compared below
        place_order.handler(event, None)
    assert str(refused.value) == message
    assert connection.inserted == []
