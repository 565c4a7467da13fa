"""Paths of a CDK app, asserted in its own tests."""

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_

from lambda_patterns.constructs import Endpoints, LambdaNetwork, VpcFunction
from lambda_patterns.testing import assembly_of, assert_blocked, assert_reaches

pytestmark = pytest.mark.cdk


@pytest.fixture(scope="module")
def app() -> App:
    app = App()
    stack = Stack(app, "Orders")
    VpcFunction(
        stack,
        "ShipOrder",
        network=LambdaNetwork(stack, "Network", internet=Endpoints("secretsmanager")),
        needs=["secretsmanager"],
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
    )
    return app


def test_a_function_is_named_by_its_construct_path(app: App) -> None:
    assert_reaches(assembly_of(app), "Orders/ShipOrder", "secretsmanager")
    assert_blocked(assembly_of(app), "Orders/ShipOrder", "internet")


def test_a_path_that_is_not_as_asserted_is_shown_hop_by_hop(app: App) -> None:
    with pytest.raises(AssertionError, match=r"(?s)expected reached, but:.*NO_ROUTE_TO_DESTINATION"):
        assert_reaches(assembly_of(app), "Orders/ShipOrder", "internet")
