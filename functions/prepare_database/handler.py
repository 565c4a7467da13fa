"""Makes the tables and the users of a database: a custom resource's handler.

It connects as the master user, through the proxy, and runs ``ResourceProperties.Statements`` in one
transaction. Each statement is idempotent, and names a password as ``:'app_password'``, whose value comes from
the secret in ``ResourceProperties.Secrets`` (``{"app_password": "<the secret's ARN>"}``). The server is
sent what a password hashes to, not the password: statements are logged, and passwords must not be.
Deleting the resource leaves the database as it is.
"""

from __future__ import annotations

import json
import logging
import os
import re
import ssl
from typing import Any

import boto3
import psycopg

logger = logging.getLogger()
logger.setLevel(logging.INFO)

PLACEHOLDER = re.compile(r":'(\w+)'")


def connect() -> psycopg.Connection:
    """Open a connection as the master user with an IAM token, to a proxy whose certificate is verified."""
    host, port = os.environ["DATABASE_HOST"], int(os.environ["DATABASE_PORT"])
    user, region = os.environ["DATABASE_USER"], os.environ["DATABASE_REGION"]
    return psycopg.connect(
        host=host,
        port=port,
        user=user,
        password=boto3.client("rds", region_name=region).generate_db_auth_token(
            DBHostname=host, Port=port, DBUsername=user, Region=region
        ),
        dbname=os.environ["DATABASE_NAME"],
        sslmode="verify-full",
        sslrootcert=os.environ.get("PGSSLROOTCERT") or ssl.get_default_verify_paths().cafile,
        connect_timeout=10,
        prepare_threshold=None,
    )


def verifier(connection: psycopg.Connection, secret_arn: str) -> str:
    """Read one user's secret and hash its password as the server would (SCRAM-SHA-256)."""
    answer = boto3.client("secretsmanager").get_secret_value(SecretId=secret_arn)
    secret = json.loads(answer["SecretString"])
    return connection.pgconn.encrypt_password(
        secret["password"].encode(), secret["username"].encode(), b"scram-sha-256"
    ).decode()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer a create, update or delete of the custom resource; the physical id never changes."""
    del context
    properties = event["ResourceProperties"]
    if event["RequestType"] != "Delete":
        with connect() as connection:
            passwords = {
                name: verifier(connection, arn) for name, arn in properties.get("Secrets", {}).items()
            }
            for statement in properties["Statements"]:
                text = PLACEHOLDER.sub(lambda match: f"'{passwords[match[1]]}'", statement)
                connection.execute(text.encode())
        logger.info("ran %d statements", len(properties["Statements"]))
    return {"PhysicalResourceId": event.get("PhysicalResourceId", "prepared")}
