"""Ships an order: invoked asynchronously, and failing where an order asks for it.

Event: ``{"id": "order-17", "items": ["book"], "fail": "why, or absent"}``, or an HTTP request with it as its
body, which is answered with 200 or 400. An order is written to ``orders/<id>.json``. Whatever is raised makes
Lambda try again, and then keep the event, with the error, in the on-failure queue.
"""

from __future__ import annotations

import base64
import json
import os
import re
from typing import Any

import boto3

s3 = boto3.client("s3")

ID = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}")


class OrderRefusedError(Exception):
    """An order that cannot be shipped, however often it is tried."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Ship one order; answer ``{"id": ..., "shipped": 2}``, the number of its items."""
    del context
    return _answer(event) if "requestContext" in event else ship(event)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    """Ship the order of a request to the function's URL or its HTTP API; what is wrong with it is a 400."""
    body = request.get("body") or ""
    try:
        order = json.loads(base64.b64decode(body) if request.get("isBase64Encoded") else body)
        if not isinstance(order, dict):
            raise OrderRefusedError("the body is no order")  # noqa: TRY301  # answered as any other refusal
        return {"statusCode": 200, "body": json.dumps(ship(order))}
    except (ValueError, OrderRefusedError) as refused:
        return {"statusCode": 400, "body": json.dumps({"refused": str(refused)})}


def ship(event: dict[str, Any]) -> dict[str, Any]:
    """Write the order down.

    Raises:
        OrderRefusedError: it cannot be shipped.
    """
    order = event.get("id")
    if not isinstance(order, str) or not ID.fullmatch(order):
        raise OrderRefusedError(
            f"id is {order!r}, it must be 1 to 64 letters, digits, dashes and underscores"
        )
    items = event.get("items")
    if not isinstance(items, list) or not items:
        raise OrderRefusedError(f"order {order} has no items")
    if event.get("fail"):
        raise OrderRefusedError(f"order {order}: {event['fail']}")
    s3.put_object(
        Bucket=os.environ["BUCKET"],
        Key=f"orders/{order}.json",
        Body=json.dumps({"id": order, "items": items}).encode(),
        ContentType="application/json",
    )
    return {"id": order, "shipped": len(items)}
