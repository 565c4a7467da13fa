"""The deployed reprocessor: a message ends in one place, and leaves its queue only once it is there."""

import base64
import json
from collections.abc import Callable
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.idempotency import BasePersistenceLayer
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import DataRecord

from lambda_patterns.errors import ArgumentError
from lambda_patterns.redrive.message import LEDGER_ATTRIBUTE
from lambda_patterns.redrive.reprocess import Worker
from lambda_patterns.redrive.reprocessor import Settings

QUEUE = "arn:aws:sqs:eu-central-1:123456789012:"
CONTEXT: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: 300_000)


class Remembered(BasePersistenceLayer):
    """Idempotency records in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, DataRecord] = {}

    def _get_record(self, idempotency_key: str) -> DataRecord:
        try:
            return self.records[idempotency_key]
        except KeyError:
            raise IdempotencyItemNotFoundError from None

    def _put_record(self, data_record: DataRecord) -> None:
        if data_record.idempotency_key in self.records:
            raise IdempotencyItemAlreadyExistsError
        self.records[data_record.idempotency_key] = data_record

    def _update_record(self, data_record: DataRecord) -> None:
        self.records[data_record.idempotency_key] = data_record

    def _delete_record(self, data_record: DataRecord) -> None:
        del self.records[data_record.idempotency_key]


@pytest.fixture(autouse=True)
def queues(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    for name in ("failures", "aside", "dead.fifo", "aside.fifo", "work"):
        world.queue(name)

    def fail(event: Any) -> None:
        if event.get("bad"):
            raise ValueError(f"bad {event['id']}")

    world.functions["orders"] = fail


def settings(world: Any, aside: str = "aside", **changes: Any) -> Settings:
    return Settings(world.url(aside), **{"backoff_seconds": 0, **changes})


def deliver(world: Any, name: str, worker: Worker) -> list[str]:
    """Do what Lambda's poller does: hand a batch over, delete what is not reported. Gives what is."""
    answer = world.sqs.receive_message(QueueUrl=world.url(name), VisibilityTimeout=60)
    records = [
        {
            "messageId": entry["MessageId"],
            "receiptHandle": entry["ReceiptHandle"],
            "body": entry["Body"],
            "attributes": entry["Attributes"],
            "messageAttributes": {
                key: {part[:1].lower() + part[1:]: text for part, text in value.items()}
                for key, value in entry["MessageAttributes"].items()
            },
            "md5OfBody": "",
            "eventSource": "aws:sqs",
            "eventSourceARN": QUEUE + name,
            "awsRegion": "eu-central-1",
        }
        for entry in answer.get("Messages", [])
    ]
    reported = worker.batch({"Records": records}, CONTEXT)
    stay = {failure["itemIdentifier"] for failure in reported["batchItemFailures"]}
    gone = [r for r in records if r["messageId"] not in stay]
    if gone:
        entries = [{"Id": str(i), "ReceiptHandle": r["receiptHandle"]} for i, r in enumerate(gone)]
        world.sqs.delete_message_batch(QueueUrl=world.url(name), Entries=entries)
    return sorted(stay)


def ledger(held: Any) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(held.attributes[LEDGER_ATTRIBUTE]["StringValue"])
    return written


def test_an_event_runs_on_its_alias_and_knows_attempt_and_idempotency_key(
    world: Any, record: Callable[..., str]
) -> None:
    world.put("failures", record({"id": 1}))
    assert deliver(world, "failures", Worker(settings(world), world)) == []
    ((function, payload, kind, given),) = world.invoked
    assert (function.rsplit(":", 2)[1:], payload) == (["orders", "live"], '{"id": 1}')
    assert kind == "RequestResponse"
    context = json.loads(base64.b64decode(given["ClientContext"]))
    assert context == {"custom": {"attempt": 1, "idempotency_key": "m1"}}
    assert world.bodies("failures") == []


