"""How long a database waits when it calls a function: synchronous, asynchronous, by a trigger on each row.

`python -m bench.database_calls`. Beside them, in the same run, stand the same calls made by boto3 from
outside, which is what a function's caller waits at least.
"""

from __future__ import annotations

import io
import json
import statistics
import time
import zipfile
from typing import TYPE_CHECKING, Any

import psycopg
from rich.console import Console
from rich.table import Table

from lambda_patterns.local.embedded import EmbeddedAws

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 50
ROWS = 20
PASSWORD = "bench-bench-bench"  # noqa: S105  # of a database that lives for a minute
CODE = "def handler(event, context):\n    return {'taken': event}\n"
TRIGGER = """
CREATE FUNCTION report() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
  PERFORM aws_lambda.invoke('{arn}', json_build_object('row', to_json(NEW)), 'us-east-1', 'Event');
  RETURN NULL; END $$
"""


def _template(function_arn: str) -> dict[str, Any]:
    invoke = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": function_arn}
    trust = {"Effect": "Allow", "Principal": {"Service": "rds.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": {"Statement": [trust]},
                    "Policies": [{"PolicyName": "own", "PolicyDocument": {"Statement": [invoke]}}],
                },
            },
            "Orders": {
                "Type": "AWS::RDS::DBInstance",
                "Properties": {
                    "DBInstanceClass": "db.t4g.micro",
                    "AllocatedStorage": "20",
                    "Engine": "postgres",
                    "EngineVersion": "18.3",
                    "DBName": "orders",
                    "MasterUsername": "owner",
                    "MasterUserPassword": PASSWORD,
                    "AssociatedRoles": [
                        {"FeatureName": "Lambda", "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}
                    ],
                },
            },
        },
        "Outputs": {"Address": {"Value": {"Fn::GetAtt": ["Orders", "Endpoint.Address"]}}},
    }


def _function(aws: EmbeddedAws) -> str:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        package.writestr("index.py", CODE)
    created = aws.client("lambda").create_function(
        FunctionName="taken",
        Runtime="python3.13",
        Handler="index.handler",
        Role="arn:aws:iam::000000000000:role/bench",
        Code={"ZipFile": content.getvalue()},
    )
    return str(created["FunctionArn"])


def _median(work: Callable[[], object], runs: int = RUNS) -> float:
    work()
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1000


def main() -> None:
    """Measure and print."""
    with EmbeddedAws() as aws:
        arn, formation, lam = _function(aws), aws.client("cloudformation"), aws.client("lambda")
        formation.create_stack(
            StackName="Bench", TemplateBody=json.dumps(_template(arn)), Capabilities=["CAPABILITY_IAM"]
        )
        formation.get_waiter("stack_create_complete").wait(StackName="Bench", WaiterConfig={"Delay": 1})
        stack = formation.describe_stacks(StackName="Bench")["Stacks"][0]
        with psycopg.connect(
            host=stack["Outputs"][0]["OutputValue"],
            port=5432,
            user="owner",
            password=PASSWORD,
            dbname="orders",
            autocommit=True,
            sslmode="verify-full",
            sslrootcert=str(aws.server.folder / "database-authority.pem"),
        ) as connection:
            connection.execute("CREATE EXTENSION aws_lambda CASCADE")
            connection.execute("CREATE TABLE orders (id int)")
            connection.execute(TRIGGER.format(arn=arn).encode())
            connection.execute(
                "CREATE TRIGGER report AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION report()"
            )

            def call(kind: str) -> None:
                row = connection.execute(
                    "SELECT status_code FROM aws_lambda.invoke(%s, '{}'::json, 'us-east-1', %s)", (arn, kind)
                ).fetchone()
                assert row == (200 if kind == "RequestResponse" else 202,)

            def invoke(kind: Any) -> None:  # noqa: ANN401  # one of boto3's literals
                lam.invoke(FunctionName=arn, InvocationType=kind, Payload="{}")

            def insert() -> None:
                connection.execute("INSERT INTO orders SELECT generate_series(1, %s)", (ROWS,))

            table = Table(title=f"median of {RUNS}, warm")
            for column in ("", "from SQL ms", "from boto3 ms", "SQL / boto3"):
                table.add_column(column, justify="right" if column else "left")
            for kind in ("RequestResponse", "Event"):
                ours, theirs = _median(lambda k=kind: call(k)), _median(lambda k=kind: invoke(k))  # type: ignore[misc]  # a default holds the kind
                table.add_row(kind, f"{ours:.1f}", f"{theirs:.1f}", f"{ours / theirs:.2f}")
            ours = _median(insert, 10)
            theirs = _median(lambda: [invoke("Event") for _ in range(ROWS)], 10)
            table.add_row(f"trigger, {ROWS} rows", f"{ours:.1f}", f"{theirs:.1f}", f"{ours / theirs:.2f}")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
