"""What replays messages inside AWS instead of from here: SQS's move task, and the deployed reprocessor."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.redrive import aws as aws_

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_sqs.type_defs import StartMessageMoveTaskRequestTypeDef

    from lambda_patterns.redrive.aws import Aws
    from lambda_patterns.redrive.queue import Queue

# From about here a loop on one machine takes minutes; below, it is done before a mapping has woken up.
MANY = 20_000
REPROCESSOR_VARIABLE = "LAMBDA_PATTERNS_QUARANTINE_QUEUE_URL"
_POLL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Moved:
    """How a move task ended.

    Args:
        count: messages moved.
        status: "COMPLETED", "CANCELLED" or "FAILED".
        why: the reason of a failure.
    """

    count: int
    status: str
    why: str | None = None


def move(
    aws: Aws,
    queue: Queue,
    to_arn: str | None,
    *,
    per_second: int | None = None,
    told: Callable[[int], None] | None = None,
) -> Moved:
    """Let SQS itself move everything in a dead-letter queue back to the queues it came from, and wait.

    Args:
        aws: the clients.
        queue: the dead-letter queue.
        to_arn: a queue that takes everything. Default: each message goes back to its own source.
        per_second: 1-500. Default: SQS decides, up to 500.
        told: is called with how many more have been moved.

    Raises:
        LambdaPatternsError: SQS moves nothing out of this queue, or may not.
    """
    _must_be_dead_letter_queue(aws, queue)
    asked: StartMessageMoveTaskRequestTypeDef = {"SourceArn": queue.arn}
    if to_arn is not None:
        asked["DestinationArn"] = to_arn
    if per_second is not None:
        asked["MaxNumberOfMessagesPerSecond"] = per_second
    try:
        aws.sqs.start_message_move_task(**asked)
        done = 0
        while True:
            task = aws.sqs.list_message_move_tasks(SourceArn=queue.arn, MaxResults=1)["Results"][0]
            moved = task.get("ApproximateNumberOfMessagesMoved", 0)
            if told:
                told(moved - done)
            done = moved
            if task["Status"] not in {"RUNNING", "CANCELLING"}:
                return Moved(moved, task["Status"], task.get("FailureReason"))
            time.sleep(_POLL_SECONDS)
    except (BotoCoreError, ClientError) as error:
        raise aws_.refusal(error, f"moving the messages of {queue.name}") from None


def _must_be_dead_letter_queue(aws: Aws, queue: Queue) -> None:
    try:
        answer = aws.sqs.list_dead_letter_source_queues(QueueUrl=queue.url)
    except (BotoCoreError, ClientError) as error:
        raise aws_.refusal(error, f"finding the queues that feed {queue.name}") from None
    if not answer.get("queueUrls"):
        raise LambdaPatternsError(
            f"SQS moves nothing out of {queue.name}: no queue has it as dead-letter queue, and what Lambda"
            " and SNS put in cannot be moved by SQS: leave --move-task away"
        )


@dataclass(frozen=True, slots=True)
class Reprocessor:
    """The deployed function that replays a queue by itself.

    Args:
        function: its ARN.
        mapping: the id of its event source mapping of the queue.
        enabled: whether it is at work.
        most_at_once: how many of it run at most at a time; None: as the account allows.
    """

    function: str
    mapping: str
    enabled: bool
    most_at_once: int | None

    @property
    def name(self) -> str:
        """Its name."""
        return self.function.split(":")[6] if self.function.count(":") >= _ARN_COLONS else self.function


_ARN_COLONS = 6


def reprocessor(aws: Aws, queue: Queue) -> Reprocessor | None:
    """Find the reprocessor of a queue, by its mapping and by the variable that only it has.

    Raises:
        LambdaPatternsError: the mappings may not be read.
    """
    try:
        pages = aws.lambda_.get_paginator("list_event_source_mappings").paginate(EventSourceArn=queue.arn)
        for mapping in (mapping for page in pages for mapping in page.get("EventSourceMappings", [])):
            function = mapping.get("FunctionArn", "")
            settings = aws.lambda_.get_function_configuration(FunctionName=function)
            if REPROCESSOR_VARIABLE in settings.get("Environment", {}).get("Variables", {}):
                return Reprocessor(
                    function,
                    mapping.get("UUID", ""),
                    enabled=mapping.get("State") in {"Enabled", "Enabling", "Creating", "Updating"},
                    most_at_once=mapping.get("ScalingConfig", {}).get("MaximumConcurrency"),
                )
    except (BotoCoreError, ClientError) as error:
        raise aws_.refusal(error, f"looking for the reprocessor of {queue.name}") from None
    return None


def switch(aws: Aws, found: Reprocessor, *, on: bool) -> None:
    """Switch a reprocessor on or off.

    Raises:
        LambdaPatternsError: the mapping may not be changed.
    """
    try:
        aws.lambda_.update_event_source_mapping(UUID=found.mapping, Enabled=on)
    except (BotoCoreError, ClientError) as error:
        raise aws_.refusal(error, f"switching {found.name} {'on' if on else 'off'}") from None
