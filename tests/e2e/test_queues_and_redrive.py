"""Queues: partial batches into the dead-letter queue, message move tasks, and what the metrics say."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.e2e


@pytest.fixture
def pair(workshop: Any) -> Any:
    """A source queue with a dead-letter queue after two receives, and the function that reads it."""
    dead_url, dead = workshop.queue("dead")
    policy = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 2})
    url, arn = workshop.queue("source", RedrivePolicy=policy, VisibilityTimeout="2")
    return {"url": url, "arn": arn, "dead_url": dead_url, "dead": dead}


def fail_into_dead(workshop: Any, pair: Any, eventually: Any, bodies: list[str]) -> None:
    function = workshop.function(Timeout=10)
    workshop.lam.invoke(
        FunctionName=function, Payload=b'"warm"'
    )  # a cold start on a busy machine takes seconds
    mapping = workshop.lam.create_event_source_mapping(
        FunctionName=function, EventSourceArn=pair["arn"], FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    workshop.sqs.send_message_batch(
        QueueUrl=pair["url"], Entries=[{"Id": str(i), "MessageBody": b} for i, b in enumerate(bodies)]
    )
    bad = sum(body.startswith("bad") for body in bodies)
    eventually(lambda: workshop.depth(pair["dead_url"]) == bad)
    workshop.lam.delete_event_source_mapping(UUID=mapping["UUID"])


def test_only_the_failed_items_of_a_batch_reach_the_dead_letter_queue(
    workshop: Any, pair: Any, eventually: Any
) -> None:
    fail_into_dead(workshop, pair, eventually, ["good 1", "bad 1", "good 2", "bad 2"])
    bodies = {workshop.message(pair["dead_url"])["Body"] for _ in range(2)}
    assert bodies == {"bad 1", "bad 2"}

    def sent(role: str) -> float:
        number: float = workshop.metric("AWS/SQS", "NumberOfMessagesSent", QueueName=workshop.name(role))
        return number

    eventually(lambda: sent("source") == 4)
    assert sent("dead") == 0
    assert workshop.metric("AWS/Lambda", "Invocations", FunctionName=workshop.name("orders")) >= 2


def test_a_move_task_brings_dead_letters_back_to_the_queue_that_they_came_from(
    workshop: Any, pair: Any, eventually: Any
) -> None:
    fail_into_dead(workshop, pair, eventually, ["bad 1", "bad 2", "bad 3"])
    handle = workshop.sqs.start_message_move_task(SourceArn=pair["dead"])["TaskHandle"]
    assert handle
    eventually(lambda: workshop.depth(pair["url"]) == 3)
    assert workshop.depth(pair["dead_url"]) == 0
    results = workshop.sqs.list_message_move_tasks(SourceArn=pair["dead"])["Results"]
    eventually(
        lambda: (
            workshop.sqs.list_message_move_tasks(SourceArn=pair["dead"])["Results"][0]["Status"]
            == "COMPLETED"
        )
    )
    assert results[0]["ApproximateNumberOfMessagesToMove"] == 3
    received = workshop.message(pair["url"])
    assert received["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_slow_move_task_can_be_cancelled_and_a_second_one_is_refused(
    workshop: Any, pair: Any, eventually: Any
) -> None:
    fail_into_dead(workshop, pair, eventually, ["bad 1", "bad 2", "bad 3", "bad 4"])
    handle = workshop.sqs.start_message_move_task(SourceArn=pair["dead"], MaxNumberOfMessagesPerSecond=1)[
        "TaskHandle"
    ]
    with pytest.raises(ClientError, match="Only one active task is allowed"):
        workshop.sqs.start_message_move_task(SourceArn=pair["dead"])
    moved = workshop.sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"]
    assert moved < 4
    assert workshop.sqs.list_message_move_tasks(SourceArn=pair["dead"])["Results"][0]["Status"] == "CANCELLED"
    assert workshop.depth(pair["dead_url"]) + workshop.depth(pair["url"]) == 4


def test_a_queue_that_is_nobodys_dead_letter_queue_cannot_be_moved_from(workshop: Any) -> None:
    """The destination of a function is such a queue: that is why failures are replayed otherwise."""
    _url, arn = workshop.queue("failures")
    with pytest.raises(ClientError, match=r"Source queue must be configured as a Dead Letter Queue\."):
        workshop.sqs.start_message_move_task(SourceArn=arn)


def test_a_move_task_of_no_queue_is_refused(workshop: Any) -> None:
    with pytest.raises(ClientError, match="SourceArn parameter doesn't exist"):
        workshop.sqs.start_message_move_task(SourceArn="arn:aws:sqs:us-east-1:000000000000:nowhere")


def test_a_dead_letter_queue_knows_the_queues_that_it_serves(workshop: Any, pair: Any) -> None:
    found = workshop.sqs.list_dead_letter_source_queues(QueueUrl=pair["dead_url"])["queueUrls"]
    assert found == [pair["url"]]


def test_gauges_follow_what_is_in_a_queue(workshop: Any, eventually: Any) -> None:
    url, _arn = workshop.queue("inbox")
    workshop.sqs.send_message(QueueUrl=url, MessageBody="one")
    workshop.sqs.send_message(QueueUrl=url, MessageBody="two")
    name = workshop.name("inbox")

    def seen(metric: str) -> float:
        return workshop.metric("AWS/SQS", metric, "Maximum", QueueName=name)

    eventually(lambda: seen("ApproximateNumberOfMessagesVisible") == 2)
    handle = workshop.message(url)["ReceiptHandle"]
    eventually(lambda: seen("ApproximateNumberOfMessagesNotVisible") == 1)
    workshop.sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
    eventually(lambda: workshop.metric("AWS/SQS", "NumberOfMessagesDeleted", QueueName=name) == 1)
    assert workshop.metric("AWS/SQS", "NumberOfMessagesReceived", QueueName=name) == 1
    assert workshop.metric("AWS/SQS", "NumberOfMessagesSent", QueueName=name) == 2
    eventually(lambda: seen("ApproximateAgeOfOldestMessage") > 0)
