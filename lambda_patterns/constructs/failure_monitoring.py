"""Alarms on failures and on the path that failures take, with a dashboard that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

from lambda_patterns.constructs.acknowledgements import acknowledge
from lambda_patterns.constructs.alarms import alarm_from
from lambda_patterns.constructs.on_failure_queue import OnFailureQueue
from lambda_patterns.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_lambda as lambda_
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
_ONE_ACTS = "the composite alarm over all of these acts, so that one mistake is one message"
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
      then shows nothing; depth where nothing does, for what SQS itself moves there is no arrival.
    - On the way there: failures that could not be kept (DestinationDeliveryFailures, DeadLetterErrors,
      redrives of subscriptions that failed), events that wait too long or were dropped.
    - On the functions: throttles, errors, and in their logs connections that nobody answers, which in a VPC
      is a missing route, rule or endpoint.

    One composite alarm tells of any of them, so that one mistake is one message.

    Args:
        functions: the functions to watch.
        queues: queues that hold failures and that people read: depth.
        drained: queues that hold failures and that a reprocessor drains: arrivals.
        sources: source queues of functions: the age of their oldest message.
        topics: topics whose subscriptions have dead-letter queues.
        alarm_actions: what the composite alarm does, usually ``aws_cloudwatch_actions.SnsAction(topic)``. An
            alarm without an action tells nobody.
        event_age: how long asynchronous events may wait for a function. Default 5 minutes: AWS's own retries
            wait 1 and 2.
        backlog_age: how long messages may wait in a source. Default 15 minutes.
        flow_logs: the log group of the VPC's flow logs; a saved query then lists what was rejected. Default:
            none.
        dashboard: whether to make a dashboard. Default True.

    Raises:
        ArgumentError: nothing is given to watch.

    Attributes:
        alarms: the alarms by what they watch, "OrdersLost" and the like.
        any: the composite alarm.
        dashboard: the dashboard, or None.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """

    def __init__(  # noqa: PLR0913  # each is one kind of thing to watch, or one threshold
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Mapping[str, lambda_.Function] | None = None,
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
        if not (functions or queues or drained or sources or topics):
            raise ArgumentError("nothing to watch: give functions, queues, drained, sources or topics")
        super().__init__(scope, construct_id)
        self.alarms: dict[str, cloudwatch.Alarm] = {}
        for name, queue in (queues or {}).items():
            self._depth(name, _queue(queue))
        for name, queue in (drained or {}).items():
            self._arrivals(name, _queue(queue))
        for name, source in (sources or {}).items():
            age = source.metric_approximate_age_of_oldest_message(statistic="Maximum", period=_MINUTE)
            what = "Messages wait too long: their function is throttled, too slow, or fails"
            self._alarm(f"{name}Backlog", age, backlog_age.to_seconds(), what)
        for name, topic in (topics or {}).items():
            self._topic(name, topic)
        for name, function in (functions or {}).items():
            self._function(name, function, event_age)
        rule = cloudwatch.AlarmRule.any_of(
            *(
                cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM)
                for alarm in self.alarms.values()
            )
        )
        self.any = cloudwatch.CompositeAlarm(
            self,
            "Any",
            alarm_rule=rule,
            alarm_description=_TOLD,
        )
        self.any.add_alarm_action(*alarm_actions)
        if alarm_actions:
            acknowledge(self, {"compliance/CloudWatchAlarmAction": _ONE_ACTS})
        self.dashboard = self._show() if dashboard else None
        self._save_queries([function.log_group for function in (functions or {}).values()], flow_logs)

    def _save_queries(self, groups: Sequence[logs.ILogGroup], flow_logs: logs.ILogGroup | None) -> None:
        """Save the two questions about connections that a person asks next."""
        if groups:
            pattern = "|".join((*_NO_CONNECTION, "Task timed out"))
            logs.QueryDefinition(
                self,
                "NoAnswer",
                query_definition_name=f"{self.node.path}/no-answer",
                query_string=logs.QueryString(
                    fields=["@timestamp", "@log", "@message"],
                    filter_statements=[f"@message like /{pattern}/"],
                    sort="@timestamp desc",
                    limit=100,
                ),
                log_groups=list(groups),
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

    def _depth(self, name: str, queue: sqs.IQueue) -> None:
        metric = queue.metric_approximate_number_of_messages_visible(statistic="Maximum", period=_MINUTE)
        self._alarm(f"{name}Held", metric, 1, "Failures are waiting to be replayed")

    def _arrivals(self, name: str, queue: sqs.IQueue) -> None:
        metric = queue.metric_number_of_messages_sent(statistic="Sum", period=_MINUTE)
        self._alarm(f"{name}Arrived", metric, 1, "A failure arrived")

    def _topic(self, name: str, topic: sns.ITopic) -> None:
        lost = topic.metric("NumberOfNotificationsFailedToRedriveToDlq", statistic="Sum", period=_MINUTE)
        self._alarm(
            f"{name}Lost",
            lost,
            1,
            "Notifications are lost: SNS may not write to the dead-letter queue",
        )
        kept = topic.metric("NumberOfNotificationsRedrivenToDlq", statistic="Sum", period=_MINUTE)
        self._alarm(f"{name}Undelivered", kept, 1, "Notifications could not be handed over, and were kept")

    def _function(self, name: str, function: lambda_.Function, event_age: Duration) -> None:
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
        status = cloudwatch.AlarmStatusWidget(
            title="Alarms", alarms=[self.any, *self.alarms.values()], width=24, height=4
        )
        runbook = cloudwatch.TextWidget(markdown=_RUNBOOK, width=24, height=6)
        rows = [graphs[start : start + 4] for start in range(0, len(graphs), 4)]
        return cloudwatch.Dashboard(self, "Dashboard", widgets=[[status], [runbook], *rows])


def _queue(given: sqs.IQueue | OnFailureQueue) -> sqs.IQueue:
    return given.queue if isinstance(given, OnFailureQueue) else given
