"""Failures that come back to what failed.

An edge leads from what fails to what takes the failure, or from what holds it to what it is handed to again.
A queue with a redrive policy hands its failures to its dead-letter queue, which ends what its own consumer
repeats; a queue without one hands them to its consumer again and again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.model.failures.invocations import items
from lambda_patterns.model.failures.queues import QUEUE, Redrive, redrive_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.failures.failures import Failures
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

    Edge = tuple[Resource, Resource | None]
    Edges = dict[Resource, list[Resource]]


_RECORD = {"source": "lambda", "detail-type": "Lambda Function Invocation Result - Failure"}
"""What the event of a failed invocation says on a bus, of what a pattern asks for."""


def loops(deployment: Deployment, failures: Failures) -> Iterator[tuple[Resource, ...]]:
    """Yield each loop once, beginning with the member that stands first in the templates."""
    edges = _edges(deployment, failures)
    place = {resource: index for index, resource in enumerate(deployment.resources)}
    seen: set[frozenset[Resource]] = set()
    for start in sorted(edges, key=place.__getitem__):
        path = _back_to(start, edges)
        if path and frozenset(path) not in seen:
            seen.add(frozenset(path))
            first = path.index(min(path, key=place.__getitem__))
            yield (*path[first:], *path[:first])


def _back_to(start: Resource, edges: Edges) -> tuple[Resource, ...]:
    """Find the shortest way from `start` back to itself, () where there is none."""
    ways: list[tuple[Resource, ...]] = [(start,)]
    visited = set()
    while ways:
        way = ways.pop(0)
        for follower in edges.get(way[-1], ()):
            if follower is start:
                return way
            if follower not in visited:
                visited.add(follower)
                ways.append((*way, follower))
    return ()


def _edges(deployment: Deployment, failures: Failures) -> Edges:
    found: Edges = {}
    queues, topics = _from_queues(deployment, failures), _from_topics(deployment, failures)
    for edges in (_from_functions(failures), queues, topics, _from_buses(deployment, failures)):
        for one, other in edges:
            if other is not None and one.certain and other.certain:
                found.setdefault(one, []).append(other)
    return found


def _from_functions(failures: Failures) -> Iterator[Edge]:
    """Yield what takes the failures of functions that are invoked asynchronously: no others are handed on."""
    invoked = {trigger.invoked.function for trigger in failures.triggers}
    handed_over = {_behind(failures, outcome.value, outcome.target) for outcome in failures.outcomes}
    for outcome in failures.outcomes:
        if outcome.catches and not outcome.of_stream and outcome.function in invoked | handed_over:
            yield outcome.function, _behind(failures, outcome.value, outcome.target)


def _from_queues(deployment: Deployment, failures: Failures) -> Iterator[Edge]:
    """Yield what a queue hands its failures to: its dead-letter queue, else its reader, again and again."""
    for queue in deployment.of_type(QUEUE):
        redrive = redrive_of(deployment, queue)
        if isinstance(redrive, Redrive):
            yield queue, redrive.dlq
    for source in failures.sources:
        if source.enabled and source.invoked is not None and redrive_of(deployment, source.queue) is None:
            yield source.queue, source.invoked.function


def _from_topics(deployment: Deployment, failures: Failures) -> Iterator[Edge]:
    """Yield what topics deliver to; a filter policy may keep the failure out."""
    for subscription in deployment.of_type("AWS::SNS::Subscription"):
        topic = subscription.resource("TopicArn")
        if topic is not None and subscription.get("FilterPolicy") is None:
            endpoint = subscription.get("Endpoint")
            yield topic, _behind(failures, endpoint, deployment.resource_of(endpoint))
    for topic in deployment.of_type("AWS::SNS::Topic"):
        for _, item in items(topic, "Subscription"):
            endpoint = item.get("Endpoint")
            yield topic, _behind(failures, endpoint, deployment.resource_of(endpoint))


def _from_buses(deployment: Deployment, failures: Failures) -> Iterator[Edge]:
    """Yield what rules on event buses hand the failures of functions to."""
    for rule in deployment.of_type("AWS::Events::Rule"):
        bus = deployment.resource_of(rule.get("EventBusName"), "AWS::Events::EventBus")
        pattern = rule.get("EventPattern")
        if bus is None or not isinstance(pattern, dict) or rule.get("State") == "DISABLED":
            continue
        if all(isinstance(wanted, list) and _RECORD.get(key) in wanted for key, wanted in pattern.items()):
            for _, item in items(rule, "Targets"):
                yield bus, _behind(failures, item.get("Arn"), deployment.resource_of(item.get("Arn")))


def _behind(failures: Failures, value: Value, resource: Resource | None) -> Resource | None:
    """Give the function behind an alias or version, or the resource itself."""
    named = failures.invoked(value)
    return resource if named is None else named.function
