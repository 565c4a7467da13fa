"""Alarms on failures and on the path that failures take, with a dashboard that says what to do."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from lambda_patterns.constructs.acknowledgements import acknowledge
from lambda_patterns.constructs.alarms import alarm_from
from lambda_patterns.constructs.on_failure_queue import OnFailureQueue
from lambda_patterns.constructs.qualifiers import function_of
from lambda_patterns.constructs.queue_consumer import QueueConsumer
from lambda_patterns.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aws_cdk import aws_sns as sns
    from aws_cdk import aws_sqs as sqs

_MINUTE = Duration.minutes(1)
# How libraries say that nothing answered; in a VPC that is a missing route, rule, ACL or endpoint far more
# often than a peer that is down.
_NO_CONNECTION = (
    "Connect timeout",
    "ConnectTimeoutError",
    "Connection timed out",
    "connection timeout expired",
    "EndpointConnectionError",
    "ETIMEDOUT",
    "ENOTFOUND",
    "Could not connect to the endpoint",
    "Name or service not known",
)
# CloudWatch takes 100 alarms and 10,240 characters in one rule; an alarm's ARN has up to some 200.
# Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
_CHILDREN = 50
# Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html
_QUERIED = 50
# Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
_SHOWN = 100
_IN_A_ROW = 4
_Item = TypeVar("_Item")
_ONE_ACTS = "the composite alarm over these acts, so that one mistake is one message"
_TOLD = "Something failed, or is about to: see the dashboard"
_RUNBOOK = """## What to do

1. `lambda-patterns failures list QUEUE`: what failed, where, since when.
2. `lambda-patterns failures show QUEUE --limit 1`: the error, the stack trace, the event.
3. Mend and deploy. A timeout of a function in a VPC: `lambda-patterns check` names what it does not reach.
4. `lambda-patterns failures replay QUEUE --dry-run`, then without it; for very many,
   `lambda-patterns failures reprocessor QUEUE --on`.

