"""What lies behind NAT gateways, NAT instances and peering connections."""

from typing import Any

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

from lambda_patterns.model.assembly import from_templates
from lambda_patterns.model.network import Internet, Verdict


def test_a_private_nat_gateway_is_no_way_to_the_internet() -> None:
    resources = base(**gateway(), Route=route(NatGatewayId=ref("Nat")))
    resources["Public"] = made("EC2::Subnet", VpcId=ref("Vpc"), CidrBlock="10.0.9.0/24")
    resources["PublicTable"] = made("EC2::RouteTable", VpcId=ref("Vpc"))
    resources["PublicRoute"] = route(table="PublicTable", GatewayId=ref("Gateway"))
    resources["Association"] = made(
        "EC2::SubnetRouteTableAssociation", SubnetId=ref("Public"), RouteTableId=ref("PublicTable")
    )
    resources["Nat"] = made("EC2::NatGateway", SubnetId=ref("Public"))
    assert verdict(resources) == ("reached", None)
    resources["Nat"]["Properties"]["ConnectivityType"] = "private"
    assert verdict(resources) == ("blocked", "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS")
    resources["Nat"]["Properties"]["ConnectivityType"] = ref("Kind")
    assert verdict(resources, **parameter("Kind")) == ("unknown", None)


def beyond_a_private_nat_gateway(**peer: Any) -> Resources:
    """The function's table leads to a NAT gateway, whose own leads to a peered VPC with a database."""
    resources = base(
        Inner=made("EC2::Subnet", VpcId=ref("Vpc"), CidrBlock="10.0.9.0/28"),
        InnerTable=made("EC2::RouteTable", VpcId=ref("Vpc")),
        InnerAssociation=made(
            "EC2::SubnetRouteTableAssociation", SubnetId=ref("Inner"), RouteTableId=ref("InnerTable")
        ),
        Nat=made("EC2::NatGateway", SubnetId=ref("Inner"), ConnectivityType="private"),
        Peering=made("EC2::VPCPeeringConnection", VpcId=ref("Vpc"), PeerVpcId=ref("Far")),
        Forth=route("10.9.0.0/16", NatGatewayId=ref("Nat")),
        Onward=route("10.9.0.0/16", "InnerTable", VpcPeeringConnectionId=ref("Peering")),
        Far=made("EC2::VPC", CidrBlock="10.9.0.0/16"),
        FarSubnet=made("EC2::Subnet", VpcId=ref("Far"), CidrBlock="10.9.0.0/24"),
        FarTable=made("EC2::RouteTable", VpcId=ref("Far")),
        FarAssociation=made(
            "EC2::SubnetRouteTableAssociation", SubnetId=ref("FarSubnet"), RouteTableId=ref("FarTable")
        ),
        Back=route("10.0.9.0/28", "FarTable", VpcPeeringConnectionId=ref("Peering")),
        **database(),
    )
    resources["DbSubnets"]["Properties"]["SubnetIds"] = [ref("FarSubnet")]
    resources["DbGroup"]["Properties"] |= {"VpcId": ref("Far"), "SecurityGroupIngress": [rule(5432, **peer)]}
    return resources


def test_beyond_a_private_nat_gateway_its_address_is_the_source() -> None:
    assert verdict(beyond_a_private_nat_gateway(CidrIp="10.0.9.0/28"), "Db") == ("reached", None)
    mismatch = ("blocked", "ENI_SG_RULES_MISMATCH")
    assert verdict(beyond_a_private_nat_gateway(CidrIp="10.0.0.0/24"), "Db") == mismatch
    by_group = beyond_a_private_nat_gateway(SourceSecurityGroupId=ref("FunctionGroup"))
    assert verdict(by_group, "Db") == mismatch


def test_a_nat_gateway_needs_a_way_on_and_a_way_back() -> None:
    lost = ("blocked", "NO_ROUTE_TO_DESTINATION")
    for name in ("Onward", "Back"):
        resources = beyond_a_private_nat_gateway(CidrIp="10.0.9.0/28")
        del resources[name]
        assert verdict(resources, "Db") == lost
    resources = beyond_a_private_nat_gateway(CidrIp="10.0.9.0/28")
    resources["Onward"] = route("10.9.0.0/16", "InnerTable", TransitGatewayId="tgw-1")
    assert verdict(resources, "Db") == ("unknown", None)
    resources["Onward"] = route("10.9.0.0/16", "InnerTable", NatGatewayId=ref("Nat"))
    assert verdict(resources, "Db") == lost


def test_a_nat_gateway_serves_no_other_vpc() -> None:
    resources = beyond_a_private_nat_gateway(CidrIp="10.0.0.0/8")
    resources["Nat"]["Properties"]["SubnetId"] = ref("FarSubnet")
    assert verdict(resources, "Db") == ("blocked", "NGW_REQUIRES_SOURCE_IN_VPC")


