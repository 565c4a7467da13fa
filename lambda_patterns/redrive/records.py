"""Failure records: every shape in which AWS hands over an event that failed, read into one type.

Not modelled: messages whose body is a pointer to an object written by the SQS or SNS extended client library.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from lambda_patterns.redrive import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_patterns.redrive.message import Attribute, Message

_FUNCTION_ARN = re.compile(
    r"(?P<function>arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+)(:(?P<qualifier>\$LATEST|[\w-]+))?"
)
_MOST_LAYERS = 20


class Shape(StrEnum):
    """How the failed event is held.

    DESTINATION: an asynchronous on-failure record, with the event in ``requestPayload``.
    STREAM: an event source mapping's on-failure record of Kinesis, DynamoDB or Kafka: where, not what.
    DEAD_LETTER: the event itself, from a function's DeadLetterConfig, with three attributes beside it.
    UNDELIVERED: an event that EventBridge (a rule or a schedule) could not hand to its target.
    NOTIFICATION: an SNS envelope, from a subscription's dead-letter queue or a queue that SNS writes to.
    MESSAGE: anything else: a message as its source queue held it.
    """

    DESTINATION = "destination"
    STREAM = "stream"
    DEAD_LETTER = "dead-letter"
    UNDELIVERED = "undelivered"
    NOTIFICATION = "notification"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """One failed event, whatever carried it.

    Args:
        shape: how it is held.
        payload: the event as JSON text or, of a MESSAGE, the body; None where there is only metadata.
        via: the carriers it was unwrapped from, outermost first: "sns", "eventbridge", "json-string",
            "replay" (a record that was itself replayed as an event and failed again).
        function: the function's ARN without qualifier, where the record says it.
        qualifier: the alias, version or "$LATEST" that was invoked.
        condition: why Lambda gave up ("RetriesExhausted", "EventAgeExceeded", ...). A value that is not
            known counts as a failure like any other; only "Success" does not.
        error_type: the exception's class ("KeyError", "Runtime.ExitError").
        error_message: its message.
        stack: its stack trace, one line each.
        status: Lambda's status for the invocation; 200 with an error means that the code raised.
        version: the version that ran.
        attempts: invocations made before Lambda gave up; 0 if the function was never invoked.
        failed_at: when Lambda wrote the record, in UTC.
        request_id: the failed invocation's id.
        topic: of a NOTIFICATION, or a DEAD_LETTER that came over a topic, the topic's ARN.
        subscription: of a NOTIFICATION, the subscription's ARN, as its unsubscribe link tells it.
        target: of an UNDELIVERED, the ARN of what should have received it.
        position: of a STREAM, where the records lie ("shardId", "startSequenceNumber", ...).
        problem: what is wrong with the record itself, one clause; None for a sound one.
    """

    shape: Shape
    payload: str | None
    via: tuple[str, ...] = ()
    function: str | None = None
    qualifier: str | None = None
    condition: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    stack: tuple[str, ...] = ()
    status: int | None = None
    version: str | None = None
    attempts: int | None = None
    failed_at: datetime | None = None
    request_id: str | None = None
    topic: str | None = None
    subscription: str | None = None
    target: str | None = None
    position: Mapping[str, str] | None = None
    problem: str | None = None

    @property
    def is_failure(self) -> bool:
        """False only for the record of an invocation that succeeded (an on-success destination)."""
        return self.condition != "Success"

    @property
    def function_name(self) -> str | None:
        """The function's name with its qualifier, "orders:live"; without "$LATEST"."""
        if self.function is None:
            return None
        name = self.function.rsplit(":", 1)[1]
        return name if self.qualifier in {None, "$LATEST"} else f"{name}:{self.qualifier}"

    def event(self) -> object:
        """Parse the original event; a payload that is not JSON is given as text, none as None."""
        if self.payload is None:
            return None
        try:
            return json_text.loads(self.payload)
        except ValueError:
            return self.payload


def parse(message: Message) -> FailureRecord:
    """Read a message of a failure queue. Never raises: what cannot be read is kept, with its `problem`."""
    attributes = message.attributes
    return _parse(message.body, {name: _text(value) for name, value in attributes.items()}, ())


