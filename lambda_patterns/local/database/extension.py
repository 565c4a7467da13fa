"""The extensions aws_commons and aws_lambda, as far as SQL sees them: what they call is `invoking`.

A function of SQL cannot open a connection, so this one runs a program that speaks to the embedded AWS on
loopback: bash, which every account may run, where the interpreter of this process may be out of its reach.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from lambda_patterns.local.database import account
from lambda_patterns.local.settings import HOST

if TYPE_CHECKING:
    from pathlib import Path

# One line each way: the password and the request in base64, the answer in base64.
_CLIENT = """exec 3<>/dev/tcp/{host}/{port}
printf '%s %s\\n' '{password}' "$1" >&3
read -r answer <&3
printf '%s\\n' "$answer"
"""

_COMMONS = """CREATE TYPE _lambda_function_arn_1 AS (function_name text, region text);
CREATE FUNCTION create_lambda_function_arn(function_name text, region text DEFAULT NULL)
  RETURNS _lambda_function_arn_1 LANGUAGE sql IMMUTABLE
  AS $$ SELECT row(function_name, region)::aws_commons._lambda_function_arn_1 $$;
CREATE FUNCTION _call(request json) RETURNS json LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp AS $body$
DECLARE line text; answer json;
BEGIN
  CREATE TEMPORARY TABLE IF NOT EXISTS aws_lambda_answer (line text);
  DELETE FROM pg_temp.aws_lambda_answer;
  EXECUTE format('COPY pg_temp.aws_lambda_answer FROM PROGRAM %L',
    {command} || translate(encode(convert_to(request::text, 'UTF8'), 'base64'), E'\\n', ''));
  SELECT a.line INTO line FROM pg_temp.aws_lambda_answer a;
  answer := convert_from(decode(line, 'base64'), 'UTF8')::json;
  IF answer ->> 'error' IS NOT NULL THEN RAISE EXCEPTION '%', answer ->> 'error'; END IF;
  RETURN answer;
END $body$;
REVOKE ALL ON FUNCTION _call(json) FROM PUBLIC;
GRANT USAGE ON SCHEMA aws_commons TO PUBLIC;
"""

_LAMBDA = """CREATE FUNCTION invoke(function_name text, payload json, region text DEFAULT NULL,
    invocation_type text DEFAULT 'RequestResponse', log_type text DEFAULT 'None', context json DEFAULT NULL,
    qualifier varchar(128) DEFAULT NULL,
    OUT status_code int, OUT payload json, OUT executed_version text, OUT log_result text)
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
  SELECT (a ->> 'status')::int, nullif(a ->> 'payload', '')::json, a ->> 'version', NULL::text
    FROM aws_commons._call(
      json_build_object('function', $1, 'payload', $2::text, 'type', $4, 'qualifier', $7)) a
  $body$;
CREATE FUNCTION invoke(function_name aws_commons._lambda_function_arn_1, payload json,
    invocation_type text DEFAULT 'RequestResponse', log_type text DEFAULT 'None', context json DEFAULT NULL,
    qualifier varchar(128) DEFAULT NULL,
    OUT status_code int, OUT payload json, OUT executed_version text, OUT log_result text)
  LANGUAGE sql AS $body$
  SELECT * FROM aws_lambda.invoke(($1).function_name, $2, ($1).region, $3, $4, $5, $6) $body$;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA aws_lambda FROM PUBLIC;
GRANT USAGE ON SCHEMA aws_lambda TO rds_superuser WITH GRANT OPTION;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA aws_lambda TO rds_superuser WITH GRANT OPTION;
"""


def write(folder: Path, port: int, password: str) -> None:
    """Write the extensions below `folder`, where `extension_control_path` finds them.

    Args:
        folder: the server's folder.
        port: where on loopback `invoking` listens.
        password: what it asks for.
    """
    client = folder / "invoke.sh"
    account.give(client, _CLIENT.format(host=HOST, port=port, password=password))
    home = account.own(folder / "extension")
    line = f"bash {shlex.quote(str(client))} ".replace("'", "''")
    command = f"'{line}'"
    for name, script, needs in (
        ("aws_commons", _COMMONS.replace("{command}", command), ""),
        ("aws_lambda", _LAMBDA, "requires = 'aws_commons'\n"),
    ):
        # trusted: the master user, who is no superuser, may create it, and its functions are the superuser's
        control = f"default_version = '1.0'\nschema = {name}\ntrusted = true\nrelocatable = false\n{needs}"
        account.give(home / f"{name}.control", control)
        account.give(home / f"{name}--1.0.sql", script)
