"""Replay, quarantine, purge and look: where each failure goes, and that nothing else happens to it."""

import json
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.redrive.delivery import Delivery
from lambda_patterns.redrive.filters import Filter, expression
from lambda_patterns.redrive.message import LEDGER_ATTRIBUTE
from lambda_patterns.redrive.queue import Queue
from lambda_patterns.redrive.replay import Plan, Report, Run, look, purge, quarantine, replay
from lambda_patterns.redrive.sources import KnownSources, QueueSources
from lambda_patterns.redrive.targets import FunctionTarget, QueueTarget, TopicTarget

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:orders"
QUEUE = "arn:aws:sqs:eu-central-1:123456789012:"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:"
NOBODY = (
    "nothing says where it came from (0 subscriptions have this queue as their dead-letter queue): "
    "say it with --to"
)
TOO_LARGE = (
    "the event has 1,100,002 bytes, function orders:live takes 1,048,576; up to 6 MB are taken with --wait"
)


def moving_to(name: str, receives: int) -> str:
    """A redrive policy: after so many receives, messages move to the queue `name`."""
    return json.dumps({"deadLetterTargetArn": f"{QUEUE}{name}", "maxReceiveCount": receives})


def opened(world: Any, name: str = "failures") -> Queue:
    return Queue(world.sqs, world.url(name))


def replayed(
    world: Any, queue: str = "failures", *, wait: bool = False, hands: int = 1, **settings: Any
) -> Report:
    store = opened(world, queue)
    plan = {name: settings.pop(name) for name in ("to", "most_attempts") if name in settings}
    run = Run(settings.pop("chosen", Filter()), hands=hands, **settings)
    return replay(store, Plan(QueueSources(world, store), **plan), Delivery(world, wait=wait), run)


def test_an_event_goes_back_to_the_alias_that_failed_and_its_message_is_deleted(
    world: Any, record: Callable[..., str]
) -> None:
    world.queue("failures")
    world.put("failures", record({"id": 1}))
    report = replayed(world)
    assert world.invoked == [(f"{FUNCTION}:live", '{"id": 1}', "Event", {})]
    assert world.bodies("failures") == []
    assert report.accepted == Counter({"function orders:live": 1})
    assert report.is_clean


def test_a_dry_run_sends_nothing_and_leaves_all_visible(world: Any, record: Callable[..., str]) -> None:
    world.queue("failures")
    world.put("failures", record({"id": 1}))
    store = opened(world)
    report = replay(store, Plan(KnownSources()), None, Run(Filter()))
    assert report.accepted == Counter({"function orders:live": 1})
    assert (world.invoked, world.calls.count("DeleteMessageBatch")) == ([], 0)
    assert len(store.receive(10)) == 1


def test_a_dead_lettered_message_goes_back_to_its_queue_with_its_attributes_and_a_count(world: Any) -> None:
    world.queue("work", RedrivePolicy=moving_to("dead", 5))
    world.queue("dead")
    tenant = {"DataType": "String", "StringValue": "eu"}
    world.put("dead", "not json", {"tenant": tenant}, AWSTraceHeader="Root=1-2;Lineage=9")
    assert replayed(world, "dead").accepted == Counter({"queue work": 1})
    (sent,) = world.queues["work"].messages
    assert (sent.body, sent.attributes["tenant"]) == ("not json", tenant)
    assert json.loads(sent.attributes[LEDGER_ATTRIBUTE]["StringValue"])["attempts"] == 1
    assert "AWSTraceHeader" not in sent.system


def test_the_source_that_sqs_names_on_a_message_decides_among_several(world: Any) -> None:
    for name in ("work", "other"):
        policy = moving_to("dead", 5)
        world.queue(name, RedrivePolicy=policy)
    world.queue("dead")
    world.put("dead", "a", DeadLetterQueueSourceArn=f"{QUEUE}other")
    world.put("dead", "b")
    report = replayed(world, "dead")
    assert (world.bodies("other"), world.bodies("work"), world.bodies("dead")) == (["a"], [], ["b"])
    assert report.refused == Counter(
        {"2 queues have this one as their dead-letter queue: say which one with --to": 1}
    )


