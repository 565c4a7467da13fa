"""Every shape that AWS hands a failed event over in, as recorded from AWS, and what can be wrong with it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_patterns.redrive.message import Attribute, Message
from lambda_patterns.redrive.records import FailureRecord, Shape, parse

ORDERS = "arn:aws:lambda:us-east-1:123456789012:function:orders"
TOPIC = "arn:aws:sns:us-east-1:123456789012:orders"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def destination(payload: str = '{"id": 1}', function: str = f"{ORDERS}:live", **changes: Any) -> str:
    rest = {
        "version": "1.0",
        "timestamp": "2025-11-24T23:11:12.123Z",
        "requestContext": {
            "requestId": "af1f9ac3-b670-407b-857a-c85ab17a3dcf",
            "functionArn": function,
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "7", "functionError": "Unhandled"},
        "responsePayload": {
            "errorMessage": "no stock",
            "errorType": "OutOfStock",
            "requestId": "af1f9ac3-b670-407b-857a-c85ab17a3dcf",
            "stackTrace": ['  File "/var/task/handler.py", line 4, in handler\n', "    raise OutOfStock\n"],
        },
        **changes,
    }
    return json.dumps(rest)[:-1] + f', "requestPayload": {payload}}}'


def envelope(message: str, **changes: Any) -> str:
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "e3c4e17a-819b-5d95-a0e8-b306c25afda0",
            "TopicArn": TOPIC,
            "Message": message,
            "Timestamp": "2023-08-24T20:45:30.123Z",
            "SignatureVersion": "1",
            "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe"
            f"&SubscriptionArn={TOPIC}:2f5671ba-c68e-4231-a94c-e82d3215fe9f",
            **changes,
        }
    )


def text(value: str, kind: str = "String") -> Attribute:
    return {"DataType": kind, "StringValue": value}


DEAD_LETTER = {
    "RequestID": text("3e4dd4a5-41d8-4e6b-8b0a-4f2d1f7d7e0a"),
    "ErrorCode": text("200", "Number"),
    "ErrorMessage": text("no stock"),
}


def read(body: str, attributes: dict[str, Attribute] | None = None) -> FailureRecord:
    return parse(Message("m1", body, attributes or {}))


def test_a_destination_record_gives_the_event_and_says_why_it_failed() -> None:
    assert read(destination()) == FailureRecord(
        Shape.DESTINATION,
        '{"id": 1}',
        function=ORDERS,
        qualifier="live",
        condition="RetriesExhausted",
        error_type="OutOfStock",
        error_message="no stock",
        stack=('  File "/var/task/handler.py", line 4, in handler', "    raise OutOfStock"),
        status=200,
        version="7",
        attempts=3,
        failed_at=datetime(2025, 11, 24, 23, 11, 12, 123000, UTC),
        request_id="af1f9ac3-b670-407b-857a-c85ab17a3dcf",
    )


def test_the_event_is_given_to_the_letter_so_that_no_number_is_rounded() -> None:
    payload = '{"a":0.10000000000000000055511,  "b":1E+2, "a":12345678901234567890123, "ü":"\\u00fc\\ud800"}'
    assert read(destination(payload)).payload == payload


def test_a_function_that_was_never_invoked_leaves_no_response() -> None:
    body = json.loads(destination())
    del body["responseContext"], body["responsePayload"]
    body["requestContext"] |= {"condition": "ZeroReservedConcurrency", "approximateInvokeCount": 0}
    found = read(json.dumps(body))
    assert (found.condition, found.attempts, found.error_type) == ("ZeroReservedConcurrency", 0, None)
    assert found.is_failure


def test_a_condition_that_nobody_knows_yet_is_a_failure_and_success_is_none() -> None:
    unknown, success = json.loads(destination()), json.loads(destination())
    unknown["requestContext"]["condition"] = "MovedToTheMoon"
    success["requestContext"]["condition"] = "Success"
    assert read(json.dumps(unknown)).is_failure
    assert not read(json.dumps(success)).is_failure


def test_a_sparse_record_without_version_timestamp_and_request_id_is_read_all_the_same() -> None:
    found = read(
        json.dumps(
            {
                "requestContext": {"functionArn": f"{ORDERS}:$LATEST", "condition": "EventAgeExceeded"},
                "requestPayload": [1],
            }
        )
    )
    assert (found.function_name, found.payload, found.failed_at) == ("orders", "[1]", None)


@pytest.mark.parametrize(
    ("body", "via"),
    [
        (envelope(destination()), ("sns",)),
        (json.dumps(destination()), ("json-string",)),
        (
            json.dumps(
                {
                    "version": "0",
                    "source": "lambda",
                    "detail-type": "Lambda Function Invocation Result - Failure",
                    "resources": [f"{ORDERS}:live"],
                    "detail": json.loads(destination()),
                }
            ),
            ("eventbridge",),
        ),
        (envelope(json.dumps(envelope(destination()))), ("sns", "json-string", "sns")),
    ],
)
def test_a_record_is_found_in_whatever_carried_it(body: str, via: tuple[str, ...]) -> None:
    found = read(body)
    assert (found.shape, found.payload, found.via) == (Shape.DESTINATION, '{"id": 1}', via)


def test_a_record_that_was_replayed_whole_is_unwrapped_to_the_event_it_began_with() -> None:
    once = destination(destination())
    twice = destination(once)
    assert read(twice).payload == '{"id": 1}'
    assert read(twice).via == ("replay", "replay")


def test_a_function_that_is_another_ones_destination_keeps_the_record_as_its_event() -> None:
    handed_on = destination(function=f"{ORDERS}:live")
    found = read(destination(handed_on, function=ORDERS.replace("orders", "handle-failures")))
    assert (found.function_name, found.payload, found.via) == ("handle-failures", handed_on, ())


def test_a_stream_record_says_where_the_batch_lies_and_holds_no_event() -> None:
    body = json.loads(destination())
    del body["requestPayload"], body["responsePayload"]
    body["requestContext"]["condition"] = "RetryAttemptsExhausted"
    body["KinesisBatchInfo"] = {
        "shardId": "shardId-000000000000",
        "startSequenceNumber": "49",
        "batchSize": 500,
    }
    found = read(json.dumps(body))
    assert (found.shape, found.payload) == (Shape.STREAM, None)
    assert found.position == {
        "shardId": "shardId-000000000000",
        "startSequenceNumber": "49",
        "batchSize": "500",
    }
    assert read(json.dumps(body | {"payload": '{"Records": []}'})).payload == '{"Records": []}'


def test_a_dead_letter_is_the_event_itself_with_three_attributes() -> None:
    found = read('{"id": 1}', DEAD_LETTER)
    assert (found.shape, found.payload, found.error_message) == (Shape.DEAD_LETTER, '{"id": 1}', "no stock")
    assert (found.status, found.request_id) == (200, "3e4dd4a5-41d8-4e6b-8b0a-4f2d1f7d7e0a")


def test_a_dead_letter_whose_error_is_json_tells_its_type() -> None:
    error = json.dumps({"errorType": "OutOfStock", "errorMessage": "no stock"})
    found = read('{"id": 1}', DEAD_LETTER | {"ErrorMessage": text(error)})
    assert (found.error_type, found.error_message) == ("OutOfStock", "no stock")


def test_a_dead_letter_over_sns_has_its_attributes_in_the_envelope() -> None:
    named = {
        name: {"Type": value["DataType"], "Value": value["StringValue"]}
        for name, value in DEAD_LETTER.items()
    }
    found = read(envelope('{"id": 1}', MessageAttributes=named))
    assert (found.shape, found.payload, found.via, found.status) == (
        Shape.DEAD_LETTER,
        '{"id": 1}',
        ("sns",),
        200,
    )


def test_an_event_that_is_a_record_stays_the_event_of_a_dead_letter() -> None:
    assert read(destination(), DEAD_LETTER).payload == destination()


def test_an_event_that_eventbridge_could_not_hand_over_names_its_target() -> None:
    found = read(
        '{"source": "shop"}',
        {
            "RULE_ARN": text("arn:aws:events:us-east-1:123456789012:rule/orders"),
            "TARGET_ARN": text(f"{ORDERS}:live"),
            "ERROR_CODE": text("NO_PERMISSIONS"),
            "ERROR_MESSAGE": text("not authorized"),
            "RETRY_ATTEMPTS": text("185", "Number"),
        },
    )
    assert (found.shape, found.function_name, found.error_type, found.attempts) == (
        Shape.UNDELIVERED,
        "orders:live",
        "NO_PERMISSIONS",
        185,
    )


def test_a_notification_names_topic_and_subscription() -> None:
    found = read(envelope("hello"))
    assert (found.shape, found.payload) == (Shape.NOTIFICATION, envelope("hello"))
    assert (found.topic, found.subscription) == (TOPIC, f"{TOPIC}:2f5671ba-c68e-4231-a94c-e82d3215fe9f")


@pytest.mark.parametrize(
    "body", ["hello", "", "17", '"a text"', "[1]", '{"id": 1}', "{" * 100_000, "NaN", "{"]
)
def test_anything_else_is_a_message_as_its_queue_held_it(body: str) -> None:
    assert read(body) == FailureRecord(Shape.MESSAGE, body)


def test_an_api_gateway_event_is_no_record_although_it_has_a_request_context() -> None:
    body = json.dumps({"requestContext": {"requestId": "1", "stage": "prod"}, "body": "{}"})
    assert read(body).shape is Shape.MESSAGE


def test_a_record_without_its_event_is_kept_and_says_so() -> None:
    body = json.loads(destination())
    del body["requestPayload"]
    found = read(json.dumps(body))
    assert (found.shape, found.payload) == (Shape.DESTINATION, None)
    assert found.problem == "the record holds no requestPayload: the event itself is not in it"


def test_a_record_of_no_function_is_kept_and_says_so() -> None:
    found = read(destination(function="orders"))
    assert (found.payload, found.problem) == ('{"id": 1}', "functionArn 'orders' names no function")


@given(JSON)
def test_any_event_survives_being_wrapped_in_any_carrier(event: object) -> None:
    payload = json.dumps(event)
    for body in (destination(payload), envelope(destination(payload)), json.dumps(destination(payload))):
        assert read(body).payload == payload


@given(st.data())
def test_no_damage_to_a_record_makes_the_parser_raise_or_lose_the_text(data: st.DataObject) -> None:
    sound = data.draw(
        st.sampled_from([destination(), envelope("hello"), envelope(destination()), '{"id": 1}'])
    )
    at = data.draw(st.integers(0, len(sound)))
    body = sound[:at] + data.draw(st.text(max_size=8)) + sound[data.draw(st.integers(at, len(sound))) :]
    found = read(body, data.draw(st.sampled_from([{}, DEAD_LETTER])))
    assert found.payload is not None or found.problem is not None or found.shape is Shape.STREAM


@given(
    JSON.filter(lambda value: isinstance(value, dict)),
    st.sampled_from(["requestContext", "detail", "Message"]),
)
def test_members_of_the_wrong_type_are_no_reason_to_raise(changes: dict[str, object], name: str) -> None:
    for body in (json.loads(destination()), json.loads(envelope("x"))):
        for value in (changes, list(changes), None, 3, changes | {"condition": changes, "functionArn": 1}):
            read(json.dumps(body | {name: value, "responsePayload": value, "responseContext": value}))
