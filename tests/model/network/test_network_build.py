"""From templates to verdicts: what the graph takes from a template, and what it leaves open."""

from typing import Any

import pytest
from small_networks import (
    EVERYWHERE,
    Resources,
    base,
    database,
    gateway,
    group,
    made,
    parameter,
    ref,
    route,
    rule,
    verdict,
)

from lambda_patterns.errors import ArgumentError
from lambda_patterns.model.assembly import from_templates
from lambda_patterns.model.network import Internet, Service, Verdict


def test_a_subnet_without_a_table_has_the_main_one_which_is_local() -> None:
    resources = base(**gateway(), Route=route(NatGatewayId=ref("Nat")))
    resources["Nat"] = made("EC2::NatGateway", VpcId=ref("Vpc"), AvailabilityMode="regional")
    assert verdict(resources) == ("reached", None)
    del resources["ATable"]
    assert verdict(resources) == ("blocked", "NO_ROUTE_TO_DESTINATION")


def test_an_internet_gateway_is_no_way_out_for_a_function() -> None:
    resources = base(**gateway(), Route=route(GatewayId=ref("Gateway")))
    assert verdict(resources) == ("blocked", "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS")


def test_an_internet_gateway_outside_of_the_template_is_none_either() -> None:
    assert verdict(base(Route=route(GatewayId="igw-0abc"))) == (
        "blocked",
        "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS",
    )


@pytest.mark.parametrize(
    "target",
    [
        {"TransitGatewayId": "tgw-1"},
        {"GatewayId": "vgw-1"},
        {"VpcEndpointId": "vpce-1"},
        {"VpcPeeringConnectionId": "pcx-1"},
        {"CarrierGatewayId": "cagw-1"},
        {"LocalGatewayId": "lgw-1"},
        {"CoreNetworkArn": "arn:aws:networkmanager::111122223333:core-network/core-1"},
        {"NatGatewayId": "nat-1"},
        {"NetworkInterfaceId": "eni-1"},
        {"InstanceId": "i-1"},
    ],
    ids=lambda target: next(iter(target)),
)
def test_what_cannot_be_judged_is_unknown(target: dict[str, str]) -> None:
    assert verdict(base(Route=route(**target))) == ("unknown", None)


def test_the_longest_prefix_wins() -> None:
    halves = {
        "Low": route("0.0.0.0/1", TransitGatewayId="tgw-1"),
        "High": route("128.0.0.0/1", TransitGatewayId="tgw-1"),
        "Route": route(GatewayId=ref("Gateway")),
    }
    assert verdict(base(**gateway(), **halves)) == ("unknown", None)


def test_a_route_for_single_public_addresses_is_not_the_internet() -> None:
    resources = base(**gateway(), Route=route(GatewayId=ref("Gateway")))
    resources["Single"] = route("203.0.113.0/24", TransitGatewayId="tgw-1")
    assert verdict(resources)[0] == "unknown"
    resources["Nat"] = made("EC2::NatGateway", VpcId=ref("Vpc"), AvailabilityMode="regional")
    resources["Route"] = route(NatGatewayId=ref("Nat"))
    assert verdict(resources) == ("reached", None)


def test_egress_to_single_public_addresses_is_neither_all_nor_nothing() -> None:
    resources = base(**gateway(), Route=route(NatGatewayId=ref("Nat")))
    resources["Nat"] = made("EC2::NatGateway", VpcId=ref("Vpc"), AvailabilityMode="regional")
    resources["FunctionGroup"] = group(SecurityGroupEgress=[rule(443, CidrIp="203.0.113.0/24")])
    assert verdict(resources) == ("unknown", None)
    resources["FunctionGroup"] = group(SecurityGroupEgress=[rule(443, CidrIp="10.0.0.0/8")])
    assert verdict(resources) == ("blocked", "ENI_SG_RULES_MISMATCH")


