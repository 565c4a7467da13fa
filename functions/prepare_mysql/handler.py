"""Makes the tables and the users of a MySQL or MariaDB database: a custom resource's handler.

It connects as the master user, through the proxy, and runs ``ResourceProperties.Statements`` in order. Each
is idempotent, and names a password as ``:'app_password'``, whose value comes from the secret in
``ResourceProperties.Secrets`` (``{"app_password": "<the secret's ARN>"}``). Here a definition commits at
once, so what ran before a statement that fails stays, and the next deployment runs all of them again.

Both take a user's password in plain text, over TLS. MySQL masks it in its logs; MariaDB's general log, which
is off unless somebody turns it on, shows it.
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
import pymysql

logger = logging.getLogger()
logger.setLevel(logging.INFO)

PLACEHOLDER = re.compile(r":'(\w+)'")


def connect() -> pymysql.Connection[pymysql.cursors.Cursor]:
    """Open a connection as the master user with an IAM token, to a proxy whose certificate is verified."""
    host, port = os.environ["DATABASE_HOST"], int(os.environ["DATABASE_PORT"])
    user, region = os.environ["DATABASE_USER"], os.environ["DATABASE_REGION"]
    return pymysql.connect(
        host=host,
        port=port,
        user=user,
        password=boto3.client("rds", region_name=region).generate_db_auth_token(
            DBHostname=host, Port=port, DBUsername=user, Region=region
        ),
        database=os.environ["DATABASE_NAME"],
        ssl=ssl.create_default_context(),
        connect_timeout=10,
        autocommit=True,
    )


def password(secret_arn: str) -> str:
    """Read the password in one user's secret."""
    answer = boto3.client("secretsmanager").get_secret_value(SecretId=secret_arn)
    found: str = json.loads(answer["SecretString"])["password"]
    return found


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer a create, update or delete of the custom resource; the physical id never changes."""
    del context
    properties = event["ResourceProperties"]
    if event["RequestType"] != "Delete":
        passwords = {name: password(arn) for name, arn in properties.get("Secrets", {}).items()}
        connection = connect()
        try:
            with connection.cursor() as cursor:
                for statement in properties["Statements"]:
                    cursor.execute(
                        PLACEHOLDER.sub(lambda match: connection.escape(passwords[match[1]]), statement)
                    )
        finally:
            connection.close()
        logger.info("ran %d statements", len(properties["Statements"]))
    return {"PhysicalResourceId": event.get("PhysicalResourceId", "prepared")}