def _text(attribute: Attribute) -> str:
    return attribute.get("StringValue", "")


def _parse(text: str, attributes: Mapping[str, str], via: tuple[str, ...]) -> FailureRecord:
    if len(via) > _MOST_LAYERS:
        return FailureRecord(Shape.MESSAGE, text, via, problem=f"over {_MOST_LAYERS} layers of wrapping")
    try:
        body = json_text.loads(text)
    except ValueError:
        body = None
    if isinstance(body, str) and _looks_wrapped(body):
        return _parse(body, attributes, (*via, "json-string"))
    if isinstance(body, dict) and (record := _wrapped(body, text, attributes, via)):
        return record
    return _plain(text, attributes, via)


def _wrapped(
    body: Mapping[str, object], text: str, attributes: Mapping[str, str], via: tuple[str, ...]
) -> FailureRecord | None:
    """Read an object that wraps the event; None for one that is the event."""
    if _is_record(body):
        # A dead-letter queue keeps the event; an event that is a record belongs to a function that reads
        # records, or was replayed whole: without the function's name that cannot be told apart.
        held_as_event = "RequestID" in attributes and "ErrorCode" in attributes
        return None if held_as_event else _record(body, text, via)
    if body.get("Type") == "Notification" and "TopicArn" in body:
        return _notification(body, text, attributes, via)
    if isinstance(detail := body.get("detail"), dict) and _is_record(detail) and "detail-type" in body:
        return _record(detail, json_text.member(text, "detail") or "", (*via, "eventbridge"))
    return None


def _looks_wrapped(text: str) -> bool:
    """Say whether a JSON string holds a record or an envelope that was encoded once too often."""
    try:
        body = json_text.loads(text)
    except ValueError:
        return False
    return isinstance(body, dict) and (_is_record(body) or body.get("Type") == "Notification")


def _is_record(body: Mapping[str, object]) -> bool:
    context = body.get("requestContext")
    # API Gateway's events have a requestContext too, but neither of these beside each other.
    return isinstance(context, dict) and "condition" in context and "functionArn" in context


def _plain(text: str, attributes: Mapping[str, str], via: tuple[str, ...]) -> FailureRecord:
    if "TARGET_ARN" in attributes and "ERROR_CODE" in attributes:
        return _undelivered(text, attributes, via)
    if "RequestID" not in attributes or "ErrorCode" not in attributes:
        return FailureRecord(Shape.MESSAGE, text, via)
    error_type, message = _dead_letter_error(attributes.get("ErrorMessage"))
    return FailureRecord(
        Shape.DEAD_LETTER,
        text,
        via,
        error_type=error_type,
        error_message=message,
        status=_whole(attributes["ErrorCode"]),
        request_id=attributes["RequestID"] or None,
    )


def _undelivered(text: str, attributes: Mapping[str, str], via: tuple[str, ...]) -> FailureRecord:
    match = _FUNCTION_ARN.fullmatch(attributes["TARGET_ARN"])
    return FailureRecord(
        Shape.UNDELIVERED,
        text,
        via,
        function=match["function"] if match else None,
        qualifier=match["qualifier"] if match else None,
        condition=attributes.get("EXHAUSTED_RETRY_CONDITION"),
        error_type=attributes["ERROR_CODE"],
        error_message=attributes.get("ERROR_MESSAGE"),
        attempts=_whole(attributes.get("RETRY_ATTEMPTS")),
        target=attributes["TARGET_ARN"],
    )


def _dead_letter_error(text: str | None) -> tuple[str | None, str | None]:
    """Take type and message out of ErrorMessage, which is text or, cut at 1 KB, the error as JSON."""
    try:
        error = json_text.loads(text or "")
    except ValueError:
        return None, text
    if not isinstance(error, dict):
        return None, text
    return _string(error.get("errorType")), _string(error.get("errorMessage")) or text