def test_the_rule_that_cdk_writes_for_no_egress_lets_nothing_out() -> None:
    dummy = {"IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "255.255.255.255/32"}
    resources = base(**database(), FunctionGroup=group(SecurityGroupEgress=[dummy]))
    assert verdict(resources, "Db") == ("blocked", "ENI_SG_RULES_MISMATCH")


def test_no_egress_rules_let_everything_out() -> None:
    assert verdict(base(**database()), "Db") == ("reached", None)
    assert verdict(base(**database(), FunctionGroup=group(SecurityGroupEgress=[])), "Db") == ("reached", None)


def test_beside_a_rule_apart_it_is_open_whether_the_rule_to_everywhere_stays() -> None:
    apart = made("EC2::SecurityGroupEgress", GroupId=ref("FunctionGroup"), **rule(443, CidrIp="10.9.0.0/16"))
    resources = base(**database(), Out=apart)
    assert verdict(resources, "Db") == ("unknown", None)
    deployment = next(from_templates({"t": {"Resources": resources}}).deployments())
    function, target = deployment.find("Function"), deployment.find("Db")
    assert function is not None
    assert target is not None
    path = deployment.network.trace(function, target).deciding
    assert path is not None
    assert path.reason is not None
    assert path.reason.sentence == (
        "whether it lets tcp 5432 out is not known: "
        "egress all traffic to everywhere, if CloudFormation keeps that rule beside rules apart"
    )


def test_a_rule_takes_the_port_from_what_listens_on_it() -> None:
    port = {"Fn::GetAtt": ["Db", "Endpoint.Port"]}
    apart = made(
        "EC2::SecurityGroupIngress",
        GroupId=ref("DbGroup"),
        IpProtocol="tcp",
        FromPort=port,
        ToPort=port,
        SourceSecurityGroupId=ref("FunctionGroup"),
    )
    resources = {**base(**database(Port="5433")), "DbGroup": group(), "In": apart}
    assert verdict(resources, "Db") == ("reached", None)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(-1, -1, "reached"), (-2, -2, "blocked"), (5432, 5432, "reached"), (5433, 5433, "blocked")],
)
def test_the_port_minus_one_stands_for_every_port(low: int, high: int, expected: str) -> None:
    opened = {"IpProtocol": "tcp", "FromPort": low, "ToPort": high, "CidrIp": "10.0.0.0/16"}
    resources = base(**database()) | {"DbGroup": group(SecurityGroupIngress=[opened])}
    assert verdict(resources, "Db")[0] == expected


def test_a_block_is_taken_from_the_vpc() -> None:
    block = rule(5432, CidrIp={"Fn::GetAtt": ["Vpc", "CidrBlock"]})
    assert (
        verdict({**base(**database()), "DbGroup": group(SecurityGroupIngress=[block])}, "Db")[0] == "reached"
    )


def test_a_default_route_takes_nothing_from_a_vpc_whose_blocks_are_not_known() -> None:
    resources = base(**database(), Route=route(NatGatewayId="nat-1"))
    resources["Vpc"]["Properties"]["CidrBlock"] = ref("Block")
    assert verdict(resources, "Db", **parameter("Block")) == ("reached", None)


@pytest.mark.parametrize("block", ["10.0.0.0/16", ref("Block")])
def test_a_route_more_specific_than_the_local_one_may_take_traffic_inside_the_vpc(block: Any) -> None:
    resources = base(**database(), Route=route("10.0.1.0/24", NatGatewayId="nat-1"))
    resources["Vpc"]["Properties"]["CidrBlock"] = block
    assert verdict(resources, "Db", **parameter("Block")) == ("unknown", None)
    resources["Route"] = route("10.0.9.0/24", NatGatewayId="nat-1")
    assert verdict(resources, "Db", **parameter("Block")) == ("reached", None)


def test_a_block_that_holds_one_of_two_subnets_lets_in_from_one() -> None:
    block = rule(5432, CidrIp="10.0.0.0/24")
    resources = {**base(**database()), "DbGroup": group(SecurityGroupIngress=[block])}
    assert verdict(resources, "Db") == ("blocked", "ENI_SG_RULES_MISMATCH")


