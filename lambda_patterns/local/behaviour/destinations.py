"""Handing the record of an asynchronous invocation to a queue, topic, function, event bus or bucket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lambda_patterns.local.api import ApiError, call
from lambda_patterns.local.behaviour import permissions
from lambda_patterns.local.behaviour.records import (
    Outcome,
    dead_letter_attributes,
    destination_record,
    object_key,
)
from lambda_patterns.local.ministack import module

if TYPE_CHECKING:
    from collections.abc import Callable

sqs = module("services.sqs")
sns = module("services.sns")
responses = module("core.responses")


class UndeliverableError(Exception):
    """The target does not take the record; the message says why."""


# service of a destination -> the action that the function's role needs
_ACTIONS = {
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "lambda": "lambda:InvokeFunction",
    "events": "events:PutEvents",
    "s3": "s3:PutObject",
}


def send(arn: str, outcome: Outcome, role: str, invoke: Callable[[str, object], None]) -> None:
    """Hand the record of `outcome` to the destination `arn` as the function's `role`.

    Args:
        arn: of a queue, topic, function, event bus or bucket.
        outcome: what is told.
        role: ARN of the function's execution role, which must be allowed to.
        invoke: invokes a function asynchronously.

    Raises:
        UndeliverableError: the target is missing, FIFO, or of no known kind, the role may not, or the record
            is too big.
    """
    service = arn.split(":")[2]
    _check_role(role, service, arn)
    record = destination_record(outcome)
    if service == "sqs":
        send_to_queue(arn, _fitting(record, _queue_limit(arn)))
    elif service == "sns":
        _publish(arn, _fitting(record, _TOPIC_LIMIT), {})
    elif service == "lambda":
        invoke(arn, record)
    elif service == "events":
        _put_event(arn, outcome, record)
    elif service == "s3" and not outcome.succeeded:
        _put_object(arn.split(":")[5], object_key(outcome, responses.new_uuid()), json.dumps(record))
    else:
        raise UndeliverableError(f"{arn} cannot be a destination on {outcome.condition}")


def send_dead_letter(arn: str, outcome: Outcome, role: str) -> None:
    """Hand the event itself to the dead-letter queue or topic of a function.

    Raises:
        UndeliverableError: as `send`.
    """
    _check_role(role, arn.split(":")[2], arn)
    body, attributes = json.dumps(outcome.invocation.event), dead_letter_attributes(outcome)
    if arn.split(":")[2] == "sns":
        _publish(arn, body, attributes)
    else:
        send_to_queue(arn, body, attributes)


def send_to_queue(arn: str, body: str, attributes: dict[str, dict[str, str]] | None = None) -> None:
    """Send a message to the queue `arn`.

    Raises:
        UndeliverableError: the queue is missing or FIFO, or refuses the message.
    """
    queue = sqs._queue_by_arn(arn)
    if queue is None:
        raise UndeliverableError(f"there is no queue {arn}")
    if queue["is_fifo"]:
        raise UndeliverableError(f"{arn} is a FIFO queue, to which Lambda delivers nothing")
    url = next(url for url, known in sqs._queues.items() if known is queue)
    try:
        sqs._act_send_message(
            {"QueueUrl": url, "MessageBody": body, "MessageAttributes": attributes or {}}, url
        )
    except sqs._Err as error:
        raise UndeliverableError(f"{arn} refuses the message: {error.message}") from error


_TOPIC_LIMIT = 262144


def _check_role(role: str, service: str, arn: str) -> None:
    action = _ACTIONS.get(service)
    if action is None:
        raise UndeliverableError(f"{arn} cannot be a destination")
    resource = f"{arn}/aws/lambda/async/record" if service == "s3" else arn
    if not permissions.role_allows(role, action, resource):
        raise UndeliverableError(f"the role {role} is not allowed {action} on {resource}")


def _queue_limit(arn: str) -> int:
    queue = sqs._queue_by_arn(arn) or {"attributes": {}}
    return int(queue["attributes"].get("MaximumMessageSize", 1048576))


def _fitting(record: dict[str, Any], limit: int) -> str:
    """Write a record; where it is too big, without the function's response, as AWS does."""
    text = json.dumps(record)
    if len(text.encode()) > limit:
        text = json.dumps({key: value for key, value in record.items() if key != "responsePayload"})
    if len(text.encode()) > limit:
        raise UndeliverableError(f"the record has {len(text.encode())} bytes, allowed are {limit}")
    return text


def _publish(arn: str, body: str, attributes: dict[str, dict[str, str]]) -> None:
    if sns._topic_by_arn_any_scope(arn) is None:
        raise UndeliverableError(f"there is no topic {arn}")
    if arn.endswith(".fifo"):
        raise UndeliverableError(f"{arn} is a FIFO topic, to which Lambda delivers nothing")
    sns._fanout(arn, responses.new_uuid(), body, "", message_attributes=attributes)


def _put_event(arn: str, outcome: Outcome, record: dict[str, Any]) -> None:
    ending = "Success" if outcome.succeeded else "Failure"
    entry = {
        "Source": "lambda",
        "DetailType": f"Lambda Function Invocation Result - {ending}",
        "Resources": [arn, outcome.invocation.function_arn],
        "Detail": json.dumps(record),
        "EventBusName": arn,
    }
    try:
        answer = call("events", "PutEvents", Entries=[entry])
    except ApiError as error:
        raise UndeliverableError(str(error)) from error
    if answer.get("FailedEntryCount"):
        raise UndeliverableError(f"{arn} refuses the event: {answer['Entries'][0].get('ErrorMessage')}")


def _put_object(bucket: str, key: str, body: str) -> None:
    try:
        call("s3", "PutObject", Bucket=bucket, Key=key, Body=body.encode(), ContentType="application/json")
    except ApiError as error:
        raise UndeliverableError(f"bucket {bucket} refuses the object: {error}") from error
