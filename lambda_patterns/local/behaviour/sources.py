"""EventBridge, its scheduler and S3 invoke functions asynchronously, with all that follows from it."""

# ruff: noqa: SLF001  # MiniStack has no extension point: these are the seams that are checked at start

from __future__ import annotations

import json
import logging

from lambda_patterns.local.behaviour.asynchronous import FunctionNotFoundError, check_invocable, submit
from lambda_patterns.local.behaviour.destinations import UndeliverableError
from lambda_patterns.local.ministack import module

eventbridge = module("services.eventbridge")
s3 = module("services.s3")
responses = module("core.responses")
log = logging.getLogger(__name__)


def install() -> None:
    """Let MiniStack's event sources go through the queue of the function."""
    eventbridge._dispatch_to_lambda = from_event_bus
    s3._deliver_event_to_lambda = from_bucket


def from_event_bus(arn: str, payload: str) -> None:
    """Deliver an event of a rule or schedule, whose input may be any text."""
    try:
        event: object = json.loads(payload)
    except (TypeError, ValueError):
        event = payload
    try:
        submit(arn, event)
    except FunctionNotFoundError:
        log.warning("an event of a rule or schedule is lost: there is no function %s", arn)


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
