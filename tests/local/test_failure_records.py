"""The shapes that a destination and a dead-letter queue receive, as recorded from AWS."""

from datetime import UTC, datetime

import pytest

from lambda_patterns.local.behaviour.records import (
    Attempt,
    Condition,
    Invocation,
    Outcome,
    dead_letter_attributes,
    destination_record,
    object_key,
)

ARN = "arn:aws:lambda:us-east-1:000000000000:function:orders:live"
INVOCATION = Invocation(request_id="id-1", function_arn=ARN, event={"order": 1})
AT = datetime(2026, 11, 24, 9, 5, 7, 123999, tzinfo=UTC)


def outcome(condition: Condition, last: Attempt | None, attempts: int = 3) -> Outcome:
    return Outcome(invocation=INVOCATION, condition=condition, attempts=attempts, last=last, at=AT)


FAILED = Attempt(
    executed_version="7", payload={"errorMessage": "no", "errorType": "Refused"}, error="Unhandled"
)


def test_a_record_of_a_failure_names_the_invocation_its_end_and_its_last_answer() -> None:
    assert destination_record(outcome(Condition.RETRIES_EXHAUSTED, FAILED)) == {
        "version": "1.0",
        "timestamp": "2026-11-24T09:05:07.123Z",
        "requestContext": {
            "requestId": "id-1",
            "functionArn": ARN,
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"order": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "7", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "no", "errorType": "Refused"},
    }


def test_a_record_of_a_function_that_never_ran_has_no_response() -> None:
    record = destination_record(outcome(Condition.ZERO_RESERVED_CONCURRENCY, None, attempts=0))
    assert record.keys() == {"version", "timestamp", "requestContext", "requestPayload"}


def test_a_record_of_a_success_has_no_function_error() -> None:
    done = Attempt(executed_version="$LATEST", payload="fine", error=None)
    record = destination_record(outcome(Condition.SUCCESS, done, attempts=1))
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}


def test_the_message_of_a_dead_letter_is_cut_at_one_kilobyte_between_characters() -> None:
    long = Attempt(executed_version="7", payload={"errorMessage": "é" * 600}, error="Unhandled")
    text = dead_letter_attributes(outcome(Condition.RETRIES_EXHAUSTED, long))["ErrorMessage"]["StringValue"]
    assert text == "é" * 512


@pytest.mark.parametrize(
    ("payload", "message"),
    [({"errorMessage": ""}, "RetriesExhausted"), ("text", '"text"'), (None, "RetriesExhausted")],
)
def test_a_dead_letter_always_has_a_message(payload: object, message: str) -> None:
    last = Attempt(executed_version="7", payload=payload, error="Unhandled")
    attributes = dead_letter_attributes(outcome(Condition.RETRIES_EXHAUSTED, last))
    assert attributes["ErrorMessage"]["StringValue"] == message


def test_the_object_of_a_bucket_is_named_by_function_and_time() -> None:
    key = object_key(outcome(Condition.RETRIES_EXHAUSTED, FAILED), "uuid")
    assert key == "aws/lambda/async/orders/2026/11/24/2026-11-24T09.05.07-uuid"
