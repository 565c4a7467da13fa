from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tests.functions.load_handler import load


class FakeConnection:
    """A connection that answers, or breaks, as told; `broken` and `closed` follow psycopg's meaning."""

    def __init__(self, answers: list[Any]) -> None:
        self.answers = answers
        self.closed = self.broken = False

    def execute(self, statement: str, parameters: dict[str, Any]) -> "FakeConnection":
        assert "%(customer)s" in statement
        self.asked = parameters
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        self.rows = answer
        return self

    def close(self) -> None:
        self.closed = True

    def fetchall(self) -> list[dict[str, Any]]:
        return self.rows


class Server:
    """Stands where psycopg.connect does: hands out the connections in turn and notes how it was asked."""

    def __init__(self, *connections: FakeConnection) -> None:
        self.connections = list(connections)
        self.asked: list[dict[str, Any]] = []

    def __call__(self, **arguments: Any) -> FakeConnection:
        self.asked.append(arguments)
        return self.connections.pop(0)


@pytest.fixture
def query_orders() -> ModuleType:
    return load("query_orders")


def serve(monkeypatch: pytest.MonkeyPatch, *connections: FakeConnection) -> Server:
    server = Server(*connections)
    monkeypatch.setattr(psycopg, "connect", server)
    return server


def test_an_invocation_answers_with_the_customers_orders(
    query_orders: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"id": 7, "customer": "c-1", "item": "tea", "quantity": 2, "placed_at": "2026-11-24"}]
    connection = FakeConnection([rows])
    serve(monkeypatch, connection)
    assert query_orders.handler({"customer": "c-1", "limit": 5}, None) == {"customer": "c-1", "orders": rows}
    assert connection.asked == {"customer": "c-1", "limit": 5}


def test_the_connection_verifies_tls_and_signs_a_token_for_the_user_host_and_port(
    query_orders: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(monkeypatch, FakeConnection([[]]))
    query_orders.handler({"customer": "c-1"}, None)
    (asked,) = server.asked
    assert asked["sslmode"] == "verify-full"
    token = urlsplit("https://" + asked["password"])
    assert token.netloc == "orders.proxy-abc.eu-central-1.rds.amazonaws.com:5432"
    parameters = parse_qs(token.query)
    assert parameters["DBUser"] == ["app"]
    assert parameters["X-Amz-Expires"] == ["900"]
    assert "/eu-central-1/rds-db/" in parameters["X-Amz-Credential"][0]


def test_nothing_that_pins_a_proxied_session_is_asked_for(
    query_orders: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(monkeypatch, FakeConnection([[]]))
    query_orders.handler({"customer": "c-1"}, None)
    (asked,) = server.asked
    assert asked["prepare_threshold"] is None
    assert asked["autocommit"] is True
    assert not asked.keys() & {"options", "client_encoding"}


def test_the_connection_is_reused_between_invocations(
    query_orders: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(monkeypatch, FakeConnection([[], []]))
    query_orders.handler({"customer": "c-1"}, None)
    query_orders.handler({"customer": "c-2"}, None)
    assert len(server.asked) == 1


def test_a_dropped_connection_is_opened_again_with_a_fresh_token_and_the_read_is_repeated(
    query_orders: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = FakeConnection([[], psycopg.OperationalError("server closed the connection unexpectedly")])
    server = serve(monkeypatch, first, FakeConnection([[{"id": 9}]]))
    query_orders.handler({"customer": "c-1"}, None)
    first.broken = True
    assert query_orders.handler({"customer": "c-1"}, None)["orders"] == [{"id": 9}]
    assert len(server.asked) == 2


def test_a_closed_connection_is_replaced_before_it_is_used(
    query_orders: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = FakeConnection([[]])
    serve(monkeypatch, first, FakeConnection([[{"id": 1}]]))
    query_orders.handler({"customer": "c-1"}, None)
    first.closed = True
    assert query_orders.handler({"customer": "c-1"}, None)["orders"] == [{"id": 1}]


def test_a_failure_on_a_connection_that_was_just_opened_is_not_repeated(
    query_orders: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = FakeConnection([psycopg.OperationalError("timed out waiting for a database connection")])
    connection.broken = True
    server = serve(monkeypatch, connection)
    with pytest.raises(psycopg.OperationalError, match="timed out waiting"):
        query_orders.handler({"customer": "c-1"}, None)
    assert len(server.asked) == 1


def test_a_failing_statement_on_a_good_connection_is_not_repeated(
    query_orders: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = FakeConnection([[], psycopg.OperationalError("canceling statement due to timeout")])
    server = serve(monkeypatch, connection)
    query_orders.handler({"customer": "c-1"}, None)
    with pytest.raises(psycopg.OperationalError, match="canceling statement"):
        query_orders.handler({"customer": "c-1"}, None)
    assert len(server.asked) == 1


def test_a_file_of_authorities_can_be_given(
    query_orders: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSSLROOTCERT", "/opt/authorities.pem")
    server = serve(monkeypatch, FakeConnection([[]]))
    query_orders.handler({"customer": "c-1"}, None)
    assert server.asked[0]["sslrootcert"] == "/opt/authorities.pem"


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({}, "customer is None, it must be a text that is not empty"),
        ({"customer": ""}, "customer is '', it must be a text that is not empty"),
        ({"customer": "c-1", "limit": 0}, "limit is 0, allowed are whole numbers 1-100"),
        ({"customer": "c-1", "limit": 101}, "limit is 101, allowed are whole numbers 1-100"),
        ({"customer": "c-1", "limit": "5"}, "limit is '5', allowed are whole numbers 1-100"),
        ({"customer": "c-1", "limit": True}, "limit is True, allowed are whole numbers 1-100"),
    ],
)
def test_bad_events_are_refused_before_the_database_is_asked(
    query_orders: ModuleType, monkeypatch: pytest.MonkeyPatch, event: dict[str, Any], message: str
) -> None:
    server = serve(monkeypatch)
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # the whole message is compared below
        query_orders.handler(event, None)
    assert str(refused.value) == message
    assert server.asked == []
