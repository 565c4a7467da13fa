"""The latest orders of one customer, read from MySQL, MariaDB or Aurora MySQL through RDS Proxy.

Event: ``{"customer": "c-17", "limit": 20}``; answer: ``{"customer": "c-17", "orders": [{"id": 1, ...}]}``.

The driver is PyMySQL: it prepares nothing on the server, and what it sets when it connects (NAMES, and
AUTOCOMMIT where it is off) is among what RDS Proxy tracks instead of pinning. It is Python alone, and so the
same for both architectures.
Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-pinning.html
"""

from __future__ import annotations

import logging
import os
import ssl
from typing import Any

import boto3
import pymysql
from pymysql.constants import CR
from pymysql.cursors import DictCursor

logger = logging.getLogger()
logger.setLevel(logging.INFO)

ORDERS = """
    SELECT id, customer, item, quantity, CAST(placed_at AS CHAR) AS placed_at
      FROM orders
     WHERE customer = %(customer)s
  ORDER BY placed_at DESC, id DESC
     LIMIT %(limit)s
"""
MOST_ORDERS = 100
DROPPED = {CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST}

# One connection for each execution environment: an environment serves one invocation at a time.
_connection: pymysql.Connection[DictCursor] | None = None


def connect() -> pymysql.Connection[DictCursor]:
    """Open a connection with a fresh IAM token, over TLS whose certificate is verified.

    The proxy asks for the token in plain text (mysql_clear_password), which PyMySQL sends over TLS alone:
    with a TLS context it refuses a server without. The certificate comes from AWS Certificate Manager, whose
    roots every system bundle holds; SSL_CERT_FILE names another one. A token opens connections for 15
    minutes, and an open connection outlives it, so every connection gets its own.
    """
    host, port = os.environ["DATABASE_HOST"], int(os.environ["DATABASE_PORT"])
    user, region = os.environ["DATABASE_USER"], os.environ["DATABASE_REGION"]
    token = boto3.client("rds", region_name=region).generate_db_auth_token(
        DBHostname=host, Port=port, DBUsername=user, Region=region
    )
    return pymysql.connect(
        host=host,
        port=port,
        user=user,
        password=token,
        database=os.environ["DATABASE_NAME"],
        ssl=ssl.create_default_context(),
        connect_timeout=5,
        # each statement is its own transaction: the proxy may reuse the database connection right after it
        autocommit=True,
        cursorclass=DictCursor,
    )


def connection() -> pymysql.Connection[DictCursor]:
    """Give the environment's connection, opened if there is none or it was closed."""
    global _connection  # noqa: PLW0603  # what an execution environment keeps between invocations
    if _connection is None or not _connection.open:
        _connection = connect()
    return _connection


def fetch(
    used: pymysql.Connection[DictCursor], statement: str, parameters: dict[str, Any]
) -> list[dict[str, Any]]:
    """Run a statement and give its rows."""
    with used.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def query(statement: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """Read rows on the environment's connection; open it anew, once, where it turns out to be dropped.

    The proxy closes connections that idle (30 minutes), that are a day old, and on some failovers. Only a
    read may be repeated like this: of a write that was cut off nobody knows whether it was committed.
    """
    before = _connection
    used = connection()
    try:
        return fetch(used, statement, parameters)
    except pymysql.OperationalError as error:
        if used is not before or error.args[0] not in DROPPED:
            raise
        logger.info("the connection was dropped, opening another")
        if used.open:
            used.close()
        return fetch(connection(), statement, parameters)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer with the latest orders of ``event["customer"]``, at most ``event["limit"]`` (1-100)."""
    del context
    customer, limit = event.get("customer"), event.get("limit", 20)
    if not isinstance(customer, str) or not customer:
        raise ValueError(f"customer is {customer!r}, it must be a text that is not empty")
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST_ORDERS:
        raise ValueError(f"limit is {limit!r}, allowed are whole numbers 1-{MOST_ORDERS}")
    return {"customer": customer, "orders": query(ORDERS, {"customer": customer, "limit": limit})}