def test_a_block_that_holds_half_a_subnet_leaves_it_open() -> None:
    blocks = [rule(5432, CidrIp="10.0.0.0/25"), rule(5432, CidrIp="10.0.1.0/24")]
    resources = {**base(**database()), "DbGroup": group(SecurityGroupIngress=blocks)}
    assert verdict(resources, "Db") == ("unknown", None)
    blocks.append(rule(5432, CidrIp="10.0.0.128/25"))
    assert verdict(resources, "Db") == ("reached", None)


def test_prefix_lists_of_the_template_are_read() -> None:
    listed = made("EC2::PrefixList", AddressFamily="IPv4", Entries=[{"Cidr": "10.0.0.0/16"}])
    closed = {**base(**database()), "List": listed, "DbGroup": group()}
    closed["DbGroup"] = group(SecurityGroupIngress=[rule(5432, SourcePrefixListId=ref("List"))])
    assert verdict(closed, "Db") == ("reached", None)
    closed["DbGroup"] = group(SecurityGroupIngress=[rule(5432, SourcePrefixListId="pl-1")])
    assert verdict(closed, "Db") == ("unknown", None)


def test_a_known_allowance_is_not_hidden_by_an_unknown_rule() -> None:
    resources = base(**database())
    resources["DbGroup"]["Properties"]["SecurityGroupIngress"].append(rule(5432, CidrIp=ref("Block")))
    assert verdict(resources, "Db", **parameter("Block")) == ("reached", None)


def test_a_known_block_wins_over_what_is_not_known() -> None:
    resources = {**base(**database()), "DbGroup": group()}
    resources["Function"]["Properties"]["VpcConfig"]["SubnetIds"] = ref("Subnets")
    assert verdict(resources, "Db", **parameter("Subnets", "List<AWS::EC2::Subnet::Id>")) == (
        "blocked",
        "SG_HAS_NO_RULES",
    )


def test_the_default_group_lets_in_its_own_members() -> None:
    resources = base(**database())
    default = {"Fn::GetAtt": ["Vpc", "DefaultSecurityGroup"]}
    resources["Function"]["Properties"]["VpcConfig"]["SecurityGroupIds"] = [default]
    resources["Db"]["Properties"]["VPCSecurityGroups"] = [default]
    assert verdict(resources, "Db") == ("reached", None)
    resources["Restrict"] = {
        "Type": "Custom::VpcRestrictDefaultSG",
        "Properties": {"DefaultSecurityGroupId": default},
    }
    assert verdict(resources, "Db") == ("blocked", "SG_HAS_NO_RULES")


def test_nothing_connects_to_a_function() -> None:
    resources = base()
    resources["Other"] = resources["Function"]
    assert verdict(resources, "Other") == ("blocked", "NO_POSSIBLE_DESTINATION")


def test_a_function_outside_a_vpc_reaches_services_and_no_private_address() -> None:
    resources = base(**database(PubliclyAccessible=False))
    del resources["Function"]["Properties"]["VpcConfig"]
    assert verdict(resources) == ("reached", None)
    assert verdict(resources, Service("sqs")) == ("reached", None)
    assert verdict(resources, "Db") == ("blocked", "NO_ROUTE_TO_DESTINATION")
    resources["Db"]["Properties"]["PubliclyAccessible"] = True
    assert verdict(resources, "Db") == ("unknown", None)


def endpoint(service: str = "sqs", **properties: Any) -> dict[str, Any]:
    return made(
        "EC2::VPCEndpoint",
        **{
            "VpcId": ref("Vpc"),
            "VpcEndpointType": "Interface",
            "ServiceName": {"Fn::Sub": f"com.amazonaws.${{AWS::Region}}.{service}"},
            "SubnetIds": [ref("A"), ref("B")],
            "SecurityGroupIds": [ref("EndpointGroup")],
            **properties,
        },
    )


