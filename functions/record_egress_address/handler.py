"""Finds the address under which the network is seen on the internet, and keeps it for allow-lists.

Event: anything. Answers
``{"address": "203.0.113.7", "changed": true, "reached": {"internet": 41, "s3": 12}}`` with times in ms; a
caller that looks at `changed` knows when partners have to be told. Where the internet is not reached,
`reached` says why under "internet", `address` is null, and what was kept stays.
"""

from __future__ import annotations

import json
import os
import time
import urllib.request
from ipaddress import ip_address
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

KEY = "egress-address.json"

# Without a path to the service the SDK would wait for a minute, longer than the function may run.
s3 = boto3.client("s3", config=Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2}))


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Ask which address this is, compare it with the one that was kept, and keep it."""
    del event, context
    reached: dict[str, Any] = {}
    address = _ask(os.environ["ADDRESS_URL"], reached)
    if address is None:
        return {"address": None, "changed": False, "reached": reached}
    start = time.perf_counter()
    changed = _kept(os.environ["BUCKET"]) != address
    if changed:
        s3.put_object(
            Bucket=os.environ["BUCKET"],
            Key=KEY,
            Body=json.dumps({"address": address, "since": int(time.time())}).encode(),
            ContentType="application/json",
        )
    reached["s3"] = _since(start)
    return {"address": address, "changed": changed, "reached": reached}


def _ask(url: str, reached: dict[str, Any]) -> str | None:
    """Give the address that `url` sees, or None; what it answers is not trusted to be one."""
    if not url.startswith("https://"):
        raise ValueError(f"ADDRESS_URL is {url!r}, it must be an https address")
    start = time.perf_counter()
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  # https, checked above
            address = str(ip_address(answer.read(64).decode().strip()))
    except (OSError, ValueError) as error:
        reached["internet"] = f"{type(error).__name__}: {error}"
        return None
    reached["internet"] = _since(start)
    return address


def _kept(bucket: str) -> str | None:
    try:
        body = s3.get_object(Bucket=bucket, Key=KEY)["Body"].read()
    except ClientError as error:
        # Without the permission to list, S3 says of a missing object that it is forbidden.
        if error.response["Error"]["Code"] in {"NoSuchKey", "AccessDenied"}:
            return None
        raise
    address = json.loads(body)["address"]
    return str(address)


def _since(start: float) -> int:
    return round((time.perf_counter() - start) * 1000)
