"""Where a database, its proxy and its rotation stand, and what they reach from there."""

import pytest
from aws_cdk import App
from aws_cdk import aws_ec2 as ec2

from lambda_patterns.constructs.database_placement import Rotation
from lambda_patterns.constructs.network import LambdaNetwork
from lambda_patterns.constructs.ways_out import Endpoints, NatGateways
from tests.constructs.database_wiring import (
    data_stack,
    proxied,
    refusal,
)

pytestmark = pytest.mark.cdk

RDS = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/"


def test_a_rotation_that_would_not_reach_secrets_manager_is_refused() -> None:
    stack = data_stack(App())
    network = LambdaNetwork(
        stack, "Network", internet=Endpoints("sqs"), zones=["eu-central-1a", "eu-central-1b"]
    )
    assert refusal(lambda: proxied(stack, network=network)) == (
        "rotation: its function would not reach Secrets Manager from its subnets, which lead nowhere, "
        "and the passwords would never change: add 'secretsmanager' to the network's Endpoints, or "
        "rotation=None for secrets that nothing rotates "
        "(https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-function-network-access.html)"
    )
    proxied(stack, "Unrotated", network=network, rotation=None)


def test_a_rotation_goes_out_through_nat_where_there_is_one() -> None:
    stack = data_stack(App())
    network = LambdaNetwork(
        stack, "Network", internet=NatGateways(), zones=["eu-central-1a", "eu-central-1b"]
    )
    proxied(stack, network=network)


def test_a_rotation_in_a_plain_vpc_takes_the_endpoint_that_it_is_given() -> None:
    stack = data_stack(App())
    vpc = ec2.Vpc(
        stack,
        "Vpc",
        availability_zones=["eu-central-1a", "eu-central-1b"],
        nat_gateways=0,
        subnet_configuration=[
            ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        ],
    )
    assert "give Rotation(endpoint=...) the interface endpoint" in refusal(
        lambda: proxied(stack, network=vpc)
    )
    endpoint = vpc.add_interface_endpoint(
        "Secrets", service=ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER
    )
    proxied(stack, "Rotated", network=vpc, rotation=Rotation(endpoint=endpoint))


def test_a_zone_alone_and_a_public_subnet_are_refused() -> None:
    stack = data_stack(App())
    vpc = ec2.Vpc(stack, "Vpc", availability_zones=["eu-central-1a", "eu-central-1b"])
    one = ec2.SubnetSelection(availability_zones=["eu-central-1a"])
    public = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)
    assert refusal(lambda: proxied(stack, "One", network=vpc, vpc_subnets=one)) == (
        "vpc_subnets: 1 in 1 zone, needed are two or more in two zones: RDS refuses a proxy in fewer "
        f"({RDS}rds-proxy-network-prereqs.html)"
    )
    assert refusal(lambda: proxied(stack, "Public", network=vpc, vpc_subnets=public)).startswith(
        "vpc_subnets: a public subnet is chosen, allowed are isolated and private ones"
    )
