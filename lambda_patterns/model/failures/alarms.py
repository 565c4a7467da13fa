"""The alarms on queues: which metric they watch, and whether anybody is told.

Not modelled: what watches from outside the deployment; thresholds, so any alarm counts that can ring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.model.failures.invocations import items
from lambda_patterns.model.values import Reference, Text, Unknown, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

_ALARM = "AWS::CloudWatch::Alarm"
_COMPOSITE = "AWS::CloudWatch::CompositeAlarm"


class Alarm(NamedTuple):
    """An alarm on one metric of one queue.

    Args:
        alarm: the alarm.
        queue: the queue; None where it is only known at deployment which it is.
        metric: the metric's name; "" where it is only known at deployment.
        acts: whether it tells anybody: by an action of its own, by a composite alarm, or by a rule on alarms.
    """

    alarm: Resource
    queue: Resource | None
    metric: str
    acts: bool


def alarms(deployment: Deployment) -> Iterator[Alarm]:
    """Yield the alarms on metrics of SQS queues."""
    told = _ToldByOthers(deployment)
    for alarm in deployment.of_type(_ALARM):
        acts = told(alarm) or _acts(alarm)
        for namespace, metric, dimensions in _metrics(alarm):
            if namespace in ("AWS/SQS", None):
                for queue in _queues(deployment, dimensions):
                    yield Alarm(alarm, queue, plain(metric) or "", acts)


def _acts(alarm: Resource) -> bool:
    enabled = alarm.boolean("ActionsEnabled", default=True)
    actions = alarm.list("AlarmActions")
    return enabled is not False and (isinstance(actions, Unknown) or bool(actions))


def _metrics(alarm: Resource) -> Iterator[tuple[str | None, Value, Value]]:
    """Yield namespace (None: not known), metric and dimensions of what an alarm watches."""
    if (plain(alarm.get("ComparisonOperator")) or "").startswith("LessThan") and not alarm.get("Metrics"):
        return  # it rings for what is missing
    if alarm.get("MetricName") is not None:
        yield plain(alarm.get("Namespace")), alarm.get("MetricName"), alarm.get("Dimensions")
    for _, item in items(alarm, "Metrics"):
        stat = item.get("MetricStat")
        metric = stat.get("Metric") if isinstance(stat, dict) else None
        if isinstance(metric, dict):
            yield plain(metric.get("Namespace")), metric.get("MetricName"), metric.get("Dimensions")


def _queues(deployment: Deployment, dimensions: Value) -> Iterator[Resource | None]:
    """Yield the queue of the dimension QueueName: the queue, or None where it may be any."""
    if isinstance(dimensions, Unknown):
        yield None
    for item in dimensions if isinstance(dimensions, list) else ():
        if not isinstance(item, dict):
            yield None
        elif item.get("Name") == "QueueName":
            value = item.get("Value")
            queue = deployment.resource_of(value, "AWS::SQS::Queue")
            if queue is not None or isinstance(value, Unknown | Text):
                yield queue


class _ToldByOthers:
    """Whether something other than the alarm's own actions tells of it."""

    def __init__(self, deployment: Deployment) -> None:
        self._any = any(_on_alarms(rule) for rule in deployment.of_type("AWS::Events::Rule"))
        self._expressions = [one.get("AlarmRule") for one in deployment.of_type(_COMPOSITE) if _acts(one)]

    def __call__(self, alarm: Resource) -> bool:
        return self._any or any(_mentions(expression, alarm) for expression in self._expressions)


def _on_alarms(rule: Resource) -> bool:
    sources = rule.list("EventPattern", "source")
    return not isinstance(sources, Unknown) and "aws.cloudwatch" in sources


def _mentions(expression: Value, alarm: Resource) -> bool:
    if isinstance(expression, Text):
        return any(
            part.resource is alarm if isinstance(part, Reference) else isinstance(part, Unknown)
            for part in expression.parts
        )
    if isinstance(expression, Reference):
        return expression.resource is alarm
    name = plain(alarm.get("AlarmName"))
    return isinstance(expression, Unknown) or (
        isinstance(expression, str) and bool(name) and str(name) in expression
    )
