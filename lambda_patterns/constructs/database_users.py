"""The users that a proxy logs in as, and the SQL that makes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import engines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_secretsmanager as secretsmanager

_USER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# PostgreSQL cuts identifiers at 63 bytes; MySQL and MariaDB refuse user names over 32 characters.
_LONGEST = {"POSTGRESQL": 63, "MYSQL": 32}
# Roles that RDS itself has in each database; PostgreSQL keeps every name with pg_ to itself besides.
_RESERVED = re.compile(r"rdsadmin|rdsproxyadmin|rds_(iam|superuser|password|replication)|public|pg_.*")
_MOST = 200
_USERS_PAGE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.DBAccounts.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseUser:
    """A user of the database that functions connect as.

    Args:
        name: its name in the database: letters, digits and underscores; at most 63 characters for
            PostgreSQL, 32 for MySQL and MariaDB.
        read_only: whether it may only read. Default False: it reads and writes the tables.
        secret: the secret that holds its name and password, as ``{"username": "app", "password": "..."}``.
            Default: a new one is made, so that no two users share a password. Refused with end-to-end IAM
            authentication, which needs none.
    """

    name: str
    read_only: bool = False
    secret: secretsmanager.ISecret | None = None


def checked_users(users: Sequence[str | DatabaseUser], engine_family: str | None) -> dict[str, DatabaseUser]:
    """Give the users by name, or raise ArgumentError for none, a name refused, or a name given twice."""
    found: dict[str, DatabaseUser] = {}
    longest = _LONGEST[engine_family or "POSTGRESQL"]
    if isinstance(users, str):
        raise ArgumentError(
            f"users: {users!r} is one text, needed is a list: users=[{users!r}] ({_USERS_PAGE})"
        )
    if len(users) > _MOST:
        raise ArgumentError(
            f"users: {len(users)} are given, allowed are {_MOST}: a proxy takes no more secrets "
            f"({engines.PROXY_PAGE})"
        )
    for given in users:
        user = DatabaseUser(name=given) if isinstance(given, str) else given
        if not _USER_NAME.fullmatch(user.name) or len(user.name) > longest:
            raise ArgumentError(
                f"users: {user.name!r} is refused, allowed are 1-{longest} letters, digits and underscores "
                f"without a digit first: the name stands in SQL, in policies and secrets ({_USERS_PAGE})"
            )
        if _RESERVED.fullmatch(user.name):
            raise ArgumentError(f"users: {user.name!r} is one of RDS's own: name another one ({_USERS_PAGE})")
        if user.name in found:
            raise ArgumentError(f"users: {user.name!r} is given twice ({_USERS_PAGE})")
        found[user.name] = user
    if not found:
        raise ArgumentError(
            "users: none is given, at least one is needed: a proxy logs in to the database as a user, and "
            f"functions connect as one ({engines.PROXY_PAGE})"
        )
    return found


def password_variable(user: str) -> str:
    """Name the psql variable that stands for a user's password in the statements."""
    return f"{user}_password"


def user_statements(
    engine: engines.Engine, user: DatabaseUser, database_name: str, *, token: bool
) -> tuple[str, ...]:
    """Give the SQL that makes one user; run again, it changes nothing but the password.

    Args:
        engine: the engine's facts.
        user: the user.
        database_name: the database whose tables it uses.
        token: whether the database itself takes an IAM token for it (end-to-end IAM authentication). If
            not, it has a password, written ``:'app_password'`` where psql and the example handler put
            its value; with a password behind a proxy the role rds_iam would lock the proxy out.
    """
    if engine.proxy_family == "POSTGRESQL":
        return _postgres(user, database_name, token=token)
    return _mysql(user, database_name, token=token)


def _postgres(user: DatabaseUser, database_name: str, *, token: bool) -> tuple[str, ...]:
    name = user.name
    tables = "SELECT" if user.read_only else "SELECT, INSERT, UPDATE, DELETE"
    login = (
        f'GRANT rds_iam TO "{name}"'
        if token
        else f"ALTER ROLE \"{name}\" WITH LOGIN PASSWORD :'{password_variable(name)}'"
    )
    sequences = () if user.read_only else (f'GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO "{name}"',)
    defaults = (
        ()
        if user.read_only
        else (f'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO "{name}"',)
    )
    missing = f"IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}')"
    return (
        f'DO $$ BEGIN {missing} THEN CREATE ROLE "{name}" LOGIN; END IF; END $$',
        login,
        f'GRANT CONNECT ON DATABASE "{database_name}" TO "{name}"',
        f'GRANT USAGE ON SCHEMA public TO "{name}"',
        f'GRANT {tables} ON ALL TABLES IN SCHEMA public TO "{name}"',
        *sequences,
        f'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {tables} ON TABLES TO "{name}"',
        *defaults,
    )


def _mysql(user: DatabaseUser, database_name: str, *, token: bool) -> tuple[str, ...]:
    name = f"'{user.name}'@'%'"
    tables = "SELECT" if user.read_only else "SELECT, INSERT, UPDATE, DELETE"
    login = (
        "IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'"
        if token
        else f"IDENTIFIED BY :'{password_variable(user.name)}'"
    )
    return (
        f"CREATE USER IF NOT EXISTS {name} {login}",
        *(() if token else (f"ALTER USER {name} {login}",)),
        f"ALTER USER {name} REQUIRE SSL",
        f"GRANT {tables} ON `{database_name}`.* TO {name}",
    )


def sql_file(engine: engines.Engine, statements: Sequence[str], passwords: Sequence[str]) -> str:
    """Join statements to a file for a client of the database, headed by what it expects.

    Args:
        engine: the engine's facts: psql has variables, the mysql client has none.
        statements: the statements, in order.
        passwords: the names of the variables that stand for passwords.
    """
    how = "psql -v {}=..." if engine.proxy_family == "POSTGRESQL" else "put it in its place"
    needs = "".join(f"-- :'{name}' stands for a quoted password ({how.format(name)})\n" for name in passwords)
    return (
        "-- run as the master user; run again, it changes nothing but passwords\n"
        + needs
        + "".join(f"{statement};\n" for statement in statements)
    )