def test_what_fails_again_comes_back_counted_and_ends_in_quarantine(
    world: Any, record: Callable[..., str]
) -> None:
    body = record({"id": 1, "bad": True})
    world.put("failures", body)
    worker = Worker(settings(world, most_attempts=3), world)
    for attempts in (1, 2):
        assert deliver(world, "failures", worker) == []
        (held,) = world.queues["failures"].messages
        assert (held.body, ledger(held)["attempts"], ledger(held)["key"]) == (body, attempts, "m1")
    assert deliver(world, "failures", worker) == []
    (aside,) = world.queues["aside"].messages
    assert (aside.body, ledger(aside)["attempts"]) == (body, 3)
    assert ledger(aside)["reason"] == "function orders:live: ValueError: bad 1"
    assert (world.bodies("failures"), len(world.invoked)) == ([], 3)


def test_one_bad_event_does_not_hold_up_the_others(world: Any, record: Callable[..., str]) -> None:
    for number in range(9):
        world.put("failures", record({"id": number, "bad": number == 4}))
    assert deliver(world, "failures", Worker(settings(world, most_attempts=1), world)) == []
    assert (len(world.invoked), len(world.bodies("aside")), world.bodies("failures")) == (9, 1, [])


def test_what_cannot_be_replayed_goes_to_quarantine_at_once_with_the_reason(world: Any) -> None:
    world.put("failures", "nobody knows where this came from")
    assert deliver(world, "failures", Worker(settings(world), world)) == []
    (aside,) = world.queues["aside"].messages
    assert ledger(aside)["reason"].startswith("nothing says where it came from")


def test_a_throttled_event_stays_and_is_not_counted(
    world: Any, record: Callable[..., str], aws_error: Callable[..., Exception]
) -> None:
    def throttle(_number: int, operation: str, _when: str) -> None:
        if operation == "Invoke":
            raise aws_error("Invoke", "TooManyRequestsException", 429)

    world.fault = throttle
    world.put("failures", record({"id": 1}))
    assert deliver(world, "failures", Worker(settings(world), world)) == ["m1"]
    (held,) = world.queues["failures"].messages
    assert held.attributes == {}


def test_if_the_quarantine_takes_nothing_the_message_stays(
    world: Any, record: Callable[..., str], aws_error: Callable[..., Exception]
) -> None:
    def refuse(_number: int, operation: str, _when: str) -> None:
        if operation == "SendMessageBatch":
            raise aws_error(operation, "AccessDenied", 403)

    world.fault = refuse
    world.put("failures", record({"id": 1, "bad": True}))
    assert deliver(world, "failures", Worker(settings(world, most_attempts=1), world)) == ["m1"]
    assert len(world.bodies("failures")) == 1


def test_a_loop_that_lambda_has_broken_is_not_tried_again(
    world: Any, record: Callable[..., str], aws_error: Callable[..., Exception]
) -> None:
    def break_loop(_number: int, operation: str, _when: str) -> None:
        if operation == "Invoke":
            raise aws_error("Invoke", "RecursiveInvocationException")

    world.fault = break_loop
    world.put("failures", record({"id": 1}))
    assert deliver(world, "failures", Worker(settings(world), world)) == []
    assert len(world.bodies("aside")) == 1


def test_a_fifo_queue_stops_at_the_first_failure_of_a_group_and_goes_on_with_the_others(
    world: Any, record: Callable[..., str]
) -> None:
    for number, (group, bad) in enumerate([("a", False), ("a", True), ("a", False), ("b", False)]):
        world.put("dead.fifo", record({"id": number, "bad": bad}), MessageGroupId=group)
    worker = Worker(settings(world, "aside.fifo", most_attempts=2), world)
    assert deliver(world, "dead.fifo", worker) == ["m2", "m3"]
    assert [json.loads(payload)["id"] for _, payload, _, _ in world.invoked] == [0, 1, 3]
    world.offset += 100
    assert deliver(world, "dead.fifo", worker) == []
    assert [json.loads(payload)["id"] for _, payload, _, _ in world.invoked] == [0, 1, 3, 1, 2]
    assert len(world.bodies("aside.fifo")) == 1


def test_dead_letters_and_plain_messages_go_to_the_target_that_is_set(world: Any) -> None:
    def text(value: str) -> dict[str, str]:
        return {"DataType": "String", "StringValue": value}

    function = "arn:aws:lambda:eu-central-1:123456789012:function:orders"
    world.put("failures", '{"id": 1}', {"RequestID": text("1"), "ErrorCode": text("200")})
    assert deliver(world, "failures", Worker(settings(world, target=f"{function}:live"), world)) == []
    assert world.invoked[0][0] == f"{function}:live"
    world.put("failures", "plain")
    assert deliver(world, "failures", Worker(settings(world, target=f"{QUEUE}work"), world)) == []
    assert world.bodies("work") == ["plain"]