def test_what_was_replayed_too_often_is_refused_and_stays(world: Any) -> None:
    world.queue("failures")
    ledger = {"DataType": "String", "StringValue": '{"attempts": 3}'}
    world.put("failures", "{}", {LEDGER_ATTRIBUTE: ledger})
    report = replayed(world, to=FunctionTarget("orders"), most_attempts=3)
    assert report.refused == Counter({"replayed 3 times already, the limit is 3": 1})
    assert (world.invoked, world.bodies("failures")) == ([], ["{}"])


def test_a_function_that_is_waited_for_and_fails_keeps_its_message_and_counts_an_attempt(
    world: Any, record: Callable[..., str]
) -> None:
    def fail(event: Any) -> None:
        raise ValueError(f"no stock for {event['id']}")

    world.functions["orders"] = fail
    world.queue("failures")
    world.put("failures", record({"id": 1}))
    report = replayed(world, wait=True)
    assert report.failed == Counter({"function orders:live: ValueError: no stock for 1": 1})
    (kept,) = world.queues["failures"].messages
    ledger = json.loads(kept.attributes[LEDGER_ATTRIBUTE]["StringValue"])
    assert (ledger["attempts"], ledger["key"]) == (1, "m1")
    assert (kept.body, report.passed.rewritten) == (record({"id": 1}), 1)


def test_poison_does_not_stop_the_rest(world: Any, record: Callable[..., str]) -> None:
    world.queue("failures")
    bodies = [
        "{" * 50_000,
        json.dumps({"requestContext": {"condition": "X", "functionArn": "?"}, "requestPayload": 1}),
        record("x" * 1_100_000),
        *(record({"id": n}) for n in range(30)),
    ]
    for body in bodies:
        world.put("failures", body)
    report = replayed(world)
    assert report.accepted == Counter({"function orders:live": 30})
    assert world.bodies("failures") == bodies[:3]
    assert sorted(report.refused) == [
        "functionArn '?' names no function",
        NOBODY,
    ]
    assert list(report.failed) == [TOO_LARGE]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("NotFound", NOBODY),
        (
            "AuthorizationError",
            (
                "finding the subscription that feeds failures: access denied: "
                "sns:ListSubscriptionsByTopic is missing (AuthorizationError was injected)"
            ),
        ),
    ],
)
def test_a_topic_that_cannot_be_asked_does_not_stop_the_rest(
    world: Any, record: Callable[..., str], aws_error: Callable[..., Exception], code: str, reason: str
) -> None:
    """One notification of a topic that was deleted since must not keep a queue from being replayed."""
    asked: list[str] = []

    def pages(TopicArn: str) -> Any:  # noqa: N803  # boto3's name
        asked.append(TopicArn)
        raise aws_error("ListSubscriptionsByTopic", code)

    world.sns.get_paginator = lambda _operation: SimpleNamespace(paginate=pages)
    world.queue("failures")
    envelope = {"Type": "Notification", "TopicArn": f"{TOPIC}gone", "Message": "hello"}
    for number in range(3):
        world.put("failures", json.dumps({**envelope, "MessageId": str(number)}))
        world.put("failures", record(number))
    report = replayed(world)
    assert report.accepted == Counter({"function orders:live": 3})
    assert report.refused == Counter({reason: 3})
    assert asked == [f"{TOPIC}gone"]


def test_a_filter_leaves_what_it_does_not_choose_visible_and_as_it_was(
    world: Any, record: Callable[..., str]
) -> None:
    world.queue("failures")
    for number in range(25):
        world.put("failures", record({"id": number, "tenant": "eu" if number % 2 else "us"}))
    report = replayed(world, chosen=Filter(where=expression("tenant == 'eu'")))
    assert (report.accepted.total(), report.skipped) == (12, 13)
    assert [json.loads(body)["requestPayload"]["id"] for body in world.bodies("failures")] == list(
        range(0, 25, 2)
    )
    assert sum(len(opened(world).receive(1)) for _ in range(2)) == 13


