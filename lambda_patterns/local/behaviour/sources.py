"""EventBridge, its scheduler and S3 hand events to functions and queues, with all that follows from it.

Not modelled: the dead-letter queues of schedules and pipes, retries of a hand-over.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from lambda_patterns.local.behaviour import permissions
from lambda_patterns.local.behaviour.asynchronous import FunctionNotFoundError, check_invocable, submit
from lambda_patterns.local.behaviour.destinations import UndeliverableError, send_to_queue
from lambda_patterns.local.ministack import module

cloudwatch = module("services.cloudwatch")
eventbridge = module("services.eventbridge")
responses = module("core.responses")
s3 = module("services.s3")
sqs = module("services.sqs")
log = logging.getLogger(__name__)

_SERVICE = "events.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """The rule whose target is served, and where its undelivered events go."""

    arn: str
    dead_letter_queue: str | None

    def count(self, metric: str) -> None:
        name = self.arn.rsplit("/", 1)[1]
        cloudwatch.record_metric("AWS/Events", metric, 1, "Count", {"RuleName": name})


# the rule that is being served; none for a schedule, which acts by a role of its own
_RULE: ContextVar[_Rule | None] = ContextVar("rule", default=None)


def install() -> None:
    """Serve functions by their own queue of events, and keep what cannot be handed over."""
    invoke, to_queue = eventbridge._invoke_target, eventbridge._dispatch_to_sqs

    def invoke_target(target: dict[str, Any], event: object, rule: dict[str, Any], *view: object) -> None:
        arn = str(rule.get("Arn", ""))
        queue = (target.get("DeadLetterConfig") or {}).get("Arn")
        is_rule = arn.startswith("arn:aws:events:")
        token = _RULE.set(_Rule(arn=arn, dead_letter_queue=queue) if is_rule else None)
        try:
            invoke(target, event, rule, *view)
        finally:
            _RULE.reset(token)

    def dispatch_to_queue(arn: object, payload: str, parameters: dict[str, Any] | None = None) -> None:
        if _may_send(str(arn), payload):
            to_queue(arn, payload, parameters)

    eventbridge._invoke_target = invoke_target
    eventbridge._dispatch_to_lambda = from_event_bus
    eventbridge._dispatch_to_sqs = dispatch_to_queue
    s3._deliver_event_to_lambda = from_bucket


def from_event_bus(arn: str, payload: str) -> None:
    """Deliver an event of a rule or schedule, whose input may be any text."""
    try:
        event: object = json.loads(payload)
    except (TypeError, ValueError):
        event = payload
    rule = _RULE.get()
    try:
        if rule is not None:
            check_invocable(arn, _SERVICE, rule.arn)
        submit(arn, event)
    except FunctionNotFoundError:
        _keep(rule, arn, payload, "NO_RESOURCE", f"there is no function {arn}")
    except UndeliverableError as error:
        _keep(rule, arn, payload, "NO_PERMISSIONS", str(error))


def from_bucket(arn: str, event: object, bucket_region: str) -> None:
    """Deliver the notification of a bucket."""
    records = event.get("Records", []) if isinstance(event, dict) else []
    with responses.request_scope(responses.get_account_id(), bucket_region):
        try:
            for record in records[:1]:
                check_invocable(arn, "s3.amazonaws.com", record["s3"]["bucket"]["arn"])
        except UndeliverableError as error:
            log.warning("an event of a bucket is lost: %s", error)
        except FunctionNotFoundError:
            log.warning("an event of a bucket is lost: there is no function %s", arn)
        else:
            submit(arn, event)


def _may_send(queue: str, payload: str) -> bool:
    """Whether the rule that is being served can send to `queue`; if not, the event is kept."""
    rule = _RULE.get()
    if rule is None:
        return True
    if sqs._queue_by_arn(queue) is None:
        _keep(rule, queue, payload, "NO_RESOURCE", f"there is no queue {queue}")
        return False
    if not permissions.queue_admits(queue, _SERVICE, rule.arn, responses.get_account_id()):
        _keep(rule, queue, payload, "NO_PERMISSIONS", f"the policy of {queue} does not let {rule.arn} in")
        return False
    return True


def _keep(rule: _Rule | None, target: str, payload: str, code: str, message: str) -> None:
    """Send what could not be handed over to the dead-letter queue of the rule's target, if it has one."""
    if rule is None:
        log.warning("an event of a schedule is lost: %s", message)
        return
    rule.count("FailedInvocations")
    if rule.dead_letter_queue is None:
        log.warning("an event of %s is lost: %s", rule.arn, message)
        return
    attributes = {
        name: {"DataType": "String", "StringValue": value}
        for name, value in (
            ("RULE_ARN", rule.arn),
            ("TARGET_ARN", target),
            ("ERROR_CODE", code),
            ("ERROR_MESSAGE", message),
        )
    }
    try:
        if not permissions.queue_admits(
            rule.dead_letter_queue, _SERVICE, rule.arn, responses.get_account_id()
        ):
            raise UndeliverableError(f"the policy of {rule.dead_letter_queue} does not let {rule.arn} in")  # noqa: TRY301  # caught with what sending raises
        send_to_queue(rule.dead_letter_queue, payload, attributes)
    except UndeliverableError as error:
        log.warning("dead letter of %s is lost: %s", rule.arn, error)
        rule.count("InvocationsFailedToBeSentToDlq")
    else:
        rule.count("InvocationsSentToDlq")
