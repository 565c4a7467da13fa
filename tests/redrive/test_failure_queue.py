"""A queue that is opened: how much it holds, and where it must be."""

from collections.abc import Callable
from typing import Any

import pytest

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.redrive.queue import Depth, Queue

ARN = "arn:aws:sqs:eu-central-1:123456789012:"


@pytest.fixture
def opened(new_world: Callable[[], Any]) -> Callable[[str], Queue]:
    world = new_world()
    world.queue("failures")
    answer = world.sqs.get_queue_attributes

    def counted(**call: Any) -> Any:
        found = answer(**call)
        found["Attributes"] |= {
            "ApproximateNumberOfMessages": "100",
            "ApproximateNumberOfMessagesNotVisible": "20",
            "ApproximateNumberOfMessagesDelayed": "3",
        }
        return found

    world.sqs.get_queue_attributes = counted
    return lambda arn: Queue.of_arn(world.sqs, arn)


def test_a_queue_holds_what_is_visible_hidden_and_delayed(opened: Callable[[str], Queue]) -> None:
    queue = opened(f"{ARN}failures")
    assert (queue.depth, queue.size) == (Depth(100, 20, 3), 123)


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        (
            "arn:aws:sqs:eu-west-1:123456789012:failures",
            "queue failures is in eu-west-1, not in eu-central-1: give --region eu-west-1",
        ),
        (f"{ARN}gone", f"there is no queue {ARN}gone"),
    ],
)
def test_a_queue_that_is_elsewhere_or_nowhere_is_refused(
    opened: Callable[[str], Queue], arn: str, message: str
) -> None:
    with pytest.raises(LambdaPatternsError) as refused:
        opened(arn)
    assert str(refused.value) == message
