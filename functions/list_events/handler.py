"""The events that the database reported, as they were recorded.

Event: ``{"wait": 5}``, the seconds to wait for the first one, 0-20 (default 0).
Answer: ``{"events": [{...}]}``, at most 20, the latest first.
"""

from __future__ import annotations

import os
import time
from typing import Any

import boto3

MOST_EVENTS = 20
LONGEST_WAIT = 20


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer with the recorded events, as soon as there is one."""
    del context
    wait = event.get("wait", 0)
    if not isinstance(wait, int | float) or isinstance(wait, bool) or not 0 <= wait <= LONGEST_WAIT:
        raise ValueError(f"wait is {wait!r}, allowed are 0-{LONGEST_WAIT} s")
    table = boto3.resource("dynamodb").Table(os.environ["EVENTS_TABLE"])
    deadline = time.monotonic() + wait
    while not (items := table.scan()["Items"]) and time.monotonic() < deadline:
        time.sleep(0.1)
    latest = sorted(items, key=lambda item: item["recorded_at"], reverse=True)[:MOST_EVENTS]
    return {"events": [{name: str(value) for name, value in item.items()} for item in latest]}