def test_answers_do_not_pass_a_nat_gateway_that_the_connection_did_not() -> None:
    resources = beyond_a_private_nat_gateway(CidrIp="10.0.0.0/16")
    resources["Forth"] = route("10.9.0.0/16", VpcPeeringConnectionId=ref("Peering"))
    resources["FarNat"] = made("EC2::NatGateway", SubnetId=ref("FarSubnet"), ConnectivityType="private")
    resources["Back"] = route("10.0.0.0/16", "FarTable", VpcPeeringConnectionId=ref("Peering"))
    assert verdict(resources, "Db") == ("reached", None)
    resources["Back"] = route("10.0.0.0/16", "FarTable", NatGatewayId=ref("FarNat"))
    assert verdict(resources, "Db") == ("blocked", "NO_ROUTE_TO_DESTINATION")


def test_network_acls_of_a_nat_gateways_subnet_are_passed_both_ways() -> None:
    resources = beyond_a_private_nat_gateway(CidrIp="10.0.9.0/28")
    resources["Acl"] = made("EC2::NetworkAcl", VpcId=ref("Vpc"))
    resources["InnerAcl"] = made(
        "EC2::SubnetNetworkAclAssociation", SubnetId=ref("Inner"), NetworkAclId=ref("Acl")
    )
    for egress in (False, True):
        resources[f"Entry{egress}"] = made(
            "EC2::NetworkAclEntry",
            NetworkAclId=ref("Acl"),
            RuleNumber=100,
            Protocol=6,
            PortRange={"From": 1024, "To": 65535},
            Egress=egress,
            RuleAction="allow",
            CidrBlock="10.0.0.0/8",
        )
    assert verdict(resources, "Db") == ("reached", None)
    for egress in (False, True):
        without = {name: made for name, made in resources.items() if name != f"Entry{egress}"}
        assert verdict(without, "Db") == ("blocked", "SUBNET_ACL_RESTRICTION")


def acl_of_inner(*entries: tuple[str, bool]) -> Resources:
    """A network ACL of the subnet `Inner` that lets TCP in from, or out to, each block."""
    found = {
        f"Entry{number}": made(
            "EC2::NetworkAclEntry",
            NetworkAclId=ref("Acl"),
            RuleNumber=100 + number,
            Protocol=6,
            PortRange={"From": 0, "To": 65535},
            Egress=egress or ref("AWS::NoValue"),
            RuleAction="allow",
            CidrBlock=block,
        )
        for number, (block, egress) in enumerate(entries)
    }
    return {
        "Acl": made("EC2::NetworkAcl", VpcId=ref("Vpc")),
        "InnerAcl": made("EC2::SubnetNetworkAclAssociation", SubnetId=ref("Inner"), NetworkAclId=ref("Acl")),
        **found,
    }


def by_a_nat_in_inner(**target: Any) -> Resources:
    """The function's table leads to what stands in `Inner`, a subnet with a way to the internet."""
    return base(
        **gateway(),
        Route=route(**target),
        Inner=made("EC2::Subnet", VpcId=ref("Vpc"), CidrBlock="10.0.9.0/28"),
        InnerTable=made("EC2::RouteTable", VpcId=ref("Vpc")),
        InnerAssociation=made(
            "EC2::SubnetRouteTableAssociation", SubnetId=ref("Inner"), RouteTableId=ref("InnerTable")
        ),
        Onward=route(table="InnerTable", GatewayId=ref("Gateway")),
    )


def test_entries_that_let_in_a_subnet_half_by_half_let_it_out_whole() -> None:
    resources = by_a_nat_in_inner(NatGatewayId=ref("Nat"))
    resources["Nat"] = made("EC2::NatGateway", SubnetId=ref("Inner"))
    halves = [(f"10.0.{third}.{fourth}/25", False) for third in (0, 1) for fourth in (0, 128)]
    outside = [(EVERYWHERE, True), ("128.0.0.0/1", False), ("0.0.0.0/5", False), ("16.0.0.0/4", False)]
    outside += [("32.0.0.0/3", False), ("64.0.0.0/2", False), ("8.0.0.0/7", False), ("11.0.0.0/8", False)]
    outside += [("12.0.0.0/6", False)]
    assert verdict({**resources, **acl_of_inner(*halves, *outside)}) == ("reached", None)
    assert verdict({**resources, **acl_of_inner(*halves[:3], *outside)}) == ("unknown", None)
    assert verdict({**resources, **acl_of_inner(*outside)}) == ("blocked", "SUBNET_ACL_RESTRICTION")


