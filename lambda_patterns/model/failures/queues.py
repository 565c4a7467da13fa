"""Queues that feed functions, queues that take over from queues, and queues that hold failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.facts import limits
from lambda_patterns.model.coercions import as_document, as_number
from lambda_patterns.model.failures.invocations import Invoked, invoked, items
from lambda_patterns.model.failures.outcomes import MAPPING, is_fifo
from lambda_patterns.model.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.coercions import Number
    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

QUEUE = "AWS::SQS::Queue"


class Source(NamedTuple):
    """A queue that feeds a function.

    Args:
        mapping: the event source mapping.
        queue: the queue.
        invoked: the function, None where it is not in the deployment.
        enabled: whether Lambda polls it; None where that is not known.
    """

    mapping: Resource
    queue: Resource
    invoked: Invoked | None
    enabled: bool | None

    @property
    def timeout(self) -> Number:
        """Seconds that the function may run; None where it is not in the deployment."""
        if self.invoked is None:
            return None
        return self.invoked.function.number("Timeout", default=limits.DEFAULT_TIMEOUT)

    @property
    def window(self) -> Number:
        """Seconds that Lambda gathers a batch."""
        return self.mapping.number("MaximumBatchingWindowInSeconds", default=0)


class Redrive(NamedTuple):
    """A dead-letter queue that a queue, a subscription, a rule or a schedule names.

    Args:
        at: what names it.
        path: the property there.
        value: what is named, as followed.
        dlq: the queue, None where it is not in the deployment.
        receives: how often a message may be received before it is moved; None where `at` is no queue.
    """

    at: Resource
    path: tuple[str | int, ...]
    value: Value
    dlq: Resource | None
    receives: Number = None

    @property
    def moves(self) -> bool:
        """Whether SQS moves messages itself, which its metrics do not count as sent."""
        return self.at.type == QUEUE

    @property
    def fifo(self) -> bool | None:
        """Whether the dead-letter queue is FIFO; None where that is not known."""
        return is_fifo(self.value, self.dlq)


def sources(deployment: Deployment) -> Iterator[Source]:
    """Yield every queue of the deployment that feeds a function."""
    for mapping in deployment.of_type(MAPPING):
        queue = mapping.resource("EventSourceArn")
        if queue is not None and queue.type == QUEUE:
            enabled = mapping.boolean("Enabled", default=True)
            known = None if isinstance(enabled, Unknown) else enabled
            yield Source(mapping, queue, invoked(deployment, mapping.get("FunctionName")), known)


def redrive_of(deployment: Deployment, resource: Resource) -> Redrive | Unknown | None:
    """Find the dead-letter queue of a queue or a subscription; None where it has none."""
    policy = as_document(resource.get("RedrivePolicy"))
    if policy is None or isinstance(policy, Unknown):
        return policy
    if not isinstance(policy, dict):
        return Unknown("the redrive policy is decided at deployment")
    value = policy.get("deadLetterTargetArn")
    if value is None:
        return None
    path = ("RedrivePolicy", "deadLetterTargetArn")
    receives = as_number(policy.get("maxReceiveCount")) if resource.type == QUEUE else None
    return Redrive(resource, path, value, _queue(deployment, value), receives)


def redrives(deployment: Deployment) -> Iterator[Redrive]:
    """Yield every dead-letter queue that a queue, subscription, rule or schedule names."""
    for resource in deployment.of_type(QUEUE, "AWS::SNS::Subscription"):
        found = redrive_of(deployment, resource)
        if isinstance(found, Redrive):
            yield found
    for rule in deployment.of_type("AWS::Events::Rule"):
        for index, target in items(rule, "Targets"):
            config = target.get("DeadLetterConfig")
            value = config.get("Arn") if isinstance(config, dict) else None
            if value is not None:
                path = ("Targets", index, "DeadLetterConfig", "Arn")
                yield Redrive(rule, path, value, _queue(deployment, value))
    for schedule in deployment.of_type("AWS::Scheduler::Schedule"):
        value = schedule.get("Target", "DeadLetterConfig", "Arn")
        if value is not None:
            yield Redrive(schedule, ("Target", "DeadLetterConfig", "Arn"), value, _queue(deployment, value))


def _queue(deployment: Deployment, value: Value) -> Resource | None:
    found = deployment.resource_of(value)
    return found if found is not None and found.type == QUEUE else None


def declared_holders(deployment: Deployment) -> Iterator[Resource]:
    """Yield the queues whose metadata says that they hold failures."""
    for queue in deployment.of_type(QUEUE):
        ours = queue.metadata.get("LambdaPatterns")
        if isinstance(ours, dict) and ours.get("HoldsFailures") is True:
            yield queue
