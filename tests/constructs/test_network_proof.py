"""What each way out promises is proved from the routes, groups and endpoints that it makes."""

from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2

from lambda_patterns.constructs import (
    EgressOnlyGateway,
    Endpoints,
    Isolated,
    LambdaNetwork,
    NatGateways,
    NatInstances,
    VpcFunction,
)
from lambda_patterns.model.assembly import from_templates
from lambda_patterns.model.deployment import Settings
from lambda_patterns.model.network import Internet, Service, Verdict
from lambda_patterns.testing import synthesize
from tests.constructs.template_queries import code

pytestmark = pytest.mark.cdk


def verdicts(stack: Stack, *targets: str) -> dict[str, Verdict]:
    """Where the function of `stack` gets to, in the one deployment that there is."""
    (deployment,) = from_templates({"Stack": synthesize(stack)}).deployments(Settings())
    (function,) = [
        one for one in deployment.of_type("AWS::Lambda::Function") if one.get("VpcConfig") is not None
    ]
    return {
        target: deployment.network.trace(
            function, Internet() if target == "internet" else Service(target), 443
        ).verdict
        for target in targets
    }


@pytest.mark.parametrize(
    "way",
    [
        NatGateways(),
        NatGateways(sharing="one"),
        NatGateways(sharing="regional"),
        NatInstances(),
        NatInstances(per_zone=True),
        EgressOnlyGateway(),
    ],
)
def test_a_function_that_calls_the_internet_reaches_it(stack: Stack, way: Any) -> None:
    network = LambdaNetwork(stack, "Network", internet=way)
    VpcFunction(stack, "Fetch", network=network, internet=True, **code())
    assert verdicts(stack, "internet") == {"internet": Verdict.REACHED}


@pytest.mark.parametrize("way", [NatGateways(), NatInstances()])
def test_a_function_that_declares_nothing_reaches_nothing(stack: Stack, way: Any) -> None:
    VpcFunction(stack, "Fetch", network=LambdaNetwork(stack, "Network", internet=way), **code())
    assert verdicts(stack, "internet", "s3", "sqs") == dict.fromkeys(
        ("internet", "s3", "sqs"), Verdict.BLOCKED
    )


@pytest.mark.parametrize("way", [Endpoints, Isolated])
def test_with_endpoints_it_reaches_what_it_needs_and_not_what_another_does(
    stack: Stack, way: type[Endpoints]
) -> None:
    network = LambdaNetwork(stack, "Network", internet=way("secretsmanager", "sqs", "s3"))
    VpcFunction(stack, "Fetch", network=network, needs=["secretsmanager", "s3"], **code())
    assert verdicts(stack, "secretsmanager", "s3", "sqs", "sns", "internet") == {
        "secretsmanager": Verdict.REACHED,
        "s3": Verdict.REACHED,
        "sqs": Verdict.BLOCKED,
        "sns": Verdict.BLOCKED,
        "internet": Verdict.BLOCKED,
    }


def test_beside_the_groups_that_it_may_call_a_function_is_let_out_to_nothing(stack: Stack) -> None:
    network = LambdaNetwork(stack, "Network", internet=Endpoints("secretsmanager", "sqs"))
    VpcFunction(stack, "Fetch", network=network, needs=["secretsmanager"], **code())
    network.vpc.add_interface_endpoint("Sns", service=ec2.InterfaceVpcEndpointAwsService.SNS)
    assert verdicts(stack, "secretsmanager", "sns") == {
        "secretsmanager": Verdict.REACHED,
        "sns": Verdict.BLOCKED,
    }
