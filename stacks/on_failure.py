"""An asynchronous function whose failures are kept, be it invoked itself, by version or by alias."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack

from lambda_patterns.constructs import OnFailureQueue, PlainFunction
from stacks.alarm_topic import alarm_topic
from stacks.handlers import handler_code
from stacks.private_bucket import let_write, private_bucket

if TYPE_CHECKING:
    from constructs import Construct


class OnFailureStack(Stack):
    """A function outside any VPC, since it reaches nothing private, and the queue for its failures."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        bucket = private_bucket(self, "Orders")
        self.failures = OnFailureQueue(self, "Failures", alarm_topic=alarm_topic(self, "Alarms"))
        self.function = PlainFunction(
            self,
            "ShipOrder",
            code=handler_code("ship_order"),
            handler="handler.handler",
            on_failure=self.failures,
            environment={"BUCKET": bucket.bucket_name},
        )
        let_write(self.function, bucket, "orders/")
        self.alias = self.function.add_alias("live")
        self.function.declare_asynchronous("$LATEST", "live")
