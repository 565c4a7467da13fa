"""The replay is killed, throttled, cut off at every single call: nothing is lost, duplicates are bounded."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.redrive.delivery import Delivery
from lambda_patterns.redrive.filters import Filter
from lambda_patterns.redrive.queue import Queue
from lambda_patterns.redrive.replay import Plan, Report, Run, replay
from lambda_patterns.redrive.sources import QueueSources

EVENTS = 34
QUEUE = "arn:aws:sqs:eu-central-1:123456789012:"


CALLS = {"function": 45, "queue": 17, "fifo": 17, "second-level": 45}
"""How many calls a replay of all failures of each kind makes where nothing goes wrong."""


every_call = pytest.mark.parametrize(
    ("filled", "at"),
    [(kind, at) for kind, calls in CALLS.items() for at in range(1, calls + 1)],
    indirect=["filled"],
)


@pytest.fixture(params=CALLS)
def filled(request: pytest.FixtureRequest, world: Any, record: Callable[..., str]) -> tuple[Any, str]:
    """A world with 34 failures, in a queue that goes back to a function, a queue, or a FIFO queue."""
    end = ".fifo" if request.param == "fifo" else ""
    name = f"failures{end}"
    if request.param == "second-level":
        aside = {"deadLetterTargetArn": f"{QUEUE}aside", "maxReceiveCount": 2}
        world.queue("aside")
        world.queue(name, RedrivePolicy=json.dumps(aside))
    else:
        world.queue(name)
    if request.param in {"queue", "fifo"}:
        world.queue(
            f"work{end}",
            RedrivePolicy=json.dumps({"deadLetterTargetArn": QUEUE + name, "maxReceiveCount": 9}),
        )
    for number in range(EVENTS):
        group = {"MessageGroupId": "abc"[number % 3], "SequenceNumber": str(number)} if end else {}
        from_queue = request.param in {"queue", "fifo"}
        world.put(name, str(number) if from_queue else record(number), None, **group)
    return world, name


def run(world: Any, name: str, hands: int = 1) -> Report:
    store = Queue(world.sqs, world.url(name))
    return replay(store, Plan(QueueSources(world, store)), Delivery(world), Run(Filter(), hands=hands))


def arrived(world: Any) -> Counter[str]:
    """What functions and queues have got, event by event."""
    got = world.payloads()
    for work in ("work", "work.fifo"):
        if work in world.queues:
            got.update(world.bodies(work))
    return got


def kept(world: Any) -> set[str]:
    """The events that still lie in the failure queue or in the quarantine behind it."""
    bodies = [
        b for n, q in world.queues.items() if not n.startswith("work") for b in (m.body for m in q.messages)
    ]
    return {json.dumps(json.loads(body)["requestPayload"]) if "{" in body else body for body in bodies}


ALL = {str(number) for number in range(EVENTS)}


def run_or_error(world: Any, name: str) -> str:
    """Run, and give what the person at the terminal would read if it failed."""
    try:
        run(world, name)
    except LambdaPatternsError as error:
        return str(error)
    return ""


def ends_the_run(world: Any, at: int) -> bool:
    """Whether a call is one to the failure queue: what one target refuses is its own failure alone."""
    operation = world.calls[at - 1]
    first = at == 1  # the failure queue's own attributes, before those of a target
    return operation in {"ReceiveMessage", "DeleteMessageBatch"} or (
        first and operation == "GetQueueAttributes"
    )


def finish(world: Any, name: str) -> None:
    """Whoever comes next, after every visibility timeout, replays the rest."""
    world.fault = lambda _number, _operation, _when: None
    world.wait_out()
    run(world, name)


def test_every_call_of_a_replay_is_one_that_faults_strike(
    filled: tuple[Any, str], request: pytest.FixtureRequest
) -> None:
    world, name = filled
    run(world, name)
    assert len(world.calls) == CALLS[request.node.callspec.params["filled"]]
    assert set(arrived(world)) == ALL


@pytest.mark.parametrize("when", ["before", "after"])
@every_call
def test_killed_at_any_call_nothing_is_lost_and_at_most_ten_are_repeated(
    filled: tuple[Any, str], killed: type[BaseException], at: int, when: str
) -> None:
    world, name = filled

    def kill(number: int, _operation: str, moment: str) -> None:
        if number > at or (number == at and moment == when):
            raise killed

    world.fault = kill
    with pytest.raises(killed):
        run(world, name)
    assert arrived(world).keys() | kept(world) == ALL
    finish(world, name)
    got = arrived(world)
    assert set(got) == ALL
    assert sum(got.values()) - EVENTS <= 10
    assert kept(world) == set()
    if name.endswith(".fifo"):
        assert sum(got.values()) == EVENTS, "a FIFO target recognises a repeated replay"


@pytest.mark.parametrize("code", ["ThrottlingException", "ServiceUnavailable"])
@every_call
def test_refused_at_any_call_nothing_is_lost_and_nothing_is_repeated(
    filled: tuple[Any, str], aws_error: Callable[..., Exception], at: int, code: str
) -> None:
    world, name = filled

    def refuse(number: int, operation: str, when: str) -> None:
        if number == at and when == "before":
            raise aws_error(operation, code, 503)

    world.fault = refuse
    said = run_or_error(world, name)
    assert (code in said) is ends_the_run(world, at)
    assert bool(said) is ends_the_run(world, at)
    assert arrived(world).keys() | kept(world) == ALL
    finish(world, name)
    got = arrived(world)
    assert set(got) == ALL
    assert sum(got.values()) - EVENTS <= 10, "a delete that is refused repeats its batch"


@every_call
def test_a_lost_answer_is_reported_and_repeats_at_most_one_batch(filled: tuple[Any, str], at: int) -> None:
    world, name = filled

    def lose(number: int, _operation: str, when: str) -> None:
        if number == at and when == "after":
            raise EndpointConnectionError(endpoint_url="https://aws")

    world.fault = lose
    said = run_or_error(world, name)
    assert ("AWS cannot be reached" in said) is ends_the_run(world, at)
    assert bool(said) is ends_the_run(world, at)
    assert arrived(world).keys() | kept(world) == ALL
    finish(world, name)
    assert set(arrived(world)) == ALL
    assert sum(arrived(world).values()) - EVENTS <= 10


@pytest.mark.parametrize("hands", [2, 8])
def test_killed_with_many_hands_at_most_ten_a_hand_are_repeated(
    world: Any, record: Callable[..., str], killed: type[BaseException], hands: int
) -> None:
    world.queue("failures")
    for number in range(300):
        world.put("failures", record(number))

    def kill(number: int, _operation: str, _when: str) -> None:
        if number > 150:
            raise killed

    world.fault = kill
    with pytest.raises(killed):
        run(world, "failures", hands)
    finish(world, "failures")
    got = arrived(world)
    assert set(got) == {str(number) for number in range(300)}
    assert sum(got.values()) - 300 <= hands * 10


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_whatever_fails_and_in_whichever_order_counts_in_and_out_agree(
    new_world: Callable[[], Any], record: Callable[..., str], data: st.DataObject
) -> None:
    """Lost calls and lost answers, a queue that hands out in any order and some things twice."""
    world = new_world()
    world.queue("failures")
    for number in range(EVENTS):
        world.put("failures", record(number))
    faults = data.draw(st.dictionaries(st.integers(1, 90), st.sampled_from(["before", "after"]), max_size=9))

    def refuse(number: int, _operation: str, when: str) -> None:
        if faults.get(number) == when:
            raise EndpointConnectionError(endpoint_url="https://aws")

    world.fault = refuse
    receive = world.sqs.receive_message

    def shuffled(**call: Any) -> Any:
        answer = receive(**call)
        entries = answer.get("Messages", [])
        order = data.draw(st.permutations(entries)) if entries else []
        return {"Messages": [*order, *order[: data.draw(st.integers(0, 1))]][:10]}

    world.sqs.receive_message = shuffled
    try:
        report = run(world, "failures")
    except LambdaPatternsError:
        report = None
    if report is not None:
        passed = report.passed
        assert passed.received == report.accepted.total() + report.failed.total() + report.refused.total()
        ended = passed.deleted + passed.undeleted + passed.released + passed.rewritten + passed.unreleased
        assert ended + passed.at_edge >= passed.received
    assert arrived(world).keys() | kept(world) == ALL
    world.sqs.receive_message = receive
    finish(world, "failures")
    got = arrived(world)
    assert set(got) == ALL
    assert sum(got.values()) - EVENTS <= 10 * len(faults)
