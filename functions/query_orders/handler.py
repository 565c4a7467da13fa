"""The latest orders of one customer, read through RDS Proxy.

Event: ``{"customer": "c-17", "limit": 20}``; answer: ``{"customer": "c-17", "orders": [{"id": 1, ...}]}``.

The driver is psycopg 3, because it leaves RDS Proxy the least to pin: it sends no SET when it connects, and
with `prepare_threshold=None` it names no prepared statement, so parse, bind and execute travel as one unnamed
batch, after which the proxy may hand the database connection to another client. (asyncpg calls `set_config`
for its JSON types; pg8000 parses and binds in two round trips.)
Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-pinning.html
"""

from __future__ import annotations

import logging
import os
import ssl
from typing import Any

import boto3
import psycopg
from psycopg.rows import dict_row

logger = logging.getLogger()
logger.setLevel(logging.INFO)

ORDERS = """
    SELECT id, customer, item, quantity, placed_at::text AS placed_at
      FROM orders
     WHERE customer = %(customer)s
  ORDER BY placed_at DESC, id DESC
     LIMIT %(limit)s
"""
MOST_ORDERS = 100

# One connection for each execution environment: an environment serves one invocation at a time.
_connection: psycopg.Connection[dict[str, Any]] | None = None


def trusted_authorities() -> str:
    """Name the file of authorities that the proxy's certificate must descend from.

    The proxy's certificate comes from AWS Certificate Manager, whose roots every system bundle holds.
    """
    if file := os.environ.get("PGSSLROOTCERT") or ssl.get_default_verify_paths().cafile:
        return file
    raise RuntimeError("no file of certificate authorities found: set PGSSLROOTCERT to one")


def connect() -> psycopg.Connection[dict[str, Any]]:
    """Open a connection with a fresh IAM token.

    A token is signed here, without a call, and opens connections for 15 minutes; an open connection outlives
    it. So every connection gets its own, and none has to be kept or renewed.
    """
    host, port = os.environ["DATABASE_HOST"], int(os.environ["DATABASE_PORT"])
    user, region = os.environ["DATABASE_USER"], os.environ["DATABASE_REGION"]
    token = boto3.client("rds", region_name=region).generate_db_auth_token(
        DBHostname=host, Port=port, DBUsername=user, Region=region
    )
    return psycopg.connect(
        host=host,
        port=port,
        user=user,
        password=token,
        dbname=os.environ["DATABASE_NAME"],
        sslmode="verify-full",
        sslrootcert=trusted_authorities(),
        connect_timeout=5,
        # each statement is its own transaction: the proxy may reuse the database connection right after it
        autocommit=True,
        prepare_threshold=None,
        row_factory=dict_row,
    )


def connection() -> psycopg.Connection[dict[str, Any]]:
    """Give the environment's connection, opened if there is none or it was closed."""
    global _connection  # noqa: PLW0603  # what an execution environment keeps between invocations
    if _connection is None or _connection.closed:
        _connection = connect()
    return _connection


def query(statement: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """Read rows on the environment's connection; open it anew, once, where it turns out to be dropped.

    The proxy closes connections that idle (30 minutes), that are a day old, and on some failovers. Only a
    read may be repeated like this: of a write that was cut off nobody knows whether it was committed.
    """
    before = _connection
    used = connection()
    try:
        return used.execute(statement, parameters).fetchall()
    except psycopg.OperationalError:
        if used is not before or not used.broken:
            raise
        logger.info("the connection was dropped, opening another")
        used.close()
        return connection().execute(statement, parameters).fetchall()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer with the latest orders of ``event["customer"]``, at most ``event["limit"]`` (1-100)."""
    del context
    customer, limit = event.get("customer"), event.get("limit", 20)
    if not isinstance(customer, str) or not customer:
        raise ValueError(f"customer is {customer!r}, it must be a text that is not empty")
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST_ORDERS:
        raise ValueError(f"limit is {limit!r}, allowed are whole numbers 1-{MOST_ORDERS}")
    return {"customer": customer, "orders": query(ORDERS, {"customer": customer, "limit": limit})}
