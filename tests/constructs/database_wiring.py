"""Every wiring of a database and a function: engine, new or imported, one stack or two, secret or IAM."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager

from lambda_patterns.constructs.database_sources import NewCluster, NewInstance
from lambda_patterns.constructs.function import VpcFunction
from lambda_patterns.constructs.network import LambdaNetwork
from lambda_patterns.constructs.proxied_database import ProxiedDatabase
from lambda_patterns.constructs.ways_out import Endpoints
from lambda_patterns.errors import ArgumentError

ENVIRONMENT = Environment(account="123456789012", region="eu-central-1")
ENGINES: dict[str, Any] = {
    "postgres": lambda: rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_17),
    "mysql": lambda: rds.DatabaseInstanceEngine.mysql(version=rds.MysqlEngineVersion.VER_8_4_7),
    "mariadb": lambda: rds.DatabaseInstanceEngine.maria_db(version=rds.MariaDbEngineVersion.VER_11_8_6),
    "aurora-postgresql": lambda: rds.DatabaseClusterEngine.aurora_postgres(
        version=rds.AuroraPostgresEngineVersion.VER_16_6
    ),
    "aurora-mysql": lambda: rds.DatabaseClusterEngine.aurora_mysql(
        version=rds.AuroraMysqlEngineVersion.VER_3_08_0
    ),
}
PORTS = {"postgres": 5432, "mysql": 3306, "mariadb": 3306, "aurora-postgresql": 5432, "aurora-mysql": 3306}
IMPORTED_PORT = 6000


@dataclass
class Wiring:
    """One app: `data` holds the database, `code` the function (the same stack, or another)."""

    app: App
    data: Stack
    code: Stack
    network: LambdaNetwork
    database: ProxiedDatabase
    function: VpcFunction

    def template(self, stack: Stack) -> dict[str, Any]:
        template: dict[str, Any] = self.app.synth().get_stack_by_name(stack.stack_name).template
        return template

    def of_type(self, stack: Stack, kind: str) -> dict[str, Any]:
        resources = self.template(stack)["Resources"]
        return {name: found["Properties"] for name, found in resources.items() if found["Type"] == kind}


def data_stack(app: App, name: str = "Data") -> Stack:
    return Stack(app, name, env=ENVIRONMENT)


def network_of(stack: Stack) -> LambdaNetwork:
    return LambdaNetwork(
        stack,
        "Network",
        internet=Endpoints("secretsmanager", "lambda"),
        zones=["eu-central-1a", "eu-central-1b"],
    )


def imported_database(stack: Stack, engine: str) -> Any:
    group = ec2.SecurityGroup.from_security_group_id(stack, "DatabaseGroup", "sg-0123456789abcdef0")
    if engine.startswith("aurora"):
        return rds.DatabaseCluster.from_database_cluster_attributes(
            stack,
            "Imported",
            cluster_identifier="orders",
            cluster_resource_identifier="cluster-ABC",
            engine=ENGINES[engine](),
            port=IMPORTED_PORT,
            security_groups=[group],
        )
    return rds.DatabaseInstance.from_database_instance_attributes(
        stack,
        "Imported",
        instance_identifier="orders",
        instance_endpoint_address="orders.example",
        instance_resource_id="db-ABC",
        engine=ENGINES[engine](),
        port=IMPORTED_PORT,
        security_groups=[group],
    )


def new_database(engine: str, **options: Any) -> NewInstance | NewCluster:
    value = ENGINES[engine]()
    kind: Any = NewCluster if engine.startswith("aurora") else NewInstance
    made: NewInstance | NewCluster = kind(engine=value, **options)
    return made


def function_in(stack: Stack, network: LambdaNetwork, name: str = "Query", **options: Any) -> VpcFunction:
    return VpcFunction(
        stack,
        name,
        code=lambda_.Code.from_inline("def handler(event, context): pass"),
        handler="index.handler",
        network=network,
        **options,
    )


def wire(
    engine: str = "postgres",
    *,
    new: bool = True,
    stacks: int = 1,
    end_to_end: bool = False,
    arguments: Mapping[str, Any] | None = None,
) -> Wiring:
    app = App()
    data = data_stack(app)
    code = data if stacks == 1 else data_stack(app, "Code")
    network = network_of(data)
    scheme = rds.DefaultAuthScheme.IAM_AUTH if end_to_end else rds.DefaultAuthScheme.NONE
    database = ProxiedDatabase(
        data,
        "Orders",
        **{
            "network": network,
            "database": new_database(engine) if new else imported_database(data, engine),
            "users": ["app"],
            "database_name": "orders",
            "default_auth_scheme": scheme,
            **(arguments or {}),
        },
    )
    function = function_in(code, network)
    database.connect(function, user="app")
    return Wiring(app, data, code, network, database, function)


def proxied(stack: Stack, name: str = "Orders", **arguments: Any) -> ProxiedDatabase:
    defaults = {"database": new_database("postgres"), "users": ["app"], "database_name": "orders"}
    network = arguments.pop("network", None) or network_of(stack)
    return ProxiedDatabase(stack, name, network=network, **{**defaults, **arguments})


def secret(stack: Stack, name: str = "Given") -> secretsmanager.ISecret:
    return secretsmanager.Secret.from_secret_complete_arn(
        stack, name, "arn:aws:secretsmanager:eu-central-1:123456789012:secret:app-AbCdEf"
    )


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(ArgumentError) as refused:
        action()
    return str(refused.value)


def seconds(count: float) -> Duration:
    return Duration.seconds(count)
