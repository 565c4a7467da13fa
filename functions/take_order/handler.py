"""Takes orders over whichever way they come: an object, a notification, a message, an event.

An order is ``{"id": "order-17", "items": ["lamp"]}``. Every item has to be in the table CATALOGUE, by its key
"product"; the order is recorded in the table ORDERS under its id, so that one that comes twice is recorded
once. An order that cannot be taken is raised, and what invokes the function decides what becomes of it; it is
taken later, unchanged, once the catalogue has its products.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any
from urllib.parse import unquote_plus

import boto3

dynamodb = boto3.client("dynamodb")
s3 = boto3.client("s3")
sqs = boto3.client("sqs")

ID = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}")
RETRY_SECONDS = 1


class OrderRefusedError(Exception):
    """An order that can never be taken."""


class UnknownProductError(Exception):
    """An order of a product that is not in the catalogue yet."""


def take(order: object, way: str) -> dict[str, Any]:
    """Take one order; answer ``{"id": ..., "items": 2}``."""
    name = order.get("id") if isinstance(order, dict) else None
    if not isinstance(order, dict) or not isinstance(name, str) or not ID.fullmatch(name):
        raise OrderRefusedError(f"id is {name!r}, it must be 1 to 64 letters, digits, dashes and underscores")
    items = order.get("items")
    if not isinstance(items, list) or not items or not all(isinstance(item, str) for item in items):
        raise OrderRefusedError(f"order {name}: items is {items!r}, it must be a list of names")
    for item in items:
        found = dynamodb.get_item(TableName=os.environ["CATALOGUE"], Key={"product": {"S": item}})
        if "Item" not in found:
            raise UnknownProductError(f"order {name}: {item} is not in the catalogue")
    dynamodb.put_item(
        TableName=os.environ["ORDERS"],
        Item={"id": {"S": name}, "items": {"L": [{"S": item} for item in items]}, "way": {"S": way}},
    )
    return {"id": name, "items": len(items)}


def from_bucket(event: dict[str, Any], context: object) -> list[dict[str, Any]]:
    """Take the orders in the objects that S3 reports."""
    del context
    places = [(record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]) for record in event["Records"]]
    read = [s3.get_object(Bucket=bucket, Key=unquote_plus(key))["Body"].read() for bucket, key in places]
    return [take(json.loads(body), "bucket") for body in read]


def from_topic(event: dict[str, Any], context: object) -> list[dict[str, Any]]:
    """Take the orders that SNS notifies of."""
    del context
    return [take(json.loads(record["Sns"]["Message"]), "topic") for record in event["Records"]]


def from_bus(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take the order in an event of EventBridge."""
    del context
    return take(event["detail"], "bus")


def from_queue(event: dict[str, Any], context: object) -> dict[str, list[dict[str, str]]]:
    """Take the orders of a batch, and report those that could not be taken.

    They are shown again after RETRY_SECONDS: whoever waits for a product does not have to wait for the six
    timeouts for which the queue hides what somebody may be at work on.
    """
    del context
    failed = []
    for record in event["Records"]:
        try:
            take(json.loads(record["body"]), "queue")
        except Exception as error:  # noqa: BLE001  # whatever it is, the rest of the batch is not to suffer from it
            print(f"message {record['messageId']}: {type(error).__name__}: {error}")  # noqa: T201  # to the log group
            failed.append(record)
    for record in failed:
        sqs.change_message_visibility(
            QueueUrl=os.environ["QUEUE_URL"],
            ReceiptHandle=record["receiptHandle"],
            VisibilityTimeout=RETRY_SECONDS,
        )
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}
