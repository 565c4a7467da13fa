"""The queue that keeps what failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jsii
from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_patterns.constructs.acknowledgements import acknowledge
from lambda_patterns.constructs.alarms import alarm_from
from lambda_patterns.constructs.function_options import is_token
from lambda_patterns.constructs.own_resource import own_resource
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import limits

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sns as sns

_LAST_STOP = (
    "this queue is where failures end: it is watched on arrival and read by people or by a reprocessor; give "
    "it a dead_letter_queue for what a reprocessor gives up on"
)


@jsii.implements(lambda_.IDestination)
class OnFailureQueue(Construct):
    """A standard queue for failed events: encrypted, TLS only, kept for 14 days, watched on arrival.

    Use it as ``on_failure=`` of any function, alias or version; its `queue` as a dead-letter queue of a
    function, a queue or an SNS subscription. Whoever writes is given the permission, and that on the key.

    The alarm counts arrivals (NumberOfMessagesSent), not depth: as soon as something drains the queue, its
    depth shows nothing. SQS's own moves into a dead-letter queue are no sends and are not counted, so a queue
    that is fed by another queue's redrive policy needs an alarm on depth as well.

    Args:
        encryption_key: a customer key, for those who must hold it themselves. Default: SQS's own, without a
            charge. An AWS-managed key cannot do: its policy shuts out SNS, S3 and EventBridge.
        alarm_topic: who is told of an arrival. Default: nobody, and the rule `dlq-unwatched` says so.
        retention: how long failures are kept, 1 minute to 14 days. Default 14 days, the longest: a failure
            may have to wait for a mended release.
        visibility_timeout: how long a reader has before a failure shows again, 0-43,200 s. Default 30 s; a
            function that reprocesses wants six times its timeout.
        dead_letter_queue: where a failure goes that a reprocessor gave up on. Default: it stays here.

    Attributes:
        queue: the queue.
        alarm: the alarm on arrivals.

    Raises:
        ArgumentError: a value that SQS refuses.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """

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
    ) -> None:
        for limit, duration, argument in (
            (limits.QUEUE_RETENTION, retention, "retention"),
            (limits.VISIBILITY_TIMEOUT, visibility_timeout, "visibility_timeout"),
        ):
            if duration is not None and not is_token(seconds := duration.to_seconds()):
                limit.check(seconds, argument)
        if dead_letter_queue is not None and dead_letter_queue.queue.fifo:
            raise ArgumentError(
                "dead_letter_queue: it is FIFO, and this queue is standard: the two have to be of one type "
                f"({limits.QUEUE_DLQ_PAGE})"
            )
        super().__init__(scope, construct_id)
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED if encryption_key is None else sqs.QueueEncryption.KMS,
            encryption_master_key=encryption_key,
            enforce_ssl=True,
            retention_period=retention or Duration.days(14),
            visibility_timeout=visibility_timeout,
            dead_letter_queue=dead_letter_queue,
        )
        own_resource(self.queue, sqs.CfnQueue).add_metadata("LambdaPatterns", {"HoldsFailures": True})
        if dead_letter_queue is None:
            acknowledge(
                self.queue, {"AwsSolutions-SQS3": _LAST_STOP, "Serverless-SQSRedrivePolicy": _LAST_STOP}
            )
        self.alarm = self._watch(alarm_topic)
        self._destination = destinations.SqsDestination(self.queue)

    def _watch(self, topic: sns.ITopic | None) -> cloudwatch.Alarm:
        arrivals = self.queue.metric_number_of_messages_sent(statistic="Sum", period=Duration.minutes(1))
        alarm = alarm_from(self, "Arrivals", arrivals, 1, "A failed event arrived in the on-failure queue")
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

    def grant_service(self, service: str, *, source_arn: str) -> None:
        """Let an AWS service write failures here: the queue's policy, and that of its key.

        Functions, and SNS subscriptions that take `queue` as their dead-letter queue, need no such call.

        Args:
            service: "events.amazonaws.com", "scheduler.amazonaws.com", "sns.amazonaws.com".
            source_arn: the rule, schedule or topic that may, and no other.

        Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
        """
        only = {"ArnEquals": {"aws:SourceArn": source_arn}}
        principal = iam.ServicePrincipal(service)
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sqs:SendMessage"],
                principals=[principal],
                resources=[self.queue.queue_arn],
                conditions=only,
            )
        )
        if self.queue.encryption_master_key is not None:
            self.queue.encryption_master_key.add_to_resource_policy(
                iam.PolicyStatement(
                    actions=["kms:Decrypt", "kms:GenerateDataKey"],
                    principals=[principal],
                    resources=["*"],
                    conditions=only,
                )
            )