def test_a_nat_instance_that_lets_out_to_single_public_addresses_is_neither_all_nor_nothing() -> None:
    resources = by_a_nat_in_inner(InstanceId=ref("Nat"))
    resources["Nat"] = made(
        "EC2::Instance",
        SourceDestCheck=False,
        NetworkInterfaces=[
            {
                "DeviceIndex": "0",
                "AssociatePublicIpAddress": True,
                "SubnetId": ref("Inner"),
                "GroupSet": [ref("NatGroup")],
            }
        ],
    )
    entering = rule(443, CidrIp="10.0.0.0/16")
    for block, expected in (
        (EVERYWHERE, "reached"),
        ("203.0.113.0/24", "unknown"),
        ("10.0.0.0/8", "blocked"),
    ):
        leaving = rule(443, CidrIp=block)
        resources["NatGroup"] = group(SecurityGroupIngress=[entering], SecurityGroupEgress=[leaving])
        assert verdict(resources)[0] == expected


def test_a_route_that_may_take_a_part_of_the_addresses_elsewhere_leaves_it_open() -> None:
    resources = beyond_a_private_nat_gateway(CidrIp="10.0.0.0/16")
    resources |= gateway()
    resources["Back"] = route("10.0.0.0/16", "FarTable", VpcPeeringConnectionId=ref("Peering"))
    resources["Forth"] = route("10.9.0.0/16", GatewayId=ref("Gateway"))
    assert verdict(resources, "Db") == ("blocked", "NO_ROUTE_TO_DESTINATION")
    resources["Part"] = route("10.9.0.0/25", TransitGatewayId="tgw-1")
    assert verdict(resources, "Db") == ("unknown", None)


def test_a_regional_nat_gateway_leads_out_by_an_internet_gateway_that_is_not_known() -> None:
    nat = made("EC2::NatGateway", VpcId=ref("Vpc"), AvailabilityMode="regional")
    closed = base(Route=route(NatGatewayId=ref("Nat")), Nat=nat)
    alone = next(from_templates({"t": {"Resources": closed}}).deployments()).network.regional("Nat")
    assert alone is not None
    assert alone.sentence == "Vpc has no internet gateway, which a regional NAT gateway needs too"
    attached = made("EC2::VPCGatewayAttachment", VpcId=ref("Vpc"), InternetGatewayId=ref("Id"))
    resources = base(Route=route(NatGatewayId=ref("Nat")), Nat=nat)
    assert verdict(resources) == ("blocked", "NO_ROUTE_TO_DESTINATION")
    assert verdict({**resources, "Attachment": attached}, **parameter("Id")) == ("reached", None)


def test_a_regional_nat_gateway_may_have_the_internet_gateway_of_a_vpc_that_is_not_known() -> None:
    resources = base(
        **gateway(),
        Route=route(NatGatewayId=ref("Nat")),
        Nat=made("EC2::NatGateway", VpcId=ref("Vpc"), AvailabilityMode="regional"),
    )
    resources["Attachment"]["Properties"]["VpcId"] = ref("Where")
    deployment = next(from_templates({"t": {"Resources": resources, **parameter("Where")}}).deployments())
    source = deployment.find("Function")
    assert source is not None
    trace = deployment.network.trace(source, Internet())
    assert trace.verdict is Verdict.UNKNOWN
    assert trace.reason is not None
    assert trace.reason.sentence == "whether its VPC has an internet gateway is not known"
    assert deployment.network.regional("Nat") is None


def test_a_route_for_addresses_that_are_not_known_may_be_the_one_to_the_other_vpc() -> None:
    resources = beyond_a_private_nat_gateway(CidrIp="10.0.0.0/8")
    resources["Forth"] = route(NatGatewayId=ref("Nat"))
    resources["Back"] = route("10.0.0.0/16", "FarTable", VpcPeeringConnectionId=ref("Peering"))
    del resources["Onward"]
    assert verdict(resources, "Db") == ("blocked", "NO_ROUTE_TO_DESTINATION")
    resources["ByParameter"] = made(
        "EC2::Route",
        RouteTableId=ref("Table"),
        DestinationCidrBlock=ref("PeerCidr"),
        VpcPeeringConnectionId=ref("Peering"),
    )
    assert verdict(resources, "Db", **parameter("PeerCidr")) == ("unknown", None)


def test_a_peering_route_that_may_hold_an_unknown_address_is_not_ruled_out() -> None:
    resources = beyond_a_private_nat_gateway(CidrIp="10.0.0.0/8")
    resources["Forth"] = route("10.9.0.0/16", VpcPeeringConnectionId=ref("Peering"))
    resources["Back"] = route("10.0.0.0/8", "FarTable", VpcPeeringConnectionId=ref("Peering"))
    resources["Default"] = route(NatGatewayId=ref("Nat"))
    resources["DbSubnets"]["Properties"]["SubnetIds"] = [ref("FarSubnet"), ref("Other")]
    assert verdict(resources, "Db", **parameter("Other")) == ("unknown", None)
