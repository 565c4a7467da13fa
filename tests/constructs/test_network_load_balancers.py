"""A Network Load Balancer with groups, or, as is legal and common, without: both are one call."""

from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from lambda_patterns.constructs import Isolated, LambdaNetwork, VpcFunction
from lambda_patterns.errors import ArgumentError
from lambda_patterns.testing import synthesize
from tests.constructs.template_queries import code, of_type
from tests.constructs.test_database_findings import findings

pytestmark = pytest.mark.cdk
FRANKFURT = Environment(account="123456789012", region="eu-central-1")
EGRESS, INGRESS = "AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress"


@pytest.fixture
def base(app: App) -> Stack:
    return Stack(app, "Base", env=FRANKFURT)


@pytest.fixture
def network(base: Stack) -> LambdaNetwork:
    return LambdaNetwork(base, "Network", internet=Isolated(), zones=["eu-central-1a", "eu-central-1b"])


def balancer_in(
    stack: Stack, network: LambdaNetwork, groups: list[ec2.ISecurityGroup] | None = None
) -> elbv2.NetworkListener:
    balancer = elbv2.NetworkLoadBalancer(
        stack,
        "Internal",
        vpc=network.vpc,
        vpc_subnets=network.subnets,
        security_groups=groups,
        disable_security_groups=None if groups else True,
    )
    backend = elbv2.NetworkTargetGroup(
        stack, "Backend", vpc=network.vpc, port=8080, target_type=elbv2.TargetType.IP
    )
    return balancer.add_listener("Tcp", port=8080, default_target_groups=[backend])


def function_in(stack: Stack, network: LambdaNetwork, name: str = "Fetch") -> VpcFunction:
    return VpcFunction(stack, name, network=network, **code())


def ranges(template: dict[str, Any], name: str) -> list[tuple[str, int | None]]:
    """The ranges with their ports in the inline egress of a group."""
    groups = template["Resources"].items()
    (found,) = [
        one["Properties"] for key, one in groups if key.startswith(name) and "VpcId" in one["Properties"]
    ]
    rules = [*found.get("SecurityGroupEgress", []), *found.get("SecurityGroupIngress", [])]
    closed = ("127.0.0.1/32", "255.255.255.255/32")
    return [(rule["CidrIp"], rule.get("ToPort")) for rule in rules if rule["CidrIp"] not in closed]


def own_ranges(network: LambdaNetwork) -> list[str]:
    return [subnet.ipv4_cidr_block for subnet in network.vpc.isolated_subnets]


def test_with_groups_both_are_opened_on_the_listeners_port(base: Stack, network: LambdaNetwork) -> None:
    group = ec2.SecurityGroup(base, "BalancerGroup", vpc=network.vpc)
    function_in(base, network).allow_to(balancer_in(base, network, [group]))
    template = synthesize(base)
    (egress,), (ingress,) = of_type(template, EGRESS), of_type(template, INGRESS)
    assert (egress["ToPort"], ingress["ToPort"]) == (8080, 8080)
    assert egress["DestinationSecurityGroupId"] == ingress["GroupId"]


@pytest.mark.parametrize("stacks", [1, 2])
def test_without_groups_the_function_is_let_out_to_the_balancers_subnets(
    app: App, base: Stack, network: LambdaNetwork, stacks: int
) -> None:
    stack = base if stacks == 1 else Stack(app, "Code", env=FRANKFURT)
    function_in(stack, network).allow_to(balancer_in(base, network))
    template = synthesize(stack)
    assert ranges(template, "FetchSecurityGroup") == [(each, 8080) for each in own_ranges(network)]
    assert of_type(template, EGRESS) == of_type(template, INGRESS) == []


def test_the_balancer_itself_needs_a_port(base: Stack, network: LambdaNetwork) -> None:
    function, balancer = function_in(base, network), balancer_in(base, network).load_balancer
    with pytest.raises(ArgumentError) as caught:
        function.allow_to(balancer)
    assert str(caught.value) == (
        "port: the peer Base/Internal has no default port: pass the one that it listens on, "
        "allow_to(peer, 443)"
    )
    function.allow_to(balancer, 8080)
    assert [port for _, port in ranges(synthesize(base), "FetchSecurityGroup")] == [8080, 8080]


def test_targets_let_in_the_functions_subnets_and_the_balancers(base: Stack, network: LambdaNetwork) -> None:
    backend = ec2.SecurityGroup(base, "Service", vpc=network.vpc)
    function_in(base, network).allow_to(balancer_in(base, network), targets=[backend])
    opened = ranges(synthesize(base), "Service")
    assert [entry for entry in opened if entry[0] != "0.0.0.0/0"] == [
        (each, 8080) for each in own_ranges(network)
    ]


def test_a_target_is_opened_on_its_own_port(base: Stack, network: LambdaNetwork) -> None:
    group = ec2.SecurityGroup(base, "Service", vpc=network.vpc, allow_all_outbound=False)
    backend = ec2.Connections(security_groups=[group], default_port=ec2.Port.tcp(9000))
    function_in(base, network).allow_to(balancer_in(base, network), targets=[backend])
    assert {port for _, port in ranges(synthesize(base), "Service")} == {9000}


def test_targets_of_a_peer_with_groups_are_refused(base: Stack, network: LambdaNetwork) -> None:
    group = ec2.SecurityGroup(base, "BalancerGroup", vpc=network.vpc)
    function, listener = function_in(base, network), balancer_in(base, network, [group])
    with pytest.raises(ArgumentError) as caught:
        function.allow_to(listener, targets=[group])
    assert str(caught.value) == (
        "targets: they see the addresses of clients behind a Network Load Balancer without groups alone: "
        "leave them out, and let the peer's own groups in "
        "(https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html)"
    )


def test_addresses_stand_for_what_has_no_group(base: Stack, network: LambdaNetwork) -> None:
    function_in(base, network).allow_to(ec2.Peer.ipv4("10.9.3.0/24"), 443)
    assert ranges(synthesize(base), "FetchSecurityGroup") == [("10.9.3.0/24", 443)]


def test_addresses_need_a_port(base: Stack, network: LambdaNetwork) -> None:
    with pytest.raises(ArgumentError, match=r"^port: the peer has no default port"):
        function_in(base, network).allow_to(ec2.Peer.ipv4("10.9.3.0/24"))


def test_a_balancer_in_a_vpc_of_which_the_subnets_are_not_known_is_met_in_the_whole_vpc(app: App) -> None:
    stack = Stack(app, "Base", env=FRANKFURT)
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Imported",
        vpc_id="vpc-0123456789abcdef0",
        vpc_cidr_block="10.7.0.0/16",
        availability_zones=["eu-central-1a", "eu-central-1b"],
        private_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    )
    balancer = elbv2.NetworkLoadBalancer(stack, "Internal", vpc=vpc, disable_security_groups=True)
    function = VpcFunction(stack, "Fetch", network=vpc, **code())
    function.allow_to(balancer, 8080)
    assert ranges(synthesize(stack), "FetchSecurityGroup") == [("10.7.0.0/16", 8080)]


def test_a_function_that_knows_the_balancer_by_its_name_is_free_of_findings(
    app: App, base: Stack, network: LambdaNetwork
) -> None:
    listener, function = balancer_in(base, network), function_in(base, network)
    balancer = listener.load_balancer
    assert isinstance(balancer, elbv2.NetworkLoadBalancer)
    function.add_environment("SERVICE_HOST", balancer.load_balancer_dns_name)
    function.allow_to(listener)
    assert findings(app) == []