def test_only_as_many_as_were_asked_for_are_replayed(world: Any, record: Callable[..., str]) -> None:
    world.queue("failures")
    for number in range(25):
        world.put("failures", record(number))
    report = replayed(world, most=7, hands=4)
    assert (len(world.invoked), len(world.bodies("failures"))) == (7, 18)
    assert report.passed.stopped == "7 were asked for"


def test_what_fails_again_at_once_is_left_for_the_next_run(world: Any, record: Callable[..., str]) -> None:
    """A function that fails at once puts a fresh record into the queue that is being replayed."""
    world.queue("failures")
    for number in range(3):
        world.put("failures", record(number))
    send = world.lambda_.invoke

    def fail_again(**call: Any) -> Any:
        answer = send(**call)
        world.offset += 2
        world.put("failures", record(json.loads(call["Payload"])))
        return answer

    world.lambda_.invoke = fail_again
    report = replayed(world)
    assert (report.accepted.total(), report.passed.arrived) == (3, 3)
    assert len(world.bodies("failures")) == 3


def test_looking_does_not_bring_a_message_to_its_last_receive(world: Any, record: Callable[..., str]) -> None:
    world.queue("aside")
    world.queue("failures", RedrivePolicy=moving_to("aside", 2))
    body = record({"id": 1})
    world.put("failures", body)
    seen: list[str] = []
    for _ in range(7):
        look(opened(world), Run(Filter(), hands=1), lambda message, _record: seen.append(message.body))
        world.offset += 100
    assert seen == [body] * 7
    assert (world.bodies("failures"), world.bodies("aside")) == ([body], [])


@pytest.mark.parametrize(("policy", "at_edge"), [({}, 0), ({"RedrivePolicy": moving_to("aside", 1)}, 1)])
def test_only_what_the_next_look_would_move_on_is_said_to_be_at_the_edge(
    world: Any, record: Callable[..., str], aws_error: Callable[..., Exception], policy: Any, at_edge: int
) -> None:
    def refuse(_number: int, operation: str, when: str) -> None:
        if operation == "SendMessageBatch" and when == "before":
            raise aws_error("SendMessage", "AccessDenied", 403)

    def fail(_event: Any) -> None:
        raise ValueError("still broken")

    world.queue("aside")
    world.queue("failures", **policy)
    world.put("failures", record(1))
    world.functions["orders"] = fail
    world.fault = refuse
    report = replayed(world, wait=True)
    assert (sum(report.failed.values()), report.passed.at_edge, report.passed.released) == (1, at_edge, 1)


def test_looking_keeps_the_time_since_which_a_message_is_there(world: Any) -> None:
    world.queue("aside")
    world.queue("failures", RedrivePolicy=moving_to("aside", 1))
    world.put("failures", "x")
    before = world.queues["failures"].messages[0].sent
    for _ in range(2):
        look(opened(world), Run(Filter(), hands=1), lambda _message, _record: None)
        world.offset += 100
    (message,) = opened(world).receive(1)
    assert (message.since, message.sent == before) == (before, False)


def test_two_operators_at_the_same_time_replay_each_event_once(
    world: Any, record: Callable[..., str]
) -> None:
    world.queue("failures")
    for number in range(40):
        world.put("failures", record(number))
    first = opened(world).receive(300)
    assert replayed(world, hands=4).accepted.total() == 30
    opened(world).release(first)
    assert replayed(world, hands=4).accepted.total() == 10
    assert world.payloads() == Counter({str(number): 1 for number in range(40)})


def test_a_fifo_queue_keeps_the_order_of_each_group(world: Any) -> None:
    world.queue(
        "work.fifo",
        RedrivePolicy=moving_to("dead.fifo", 5),
    )
    world.queue("dead.fifo")
    for number in range(25):
        group = "ab"[number % 2]
        world.put("dead.fifo", f"{group}{number}", MessageGroupId=group, MessageDeduplicationId=str(number))
    assert replayed(world, "dead.fifo", hands=8).accepted == Counter({"queue work.fifo": 25})
    for group in "ab":
        order = [int(body[1:]) for body in world.bodies("work.fifo") if body[0] == group]
        assert order == sorted(order)


