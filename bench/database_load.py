"""Many functions at one database, directly and through the proxy's pool: errors, connections, latency.

`python -m bench.database_load`. It needs pgbouncer (`apt-get install pgbouncer`).

Both ways lead to the same PostgreSQL of the embedded AWS, which takes 100 connections (about 1 GiB of
memory by RDS's formula), over TLS, in the same run: directly with a password, through the proxy with an
IAM token each. An environment keeps its connection between invocations, as Lambda does; an invocation is
one transaction that inserts a row and takes 10 ms. Clients and server share this machine, so latencies
compare, and do not count.
"""

from __future__ import annotations

import asyncio
import collections
import json
import os
import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import psycopg
from rich.console import Console
from rich.table import Table

from lambda_patterns.local.database.pooler import program
from lambda_patterns.local.embedded import EmbeddedAws

if TYPE_CHECKING:
    from collections.abc import Callable

ENVIRONMENTS, INVOCATIONS = 200, 10
PAUSE = 0.1
PASSWORD = "bench-bench-bench"  # noqa: S105  # of a database that lives for a minute
STATEMENTS = ("INSERT INTO events (k) VALUES (%s)", "SELECT pg_sleep(0.01)")


def _template() -> dict[str, Any]:
    trust = {
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "rds.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ]
    }
    read = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": {"Ref": "Secret"}}
    connect = {"Effect": "Allow", "Action": "rds-db:connect", "Resource": "*"}
    secret = json.dumps({"username": "app", "password": PASSWORD})
    return {
        "Resources": {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
            **{
                f"Subnet{number}": {
                    "Type": "AWS::EC2::Subnet",
                    "Properties": {
                        "VpcId": {"Ref": "Vpc"},
                        "CidrBlock": f"10.0.{number}.0/24",
                        "AvailabilityZone": {"Fn::Select": [number, {"Fn::GetAZs": ""}]},
                    },
                }
                for number in (0, 1)
            },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": trust,
                    "Policies": [{"PolicyName": "own", "PolicyDocument": {"Statement": [read, connect]}}],
                },
            },
            "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": secret}},
            "Orders": {
                "Type": "AWS::RDS::DBInstance",
                "Properties": {
                    "DBInstanceClass": "db.t4g.micro",
                    "AllocatedStorage": "20",
                    "Engine": "postgres",
                    "EngineVersion": "18.3",
                    "DBName": "orders",
                    "MasterUsername": "app",
                    "MasterUserPassword": PASSWORD,
                },
            },
            "Proxy": {
                "Type": "AWS::RDS::DBProxy",
                "Properties": {
                    "DBProxyName": "orders",
                    "EngineFamily": "POSTGRESQL",
                    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    "RequireTLS": True,
                    "VpcSubnetIds": [{"Ref": "Subnet0"}, {"Ref": "Subnet1"}],
                    "Auth": [
                        {"AuthScheme": "SECRETS", "IAMAuth": "REQUIRED", "SecretArn": {"Ref": "Secret"}}
                    ],
                },
            },
            "Targets": {
                "Type": "AWS::RDS::DBProxyTargetGroup",
                "Properties": {
                    "DBProxyName": {"Ref": "Proxy"},
                    "TargetGroupName": "default",
                    "DBInstanceIdentifiers": [{"Ref": "Orders"}],
                    "ConnectionPoolConfigurationInfo": {
                        "MaxConnectionsPercent": 25,
                        "ConnectionBorrowTimeout": 60,
                    },
                },
            },
        },
        "Outputs": {
            "Database": {"Value": {"Fn::GetAtt": ["Orders", "Endpoint.Address"]}},
            "Proxy": {"Value": {"Fn::GetAtt": ["Proxy", "Endpoint"]}},
            "Role": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}},
        },
    }


@dataclass
class Load:
    """One way to the database, and what came of it."""

    name: str
    host: str
    password: Callable[[], str]
    connected: list[float] = field(default_factory=list)
    done: list[float] = field(default_factory=list)
    errors: collections.Counter[str] = field(default_factory=collections.Counter)
    most: int = 0
    seconds: float = 0


