"""Elastic IPs, NAT gateways, security-group rules, network interfaces: the ways through a VPC."""

from __future__ import annotations

from typing import Any

from lambda_patterns.local.api import ApiError, call
from lambda_patterns.local.resources.handler import (
    Created,
    Handler,
    Properties,
    nothing,
    picked,
    tag_specification,
    whole,
)


def _create_eip(_id: str, properties: Properties, _stack: str) -> Created:
    answer = call(
        "ec2",
        "AllocateAddress",
        Domain=properties.get("Domain", "vpc"),
        TagSpecifications=tag_specification("elastic-ip", properties),
    )
    address = answer["PublicIp"]
    return address, {"AllocationId": answer["AllocationId"], "PublicIp": address}


def _eip(address: str) -> dict[str, Any] | None:
    found = call("ec2", "DescribeAddresses", PublicIps=[address])["Addresses"]
    return next((entry for entry in found if entry["PublicIp"] == address), None)


def _update_eip(address: str, _old: Properties, new: Properties, stack: str) -> Created:
    entry = _eip(address)
    if entry is None:
        return _create_eip("", new, stack)
    _tag(entry["AllocationId"], new)
    return address, {"AllocationId": entry["AllocationId"], "PublicIp": address}


def _delete_eip(address: str, _properties: Properties) -> None:
    entry = _eip(address)
    if entry is not None:
        call("ec2", "ReleaseAddress", AllocationId=entry["AllocationId"])


def _create_nat(_id: str, properties: Properties, _stack: str) -> Created:
    answer = call(
        "ec2",
        "CreateNatGateway",
        TagSpecifications=tag_specification("natgateway", properties),
        **picked(properties, "SubnetId", "AllocationId", "ConnectivityType", "VpcId", "AvailabilityMode"),
    )
    identity = answer["NatGateway"]["NatGatewayId"]
    return identity, {"NatGatewayId": identity}


def _update_nat(identity: str, old: Properties, new: Properties, stack: str) -> Created:
    if {**old, "Tags": None} != {**new, "Tags": None}:
        _delete_nat(identity, old)
        return _create_nat("", new, stack)
    _tag(identity, new)
    return identity, {"NatGatewayId": identity}


def _delete_nat(identity: str, _properties: Properties) -> None:
    call("ec2", "DeleteNatGateway", NatGatewayId=identity)


def _tag(identity: str, properties: Properties) -> None:
    if properties.get("Tags"):
        call("ec2", "CreateTags", Resources=[identity], Tags=properties["Tags"])


def _permission(properties: Properties) -> dict[str, Any]:
    permission = whole(picked(properties, "IpProtocol", "FromPort", "ToPort"), "FromPort", "ToPort")
    permission["IpProtocol"] = str(permission["IpProtocol"])
    note = picked(properties, "Description")
    for ends, field, inner in (
        (("SourceSecurityGroupId", "DestinationSecurityGroupId"), "UserIdGroupPairs", "GroupId"),
        (("SourcePrefixListId", "DestinationPrefixListId"), "PrefixListIds", "PrefixListId"),
        (("CidrIp",), "IpRanges", "CidrIp"),
        (("CidrIpv6",), "Ipv6Ranges", "CidrIpv6"),
    ):
        peer = next((properties[end] for end in ends if properties.get(end)), None)
        if peer:
            permission[field] = [{inner: peer, **note}]
    return permission


def _group_rule(direction: str) -> Handler:
    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        answer = call(
            "ec2",
            f"AuthorizeSecurityGroup{direction}",
            GroupId=properties["GroupId"],
            IpPermissions=[_permission(properties)],
        )
        rules = answer.get("SecurityGroupRules") or [{}]
        identity = rules[0].get("SecurityGroupRuleId") or f"{stack}-{logical_id}"
        return identity, {"Id": identity}

    def delete(identity: str, properties: Properties) -> None:
        try:
            call(
                "ec2",
                f"RevokeSecurityGroup{direction}",
                GroupId=properties["GroupId"],
                SecurityGroupRuleIds=[identity],
            )
        except ApiError as error:
            if not error.code.endswith("NotFound"):
                raise

    return Handler(create=create, delete=delete)


def _create_egress_only(_id: str, properties: Properties, _stack: str) -> Created:
    answer = call("ec2", "CreateEgressOnlyInternetGateway", VpcId=properties["VpcId"])
    identity = answer["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]
    return identity, {"Id": identity}


def _delete_egress_only(identity: str, _properties: Properties) -> None:
    call("ec2", "DeleteEgressOnlyInternetGateway", EgressOnlyInternetGatewayId=identity)


def _create_interface(_id: str, properties: Properties, _stack: str) -> Created:
    answer = call(
        "ec2",
        "CreateNetworkInterface",
        SubnetId=properties["SubnetId"],
        Groups=properties.get("GroupSet") or [],
        **picked(properties, "Description", "PrivateIpAddress"),
    )["NetworkInterface"]
    identity = answer["NetworkInterfaceId"]
    return identity, {"Id": identity, "PrimaryPrivateIpAddress": answer.get("PrivateIpAddress", "")}


def _delete_interface(identity: str, _properties: Properties) -> None:
    call("ec2", "DeleteNetworkInterface", NetworkInterfaceId=identity)


def _associate_eip(logical_id: str, properties: Properties, stack: str) -> Created:
    answer = call(
        "ec2",
        "AssociateAddress",
        **picked(properties, "AllocationId", "InstanceId", "NetworkInterfaceId", "PrivateIpAddress"),
    )
    identity = answer.get("AssociationId") or f"{stack}-{logical_id}"
    return identity, {"Id": identity}


HANDLERS = {
    "AWS::EC2::EIP": Handler(create=_create_eip, update=_update_eip, delete=_delete_eip),
    "AWS::EC2::EIPAssociation": Handler(create=_associate_eip, delete=nothing),
    "AWS::EC2::EgressOnlyInternetGateway": Handler(create=_create_egress_only, delete=_delete_egress_only),
    "AWS::EC2::NatGateway": Handler(create=_create_nat, update=_update_nat, delete=_delete_nat),
    "AWS::EC2::NetworkInterface": Handler(create=_create_interface, delete=_delete_interface),
    "AWS::EC2::SecurityGroupEgress": _group_rule("Egress"),
    "AWS::EC2::SecurityGroupIngress": _group_rule("Ingress"),
}
