"""Who writes failures into a queue: asked only when a message does not say it itself, and only once."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.redrive import aws as aws_

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mypy_boto3_sns.type_defs import SubscriptionTypeDef

    from lambda_patterns.redrive.aws import Aws
    from lambda_patterns.redrive.queue import Queue
    from lambda_patterns.redrive.records import FailureRecord


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription whose notifications end in the queue.

    Args:
        arn: its ARN.
        protocol: "lambda", "sqs", "https", ...
        endpoint: the function's or queue's ARN, or the address.
    """

    arn: str
    protocol: str
    endpoint: str


class Sources(Protocol):
    """What is known about who writes to a queue."""

    def queues(self) -> Sequence[str]:
        """Give the ARNs of the queues whose dead-letter queue it is."""

    def functions(self, topic: str | None = None) -> Sequence[str]:
        """Give the functions whose dead-letter queue it is, or whose dead-letter topic `topic` is."""

    def subscriptions(self, record: FailureRecord) -> Sequence[Subscription]:
        """Give the subscriptions from which the record can have come."""


@dataclass(frozen=True, slots=True)
class KnownSources:
    """Sources that are known beforehand: none of a bucket, or those that a setting names.

    Args:
        known_queues: ARNs of queues.
        known_functions: ARNs of functions.
    """

    known_queues: tuple[str, ...] = ()
    known_functions: tuple[str, ...] = ()

    def queues(self) -> Sequence[str]:
        """Give the ARNs of the queues."""
        return self.known_queues

    def functions(self, topic: str | None = None) -> Sequence[str]:
        """Give the names of the functions."""
        del topic
        return self.known_functions

    def subscriptions(self, record: FailureRecord) -> Sequence[Subscription]:
        """Give the known functions as subscribers of the record's topic."""
        arn = record.subscription or record.topic or ""
        return tuple(Subscription(arn, "lambda", function) for function in self.known_functions)


class QueueSources:
    """Asks AWS who writes to a queue, each question once, also one that AWS does not answer.

    Args:
        aws: the clients.
        queue: the queue that holds the failures.
    """

    def __init__(self, aws: Aws, queue: Queue) -> None:
        self._aws = aws
        self._queue = queue
        self._lock = threading.RLock()
        self._answers: dict[str, tuple[Any, ...] | LambdaPatternsError] = {}

    def queues(self) -> Sequence[str]:
        """Give the ARNs of the queues whose dead-letter queue it is."""
        return self._once("queues", f"finding the queues that feed {self._queue.name}", self._feeding)

    def functions(self, topic: str | None = None) -> Sequence[str]:
        """Give the names of the functions whose dead-letter target it is; reads through all functions."""
        what = f"finding the function that feeds {self._queue.name}"
        letters: Sequence[tuple[str, str]] = self._once("functions", what, self._dead_letters)
        return tuple(name for name, arn in letters if arn == (topic or self._queue.arn))

    def subscriptions(self, record: FailureRecord) -> Sequence[Subscription]:
        """Give the subscription that the record names, else those whose dead-letter queue this is."""
        what = f"finding the subscription that feeds {self._queue.name}"
        asked = f"subscription {record.subscription or record.topic or ''}"
        return self._once(asked, what, lambda: self._find(record))

    def _once(self, question: str, what: str, ask: Callable[[], Iterable[Any]]) -> tuple[Any, ...]:
        with self._lock:
            if question not in self._answers:
                try:
                    self._answers[question] = tuple(ask())
                except (BotoCoreError, ClientError) as error:
                    self._answers[question] = aws_.refusal(error, what)
            answer = self._answers[question]
        if isinstance(answer, LambdaPatternsError):
            raise answer
        return answer

    def _feeding(self) -> Iterator[str]:
        prefix = self._queue.arn.rsplit(":", 1)[0]
        pages = self._aws.sqs.get_paginator("list_dead_letter_source_queues").paginate(
            QueueUrl=self._queue.url
        )
        for url in (url for page in pages for url in page.get("queueUrls", [])):
            yield f"{prefix}:{url.rsplit('/', 1)[-1]}"

    def _dead_letters(self) -> Iterator[tuple[str, str]]:
        pages = self._aws.lambda_.get_paginator("list_functions").paginate()
        for function in (function for page in pages for function in page.get("Functions", [])):
            if arn := function.get("DeadLetterConfig", {}).get("TargetArn"):
                yield function.get("FunctionName", ""), arn

    def _find(self, record: FailureRecord) -> Iterator[Subscription]:
        if record.subscription and (found := self._attributes(record.subscription)) and "Protocol" in found:
            yield Subscription(record.subscription, found["Protocol"], found.get("Endpoint", ""))
            return
        for topic in [record.topic] if record.topic else sorted(self._topics()):
            for listed in self._listed(topic):
                arn = listed.get("SubscriptionArn", "")
                attributes = self._attributes(arn) if arn.startswith("arn:") else None
                if attributes and self._queue.arn in attributes.get("RedrivePolicy", ""):
                    yield Subscription(arn, listed.get("Protocol", ""), listed.get("Endpoint", ""))

    def _listed(self, topic: str) -> list[SubscriptionTypeDef]:
        """The subscriptions of a topic; none where it was deleted since."""
        try:
            pages = self._aws.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
            return [entry for page in pages for entry in page["Subscriptions"]]
        except ClientError as error:
            if aws_.is_missing(error):
                return []
            raise

    def _attributes(self, arn: str) -> dict[str, str] | None:
        try:
            return self._aws.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        except ClientError as error:
            if aws_.is_missing(error):
                return None
            raise

    def _topics(self) -> set[str]:
        """Find the topics that the queue's policy lets in: a raw message does not name its topic."""
        try:
            statements = json.loads(self._queue.attributes.get("Policy", "{}")).get("Statement", [])
        except (ValueError, AttributeError):
            return set()
        text = json.dumps(statements)
        return {
            word
            for word in text.split('"')
            if word.startswith("arn:") and ":sns:" in word and "*" not in word
        }