def test_private_dns_takes_the_name_from_the_internet_path() -> None:
    resources = base(
        **gateway(),
        Route=route(NatGatewayId=ref("Nat")),
        Nat=made("EC2::NatGateway", VpcId=ref("Vpc"), AvailabilityMode="regional"),
        EndpointGroup=group(),
        Endpoint=endpoint(PrivateDnsEnabled=True),
    )
    assert verdict(resources, Service("sqs")) == ("blocked", "SG_HAS_NO_RULES")
    assert verdict(resources, Service("sns")) == ("reached", None)
    resources["Endpoint"]["Properties"]["PrivateDnsEnabled"] = False
    assert verdict(resources, Service("sqs")) == ("reached", None)
    del resources["Endpoint"]["Properties"]["PrivateDnsEnabled"]
    assert verdict(resources, Service("sqs")) == ("unknown", None)


def test_a_gateway_endpoint_serves_its_route_tables_over_443_to_public_addresses() -> None:
    resources = base(
        S3=made(
            "EC2::VPCEndpoint",
            VpcId=ref("Vpc"),
            ServiceName="com.amazonaws.eu-west-1.s3",
            RouteTableIds=[ref("Table")],
        )
    )
    assert verdict(resources, Service("s3")) == ("reached", None)
    assert verdict(resources, Service("dynamodb")) == ("blocked", "NO_ROUTE_TO_DESTINATION")
    resources["FunctionGroup"] = group(SecurityGroupEgress=[rule(443, DestinationPrefixListId="pl-6da54004")])
    assert verdict(resources, Service("s3")) == ("unknown", None)


def test_an_inbound_resolver_alone_leaves_s3_to_the_gateway_endpoint() -> None:
    only = {"PrivateDnsOnlyForInboundResolverEndpoint": "OnlyInboundResolver"}
    resources = base(
        EndpointGroup=group(),
        Endpoint=endpoint("s3", PrivateDnsEnabled=True, DnsOptions=only),
        S3=made(
            "EC2::VPCEndpoint",
            VpcId=ref("Vpc"),
            ServiceName="com.amazonaws.eu-west-1.s3",
            RouteTableIds=[ref("Table")],
        ),
    )
    assert verdict(resources, Service("s3")) == ("reached", None)


def test_ipv6_alone_is_the_internet_and_perhaps_a_service() -> None:
    resources = base(
        Egress=made("EC2::EgressOnlyInternetGateway", VpcId=ref("Vpc")),
        Route=route("::/0", EgressOnlyInternetGatewayId=ref("Egress")),
    )
    for name in "AB":
        resources[name]["Properties"]["Ipv6CidrBlock"] = {
            "Fn::Select": [0, {"Fn::GetAtt": ["Vpc", "Ipv6CidrBlocks"]}]
        }
    assert verdict(resources)[0] == "blocked"
    resources["Function"]["Properties"]["VpcConfig"]["Ipv6AllowedForDualStack"] = True
    assert verdict(resources) == ("reached", None)
    assert verdict(resources, Service("sqs")) == ("unknown", None)
    resources["FunctionGroup"] = group(SecurityGroupEgress=[rule(443, CidrIp=EVERYWHERE)])
    assert verdict(resources)[0] == "blocked"


def test_a_subnet_takes_ipv6_from_a_block_beside_it_too() -> None:
    resources = base(
        Egress=made("EC2::EgressOnlyInternetGateway", VpcId=ref("Vpc")),
        Route=route("::/0", EgressOnlyInternetGatewayId=ref("Egress")),
    )
    resources["Function"]["Properties"]["VpcConfig"]["Ipv6AllowedForDualStack"] = True
    assert verdict(resources) == ("blocked", "NO_ROUTE_TO_DESTINATION")
    for name in "AB":
        resources[f"{name}Six"] = made(
            "EC2::SubnetCidrBlock", SubnetId=ref(name), Ipv6CidrBlock="2001:db8::/64"
        )
    assert verdict(resources) == ("reached", None)