def _notification(
    body: Mapping[str, object], text: str, attributes: Mapping[str, str], via: tuple[str, ...]
) -> FailureRecord:
    inner = body.get("Message")
    if not isinstance(inner, str):
        return FailureRecord(
            Shape.NOTIFICATION, text, via, problem='an SNS envelope whose "Message" is not text'
        )
    given = body.get("MessageAttributes")
    named = {
        str(name): str(value.get("Value", ""))
        for name, value in (given.items() if isinstance(given, dict) else ())
        if isinstance(value, dict)
    }
    record = _parse(inner, named, (*via, "sns"))
    if record.shape is Shape.DEAD_LETTER:
        return replace(record, topic=_string(body.get("TopicArn")))
    if record.shape not in {Shape.MESSAGE, Shape.NOTIFICATION}:
        return record
    if "TARGET_ARN" in attributes and "ERROR_CODE" in attributes:
        return _undelivered(text, attributes, via)
    return FailureRecord(
        Shape.NOTIFICATION,
        text,
        via,
        # Of all that SNS writes, only an emulator says why the hand-off failed.
        error_message=attributes.get("ErrorMessage"),
        status=_whole(attributes.get("ErrorCode")),
        failed_at=_time(body.get("Timestamp")),
        request_id=_string(body.get("MessageId")),
        topic=_string(body.get("TopicArn")),
        subscription=_subscription(body.get("UnsubscribeURL")),
    )


def _subscription(link: object) -> str | None:
    """The envelope names its subscription only in the link that ends it."""
    if not isinstance(link, str):
        return None
    try:
        named = parse_qs(urlsplit(link).query).get("SubscriptionArn", [])
    except ValueError:
        return None
    return named[0] if named else None


def _record(body: Mapping[str, object], text: str, via: tuple[str, ...]) -> FailureRecord:
    context, response = _object(body.get("requestContext")), _object(body.get("responseContext"))
    error = _object(body.get("responsePayload"))
    match = _FUNCTION_ARN.fullmatch(str(context.get("functionArn")))
    stack = error.get("stackTrace")
    record = FailureRecord(
        Shape.DESTINATION,
        json_text.member(text, "requestPayload"),
        via,
        function=match["function"] if match else None,
        qualifier=match["qualifier"] if match else None,
        condition=str(context.get("condition")),
        error_type=_string(error.get("errorType")) or _string(response.get("functionError")),
        error_message=_string(error.get("errorMessage")),
        stack=tuple(str(line).rstrip("\n") for line in stack) if isinstance(stack, list) else (),
        status=_whole(response.get("statusCode")),
        version=_string(response.get("executedVersion")),
        attempts=_whole(context.get("approximateInvokeCount")),
        failed_at=_time(body.get("timestamp")),
        request_id=_string(context.get("requestId")),
        problem=None if match else f"functionArn {str(context.get('functionArn'))[:200]!r} names no function",
    )
    if record.payload is None:
        return _stream(record, body)
    return _innermost(record)


def _stream(record: FailureRecord, body: Mapping[str, object]) -> FailureRecord:
    batch = next((value for name, value in body.items() if name.endswith("BatchInfo")), None)
    if batch is None and record.condition != "RetryAttemptsExhausted" and "payload" not in body:
        problem = "the record holds no requestPayload: the event itself is not in it"
        return replace(record, problem=record.problem or problem)
    position = {str(name): str(value) for name, value in _object(batch).items()}
    # Only a bucket receives the records themselves, as text.
    payload = _string(body.get("payload"))
    return replace(record, shape=Shape.STREAM, position=position, payload=payload)


def _innermost(record: FailureRecord) -> FailureRecord:
    """Unwrap a record that was replayed whole, as an event, to the function that it came from.

    A function that is the on-failure destination of another one receives that one's records as its events:
    those name another function and are left as they are.
    """
    for _ in range(_MOST_LAYERS):
        inner = record.event()
        if not isinstance(inner, dict) or not _is_record(inner):
            return record
        match = _FUNCTION_ARN.fullmatch(str(_object(inner.get("requestContext")).get("functionArn")))
        payload = json_text.member(record.payload or "", "requestPayload")
        if match is None or match["function"] != record.function or payload is None:
            return record
        record = replace(record, payload=payload, via=(*record.via, "replay"))
    return replace(record, problem=f"over {_MOST_LAYERS} layers of wrapping")


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
