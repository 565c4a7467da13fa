"""Tells the first arrival of a request from its repetitions, from a network that nothing leads out of.

Event: ``{"id": "<what makes the request one>"}``. Answers
``{"id": ..., "first": true, "reached": {"dynamodb": 9}}``, the time in ms. A request is remembered for a day.
"""

from __future__ import annotations

import os
import time
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

SECONDS_REMEMBERED = 24 * 3600

# Without a path to the service the SDK would wait for a minute, longer than the function may run.
dynamodb = boto3.client(
    "dynamodb", config=Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2})
)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Remember one request; only one of several at the same time is the first."""
    del context
    request_id = event.get("id")
    if not isinstance(request_id, str) or not request_id:
        raise ValueError(f"id is {request_id!r}, it must be a text that is not empty")
    now = int(time.time())
    start = time.perf_counter()
    try:
        dynamodb.put_item(
            TableName=os.environ["TABLE"],
            Item={"id": {"S": request_id}, "expires": {"N": str(now + SECONDS_REMEMBERED)}},
            # Expired items may stay for days before DynamoDB takes them away.
            ConditionExpression="attribute_not_exists(id) OR expires < :now",
            ExpressionAttributeValues={":now": {"N": str(now)}},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        first = False
    else:
        first = True
    reached = {"dynamodb": round((time.perf_counter() - start) * 1000)}
    return {"id": request_id, "first": first, "reached": reached}