class Bench:
    """The database, seen by its administrator, and the loads on it."""

    def __init__(self, aws: EmbeddedAws) -> None:
        formation = aws.client("cloudformation")
        formation.create_stack(
            StackName="Bench", TemplateBody=json.dumps(_template()), Capabilities=["CAPABILITY_IAM"]
        )
        formation.get_waiter("stack_create_complete").wait(StackName="Bench", WaiterConfig={"Delay": 1})
        stack = formation.describe_stacks(StackName="Bench")["Stacks"][0]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        keys = aws.client("sts").assume_role(RoleArn=outputs["Role"], RoleSessionName="bench")["Credentials"]
        session = boto3.Session(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], aws.region
        )
        signer = session.client("rds")

        def token() -> str:
            signed: str = signer.generate_db_auth_token(
                DBHostname=outputs["Proxy"], Port=5432, DBUsername="app", Region=aws.region
            )
            return signed

        self.authority = str(aws.server.folder / "database-authority.pem")
        folder = aws.server.folder / "database-1"
        port = next(path.name for path in folder.glob(".s.PGSQL.*") if path.suffix != ".lock").rpartition(
            "."
        )[2]
        self.administrator = f"host={folder} port={port} user=rdsadmin dbname=orders"
        self.loads = (
            Load("direct", outputs["Database"], lambda: PASSWORD),
            Load("through the proxy", outputs["Proxy"], token),
        )
        with psycopg.connect(self.administrator, autocommit=True) as connection:
            connection.execute("CREATE TABLE events (k text)")
            connection.execute("GRANT INSERT ON events TO app")

    async def run(self, load: Load) -> None:
        """Run all environments at once."""
        ended = asyncio.Event()
        watch = asyncio.create_task(self._watch(load, ended))
        started = time.perf_counter()
        await asyncio.gather(*(self._environment(load, number) for number in range(ENVIRONMENTS)))
        load.seconds = time.perf_counter() - started
        ended.set()
        await watch

    async def _environment(self, load: Load, number: int) -> None:
        connection: psycopg.AsyncConnection[Any] | None = None
        for count in range(INVOCATIONS):
            started = time.perf_counter()
            try:
                if connection is None:
                    connection = await psycopg.AsyncConnection.connect(
                        host=load.host,
                        port=5432,
                        user="app",
                        password=load.password(),
                        dbname="orders",
                        sslmode="verify-full",
                        sslrootcert=self.authority,
                        autocommit=True,
                        prepare_threshold=None,
                        connect_timeout=60,
                    )
                    load.connected.append(time.perf_counter() - started)
                    started = time.perf_counter()
                async with connection.transaction():
                    await connection.execute(STATEMENTS[0], (f"{number}-{count}",))
                    await connection.execute(STATEMENTS[1])
                load.done.append(time.perf_counter() - started)
            except psycopg.Error as error:
                load.errors[str(error).strip().splitlines()[-1].rpartition("FATAL:")[2].strip()[:60]] += 1
                if connection is not None:
                    await connection.close()
                connection = None
            await asyncio.sleep(PAUSE)
        if connection is not None:
            await connection.close()

    async def _watch(self, load: Load, ended: asyncio.Event) -> None:
        async with await psycopg.AsyncConnection.connect(self.administrator, autocommit=True) as connection:
            while not ended.is_set():
                cursor = await connection.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'"
                )
                row = await cursor.fetchone()
                load.most = max(load.most, row[0] if row else 0)
                await asyncio.sleep(0.05)


def _percentiles(values: list[float]) -> str:
    if len(values) < 2:  # noqa: PLR2004  # two points make a quantile
        return "-"
    marks = statistics.quantiles(values, n=100)
    return f"{marks[49] * 1000:,.0f} / {marks[94] * 1000:,.0f}"


def main() -> None:
    """Measure and print."""
    if program() is None:
        print("pgbouncer is not installed: there is no pool to measure; apt-get install pgbouncer")
        sys.exit(2)
    table = Table(
        title=f"{ENVIRONMENTS} environments x {INVOCATIONS} invocations, at most 100 connections, "
        f"{os.cpu_count()} cores"
    )
    for column in (
        "",
        "done",
        "errors",
        "most server connections",
        "connect p50 / p95 ms",
        "transaction p50 / p95 ms",
        "s",
    ):
        table.add_column(column, justify="right" if column else "left")
    with EmbeddedAws() as aws:
        bench = Bench(aws)
        for load in bench.loads:
            asyncio.run(bench.run(load))
            total = ENVIRONMENTS * INVOCATIONS
            failed = sum(load.errors.values())
            assert len(load.done) + failed == total
            table.add_row(
                load.name,
                f"{len(load.done):,}",
                f"{failed:,} ({failed / total:.0%})",
                str(load.most),
                _percentiles(load.connected),
                _percentiles(load.done),
                f"{load.seconds:.1f}",
            )
    console = Console(width=120)
    console.print(table)
    for load in bench.loads:
        for said, count in load.errors.most_common(3):
            console.print(f"{load.name}: {count:,} x {said}")


if __name__ == "__main__":
    main()