**Failures are being lost** (red in the first row): the role may not write to the destination or use its key,
or the destination is FIFO or too small for the event. Mend that first: what is lost cannot be replayed.
"""


class FailureMonitoring(Construct):
    """Watches what fails, and that what fails is kept.

    - On each queue of failures, by its role: arrivals where something drains it (`drained`), for its depth
      then shows nothing; depth where nothing does, for what SQS itself moves there is no arrival. Of a queue
      of an `OnFailureQueue` or a `QueueConsumer` its own alarm is taken, and no second one made.
    - On the way there: failures that could not be kept (DestinationDeliveryFailures, DeadLetterErrors,
      redrives of subscriptions that failed), events that wait too long or were dropped.
    - On the functions: throttles, errors, and in their logs connections that nobody answers, which in a VPC
      is a missing route, rule or endpoint.

    One composite alarm tells of what goes wrong, so that one mistake is one message. While something goes
    wrong it says nothing new, so three things are told each by its own alarm: that failures are lost, that
    they lie in a queue until somebody comes, and what a queue's `alarm_topic` is told of anyway.

    Args:
        functions: the functions to watch, each with all its versions and aliases; one of these stands for its
            function. Of an imported one the metrics are watched, not the logs.
        queues: queues that hold failures and that people read: depth, or the queue's own alarm.
        drained: queues that hold failures and that a reprocessor drains: arrivals, or its own alarm.
        sources: source queues of functions: the age of their oldest message, or the consumer's own alarm.
        topics: topics whose subscriptions have dead-letter queues.
        alarm_actions: what the alarms do that tell, usually ``aws_cloudwatch_actions.SnsAction(topic)``. An
            alarm without an action tells nobody.
        event_age: how long asynchronous events may wait for a function. Default 5 minutes: AWS's own retries
            wait 1 and 2.
        backlog_age: how long messages may wait in a source that has no `QueueConsumer`. Default 15 minutes.
        flow_logs: the log group of the VPC's flow logs; a saved query then lists what was rejected. Default:
            none.
        dashboard: whether to make a dashboard. Default True.

    Raises:
        ArgumentError: nothing is given to watch, or a function and a topic have one name.

    Attributes:
        alarms: the alarms by what they watch, "OrdersLost" and the like.
        composites: the composite alarm; of more than 50 alarms one for each 50, and one for each alarm of
            another stack that tells by itself.
        dashboard: the dashboard, or None.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """

    def __init__(  # noqa: PLR0913  # each is one kind of thing to watch, or one threshold
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Mapping[str, lambda_.IFunction] | None = None,
        queues: Mapping[str, sqs.IQueue | OnFailureQueue] | None = None,
        drained: Mapping[str, sqs.IQueue | OnFailureQueue] | None = None,
        sources: Mapping[str, sqs.IQueue] | None = None,
        topics: Mapping[str, sns.ITopic] | None = None,
        alarm_actions: Sequence[cloudwatch.IAlarmAction] = (),
        event_age: Duration = Duration.minutes(5),  # noqa: B008  # a frozen value
        backlog_age: Duration = Duration.minutes(15),  # noqa: B008  # a frozen value
        flow_logs: logs.ILogGroup | None = None,
        dashboard: bool = True,
    ) -> None:
        watched: dict[str, Mapping[str, object] | None] = {
            "functions": functions,
            "queues": queues,
            "drained": drained,
            "sources": sources,
            "topics": topics,
        }
        if not any(watched.values()):
            raise ArgumentError("nothing to watch: give functions, queues, drained, sources or topics")
        for argument, given in watched.items():
            if given is not None and not hasattr(given, "items"):
                raise ArgumentError(f'{argument}: give each a name, {argument}={{"Orders": ...}}')
        if twice := sorted((functions or {}).keys() & (topics or {}).keys()):
            raise ArgumentError(
                f"topics: {twice[0]!r} names a function too: alarms are called by these names"
            )
        super().__init__(scope, construct_id)
        self.alarms: dict[str, cloudwatch.Alarm] = {}
        self._told: set[str] = set()
        self._tells: set[str] = set()
        for name, queue in (queues or {}).items():
            self._tells.add(f"{name}Held")
            self._queue(f"{name}Held", queue, self._depth)
        for name, queue in (drained or {}).items():
            self._queue(f"{name}Arrived", queue, self._arrivals)
        for name, source in (sources or {}).items():
            self._queue(f"{name}Backlog", source, partial(self._backlog, age=backlog_age))
        for name, topic in (topics or {}).items():
            self._topic(name, topic)
        for name, function in (functions or {}).items():
            self._function(name, function_of(function) or function, event_age)
        self.composites = self._tell(alarm_actions)
        self.dashboard = self._show() if dashboard else None
        made = [inner for function in (functions or {}).values() if (inner := function_of(function))]
        groups = {function.log_group.node.path: function.log_group for function in made}
        self._save_queries(list(groups.values()), flow_logs)

    def _save_queries(self, groups: Sequence[logs.ILogGroup], flow_logs: logs.ILogGroup | None) -> None:
        """Save the two questions about connections that a person asks next."""
        pattern = "|".join((*_NO_CONNECTION, "Task timed out"))
        for number, part in enumerate(_parts(groups, _QUERIED)):
            logs.QueryDefinition(
                self,
                f"NoAnswer{number or ''}",
                query_definition_name=f"{self.node.path}/no-answer{number or ''}",
                query_string=logs.QueryString(
                    fields=["@timestamp", "@log", "@message"],
                    filter_statements=[f"@message like /{pattern}/"],
                    sort="@timestamp desc",
                    limit=100,
                ),
                log_groups=part,
            )
        if flow_logs is not None:
            logs.QueryDefinition(
                self,
                "Rejected",
                query_definition_name=f"{self.node.path}/rejected",
                query_string=logs.QueryString(
                    stats_statements=["count(*) as rejected by interfaceId, srcAddr, dstAddr, dstPort"],
                    filter_statements=["action = 'REJECT'"],
                    sort="rejected desc",
                    limit=100,
                ),
                log_groups=[flow_logs],
            )

    def _tell(self, act: Sequence[cloudwatch.IAlarmAction]) -> tuple[cloudwatch.CompositeAlarm, ...]:
        """Have each alarm of `_tells` act, and composite alarms over all that tell nobody by themselves."""
        joined = [alarm for name, alarm in self.alarms.items() if name not in self._tells | self._told]
        parts = enumerate(_parts(joined, _CHILDREN))
        composites = [self._composite(f"Any{number or ''}", part) for number, part in parts]
        for name in sorted(self._tells):
            alarm = self.alarms[name]
            if Stack.of(alarm) == Stack.of(self):
                alarm.add_alarm_action(*act)
            else:
                # An action on it would make its stack need this one.
                joined.append(alarm)
                composites.append(self._composite(name, [alarm]))
        for composite in composites:
            composite.add_alarm_action(*act)
        if act:
            for alarm in joined:
                acknowledge(alarm, {"compliance/CloudWatchAlarmAction": _ONE_ACTS})
        return tuple(composites)

    def _composite(self, name: str, alarms: Sequence[cloudwatch.IAlarm]) -> cloudwatch.CompositeAlarm:
        rules = [cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM) for alarm in alarms]
        return cloudwatch.CompositeAlarm(
            self, name, alarm_rule=cloudwatch.AlarmRule.any_of(*rules), alarm_description=_TOLD
        )

    def _queue(
        self, name: str, given: sqs.IQueue | OnFailureQueue, watch: Callable[[str, sqs.IQueue], None]
    ) -> None:
        queue = given.queue if isinstance(given, OnFailureQueue) else given
        maker: Any = queue.node.scope
        if isinstance(maker, OnFailureQueue):
            self.alarms[name] = maker.alarm
        elif isinstance(maker, QueueConsumer):
            dead = (
                maker.dead_letter_queue is not None and queue.node.path == maker.dead_letter_queue.node.path
            )
            self.alarms[name] = maker.alarms["DeadLetters" if dead else "Backlog"]
        else:
            watch(name, queue)
            return
        if maker.alarm_topic is not None:
            self._told.add(name)
            self._tells.discard(name)

    def _depth(self, name: str, queue: sqs.IQueue) -> None:
        metric = queue.metric_approximate_number_of_messages_visible(statistic="Maximum", period=_MINUTE)
        self._alarm(name, metric, 1, "Failures are waiting to be replayed")

    def _arrivals(self, name: str, queue: sqs.IQueue) -> None:
        metric = queue.metric_number_of_messages_sent(statistic="Sum", period=_MINUTE)
        self._alarm(name, metric, 1, "A failure arrived")

    def _backlog(self, name: str, queue: sqs.IQueue, *, age: Duration) -> None:
        metric = queue.metric_approximate_age_of_oldest_message(statistic="Maximum", period=_MINUTE)
        what = "Messages wait too long: their function is throttled, too slow, or fails"
        self._alarm(name, metric, age.to_seconds(), what)

    def _topic(self, name: str, topic: sns.ITopic) -> None:
        lost = topic.metric("NumberOfNotificationsFailedToRedriveToDlq", statistic="Sum", period=_MINUTE)
        self._tells.add(f"{name}Lost")
        self._alarm(
            f"{name}Lost",
            lost,
            1,
            "Notifications are lost: SNS may not write to the dead-letter queue",
        )
        kept = topic.metric("NumberOfNotificationsRedrivenToDlq", statistic="Sum", period=_MINUTE)
        self._alarm(f"{name}Undelivered", kept, 1, "Notifications could not be handed over, and were kept")

    def _function(self, name: str, function: lambda_.IFunction, event_age: Duration) -> None:
        def metric(metric_name: str, statistic: str = "Sum") -> cloudwatch.Metric:
            return function.metric(metric_name, statistic=statistic, period=_MINUTE)

        lost = cloudwatch.MathExpression(
            expression="FILL(destination, 0) + FILL(letters, 0)",
            using_metrics={
                "destination": metric("DestinationDeliveryFailures"),
                "letters": metric("DeadLetterErrors"),
            },
            period=_MINUTE,
            label="Failures lost",
        )
        kept_from = "its role may not write there or use the key, or the event is too large or the queue FIFO"
        self._tells.add(f"{name}Lost")
        self._alarm(f"{name}Lost", lost, 1, f"Failures are lost: {kept_from}")
        self._alarm(
            f"{name}Waiting",
            metric("AsyncEventAge", "Maximum"),
            event_age.to_milliseconds(),
            "Events wait too long for the function: it is throttled, or has too few environments",
        )
        self._alarm(f"{name}Dropped", metric("AsyncEventsDropped"), 1, "Events were given up")
        self._alarm(f"{name}Throttled", metric("Throttles"), 1, "It may not run as often as it is called")
        self._alarm(f"{name}Errors", metric("Errors"), 1, "The function failed")
        if isinstance(function, lambda_.Function):
            self._connections(name, function)

    def _connections(self, name: str, function: lambda_.Function) -> None:
        """Count the lines in which a library says that nothing answered."""
        pattern = logs.FilterPattern.any_term(*_NO_CONNECTION, "Task timed out")
        found = logs.MetricFilter(
            self,
            f"{name}NoConnectionFilter",
            log_group=function.log_group,
            filter_pattern=pattern,
            metric_namespace="LambdaPatterns",
            metric_name=f"NoConnection/{self.node.addr[-8:]}/{name}",
            metric_value="1",
        )
        self._alarm(
            f"{name}NoConnection",
            found.metric(statistic="Sum", period=_MINUTE),
            1,
            "Nothing answers the function: in a VPC a missing route, rule, ACL or endpoint, which "
            "`lambda-patterns check` names",
        )

    def _alarm(self, name: str, metric: cloudwatch.IMetric, threshold: float, description: str) -> None:
        self.alarms[name] = alarm_from(self, name, metric, threshold, description)

    def _show(self) -> cloudwatch.Dashboard:
        first = [name for name in self.alarms if name.endswith("Lost")]
        rest = [name for name in self.alarms if name not in first]
        graphs = [
            cloudwatch.AlarmWidget(alarm=self.alarms[name], title=name, width=6, height=5)
            for name in (*first, *rest)
        ]
        status: list[cloudwatch.IWidget] = [
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=part, width=24, height=4)
            for part in _parts([*self.composites, *self.alarms.values()], _SHOWN)
        ]
        runbook = cloudwatch.TextWidget(markdown=_RUNBOOK, width=24, height=6)
        return cloudwatch.Dashboard(
            self, "Dashboard", widgets=[status, [runbook], *_parts(graphs, _IN_A_ROW)]
        )


def _parts(whole: Sequence[_Item], most: int) -> list[list[_Item]]:
    """Cut into parts of `most` at most."""
    return [list(whole[start : start + most]) for start in range(0, len(whole), most)]