def test_a_vpc_may_be_named_by_its_physical_id() -> None:
    resources = {
        "Function": made(
            "Lambda::Function",
            VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": [ref("FunctionGroup")]},
        ),
        "FunctionGroup": group(),
        **database(),
    }
    for name in ("FunctionGroup", "DbGroup"):
        resources[name]["Properties"]["VpcId"] = "vpc-1"
    resources["DbSubnets"]["Properties"]["SubnetIds"] = ["subnet-1", "subnet-2"]
    assert verdict(resources, "Db") == ("unknown", None)
    del resources["DbGroup"]["Properties"]["SecurityGroupIngress"]
    assert verdict(resources, "Db") == ("blocked", "SG_HAS_NO_RULES")


@pytest.mark.parametrize(("number", "expected"), [(90, "unknown"), (110, "reached")])
def test_an_entry_that_may_deny_counts_before_the_one_that_allows(number: int, expected: str) -> None:
    entries = {
        f"{name}{egress}": made(
            "EC2::NetworkAclEntry",
            NetworkAclId=ref("Acl"),
            RuleNumber=order,
            Protocol=-1,
            Egress=egress,
            RuleAction=action,
            CidrBlock=block,
        )
        for name, order, action, block in (
            ("Deny", number, "deny", ref("Block")),
            ("Allow", 100, "allow", EVERYWHERE),
        )
        for egress in (False, True)
    }
    resources = base(**database(), Acl=made("EC2::NetworkAcl", VpcId=ref("Vpc")), **entries)
    for name in "AB":
        resources[f"{name}Acl"] = made(
            "EC2::SubnetNetworkAclAssociation", SubnetId=ref(name), NetworkAclId=ref("Acl")
        )
    assert verdict(resources, "Db", **parameter("Block"))[0] == expected


def test_a_private_hosted_zone_may_take_the_name_elsewhere() -> None:
    zone = made("Route53::HostedZone", Name="sqs.eu-west-1.amazonaws.com.", VPCs=[{"VPCId": ref("Vpc")}])
    assert verdict(base(), Service("sqs"))[0] == "blocked"
    assert verdict(base(Zone=zone), Service("sqs"))[0] == "unknown"
    assert verdict(base(Zone=zone), Service("sns"))[0] == "blocked"
    zone["Properties"]["VPCs"] = [{"VPCId": ref("Where")}]
    assert verdict(base(Zone=zone), Service("sqs"), **parameter("Where"))[0] == "unknown"
    elsewhere = [{"VPCId": "vpc-1"}]
    zone["Properties"]["VPCs"] = elsewhere
    assert verdict(base(Zone=zone), Service("sqs"))[0] == "blocked"


def test_an_endpoint_of_unknown_type_may_serve() -> None:
    endpoint = made(
        "EC2::VPCEndpoint",
        VpcId=ref("Vpc"),
        ServiceName="com.amazonaws.eu-west-1.sqs",
        VpcEndpointType=ref("Kind"),
        PrivateDnsEnabled=True,
        SubnetIds=[ref("A"), ref("B")],
        SecurityGroupIds=[ref("Open")],
    )
    opened = group(SecurityGroupIngress=[rule(443, CidrIp="10.0.0.0/16")])
    resources = base(Endpoint=endpoint, Open=opened)
    assert verdict(resources, Service("sqs"), **parameter("Kind")) == ("unknown", None)
    assert verdict(resources, Service("sns"), **parameter("Kind"))[0] == "blocked"


def test_an_endpoint_whose_service_is_put_together_at_deployment_may_be_any() -> None:
    service = {"Fn::Join": [".", ["com.amazonaws", ref("AWS::Region"), ref("Topic")]]}
    opened = group(SecurityGroupIngress=[rule(443, CidrIp="10.0.0.0/16")])
    resources = base(Endpoint=endpoint(ServiceName=service, PrivateDnsEnabled=True), EndpointGroup=opened)
    resources["Topic"] = made("SNS::Topic")
    assert verdict(resources, Service("sqs")) == ("unknown", None)


