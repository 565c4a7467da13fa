"""Records what a database trigger reports: called by the database itself, asynchronously.

Event: ``{"id": "<uuid>", "table": "orders", "operation": "INSERT", "row": {...}}``, as the trigger sends it.
Recorded in the table EVENTS_TABLE under its id. An asynchronous invocation may arrive more than once: the
second arrival changes nothing. A failure is raised, so that Lambda tries again and then keeps the event in
the on-failure destination.
"""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

logger = logging.getLogger()
logger.setLevel(logging.INFO)

OPERATIONS = frozenset({"INSERT", "UPDATE", "DELETE"})


def problem(event: dict[str, Any]) -> str | None:
    """Say what keeps an event from being recorded, or None."""
    missing = [name for name in ("id", "table", "operation", "row") if name not in event]
    if missing:
        return f"the event lacks {', '.join(missing)}"
    if not isinstance(event["id"], str) or not event["id"]:
        return f"id is {event['id']!r}, it must be a text that is not empty"
    if event["operation"] not in OPERATIONS:
        return f"operation is {event['operation']!r}, allowed are {', '.join(sorted(OPERATIONS))}"
    return None


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Record one event; answer ``{"id": ..., "recorded": True}``, False where it was recorded before."""
    del context
    if found := problem(event):
        raise ValueError(found)
    table = boto3.resource("dynamodb").Table(os.environ["EVENTS_TABLE"])
    try:
        table.put_item(
            Item={
                "id": event["id"],
                "table": str(event["table"]),
                "operation": event["operation"],
                "row": json.dumps(event["row"], sort_keys=True),
                "recorded_at": datetime.now(UTC).isoformat(),
            },
            ConditionExpression="attribute_not_exists(id)",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        logger.info("event %s was recorded before", event["id"])
        return {"id": event["id"], "recorded": False}
    logger.info("recorded %s of %s", event["operation"], event["table"])
    return {"id": event["id"], "recorded": True}