@pytest.mark.parametrize("chosen", [Filter(contains="nothing has this"), Filter()])
def test_what_a_fifo_queue_does_not_show_is_counted(world: Any, chosen: Filter) -> None:
    """Nobody may take ten messages of sixty for all there are: least of all before a purge."""
    world.queue("dead.fifo")
    for number in range(60):
        world.put("dead.fifo", str(number), MessageGroupId="ab"[number % 2])
    seen: list[str] = []
    report = look(opened(world, "dead.fifo"), Run(chosen), lambda message, _: seen.append(message.body))
    assert len(seen) == (0 if chosen.contains else 10)
    assert (report.passed.received, report.passed.unseen) == (10, 50)
    assert not report.is_clean
    emptied = purge(opened(world, "dead.fifo"), Run(Filter()))
    assert (emptied.passed.received, emptied.passed.unseen, emptied.is_clean) == (60, 0, True)


def test_a_run_that_was_stopped_is_not_clean_and_one_that_reached_its_number_is(world: Any) -> None:
    world.queue("failures")
    for number in range(40):
        world.put("failures", str(number))
    stopped = purge(opened(world), Run(Filter(), hands=1, control=lambda pump: pump.stop("interrupted")))
    assert (stopped.passed.stopped, stopped.is_clean) == ("interrupted", False)
    reached = purge(opened(world), Run(Filter(), most=15, hands=1))
    assert (reached.passed.stopped, reached.is_clean) == ("15 were asked for", True)


def test_in_a_fifo_queue_nothing_overtakes_what_was_not_accepted(world: Any) -> None:
    world.queue("work.fifo", MaximumMessageSize="1024")
    world.queue("dead.fifo")
    for group, body in (("a", "1"), ("a", "2" * 2000), ("a", "3"), ("b", "4")):
        world.put("dead.fifo", body, MessageGroupId=group)
    report = replayed(world, "dead.fifo", to=QueueTarget("work.fifo"))
    assert world.bodies("work.fifo") == ["1", "4"]
    assert [body[0] for body in world.bodies("dead.fifo")] == ["2", "3"]
    assert "an earlier message of its group was not accepted" in report.failed


def test_a_fifo_target_takes_the_same_replay_once_and_a_later_one_again(world: Any) -> None:
    world.queue("work.fifo")
    world.queue("dead.fifo")
    world.put("dead.fifo", "1", MessageGroupId="a", SequenceNumber="7")
    (message,) = opened(world, "dead.fifo").receive(300)
    again = message.noted(failed=True)
    work = opened(world, "work.fifo")
    for copy in (message, message, again):
        assert work.send([copy]) == [(copy, None)]
    assert world.bodies("work.fifo") == ["1", "1"]


def test_a_message_without_group_is_not_sent_to_a_fifo_queue(world: Any) -> None:
    world.queue("work.fifo")
    world.queue("failures")
    world.put("failures", "1")
    report = replayed(world, to=QueueTarget("work.fifo"))
    assert report.failed == Counter({"queue work.fifo is FIFO and the message has no group": 1})


def test_a_missing_permission_is_asked_for_once_and_named(
    world: Any, record: Callable[..., str], aws_error: Callable[..., Exception]
) -> None:
    def deny(_number: int, operation: str, when: str) -> None:
        if operation == "Invoke" and when == "before":
            raise aws_error("Invoke", "AccessDeniedException", 403)

    world.fault = deny
    world.queue("failures")
    for number in range(30):
        world.put("failures", record(number))
    report = replayed(world)
    assert world.calls.count("Invoke") == 1
    ((why, number),) = report.failed.items()
    assert number == 30
    assert why.startswith("function orders:live: access denied: lambda:InvokeFunction is missing")


def test_lasting_throttling_ends_the_run_before_it_wears_out_every_message(
    world: Any, record: Callable[..., str], aws_error: Callable[..., Exception]
) -> None:
    def throttle(_number: int, operation: str, when: str) -> None:
        if operation == "Invoke" and when == "before":
            raise aws_error("Invoke", "TooManyRequestsException", 429)

    world.fault = throttle
    world.queue("failures")
    for number in range(200):
        world.put("failures", record(number))
    report = replayed(world)
    assert world.calls.count("Invoke") == 50
    assert "the last 50 events were not accepted: function orders:live: TooMany" in str(report.passed.stopped)
    assert len(world.bodies("failures")) == 200


