"""SNS: functions are invoked asynchronously; what cannot be handed over goes to the subscription's DLQ.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
"""

from __future__ import annotations

import contextvars
import json
import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

from lambda_patterns.local.behaviour import permissions
from lambda_patterns.local.behaviour.asynchronous import FunctionNotFoundError, check_invocable, submit
from lambda_patterns.local.behaviour.destinations import UndeliverableError, send_to_queue
from lambda_patterns.local.ministack import module

sns = module("services.sns")
sqs = module("services.sqs")
cloudwatch = module("services.cloudwatch")
responses = module("core.responses")
log = logging.getLogger(__name__)

_HTTP_RETRIES = 3


class _Speed:
    """The pause between two tries of an HTTP/S endpoint."""

    pause = 1.0


@dataclass(frozen=True, kw_only=True)
class _Notification:
    """One message on its way to one subscription."""

    topic_arn: str
    subscription: dict[str, Any]
    message: str
    envelope: str
    attributes: dict[str, Any]
    group: str
    deduplication: str

    @property
    def raw(self) -> bool:
        settings = self.subscription.get("attributes") or {}
        return bool(settings.get("RawMessageDelivery") == "true")

    @property
    def dead_letter_queue(self) -> str | None:
        policy = (self.subscription.get("attributes") or {}).get("RedrivePolicy") or "{}"
        arn: str | None = json.loads(policy).get("deadLetterTargetArn")
        return arn


def install(retry_seconds: float) -> None:
    """Let MiniStack's topics deliver by `fan_out`."""
    _Speed.pause = retry_seconds
    sns._fanout = fan_out


def fan_out(  # noqa: PLR0913, PLR0917  # MiniStack calls it so
    topic_arn: str,
    message_id: str,
    message: str,
    subject: str,
    message_structure: str = "",
    message_attributes: dict[str, Any] | None = None,
    message_group_id: str = "",
    message_dedup_id: str = "",
) -> None:
    """Deliver one published message to every confirmed subscription whose filter lets it through."""
    topic = sns._topic_by_arn_any_scope(topic_arn)
    if topic is None:
        return
    attributes = message_attributes or {}
    _count(topic_arn, "NumberOfMessagesPublished")
    region, account = topic_arn.split(":")[3:5]
    for subscription in list(topic["subscriptions"]):
        if not subscription.get("confirmed"):
            continue
        text = sns._resolve_message_for_protocol(message, message_structure, subscription["protocol"])
        if not sns._matches_filter_policy(subscription, attributes, text):
            continue
        raw = (subscription.get("attributes") or {}).get("RawMessageDelivery") == "true"
        notification = _Notification(
            topic_arn=topic_arn,
            subscription=subscription,
            message=text,
            envelope=sns._build_envelope(topic_arn, message_id, text, subject, attributes, raw),
            attributes=attributes,
            group=message_group_id,
            deduplication=message_dedup_id,
        )
        with responses.request_scope(account, region):
            _deliver(notification)


def _deliver(notification: _Notification) -> None:
    protocol = notification.subscription["protocol"]
    if protocol in {"http", "https"}:
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(_attempt, notification, _to_http), daemon=True).start()
    elif protocol == "sqs":
        _attempt(notification, _to_queue)
    elif protocol == "lambda":
        _attempt(notification, _to_function)
    else:
        log.info("%s: %s subscriptions receive nothing here", notification.topic_arn, protocol)


def _attempt(notification: _Notification, way: Any) -> None:  # noqa: ANN401  # one of the functions below
    try:
        way(notification)
    except (UndeliverableError, FunctionNotFoundError) as error:
        _count(notification.topic_arn, "NumberOfNotificationsFailed")
        _bury(notification, error)
    else:
        _count(notification.topic_arn, "NumberOfNotificationsDelivered")


def _to_function(notification: _Notification) -> None:
    arn = notification.subscription["endpoint"]
    check_invocable(arn, "sns.amazonaws.com", notification.topic_arn)
    submit(
        arn,
        {
            "Records": [
                {
                    "EventSource": "aws:sns",
                    "EventVersion": "1.0",
                    "EventSubscriptionArn": notification.subscription["arn"],
                    "Sns": json.loads(notification.envelope),
                }
            ]
        },
    )


def _to_queue(notification: _Notification) -> None:
    arn = notification.subscription["endpoint"]
    if sqs._queue_by_arn(arn) is None:
        raise UndeliverableError(f"there is no queue {arn}")
    _check_policy(arn, notification)
    sns._deliver_to_sqs(
        arn,
        notification.envelope,
        notification.raw,
        notification.message,
        message_group_id=notification.group,
        message_dedup_id=notification.deduplication,
        message_attributes=notification.attributes,
        topic_arn=notification.topic_arn,
    )


def _to_http(notification: _Notification) -> None:
    endpoint, failure = notification.subscription["endpoint"], ""
    for attempt in range(1 + _HTTP_RETRIES):
        if attempt:
            time.sleep(_Speed.pause)
        try:
            status = sns._http_post_sync(endpoint, notification.envelope, "Notification")
        except OSError as error:
            failure = str(error)
            code = getattr(error, "code", 500)
            if code < 500 and code != 429:  # noqa: PLR2004  # the codes that SNS does not try again
                break
        else:
            if status < 300:  # noqa: PLR2004  # HTTP success ends there
                return
            failure = f"HTTP {status}"
    raise UndeliverableError(f"{endpoint}: {failure}")


def _bury(notification: _Notification, error: Exception) -> None:
    """Move to the subscription's dead-letter queue: the envelope, or a raw message with its attributes."""
    target = notification.dead_letter_queue
    if target is None:
        log.warning("%s: lost for %s: %s", notification.topic_arn, notification.subscription["arn"], error)
        return
    try:
        _check_policy(target, notification)
        if notification.raw:
            send_to_queue(target, notification.message, notification.attributes)
        else:
            send_to_queue(target, notification.envelope)
    except UndeliverableError as lost:
        log.warning("%s: dead letter lost: %s", notification.topic_arn, lost)
        _count(notification.topic_arn, "NumberOfNotificationsFailedToRedriveToDlq")
    else:
        _count(notification.topic_arn, "NumberOfNotificationsRedrivenToDlq")


def _check_policy(queue: str, notification: _Notification) -> None:
    account = notification.topic_arn.split(":")[4]
    if not permissions.queue_admits(queue, "sns.amazonaws.com", notification.topic_arn, account):
        raise UndeliverableError(f"the policy of {queue} does not let {notification.topic_arn} in")


def _count(topic_arn: str, metric: str) -> None:
    cloudwatch.record_metric("AWS/SNS", metric, 1, "Count", {"TopicName": topic_arn.rsplit(":", 1)[1]})
