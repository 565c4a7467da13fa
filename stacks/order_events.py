"""Orders over S3, SNS, SQS and EventBridge: where a failed one is kept, and how it is replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns

from lambda_patterns.constructs import (
    FailureMonitoring,
    FailureReprocessor,
    OnFailureQueue,
    PlainFunction,
    QueueConsumer,
    TopicSubscription,
    on_event,
    on_object,
)
from stacks.alarm_topic import alarm_topic
from stacks.handlers import handler_code
from stacks.private_bucket import let_read, private_bucket
from stacks.table import recoverable_table

if TYPE_CHECKING:
    from constructs import Construct

_PLACED = events.EventPattern(source=["shop"], detail_type=["OrderPlaced"])


class OrderEventsStack(Stack):
    """An order of a product that the catalogue does not know fails, whichever way it comes, and is kept.

    What the functions failed lies in one queue, which the reprocessor drains; what SNS and EventBridge could
    not hand over, and what SQS gave up, in queues of their own, which people read.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.catalogue = recoverable_table(self, "Catalogue", key="product")
        self.orders = recoverable_table(self, "Orders")
        self.failures = OnFailureQueue(self, "Failures")

        self.from_bucket = self._function("FromBucket", "from_bucket", on_failure=self.failures)
        self.inbox = private_bucket(self, "Inbox")
        on_object(self.from_bucket, self.inbox, suffix=".json")
        let_read(self.from_bucket, self.inbox, ".json")

        from_topic = self._function("FromTopic", "from_topic", on_failure=self.failures)
        self.from_topic = from_topic.add_alias("live")
        key = kms.Key(self, "PlacedKey", enable_key_rotation=True)
        self.placed = sns.Topic(self, "Placed", master_key=key, enforce_ssl=True)
        undelivered = OnFailureQueue(self, "NotNotified")
        TopicSubscription(
            self, "Subscription", topic=self.placed, target=self.from_topic, failures=undelivered
        )

        from_bus = self._function("FromBus", "from_bus", on_failure=self.failures)
        self.from_bus = from_bus.add_alias("live")
        not_handed = OnFailureQueue(self, "NotHandedOver")
        on_event(self.from_bus, "Placed", pattern=_PLACED, undelivered=not_handed.queue)

        from_queue = self._function("FromQueue", "from_queue")
        self.consumer = QueueConsumer(self, "Work", function=from_queue)
        from_queue.add_environment("QUEUE_URL", self.consumer.queue.queue_url)

        self.reprocessor = FailureReprocessor(
            self,
            "Reprocessor",
            failures=self.failures,
            functions=[self.from_bucket, self.from_topic, self.from_bus],
        )
        assert self.consumer.dead_letter_queue is not None  # noqa: S101  # narrows: the consumer made one
        FailureMonitoring(
            self,
            "Monitoring",
            functions={
                "FromBucket": self.from_bucket,
                "FromTopic": from_topic,
                "FromBus": from_bus,
                "FromQueue": from_queue,
            },
            queues={
                "NotNotified": undelivered,
                "NotHandedOver": not_handed,
                "DeadLetters": self.consumer.dead_letter_queue,
                "Quarantine": self.reprocessor.quarantine,
            },
            drained={"Failures": self.failures},
            sources={"Work": self.consumer.queue},
            topics={"Placed": self.placed},
            alarm_actions=[actions.SnsAction(alarm_topic(self, "Alarms"))],
        )

    def _function(
        self, construct_id: str, entry: str, *, on_failure: OnFailureQueue | None = None
    ) -> PlainFunction:
        """A function of the one package, by the entry for its trigger."""
        kept: dict[str, lambda_.IDestination] = {} if on_failure is None else {"on_failure": on_failure}
        function = PlainFunction(
            self,
            construct_id,
            code=handler_code("take_order"),
            handler=f"handler.{entry}",
            timeout=Duration.seconds(10),
            environment={"CATALOGUE": self.catalogue.table_name, "ORDERS": self.orders.table_name},
            **kept,  # type: ignore[arg-type]  # a key that is there or not
        )
        for action, table in (("dynamodb:GetItem", self.catalogue), ("dynamodb:PutItem", self.orders)):
            function.add_to_role_policy(iam.PolicyStatement(actions=[action], resources=[table.table_arn]))
        return function
