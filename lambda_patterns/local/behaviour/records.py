"""The shapes in which Lambda hands over what became of an asynchronous invocation. Pure.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

_ERROR_MESSAGE_BYTES = 1024


class Condition(StrEnum):
    """Why an event left the queue of its function."""

    SUCCESS = "Success"
    RETRIES_EXHAUSTED = "RetriesExhausted"
    EVENT_AGE_EXCEEDED = "EventAgeExceeded"
    ZERO_RESERVED_CONCURRENCY = "ZeroReservedConcurrency"


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """An asynchronous invocation; `function_arn` ends in the qualifier that was invoked, $LATEST if none."""

    request_id: str
    function_arn: str
    event: Any

    @property
    def function_name(self) -> str:
        """The name in the ARN."""
        return self.function_arn.split(":")[6]

    @property
    def qualifier(self) -> str:
        """The qualifier in the ARN."""
        return self.function_arn.split(":")[7]


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What the last attempt gave: `error` is None, "Handled" or "Unhandled"."""

    executed_version: str
    payload: Any
    error: str | None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an asynchronous invocation ended; `last` is None where the function never ran."""

    invocation: Invocation
    condition: Condition
    attempts: int
    last: Attempt | None
    at: datetime

    @property
    def succeeded(self) -> bool:
        """Whether the function returned."""
        return self.condition is Condition.SUCCESS


def destination_record(outcome: Outcome) -> dict[str, Any]:
    """Write the record that a destination receives."""
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": outcome.at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{outcome.at.microsecond // 1000:03}Z",
        "requestContext": {
            "requestId": outcome.invocation.request_id,
            "functionArn": outcome.invocation.function_arn,
            "condition": outcome.condition.value,
            "approximateInvokeCount": outcome.attempts,
        },
        "requestPayload": outcome.invocation.event,
    }
    if outcome.last is not None:
        context: dict[str, Any] = {"statusCode": 200, "executedVersion": outcome.last.executed_version}
        if outcome.last.error is not None:
            context["functionError"] = outcome.last.error
        record |= {"responseContext": context, "responsePayload": outcome.last.payload}
    return record


def dead_letter_attributes(outcome: Outcome) -> dict[str, dict[str, str]]:
    """Write the attributes that the dead-letter queue of a function receives beside the event itself."""
    payload = outcome.last.payload if outcome.last is not None else None
    message = payload.get("errorMessage") if isinstance(payload, dict) else None
    if message is None:
        message = json.dumps(payload) if payload is not None else outcome.condition.value
    cut = str(message).encode()[:_ERROR_MESSAGE_BYTES].decode(errors="ignore")
    return {
        "RequestID": {"DataType": "String", "StringValue": outcome.invocation.request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "200" if outcome.last is not None else "429"},
        "ErrorMessage": {"DataType": "String", "StringValue": cut or outcome.condition.value},
    }


def object_key(outcome: Outcome, unique: str) -> str:
    """Name the object that a bucket as destination receives."""
    name, at = outcome.invocation.function_name, outcome.at
    return f"aws/lambda/async/{name}/{at:%Y/%m/%d}/{at:%Y-%m-%dT%H.%M.%S}-{unique}"