def test_an_event_that_sqs_delivers_twice_runs_once_with_an_idempotency_table(
    world: Any, record: Callable[..., str]
) -> None:
    world.put("failures", record({"id": 1}))
    worker = Worker(settings(world), world, Remembered())
    kept = list(world.queues["failures"].messages)
    for _ in range(2):
        assert deliver(world, "failures", worker) == []
        world.queues["failures"].messages[:] = kept
        world.offset += 100
    assert len(world.invoked) == 1


def test_without_time_left_messages_stay_instead_of_being_cut_off(
    world: Any, record: Callable[..., str]
) -> None:
    world.put("failures", record({"id": 1}))
    worker = Worker(settings(world, longest_wait_seconds=300), world)
    assert (deliver(world, "failures", worker), world.invoked) == (["m1"], [])


def test_invoked_by_hand_it_goes_through_the_queue_itself(world: Any, record: Callable[..., str]) -> None:
    for number in range(15):
        world.put("failures", record({"id": number, "bad": number == 3}))
    worker = Worker(settings(world, failure_queue_url=world.url("failures")), world)
    report = worker.by_hand({"where": "id < `5`"}, CONTEXT)
    assert (report["accepted"], report["skipped"]) == ({"function orders:live": 4}, 10)
    assert (len(world.invoked), len(world.bodies("failures"))) == (5, 11)


def failing_on_two(seen: list[int]) -> Callable[[Any], None]:
    def run(event: Any) -> None:
        seen.append(event["id"])
        if event["id"] == 2:
            raise ValueError("two")

    return run


def test_killed_at_any_call_the_reprocessor_loses_nothing(
    new_world: Callable[[], Any], record: Callable[..., str], killed: type[BaseException]
) -> None:
    seen: list[int] = []

    def filled() -> Any:
        world = new_world()
        world.queue("failures")
        world.queue("aside")
        seen.clear()
        world.functions["orders"] = failing_on_two(seen)
        for number in range(5):
            world.put("failures", record({"id": number}))
        return world

    whole = filled()
    deliver(whole, "failures", Worker(settings(whole, most_attempts=1), whole))
    assert len(whole.calls) > 1
    for at, moment in product(range(1, len(whole.calls) + 1), ("before", "after")):
        world = filled()

        def kill(number: int, _operation: str, when: str, at: int = at, moment: str = moment) -> None:
            if number > at or (number == at and when == moment):
                raise killed

        world.fault = kill
        with pytest.raises(killed):
            deliver(world, "failures", Worker(settings(world, most_attempts=1), world))
        world.fault = lambda _number, _operation, _when: None
        held = [m.body for q in world.queues.values() for m in q.messages]
        events = {json.loads(body)["requestPayload"]["id"] for body in held}
        assert set(seen) | events == set(range(5))
        assert 2 in events, "the one that fails is still in the queue or in quarantine"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "LAMBDA_PATTERNS_QUARANTINE_QUEUE_URL is not set: it names the queue that takes what fails"),
        ({"MOST_ATTEMPTS": "16"}, "LAMBDA_PATTERNS_MOST_ATTEMPTS is '16', allowed are whole numbers 1-10"),
        (
            {"RATE_PER_SECOND": "fast"},
            "LAMBDA_PATTERNS_RATE_PER_SECOND is 'fast', allowed are numbers above 0",
        ),
        ({"RATE_PER_SECOND": "nan"}, "LAMBDA_PATTERNS_RATE_PER_SECOND is 'nan', allowed are numbers above 0"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(variables: dict[str, str], message: str) -> None:
    given = {f"LAMBDA_PATTERNS_{name}": value for name, value in variables.items()}
    if variables:
        given["LAMBDA_PATTERNS_QUARANTINE_QUEUE_URL"] = "https://x/1/aside"
    with pytest.raises(ArgumentError) as caught:
        Settings.read(given)
    assert str(caught.value) == message
