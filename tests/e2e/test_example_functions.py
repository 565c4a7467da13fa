"""The examples of packages, aliases and triggers, deployed by the real cdk and invoked as callers do."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lambda_patterns.local.cdk import Cdk
from lambda_patterns.local.embedded import EmbeddedAws

pytestmark = [pytest.mark.e2e, pytest.mark.cdk]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as aws:
        cdk = Cdk(aws, ROOT, tmp_path_factory.mktemp("examples"))
        cdk.synthesize()
        cdk.bootstrap()
        with cdk.deploying("ReadyFunction", "Triggers") as process:
            process.wait()
        yield aws


def physical(aws: EmbeddedAws, stack: str, kind: str, start: str) -> str:
    resources = aws.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    (found,) = (
        each["PhysicalResourceId"]
        for each in resources
        if each["ResourceType"] == kind and each["LogicalResourceId"].startswith(start)
    )
    name: str = found
    return name


def test_the_node_package_answers_through_its_alias_and_reports_what_it_could_not_settle(
    deployed: EmbeddedAws,
) -> None:
    name = physical(deployed, "ReadyFunction", "AWS::Lambda::Function", "SettleOrders")
    good = {"messageId": "1", "body": json.dumps({"id": "a", "lines": [{"quantity": 2, "price": "3.50"}]})}
    event = {"Records": [good, {"messageId": "2", "body": "{"}]}
    answer = deployed.client("lambda").invoke(FunctionName=name, Qualifier="live", Payload=json.dumps(event))
    assert answer["ExecutedVersion"] == "1"
    assert json.loads(answer["Payload"].read()) == {"batchItemFailures": [{"itemIdentifier": "2"}]}


def test_an_event_of_the_bus_invokes_the_alias_with_its_detail(
    deployed: EmbeddedAws, eventually: Callable[..., Any]
) -> None:
    entry = {"Source": "shop", "DetailType": "OrderPaid", "Detail": '{"id": "order-17", "items": ["book"]}'}
    assert deployed.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    bucket = physical(deployed, "Triggers", "AWS::S3::Bucket", "Orders")
    s3 = deployed.client("s3")
    keys = eventually(lambda: [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])])
    assert keys == ["orders/order-17.json"]
