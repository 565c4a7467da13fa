"""The queue that keeps what failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import jsii
from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_patterns.constructs.acknowledgements import acknowledge
from lambda_patterns.constructs.alarms import alarm_from
from lambda_patterns.constructs.function_options import check_limit, seconds
from lambda_patterns.constructs.own_resource import own_resource
from lambda_patterns.constructs.queue_access import QueueDestination, let_service_send
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sns as sns

_LAST_STOP = (
    "this queue is where failures end: it is watched on arrival and read by people or by a reprocessor; give "
    "it a dead_letter_queue for what a reprocessor gives up on"
)

Role = Literal["destination", "function", "subscription", "source"]
"""Who writes failures: Lambda to a destination or a function's dead-letter queue, SNS for a subscription, or
SQS itself for a source queue."""

_FORGETS = (
    "both keep messages for the longest time that SQS knows, and what a replay sets aside begins anew; only "
    "what SQS itself moves, after crashes, keeps its age"
)

_TAKES_FIFO = {"source", "subscription"}
_MOST_SOURCES = 10


@jsii.implements(lambda_.IDestination)
class OnFailureQueue(Construct):
    """A queue for failed events: encrypted, TLS only, kept for 14 days, watched.

    Use it as ``on_failure=`` of any function, alias or version; its `queue` as a dead-letter queue of a
    function, a queue or an SNS subscription. Functions are given the permission to write, and that on the
    key. For SNS, aws_cdk writes the queue's policy alone: `TopicSubscription` opens a customer key too, or
    `grant_service` does, as for EventBridge.

    The alarm counts arrivals (NumberOfMessagesSent), not depth: as soon as something drains the queue, its
    depth shows nothing. SQS's own moves into a dead-letter queue are no sends and are not counted, so in the
    role "source" the alarm looks at depth.

    Args:
        encryption_key: a customer key, for those who must hold it themselves. Default: SQS's own, without a
            charge. An AWS-managed key cannot do: its policy shuts out SNS, S3 and EventBridge.
        alarm_topic: who is told of an arrival. Default: nobody, and the rule `dlq-unwatched` says so.
        retention: how long failures are kept, 1 minute to 14 days. Default 14 days, the longest: a failure
            may have to wait for a mended release.
        visibility_timeout: how long a reader has before a failure shows again, 0-43,200 s. Default 30 s; a
            function that reprocesses wants six times its timeout.
        dead_letter_queue: where a failure goes that a reprocessor gave up on. Default: it stays here.
        quarantine_after: make that queue here: a failure that was received so often without being done,
            1-1,000, is set aside in `quarantine`. Default: none is made.
        role: who writes here, and no other does: "destination" of asynchronous invocations, dead-letter queue
            of a "function", a "subscription" or a "source" queue. But for the last, no queue may then take it
            as its dead-letter queue. Default: whoever is given it; the alarm is on arrivals.
        source_arns: in the role "source", the queues that may, at most 10. Their ARNs have to be known
            without them: the queues refer to this one. Default: every queue of the account and Region.
        fifo: make it FIFO, for a FIFO source queue or the subscription of a FIFO topic; Lambda writes to
            standard queues alone. Default False.

    Attributes:
        queue: the queue.
        alarm: the alarm on arrivals, or on depth.
        alarm_topic: who is told, as given.
        quarantine: the queue behind it, or None.

    Raises:
        ArgumentError: a value that SQS refuses.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """

    queue: sqs.Queue

    def __init__(  # noqa: PLR0913  # each is one setting of a queue
        self,
        scope: Construct,
        construct_id: str,
        *,
        encryption_key: kms.IKey | None = None,
        alarm_topic: sns.ITopic | None = None,
        retention: Duration | None = None,
        visibility_timeout: Duration | None = None,
        dead_letter_queue: sqs.DeadLetterQueue | None = None,
        quarantine_after: int | None = None,
        role: Role | None = None,
        source_arns: Sequence[str] = (),
        fifo: bool = False,
    ) -> None:
        for limit, duration, argument in (
            (limits.QUEUE_RETENTION, retention, "retention"),
            (limits.VISIBILITY_TIMEOUT, visibility_timeout, "visibility_timeout"),
        ):
            if duration is not None:
                check_limit(limit, seconds(duration, argument), argument)
        _check_role(role, source_arns, fifo=fifo)
        _check_behind(dead_letter_queue, quarantine_after, fifo=fifo)
        super().__init__(scope, construct_id)
        self.quarantine: sqs.IQueue | None = None
        if quarantine_after is not None:
            behind = OnFailureQueue(
                self,
                "Quarantine",
                encryption_key=encryption_key,
                alarm_topic=alarm_topic,
                role="source",
                fifo=fifo,
            )
            self.quarantine = behind.queue
            behind.stand_behind()
            dead_letter_queue = sqs.DeadLetterQueue(queue=behind.queue, max_receive_count=quarantine_after)
        self.queue = sqs.Queue(
            self,
            "Queue",
            fifo=True if fifo else None,
            encryption=sqs.QueueEncryption.SQS_MANAGED if encryption_key is None else sqs.QueueEncryption.KMS,
            encryption_master_key=encryption_key,
            enforce_ssl=True,
            retention_period=retention or Duration.days(14),
            visibility_timeout=visibility_timeout,
            dead_letter_queue=dead_letter_queue,
        )
        resource = own_resource(self.queue, sqs.CfnQueue)
        resource.add_metadata("LambdaPatterns", {"HoldsFailures": True})
        if role is not None:
            resource.redrive_allow_policy = _allowed(role, source_arns)
        if dead_letter_queue is None:
            acknowledge(
                self.queue, {"AwsSolutions-SQS3": _LAST_STOP, "Serverless-SQSRedrivePolicy": _LAST_STOP}
            )
        self.alarm_topic = alarm_topic
        self.alarm = self._watch(alarm_topic, by_depth=role == "source")
        self._destination = QueueDestination(self.queue)

    def _watch(self, topic: sns.ITopic | None, *, by_depth: bool) -> cloudwatch.Alarm:
        minute = Duration.minutes(1)
        if by_depth:
            held = self.queue.metric_approximate_number_of_messages_visible(
                statistic="Maximum", period=minute
            )
            alarm = alarm_from(self, "Held", held, 1, "Failures are waiting to be replayed")
        else:
            arrivals = self.queue.metric_number_of_messages_sent(statistic="Sum", period=minute)
            what = "A failed event arrived in the on-failure queue"
            alarm = alarm_from(self, "Arrivals", arrivals, 1, what)
        if topic is not None:
            alarm.add_alarm_action(actions.SnsAction(topic))
        return alarm

    def bind(
        self,
        scope: Construct,
        fn: lambda_.IFunction,
        *,
        type: lambda_.DestinationType,  # noqa: A002  # aws_cdk's name for it
    ) -> lambda_.DestinationConfig:
        """Be an `on_failure=` of a function, alias or version: aws_cdk calls this."""
        return self._destination.bind(scope, fn, type=type)

    def stand_behind(self) -> None:
        """State in the template that this queue stands behind another one, which keeps as long as it does."""
        acknowledged = [{"Rule": "dlq-forgets-first", "Reason": _FORGETS}]
        own_resource(self.queue, sqs.CfnQueue).add_metadata(
            "LambdaPatterns", {"HoldsFailures": True, "Acknowledge": acknowledged}
        )

    def grant_service(self, service: str, *, source_arn: str) -> None:
        """Let an AWS service write failures here: the queue's policy, and that of its key.

        Functions and `TopicSubscription` need no such call. A subscription of aws_cdk's own that takes
        `queue` as its dead-letter queue needs it where the queue has a customer key.

        Args:
            service: "events.amazonaws.com", "scheduler.amazonaws.com", "sns.amazonaws.com".
            source_arn: the rule, schedule or topic that may, and no other.

        Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
        """
        let_service_send(self.queue, service, source_arn)


def _allowed(role: Role, source_arns: Sequence[str]) -> dict[str, object]:
    """The redrive-allow policy: which queues may take this one as their dead-letter queue."""
    if role != "source":
        return {"redrivePermission": "denyAll"}
    if source_arns:
        return {"redrivePermission": "byQueue", "sourceQueueArns": list(source_arns)}
    return {"redrivePermission": "allowAll"}


def _check_role(role: Role | None, source_arns: Sequence[str], *, fifo: bool) -> None:
    if role is not None and role not in get_args(Role):
        raise ArgumentError(f"role: {role!r} is none of {', '.join(get_args(Role))}")
    if fifo and role not in _TAKES_FIFO:
        raise ArgumentError(
            "fifo: Lambda writes failures to standard queues alone: leave it out, or say role='source' or "
            f"role='subscription' for what SQS or SNS writes in order ({limits.RETAIN_PAGE})"
        )
    if source_arns and role != "source":
        raise ArgumentError(
            "source_arns: only a queue whose failures SQS moves here has an ARN to name: say role='source' "
            f"({limits.QUEUE_DLQ_PAGE})"
        )
    if len(source_arns) > _MOST_SOURCES:
        raise ArgumentError(
            f"source_arns: {len(source_arns)} queues, allowed are {_MOST_SOURCES}: leave them out to let "
            f"every queue ({limits.QUEUE_DLQ_PAGE})"
        )


def _check_behind(behind: sqs.DeadLetterQueue | None, quarantine_after: int | None, *, fifo: bool) -> None:
    if quarantine_after is not None:
        if behind is not None:
            raise ArgumentError(
                "quarantine_after: dead_letter_queue is given: only one queue stands behind it"
            )
        limits.RECEIVE_COUNT.check(quarantine_after, "quarantine_after")
    if behind is not None and behind.queue.fifo != fifo:
        kinds = ("FIFO", "standard") if behind.queue.fifo else ("standard", "FIFO")
        raise ArgumentError(
            f"dead_letter_queue: it is {kinds[0]}, and this queue is {kinds[1]}: the two have to be of one "
            f"type ({limits.QUEUE_DLQ_PAGE})"
        )