def imported(stated: dict[str, Any] | None) -> Resources:
    function = made(
        "Lambda::Function", VpcConfig={"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": [ref("G")]}
    )
    if stated is not None:
        function["Metadata"] = {"LambdaPatterns": {"Network": stated}}
    return {"Function": function, "G": made("EC2::SecurityGroup", GroupDescription="g", VpcId="vpc-1")}


def test_of_an_imported_network_counts_what_is_stated() -> None:
    assert verdict(imported(None))[0] == "unknown"
    assert verdict(imported({"Internet": True}))[0] == "reached"
    assert verdict(imported({"Internet": False})) == ("blocked", "NO_ROUTE_TO_DESTINATION")
    assert verdict(imported({"Internet": False, "Endpoints": ["sqs"]}), Service("sqs"))[0] == "reached"
    assert verdict(imported({"Endpoints": ["sqs"]}), Service("sns"))[0] == "unknown"


def test_a_database_reaches_the_lambda_api_as_its_group_and_routes_let_it() -> None:
    assert verdict(base(**database()), Service("lambda"), "Db") == ("blocked", "NO_ROUTE_TO_DESTINATION")
    public = base(**gateway(), **database(PubliclyAccessible=True), Route=route(GatewayId=ref("Gateway")))
    assert verdict(public, Service("lambda"), "Db") == ("reached", None)


def test_a_template_with_a_macro_is_unknown_throughout() -> None:
    assert verdict(base(), Transform="Company::AddsRoutes")[0] == "unknown"


def test_a_route_that_may_exist_is_relied_on_for_nothing() -> None:
    resources = base(**gateway(), Route=route(NatGatewayId=ref("Nat")))
    resources["Nat"] = made("EC2::NatGateway", VpcId=ref("Vpc"), AvailabilityMode="regional")
    conditions = {"Out": {"Fn::Equals": [ref("Stage"), "production"]}}
    resources["Route"]["Condition"] = "Out"
    assembly = from_templates({"t": {"Resources": resources, "Conditions": conditions, **parameter("Stage")}})
    found = {
        deployment.network.trace(deployment.resources[3], Internet()).verdict
        for deployment in assembly.deployments()
    }
    assert found == {Verdict.REACHED, Verdict.BLOCKED}


def test_two_templates_are_one_network() -> None:
    resources = base(**database())
    shared = {name: resources.pop(name) for name in ("Db", "DbGroup", "DbSubnets")}
    names = ("Vpc", "A", "B", "FunctionGroup")
    outputs = {name: {"Value": ref(name), "Export": {"Name": name}} for name in names}

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            if value.keys() == {"Ref"} and value["Ref"] in names:
                return {"Fn::ImportValue": value["Ref"]}
            return {key: moved(item) for key, item in value.items()}
        return [moved(item) for item in value] if isinstance(value, list) else value

    templates = {"net": {"Resources": resources, "Outputs": outputs}, "data": {"Resources": moved(shared)}}
    deployment = next(from_templates(templates).deployments())
    source, target = deployment.find("Function"), deployment.find("Db")
    assert source is not None
    assert target is not None
    trace = deployment.network.trace(source, target)
    assert (trace.verdict, trace.source, trace.target) == (Verdict.REACHED, "net/Function", "data/Db")


def test_what_has_no_address_cannot_be_traced() -> None:
    deployment = next(from_templates({"t": {"Resources": base()}}).deployments())
    function, table = deployment.find("Function"), deployment.find("Table")
    assert function is not None
    assert table is not None
    with pytest.raises(ArgumentError, match=r"Table \(AWS::EC2::RouteTable\) has no address of its own"):
        deployment.network.trace(function, table)
    assert deployment.network.port_of(table) is None