def test_a_record_can_be_sent_elsewhere_unwrapped(world: Any, record: Callable[..., str]) -> None:
    world.queue("failures")
    world.queue("elsewhere")
    topic = "arn:aws:sns:eu-central-1:123456789012:orders"
    for target in (QueueTarget("elsewhere"), TopicTarget(topic), FunctionTarget("mended")):
        world.put("failures", record({"id": 1}))
        assert replayed(world, to=target).accepted == Counter({str(target): 1})
    assert world.bodies("elsewhere") == ['{"id": 1}']
    assert world.published == [{"TopicArn": topic, "Message": '{"id": 1}', "MessageAttributes": {}}]
    assert world.invoked == [("mended", '{"id": 1}', "Event", {})]


def test_a_notification_is_published_again_as_it_was(world: Any) -> None:
    world.queue("failures")
    topic = "arn:aws:sns:eu-central-1:123456789012:orders"
    envelope = {
        "Type": "Notification",
        "TopicArn": topic,
        "Message": "an order",
        "Subject": "order",
        "MessageAttributes": {
            "tenant": {"Type": "String", "Value": "eu"},
            "raw": {"Type": "Binary", "Value": "AAE="},
        },
    }
    world.put("failures", json.dumps(envelope))
    replayed(world, to=TopicTarget(topic))
    (published,) = world.published
    assert (published["Message"], published["Subject"]) == ("an order", "order")
    assert published["MessageAttributes"] == {
        "tenant": {"DataType": "String", "StringValue": "eu"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
    }


def test_a_success_record_is_not_replayed(world: Any, record: Callable[..., str]) -> None:
    world.queue("failures")
    body = json.loads(record({"id": 1}))
    body["requestContext"]["condition"] = "Success"
    world.put("failures", json.dumps(body))
    report = replayed(world)
    assert report.refused == Counter({"it succeeded: the record of an on-success destination": 1})


def test_quarantine_moves_messages_as_they_are_and_notes_why(world: Any, record: Callable[..., str]) -> None:
    world.queue("failures")
    world.queue("aside")
    body = record({"id": 1})
    world.put("failures", body)
    report = quarantine(opened(world), opened(world, "aside"), Run(Filter()), reason="looked at by hand")
    (kept,) = world.queues["aside"].messages
    assert (kept.body, world.bodies("failures"), report.is_clean) == (body, [], True)
    assert json.loads(kept.attributes[LEDGER_ATTRIBUTE]["StringValue"])["reason"] == "looked at by hand"


def test_purge_deletes_what_is_chosen_and_only_that(world: Any, record: Callable[..., str]) -> None:
    world.queue("failures")
    world.put("failures", record({"id": 1}))
    world.put("failures", record({"id": 2}, function="bills"))
    report = purge(opened(world), Run(Filter(function="bills"), hands=1))
    assert (report.accepted, len(world.bodies("failures"))) == (Counter({"deleted": 1}), 1)


def test_a_queue_that_is_not_there_is_one_clear_line(world: Any) -> None:
    with pytest.raises(LambdaPatternsError) as caught:
        opened(world, "nowhere")
    assert str(caught.value) == (
        "there is no queue https://sqs.eu-central-1.amazonaws.com/123456789012/nowhere"
    )


def test_a_queue_that_may_not_be_read_names_the_action(
    world: Any, aws_error: Callable[..., Exception]
) -> None:
    world.queue("failures")
    store = opened(world)

    def deny(_number: int, operation: str, _when: str) -> None:
        raise aws_error(operation, "AccessDenied", 403)

    world.fault = deny
    with pytest.raises(LambdaPatternsError) as caught:
        purge(store, Run(Filter(), hands=2))
    assert str(caught.value) == (
        "failures: access denied: sqs:ReceiveMessage is missing (AccessDenied was injected)"
    )
