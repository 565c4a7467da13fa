"""Ships an order: invoked asynchronously, and failing where an order asks for it.

Event: ``{"id": "order-17", "items": ["book"], "fail": "why, or absent"}``. An order is written to
``orders/<id>.json``. Whatever is raised makes Lambda try again, and then keep the event, with the error, in
the on-failure queue.
"""

from __future__ import annotations

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
