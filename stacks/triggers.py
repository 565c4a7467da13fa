"""One function, invoked by events, a partner, the clock, a URL and an API; `order_events` shows the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack, TimeZone
from aws_cdk import aws_events as events
from aws_cdk import aws_scheduler as scheduler

from lambda_patterns.constructs import (
    OnFailureQueue,
    PlainFunction,
    add_http_api,
    add_url,
    on_event,
    on_partner_event,
    on_schedule,
)
from stacks.alarm_topic import alarm_topic
from stacks.handlers import handler_code
from stacks.private_bucket import let_write, private_bucket

if TYPE_CHECKING:
    from constructs import Construct


class TriggersStack(Stack):
    """Events, a partner, the clock, a URL and an HTTP API invoke one alias; its failures are kept."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        topic = alarm_topic(self, "Alarms")
        undelivered = OnFailureQueue(self, "Undelivered", alarm_topic=topic).queue
        bucket = private_bucket(self, "Orders")
        function = PlainFunction(
            self,
            "ShipOrder",
            code=handler_code("ship_order"),
            handler="handler.handler",
            on_failure=OnFailureQueue(self, "Failures", alarm_topic=topic),
            environment={"BUCKET": bucket.bucket_name},
        )
        let_write(function, bucket, "orders/")
        live = function.add_alias("live")
        paid = events.EventPattern(source=["shop"], detail_type=["OrderPaid"])
        order = events.RuleTargetInput.from_event_path("$.detail")
        on_event(live, "Paid", pattern=paid, event=order, undelivered=undelivered)
        on_partner_event(
            live,
            "Partner",
            source="aws.partner/example.com/1234/orders",
            event=order,
            undelivered=undelivered,
        )
        nightly = scheduler.ScheduleExpression.cron(hour="2", minute="30", time_zone=TimeZone.ASIA_SEOUL)
        restock = {"id": "restock", "items": ["book", "tea"]}
        on_schedule(live, "Nightly", schedule=nightly, event=restock, undelivered=undelivered)
        self.url = add_url(live)
        self.api = add_http_api(live, "Api", routes=["POST /orders"])
