"""What a queue counts, whoever looks at the same time: a message is sent once, a moved one never."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lambda_patterns.local.behaviour import queue_metrics


def queue(name: str, *messages: dict[str, Any]) -> dict[str, Any]:
    arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
    return {"attributes": {"QueueArn": arn}, "messages": list(messages)}


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    queue_metrics.forget_all()


def counted(name: str) -> int:
    kept = queue_metrics._passed[f"arn:aws:sqs:us-east-1:000000000000:{name}"]  # for the next datapoint
    return kept["NumberOfMessagesSent"]


def test_many_looks_at_once_count_each_message_once() -> None:
    orders = queue("orders", *({"body": "x", "sent_at": 1.0} for _ in range(500)))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(queue_metrics.note_arrivals, [orders] * 50))
    assert counted("orders") == 500


def test_a_message_that_another_queue_moved_here_was_not_sent_and_ages_from_the_move() -> None:
    message = {"body": "x", "sent_at": 1.0}
    queue_metrics.note_arrivals(queue("orders", message))
    dead = queue("dead", dict(message), {"body": "y", "sent_at": 2.0})
    queue_metrics.note_arrivals(dead)
    assert counted("dead") == 1
    assert dead["messages"][0]["arrived"][1] > 2.0
    assert dead["messages"][1]["arrived"][1] == 2.0


def test_the_age_leaves_out_what_was_received_three_times() -> None:
    messages = [
        {"arrived": ("a", 10.0), "receive_count": 3},
        {"arrived": ("a", 40.0), "receive_count": 2},
        {"arrived": ("a", 70.0)},
    ]
    assert queue_metrics.oldest_age(messages, 100.0) == 60.0
    assert queue_metrics.oldest_age([], 100.0) == 0.0
