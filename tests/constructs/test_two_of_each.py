"""Two of every construct live in one stack: no id, name or export of theirs is taken twice."""

import inspect
from collections import Counter
from pathlib import Path

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk import aws_sns as sns
from constructs import Construct

from lambda_patterns import constructs
from lambda_patterns.constructs import (
    DatabaseInvoke,
    EdgeFunction,
    Endpoints,
    FailureMonitoring,
    FailureReprocessor,
    FixedConcurrency,
    ImportedDatabaseProxy,
    LambdaNetwork,
    NatGateways,
    NewInstance,
    OnFailureQueue,
    PlainFunction,
    ProvisionedAlias,
    ProxiedDatabase,
    ProxyMonitoring,
    QueueConsumer,
    TopicSubscription,
    ViewerFunction,
    VpcFunction,
)
from lambda_patterns.testing import synthesize
from tests.constructs.template_queries import code

pytestmark = pytest.mark.cdk

PAGE = Path(__file__).parents[2] / "functions" / "rewrite_index" / "index.js"
POSTGRES = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_18_3)


def of_each_one(stack: Stack, name: str, network: LambdaNetwork) -> None:
    """Make one of every construct, connected to one another."""
    failures = OnFailureQueue(stack, f"Failures{name}")
    ship = VpcFunction(stack, f"Ship{name}", network=network, on_failure=failures, **code())
    record = PlainFunction(stack, f"Record{name}", on_failure=failures, **code())
    reader = PlainFunction(stack, f"Read{name}", **code())
    database = ProxiedDatabase(
        stack,
        f"Orders{name}",
        network=network,
        database=NewInstance(engine=POSTGRES),
        users=["app"],
        database_name="orders",
    )
    database.connect(ship, user="app")
    elsewhere = ImportedDatabaseProxy(
        stack,
        f"Elsewhere{name}",
        proxy_arn=f"arn:aws:rds:us-east-1:123456789012:db-proxy:prx-0{name.lower()}",
        proxy_endpoint=f"{name.lower()}.proxy-x.us-east-1.rds.amazonaws.com",
        engine_family="POSTGRESQL",
        security_groups=[
            ec2.SecurityGroup.from_security_group_id(stack, f"Group{name}", "sg-0123456789abcdef0")
        ],
        users=["app"],
        database_name="orders",
    )
    elsewhere.connect(ship, user="app", environment_prefix="ELSEWHERE")
    ProxyMonitoring(stack, f"Proxy{name}", database=database)
    DatabaseInvoke(stack, f"Rows{name}", database=database, function=record)
    QueueConsumer(stack, f"Work{name}", function=reader)
    topic = sns.Topic(stack, f"Topic{name}")
    TopicSubscription(stack, f"Subscription{name}", topic=topic, target=record)
    FailureReprocessor(stack, f"Reprocessor{name}", failures=failures, functions=[ship, record])
    FailureMonitoring(stack, f"Monitoring{name}", functions={"Ship": ship}, drained={"Failures": failures})
    ProvisionedAlias(stack, f"Ready{name}", function=ship, concurrency=FixedConcurrency(2))
    ViewerFunction(stack, f"Viewer{name}", file=PAGE)
    origin = cloudfront.LambdaEdgeEventType.ORIGIN_REQUEST
    EdgeFunction(stack, f"Edge{name}", event=origin, **code())


def test_two_of_every_construct_live_in_one_stack(app: App) -> None:
    stack = Stack(app, "Both", env=Environment(account="123456789012", region="us-east-1"))
    network = LambdaNetwork(stack, "Network", internet=Endpoints("secretsmanager", "lambda"))
    LambdaNetwork(stack, "OtherNetwork", internet=NatGateways(sharing="one"))
    for name in "AB":
        of_each_one(stack, name, network)
    made = Counter(type(construct) for construct in stack.node.find_all())
    public = {
        thing
        for thing in vars(constructs).values()
        if inspect.isclass(thing)
        and issubclass(thing, Construct)
        and thing.__module__.startswith("lambda_patterns")
    }
    assert VpcFunction in public
    assert [one.__name__ for one in public if made[one] < 2] == []
    assert synthesize(stack)["Resources"]
