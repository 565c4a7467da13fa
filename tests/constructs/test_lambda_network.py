import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from lambda_patterns.constructs import (
    EgressOnlyGateway,
    Endpoints,
    Isolated,
    LambdaNetwork,
    NatGateways,
    NatInstances,
    VpcFunction,
)
from lambda_patterns.errors import ArgumentError
from lambda_patterns.testing import synthesize
from tests.constructs.template_queries import code, declarations, of_type, only, types

pytestmark = pytest.mark.cdk


def network(stack: Stack, internet: Any, **arguments: Any) -> dict[str, Any]:
    LambdaNetwork(stack, "Network", internet=internet, **arguments)
    return synthesize(stack)


def default_routes(template: dict[str, Any]) -> list[set[str]]:
    """The targets of the routes to everywhere, one set for each."""
    routes = of_type(template, "AWS::EC2::Route")
    return [{key for key in route if key.endswith("Id") and key != "RouteTableId"} for route in routes]


def test_per_zone_every_zone_has_its_nat_gateway(stack: Stack) -> None:
    template = network(stack, NatGateways())
    assert len(of_type(template, "AWS::EC2::NatGateway")) == 2
    private = [r["NatGatewayId"]["Ref"] for r in of_type(template, "AWS::EC2::Route") if "NatGatewayId" in r]
    assert len(set(private)) == 2


def test_one_nat_gateway_serves_every_zone(stack: Stack) -> None:
    template = network(stack, NatGateways(sharing="one"))
    assert len(of_type(template, "AWS::EC2::NatGateway")) == 1
    assert default_routes(template).count({"NatGatewayId"}) == 2


def test_a_regional_nat_gateway_needs_no_public_subnet(stack: Stack) -> None:
    template = network(stack, NatGateways(sharing="regional"))
    assert only(template, "AWS::EC2::NatGateway")["AvailabilityMode"] == "regional"
    assert len(of_type(template, "AWS::EC2::Subnet")) == 2
    assert default_routes(template) == [{"NatGatewayId"}, {"NatGatewayId"}]
    assert "AWS::EC2::InternetGateway" in types(template)


@pytest.mark.parametrize("way", [NatGateways(), NatInstances()])
def test_beside_nat_s3_and_dynamodb_take_their_free_endpoints(
    stack: Stack, way: NatGateways | NatInstances
) -> None:
    template = network(stack, way)
    endpoints = of_type(template, "AWS::EC2::VPCEndpoint")
    assert [endpoint["VpcEndpointType"] for endpoint in endpoints] == ["Gateway", "Gateway"]
    assert all(len(endpoint["RouteTableIds"]) == 2 for endpoint in endpoints)


