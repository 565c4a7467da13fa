"""The SQL by which a database reports its changes to a function."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts.engines import Invoke

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_patterns.facts.engines import Engine

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


def has_roles(version: str | None) -> bool:
    """Whether this version of Aurora MySQL knows roles: 3 (MySQL 8.0) does, 2 (MySQL 5.7) does not."""
    return not (version or "").startswith("5.7")


def setup_statements(engine: Engine, version: str | None, users: Sequence[str]) -> tuple[str, ...]:
    """Give the SQL that installs what calls functions, and lets `users` call it by themselves.

    The trigger of `trigger_statements` needs no user to be let: it runs as its owner.
    """
    if engine.invoke is Invoke.PARAMETER:
        right = "AWS_LAMBDA_ACCESS" if has_roles(version) else "INVOKE LAMBDA ON *.*"
        return tuple(f"GRANT {right} TO '{user}'@'%'" for user in users)
    return (
        "CREATE EXTENSION IF NOT EXISTS aws_lambda CASCADE",
        *(
            statement
            for user in users
            for statement in (
                f'GRANT USAGE ON SCHEMA aws_lambda TO "{user}"',
                f'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA aws_lambda TO "{user}"',
            )
        ),
    )


def trigger_statements(
    engine: Engine, table: str, function_arn: str, region: str, columns: Sequence[str] = ()
) -> tuple[str, ...]:
    """Give idempotent SQL for a trigger that reports each changed row of `table`, asynchronously.

    What it sends: ``{"id": "<uuid>", "table": "orders", "operation": "INSERT", "row": {...}}``. The call
    is one of type Event: the transaction waits for Lambda to take the event (a synchronous call may take
    3 s by default, and the row's lock with it), and a failure of the function is retried and kept on
    Lambda's side.

    Args:
        engine: the engine's facts.
        table: the table's name.
        function_arn: the function or alias to call.
        region: its Region.
        columns: the columns to send. Needed for Aurora MySQL, which cannot send a whole row.

    Raises:
        ArgumentError: a name that is no plain identifier, or no columns for Aurora MySQL.
    """
    for name in (table, *columns):
        if not _NAME.fullmatch(name):
            raise ArgumentError(
                f"table: {name!r} is refused, allowed are 1-63 letters, digits and underscores: the name "
                f"stands in SQL ({engine.source})"
            )
    if engine.invoke is Invoke.PARAMETER:
        if not columns:
            raise ArgumentError(
                f"columns: none is given for {table}, at least one is needed: a trigger of "
                f"{engine.title} cannot send a whole row ({engine.source})"
            )
        return _mysql(table, function_arn, columns)
    return _postgres(table, function_arn, region)


def _postgres(table: str, function_arn: str, region: str) -> tuple[str, ...]:
    row = "CASE TG_OP WHEN 'DELETE' THEN to_json(OLD) ELSE to_json(NEW) END"
    event = (
        "json_build_object('id', gen_random_uuid(), 'table', TG_TABLE_NAME, 'operation', TG_OP, 'row', "
        f"{row})"
    )
    arn = f"aws_commons.create_lambda_function_arn('{function_arn}', '{region}')"
    # with a search path of its own, nobody who may create objects can slip one under the owner's rights
    function = (
        f"CREATE OR REPLACE FUNCTION report_{table}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
        "SET search_path = pg_catalog, pg_temp AS "
        f"$$ BEGIN PERFORM aws_lambda.invoke({arn}, {event}, 'Event'); RETURN NULL; END $$"
    )
    trigger = (
        f"CREATE TRIGGER report_{table} AFTER INSERT OR UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION report_{table}()"
    )
    return function, f"DROP TRIGGER IF EXISTS report_{table} ON {table}", trigger


def _mysql(table: str, function_arn: str, columns: Sequence[str]) -> tuple[str, ...]:
    statements: list[str] = []
    for operation in ("INSERT", "UPDATE", "DELETE"):
        row = "OLD" if operation == "DELETE" else "NEW"
        pairs = ", ".join(f"'{column}', {row}.{column}" for column in columns)
        name = f"report_{table}_{operation.lower()}"
        event = (
            f"JSON_OBJECT('id', UUID(), 'table', '{table}', 'operation', '{operation}', "
            f"'row', JSON_OBJECT({pairs}))"
        )
        body = f"DECLARE taken LONGBLOB; SET taken = lambda_async('{function_arn}', {event});"
        statements += [
            f"DROP TRIGGER IF EXISTS {name}",
            f"CREATE TRIGGER {name} AFTER {operation} ON {table} FOR EACH ROW BEGIN {body} END",
        ]
    return tuple(statements)
