"""A function without cold starts in office hours, whose new versions take over by degrees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_

from lambda_patterns.constructs import (
    GradualDeployment,
    OnFailureQueue,
    PlainFunction,
    ProvisionedAlias,
    ScheduledConcurrency,
    directory_package,
)
from stacks.alarm_topic import alarm_topic
from stacks.handlers import FUNCTIONS

if TYPE_CHECKING:
    from constructs import Construct


class ReadyFunctionStack(Stack):
    """Node.js, packaged without a build; callers invoke the alias."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        topic = alarm_topic(self, "Alarms")
        function = PlainFunction(
            self,
            "SettleOrders",
            code=directory_package(FUNCTIONS / "settle_orders").code,
            handler="handler.handler",
            runtime=lambda_.Runtime.NODEJS_24_X,
            on_failure=OnFailureQueue(self, "Failures", alarm_topic=topic),
        )
        self.live = ProvisionedAlias(
            self,
            "Live",
            function=function,
            concurrency=ScheduledConcurrency(
                {
                    "Morning": (scaling.Schedule.cron(week_day="MON-FRI", hour="7", minute="45"), 5),
                    "Evening": (scaling.Schedule.cron(week_day="MON-FRI", hour="18", minute="0"), 0),
                }
            ),
            deployment=GradualDeployment(),
            alarm_actions=[actions.SnsAction(topic)],
        )
        function.declare_asynchronous("live")