def test_a_nat_instance_forwards_for_the_vpc_and_is_closed_to_the_world(stack: Stack) -> None:
    template = network(stack, NatInstances(), cidr="10.20.0.0/16")
    instance = only(template, "AWS::EC2::Instance")
    assert instance["SourceDestCheck"] is False
    assert instance["InstanceType"] == "t4g.nano"
    assert instance["MetadataOptions"] == {"HttpTokens": "required"}
    assert instance["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True
    assert instance["NetworkInterfaces"][0]["AssociatePublicIpAddress"] is True
    (ingress,) = only(template, "AWS::EC2::SecurityGroup")["SecurityGroupIngress"]
    assert ingress["CidrIp"] == "10.20.0.0/16"
    assert "dnf install -y iptables-services" in instance["UserData"]["Fn::Base64"]
    assert default_routes(template).count({"InstanceId"}) == 2
    assert "InstanceId" in only(template, "AWS::EC2::EIP")


def test_the_image_of_a_nat_instance_is_resolved_at_deployment(stack: Stack) -> None:
    template = network(stack, NatInstances(instance_type="t3.nano"))
    (image,) = [
        parameter
        for parameter in template["Parameters"].values()
        if parameter["Type"] == "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"
    ]
    assert "al2023" in image["Default"]
    assert "x86_64" in image["Default"]


def test_nat_instances_may_stand_in_every_zone(stack: Stack) -> None:
    template = network(stack, NatInstances(per_zone=True))
    assert len(of_type(template, "AWS::EC2::Instance")) == 2
    assert len(of_type(template, "AWS::EC2::EIP")) == 2


@pytest.mark.parametrize("way", [Endpoints("secretsmanager", "s3"), Isolated("secretsmanager", "s3")])
def test_with_endpoints_alone_no_route_leads_out(stack: Stack, way: Endpoints) -> None:
    template = network(stack, way)
    assert not of_type(template, "AWS::EC2::Route")
    assert not types(template) & {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway"}
    kinds = {json.dumps(e["ServiceName"]): e for e in of_type(template, "AWS::EC2::VPCEndpoint")}
    (interface,) = [e for name, e in kinds.items() if "secretsmanager" in name]
    assert interface["VpcEndpointType"] == "Interface"
    assert interface["PrivateDnsEnabled"] is True
    assert len(interface["SubnetIds"]) == 2
    group = only(template, "AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group
    assert group["SecurityGroupEgress"][0]["CidrIp"] == "255.255.255.255/32"


def test_an_egress_only_gateway_leads_out_over_ipv6_alone(stack: Stack) -> None:
    template = network(stack, EgressOnlyGateway("sqs"))
    assert default_routes(template) == [{"EgressOnlyInternetGatewayId"}] * 2
    assert all(r["DestinationIpv6CidrBlock"] == "::/0" for r in of_type(template, "AWS::EC2::Route"))
    assert not types(template) & {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::EIP"}
    assert len(of_type(template, "AWS::EC2::VPCEndpoint")) == 1


def test_an_endpoint_has_the_policy_that_was_asked_for(stack: Stack) -> None:
    statement = iam.PolicyStatement(
        actions=["s3:GetObject"], principals=[iam.AnyPrincipal()], resources=["arn:aws:s3:::mine/*"]
    )
    template = network(stack, Endpoints("s3", policies={"s3": [statement]}))
    policy = only(template, "AWS::EC2::VPCEndpoint")["PolicyDocument"]["Statement"]
    assert [s["Resource"] for s in policy] == ["arn:aws:s3:::mine/*"]


@pytest.mark.parametrize("way", [NatGateways(), NatInstances(), Isolated(), EgressOnlyGateway()])
def test_every_network_is_logged_closed_and_without_public_addresses_for_the_asking(
    stack: Stack, way: Any
) -> None:
    template = network(stack, way)
    log = only(template, "AWS::EC2::FlowLog")
    assert (log["ResourceType"], log["TrafficType"]) == ("VPC", "ALL")
    assert "Custom::VpcRestrictDefaultSG" in types(template)
    assert not any(s.get("MapPublicIpOnLaunch") for s in of_type(template, "AWS::EC2::Subnet"))


def test_flow_logs_may_go_to_a_group_that_exists(stack: Stack) -> None:
    mine = logs.LogGroup(stack, "Mine")
    template = network(stack, Isolated(), flow_log_group=mine)
    assert len(of_type(template, "AWS::Logs::LogGroup")) == 1
    assert only(template, "AWS::EC2::FlowLog")["LogGroupName"]["Ref"].startswith("Mine")


def test_zones_can_be_named(stack: Stack) -> None:
    template = network(stack, Isolated(), zones=["eu-west-1a", "eu-west-1c"])
    zones = {subnet["AvailabilityZone"] for subnet in of_type(template, "AWS::EC2::Subnet")}
    assert zones == {"eu-west-1a", "eu-west-1c"}


@pytest.mark.parametrize(("zones", "count"), [(1, 1), (7, 7), (["eu-west-1a"], 1), (["a", "a"], 1)])
def test_fewer_than_two_zones_are_refused(stack: Stack, zones: Any, count: int) -> None:
    with pytest.raises(ArgumentError) as caught:
        LambdaNetwork(stack, "Network", internet=Isolated(), zones=zones)
    assert str(caught.value) == (
        f"zones: zones are {count}, allowed are 2-6: functions in one zone stop when it is lost, and no "
        "Region has more than six (https://docs.aws.amazon.com/lambda/latest/operatorguide/networking-vpc.html)"
    )
    assert stack.node.try_find_child("Network") is None


@pytest.mark.parametrize("way", ["nat", NatGateways, None])
def test_what_is_no_way_out_is_refused(stack: Stack, way: Any) -> None:
    with pytest.raises(ArgumentError) as caught:
        LambdaNetwork(stack, "Network", internet=way)
    assert str(caught.value) == (
        f"internet: {way!r} is no way out: give NatGateways(), NatInstances(), Endpoints(...), Isolated(...) "
        "or EgressOnlyGateway(...)"
    )


@pytest.mark.parametrize(
    ("cidr", "message"),
    [
        ("10.0.0.0/33", "'33' is not a valid netmask: give IPv4 addresses such as 10.0.0.0/16"),
        ("everywhere", "Expected 4 octets in 'everywhere': give IPv4 addresses such as 10.0.0.0/16"),
        ("10.0.0.0/8", "10.0.0.0/8 is /8, allowed are /16 to /28"),
        ("10.0.0.0/27", "10.0.0.0/27 has room for 2 of the smallest subnets, /28, and this network has 4"),
    ],
)
def test_addresses_that_a_vpc_cannot_have_are_refused(stack: Stack, cidr: str, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        LambdaNetwork(stack, "Network", internet=NatGateways(), cidr=cidr)
    page = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"
    assert str(caught.value) == f"cidr: {message} ({page})"


@pytest.mark.parametrize(("cidr", "way"), [("10.0.0.0/26", NatGateways()), ("10.0.0.0/27", Isolated())])
def test_the_smallest_addresses_that_suffice_are_taken(stack: Stack, cidr: str, way: Any) -> None:
    LambdaNetwork(stack, "Network", internet=way, cidr=cidr)
    subnets = of_type(synthesize(stack), "AWS::EC2::Subnet")
    assert {subnet["CidrBlock"].rpartition("/")[2] for subnet in subnets} == {"28"}


def test_a_sharing_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ArgumentError) as caught:
        NatGateways(sharing="zonal")  # type: ignore[arg-type]  # what is tested
    assert str(caught.value) == "sharing: 'zonal' is none: allowed are 'one', 'per-zone' and 'regional'"


@pytest.mark.parametrize(
    ("services", "message"),
    [
        (
            ["secretmanager"],
            "services: no service is called 'secretmanager': did you mean 'secretsmanager'?",
        ),
        (
            ["route53"],
            (
                "services: AWS offers no VPC endpoint for Route 53 (route53): it needs a way to the internet "
                "(https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html)"
            ),
        ),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(stack: Stack, services: list[str], message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        Endpoints(*services)
    assert str(caught.value) == message
    network = LambdaNetwork(stack, "Network", internet=Isolated())
    with pytest.raises(ArgumentError) as caught:
        network.add_endpoints(*services)
    assert str(caught.value) == message


@pytest.mark.parametrize("argument", ["policies", "prefix_lists"])
def test_what_is_given_to_no_endpoint_is_refused(argument: str) -> None:
    given: dict[str, Any] = {argument: {"s3": "pl-63a5400a"}}
    with pytest.raises(ArgumentError) as caught:
        Endpoints("sqs", **given)
    assert str(caught.value) == f"{argument}: s3 gets no endpoint here: name it as a service too"


def test_a_service_that_the_facts_do_not_know_gets_an_interface_endpoint(stack: Stack) -> None:
    template = network(stack, Endpoints("brand-new.runtime"))
    (name,) = [json.dumps(e["ServiceName"]) for e in of_type(template, "AWS::EC2::VPCEndpoint")]
    assert ".brand-new.runtime" in name


def test_an_endpoint_is_added_once(stack: Stack) -> None:
    made = LambdaNetwork(stack, "Network", internet=Endpoints("sqs", "sqs"))
    made.add_endpoints("sqs", "sns")
    assert made.services == ("sns", "sqs")
    assert len(of_type(synthesize(stack), "AWS::EC2::VPCEndpoint")) == 2


def test_two_networks_live_in_one_stack(stack: Stack) -> None:
    LambdaNetwork(stack, "One", internet=NatInstances())
    LambdaNetwork(stack, "Two", internet=Endpoints("sqs"))
    assert len(of_type(synthesize(stack), "AWS::EC2::VPC")) == 2


def test_without_an_environment_no_account_is_asked_for_zones(app: App, stack: Stack) -> None:
    LambdaNetwork(stack, "Network", internet=NatGateways())
    app.synth()
    assert "missing" not in json.loads((Path(app.outdir) / "manifest.json").read_text())


def imported(stack: Stack) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Imported",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        private_subnet_ids=["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"],
        private_subnet_route_table_ids=["rtb-0123456789abcdef1", "rtb-0123456789abcdef2"],
    )


def test_an_imported_network_makes_nothing_and_records_what_was_stated(stack: Stack) -> None:
    existing = LambdaNetwork.from_vpc(
        stack, "Network", imported(stack), internet=True, endpoints={"sqs": None, "s3": None}
    )
    existing.add_endpoints("sqs")
    VpcFunction(stack, "Fetch", network=existing, needs=["sqs"], **code())
    template = synthesize(stack)
    assert not of_type(template, "AWS::EC2::VPCEndpoint")
    assert declarations(template) == [
        {"Network": {"Internet": True, "Endpoints": ["s3", "sqs"]}, "Needs": ["sqs"]}
    ]


def test_what_is_not_stated_of_an_imported_network_is_not_recorded(stack: Stack) -> None:
    existing = LambdaNetwork.from_vpc(stack, "Network", imported(stack))
    VpcFunction(stack, "Fetch", network=existing, internet=True, **code())
    assert declarations(synthesize(stack)) == [{"Network": {"Endpoints": []}, "Needs": ["internet"]}]


def test_an_imported_network_that_nothing_leads_out_of_is_isolated(stack: Stack) -> None:
    existing = LambdaNetwork.from_vpc(stack, "Network", imported(stack), internet=False)
    VpcFunction(stack, "Fetch", network=existing, **code())
    assert declarations(synthesize(stack)) == [
        {"Isolated": True, "Network": {"Internet": False, "Endpoints": []}}
    ]


def test_the_group_of_an_existing_endpoint_is_opened_to_the_function(stack: Stack) -> None:
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0")
    existing = LambdaNetwork.from_vpc(stack, "Network", imported(stack), endpoints={"sqs": group})
    VpcFunction(stack, "Fetch", network=existing, needs=["sqs"], **code())
    template = synthesize(stack)
    ingress = only(template, "AWS::EC2::SecurityGroupIngress")
    assert (ingress["GroupId"], ingress["FromPort"]) == ("sg-0123456789abcdef0", 443)


def test_an_imported_network_gets_the_endpoints_that_it_lacks(stack: Stack) -> None:
    existing = LambdaNetwork.from_vpc(stack, "Network", imported(stack), internet=False)
    existing.add_endpoints("dynamodb", "kms")
    template = synthesize(stack)
    gateway, interface = of_type(template, "AWS::EC2::VPCEndpoint")
    assert gateway["RouteTableIds"] == ["rtb-0123456789abcdef1", "rtb-0123456789abcdef2"]
    assert interface["SubnetIds"] == ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]


def test_an_imported_network_in_one_zone_is_refused(stack: Stack) -> None:
    vpc = imported(stack)
    one = ec2.SubnetSelection(availability_zones=["eu-west-1a"])
    with pytest.raises(ArgumentError, match=r"^vpc_subnets: 1 subnet, needed are 2 or more in two zones"):
        LambdaNetwork.from_vpc(stack, "Network", vpc, vpc_subnets=one)
