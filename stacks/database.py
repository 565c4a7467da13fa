"""A database behind a proxy, a function that queries it, and one that the database calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_rds as rds

from lambda_patterns.constructs import (
    DatabaseInvoke,
    Endpoints,
    LambdaNetwork,
    NewInstance,
    OnFailureQueue,
    PlainFunction,
    ProxiedDatabase,
    ProxyMonitoring,
    VpcFunction,
)
from lambda_patterns.constructs.acknowledgements import acknowledge
from lambda_patterns.constructs.python_package import python_package
from stacks.alarm_topic import alarm_topic
from stacks.handlers import ASKED_AND_ANSWERED, FUNCTIONS, handler_code
from stacks.table import recoverable_table

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from constructs import Construct

ORDERS_TABLE = """CREATE TABLE IF NOT EXISTS orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer text NOT NULL,
    item text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    placed_at timestamptz NOT NULL DEFAULT now()
)"""
ORDERS_INDEX = "CREATE INDEX IF NOT EXISTS orders_of_customer ON orders (customer, placed_at DESC)"


class DatabaseStack(Stack):
    """Functions reach PostgreSQL through a proxy with IAM tokens; changed rows reach a function.

    Nothing of it leads to the internet: Secrets Manager (for the rotation and the preparation) and
    Lambda (for the database) are met through endpoints.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        network = LambdaNetwork(self, "Network", internet=Endpoints("secretsmanager", "lambda"))
        topic = alarm_topic(self, "Alarms")
        self.database = ProxiedDatabase(
            self,
            "Orders",
            network=network,
            database=NewInstance(
                engine=rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_18_3)
            ),
            users=["app"],
            database_name="orders",
        )
        ProxyMonitoring(self, "Monitoring", database=self.database, alarm_actions=[actions.SnsAction(topic)])
        # one package with two handlers: the second writes
        package = python_package(FUNCTIONS / "query_orders")
        for name, handler in {"QueryOrders": "handler", "PlaceOrder": "place_order"}.items():
            function = VpcFunction(
                self, name, code=package.code, handler=f"{handler}.handler", network=network
            )
            self.database.connect(function, user="app")
            acknowledge(function, ASKED_AND_ANSWERED)
        events = recoverable_table(self, "Events")
        self._lister(events)
        self.record = self._recorder(events, OnFailureQueue(self, "Failures", alarm_topic=topic))
        invoke = DatabaseInvoke(self, "RowEvents", database=self.database, function=self.record)
        self._prepare(network, invoke)

    def _lister(self, events: dynamodb.Table) -> None:
        lister = PlainFunction(
            self,
            "ListEvents",
            code=handler_code("list_events"),
            handler="handler.handler",
            environment={"EVENTS_TABLE": events.table_name},
        )
        lister.add_to_role_policy(
            iam.PolicyStatement(actions=["dynamodb:Scan"], resources=[events.table_arn])
        )
        acknowledge(lister, ASKED_AND_ANSWERED)

    def _recorder(self, events: dynamodb.Table, failures: OnFailureQueue) -> PlainFunction:
        record = PlainFunction(
            self,
            "RecordEvent",
            code=handler_code("record_event"),
            handler="handler.handler",
            on_failure=failures,
            environment={"EVENTS_TABLE": events.table_name},
        )
        record.add_to_role_policy(
            iam.PolicyStatement(actions=["dynamodb:PutItem"], resources=[events.table_arn])
        )
        record.declare_asynchronous("$LATEST")
        return record

    def _prepare(self, network: LambdaNetwork, invoke: DatabaseInvoke) -> None:
        prepare = VpcFunction(
            self,
            "PrepareDatabase",
            code=python_package(FUNCTIONS / "prepare_database").code,
            handler="handler.handler",
            network=network,
            needs=["secretsmanager"],
            timeout=Duration.minutes(2),
        )
        acknowledge(prepare, ASKED_AND_ANSWERED)
        prepared = self.database.prepare(
            prepare,
            schema=[
                ORDERS_TABLE,
                ORDERS_INDEX,
                *invoke.setup_statements,
                *invoke.trigger_statements("orders"),
            ],
        )
        prepared.node.add_dependency(invoke)
