"""Signs a document with a key from Secrets Manager and stores it, without a way to the internet.

Event: ``{"name": "invoice-17", "document": {...}}``. Stored as ``signed/<name>.json``, with the HMAC-SHA256
of the document's bytes in the object's metadata. Answers
``{"key": "signed/invoice-17.json", "signature": "<hex>", "reached": {"secretsmanager": 38, "s3": 12}}`` with
times in ms.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import time
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

# Without a path to the service the SDK would wait for a minute, longer than the function may run.
CONFIG = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2})
s3 = boto3.client("s3", config=CONFIG)
secrets = boto3.client("secretsmanager", config=CONFIG)

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Sign and store one document."""
    del context
    name = event.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"name is {name!r}, it must be 1 to 64 letters, digits, dashes and underscores")
    if "document" not in event:
        raise ValueError("the event lacks document")
    body = json.dumps(event["document"], sort_keys=True).encode()
    start = time.perf_counter()
    key = signing_key(os.environ["SIGNING_KEY_ARN"])
    fetched = time.perf_counter()
    signature = hmac.new(key, body, hashlib.sha256).hexdigest()
    stored_as = f"signed/{name}.json"
    s3.put_object(
        Bucket=os.environ["BUCKET"],
        Key=stored_as,
        Body=body,
        ContentType="application/json",
        Metadata={"hmac-sha256": signature},
    )
    stored = time.perf_counter()
    reached = {
        "secretsmanager": round((fetched - start) * 1000),
        "s3": round((stored - fetched) * 1000),
    }
    return {"key": stored_as, "signature": signature, "reached": reached}


@cache
def signing_key(arn: str) -> bytes:
    """Fetch the key, once for each execution environment."""
    return str(secrets.get_secret_value(SecretId=arn)["SecretString"]).encode()
