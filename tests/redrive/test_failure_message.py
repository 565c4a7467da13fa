"""A message keeps everything it came with, through export, import and our own bookkeeping."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_patterns.errors import ArgumentError
from lambda_patterns.redrive.message import LEDGER_ATTRIBUTE, Attribute, Ledger, Message, encoded, moment

ATTRIBUTES = st.dictionaries(
    st.text("abcXYZ_-.", min_size=1, max_size=9),
    st.text().map(lambda value: Attribute(DataType="String", StringValue=value))
    | st.binary(min_size=1).map(lambda value: Attribute(DataType="Binary.png", BinaryValue=value)),
    max_size=9,
)
LEDGERS = st.builds(
    Ledger,
    attempts=st.integers(0, 99),
    since=st.none() | st.integers(0, 4_000_000_000_000),
    key=st.none() | st.text(max_size=40),
    reason=st.none() | st.text(min_size=1, max_size=500),
)


@given(st.text(), ATTRIBUTES, st.dictionaries(st.text(), st.text()), LEDGERS)
def test_a_line_of_an_export_gives_the_same_message_back(
    body: str, attributes: dict[str, Attribute], system: dict[str, str], ledger: Ledger
) -> None:
    message = Message("m1", body, attributes, system, ledger=ledger)
    assert Message.from_line(message.line()) == message
    assert "\n" not in message.line()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "hello",
        "[]",
        "{}",
        "[" * 100_000,
        '{"format": 2, "body": ""}',
        '{"format": 1}',
        '{"format": 1, "body": 3}',
        '{"format": 1, "body": "", "attributes": {"a": 3}}',
        '{"format": 1, "body": "", "attributes": {"a": {"DataType": "Binary", "BinaryValue": "?"}}}',
    ],
)
def test_a_line_that_is_none_of_an_export_is_refused_with_the_reason(line: str) -> None:
    with pytest.raises(ArgumentError, match="not a line of an export: "):
        Message.from_line(line)


def test_the_ledger_travels_beside_the_senders_attributes_and_is_not_one_of_them() -> None:
    own: Attribute = {"DataType": "String", "StringValue": "eu"}
    message = Message("m1", "x", {"tenant": own}, {"SentTimestamp": "1000"})
    noted = message.noted(key="m1", failed=True, reason="no stock")
    sent = noted.outgoing()
    assert json.loads(sent[LEDGER_ATTRIBUTE]["StringValue"]) == {
        "attempts": 1,
        "since": 1000,
        "key": "m1",
        "reason": "no stock",
    }
    again = Message.received(
        {
            "MessageId": "m2",
            "Body": "x",
            "MessageAttributes": {name: dict(value) for name, value in sent.items()},  # type: ignore[misc]  # as SQS answers
            "Attributes": {"SentTimestamp": "9000"},
        }
    )
    assert (again.attributes, again.ledger.attempts, again.since) == ({"tenant": own}, 1, 1000)
    assert again.noted(key="m2", failed=True).ledger == Ledger(2, 1000, "m1", "no stock")


def test_a_message_with_ten_attributes_of_its_own_goes_without_a_ledger() -> None:
    full: dict[str, Attribute] = {f"a{n}": {"DataType": "String", "StringValue": "x"} for n in range(10)}
    assert Message("m1", "x", full).noted(key="m1", failed=True).outgoing() == full


@pytest.mark.parametrize(
    "text", ["", "x", "[]", '{"attempts": "many"}', '{"attempts": -1}', '{"attempts": true}']
)
def test_a_damaged_ledger_counts_as_none(text: str) -> None:
    assert Ledger.read({"DataType": "String", "StringValue": text}) == Ledger()


def test_size_counts_body_and_attributes_in_bytes() -> None:
    binary: Attribute = {"DataType": "Binary", "BinaryValue": b"123"}
    assert Message("m1", "üx", {"ab": binary}).size() == 3 + 2 + 6 + 3


def test_a_lone_surrogate_is_sent_as_its_json_escape() -> None:
    assert json.loads(encoded('"\ud800"')) == "\ud800"


def test_a_time_out_of_any_calendar_is_none() -> None:
    assert moment(10**30) is None
