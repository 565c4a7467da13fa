"""Where each shape goes back to, and in which form."""

import json

import pytest

from lambda_patterns.errors import ArgumentError
from lambda_patterns.redrive.message import Attribute, Message
from lambda_patterns.redrive.records import parse
from lambda_patterns.redrive.sources import KnownSources, Subscription
from lambda_patterns.redrive.targets import (
    FunctionTarget,
    Parcel,
    QueueTarget,
    Refusal,
    Target,
    TopicTarget,
    route,
    target,
)

TOPIC = "arn:aws:sns:eu-west-1:123456789012:orders"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:ship"
WORK = "arn:aws:sqs:eu-west-1:123456789012:work"
ENVELOPE = {
    "Type": "Notification",
    "MessageId": "1",
    "TopicArn": TOPIC,
    "Message": "an order",
    "Timestamp": "2026-11-24T09:00:00.000Z",
    "SignatureVersion": "1",
    "Signature": "x",
    "SigningCertURL": "https://cert",
    "UnsubscribeURL": f"https://sns/?Action=Unsubscribe&SubscriptionArn={TOPIC}:1",
}


class Subscribed(KnownSources):
    """A queue that is the dead-letter queue of one subscription."""

    def __init__(self, protocol: str, endpoint: str) -> None:
        super().__init__()
        object.__setattr__(self, "_found", Subscription(f"{TOPIC}:1", protocol, endpoint))

    def subscriptions(self, record: object) -> tuple[Subscription, ...]:
        del record
        found: Subscription = self._found  # type: ignore[attr-defined]  # set past the frozen dataclass
        return (found,)


def routed(
    message: Message, sources: KnownSources | None = None, to: Target | None = None
) -> Parcel | Refusal:
    return route(message, parse(message), sources or KnownSources(), to)


def test_a_function_that_subscribed_gets_the_event_that_sns_would_have_made() -> None:
    found = routed(Message("m1", json.dumps(ENVELOPE)), Subscribed("lambda", f"{FUNCTION}:live"))
    assert isinstance(found, Parcel)
    assert found.target == FunctionTarget(FUNCTION, "live")
    (record,) = json.loads(found.body)["Records"]
    assert record["EventSource"] == "aws:sns"
    assert record["EventSubscriptionArn"] == f"{TOPIC}:1"
    assert record["Sns"]["Message"] == "an order"
    assert (record["Sns"]["Subject"], record["Sns"]["MessageAttributes"]) == (None, {})
    assert record["Sns"]["SigningCertUrl"] == "https://cert"
    assert not {"SigningCertURL", "UnsubscribeURL"} & record["Sns"].keys()


def test_a_queue_that_subscribed_gets_the_envelope_as_it_is() -> None:
    body = json.dumps(ENVELOPE)
    assert routed(Message("m1", body), Subscribed("sqs", WORK)) == Parcel(QueueTarget(WORK), body, whole=True)


def test_an_endpoint_that_subscribed_cannot_be_called_in_the_name_of_sns() -> None:
    found = routed(Message("m1", json.dumps(ENVELOPE)), Subscribed("https", "https://example.com"))
    assert isinstance(found, Refusal)
    assert found.why.startswith("the subscriber is https https://example.com, which cannot be called")


def test_a_topic_gets_the_message_without_its_envelope() -> None:
    found = routed(Message("m1", json.dumps(ENVELOPE)), to=TopicTarget(TOPIC))
    assert found == Parcel(TopicTarget(TOPIC), "an order", whole=True)


def test_an_event_of_eventbridge_goes_to_the_target_that_did_not_get_it() -> None:
    def attributes(arn: str) -> dict[str, Attribute]:
        return {
            "TARGET_ARN": {"DataType": "String", "StringValue": arn},
            "ERROR_CODE": {"DataType": "String", "StringValue": "NO_PERMISSIONS"},
        }

    for arn, expected in ((f"{FUNCTION}:live", FunctionTarget(FUNCTION, "live")), (WORK, QueueTarget(WORK))):
        assert routed(Message("m1", "{}", attributes(arn))) == Parcel(expected, "{}")
    machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:x"
    assert routed(Message("m1", "{}", attributes(machine))) == Refusal(
        f"EventBridge could not hand it to {machine}, which cannot be sent to from here"
    )


def test_a_batch_of_a_stream_is_refused_with_its_position_and_replayed_from_a_bucket() -> None:
    record = {
        "requestContext": {"functionArn": FUNCTION, "condition": "RetryAttemptsExhausted"},
        "KinesisBatchInfo": {"shardId": "shardId-1", "startSequenceNumber": "49"},
    }
    refused = routed(Message("m1", json.dumps(record)))
    assert isinstance(refused, Refusal)
    assert "(shardId shardId-1, startSequenceNumber 49)" in refused.why
    found = routed(Message("m1", json.dumps(record | {"payload": '{"Records": []}'})))
    assert found == Parcel(FunctionTarget(FUNCTION), '{"Records": []}')


def test_what_is_not_json_is_not_sent_to_a_function() -> None:
    found = routed(Message("m1", "hello"), to=FunctionTarget("ship"))
    assert isinstance(found, Refusal)
    assert found.why.startswith("its body is not JSON (Expecting value")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("function:ship", FunctionTarget("ship")),
        ("function:ship:live", FunctionTarget("ship", "live")),
        (FUNCTION, FunctionTarget(FUNCTION)),
        (f"{FUNCTION}:$LATEST", FunctionTarget(FUNCTION, "$LATEST")),
        ("queue:work", QueueTarget("work")),
        (WORK, QueueTarget(WORK)),
        (TOPIC, TopicTarget(TOPIC)),
    ],
)
def test_a_target_is_read_as_people_write_it(text: str, expected: Target) -> None:
    assert target(text) == expected


@pytest.mark.parametrize(
    "text", ["", "ship", "function:", "queue:", "topic:orders", "arn:aws:s3:::bucket", "arn:x"]
)
def test_what_is_no_target_says_what_is(text: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        target(text)
    assert str(caught.value) == (
        f"{text!r} is no target: give function:NAME[:QUALIFIER], queue:NAME or topic:ARN, or the ARN itself"
    )
