"""Network ACLs, flow logs, instances, further address ranges, prefix lists: what else a VPC is made of."""

from __future__ import annotations

from typing import Any

from lambda_patterns.local.api import call
from lambda_patterns.local.resources.handler import (
    Created,
    Handler,
    Properties,
    boolean,
    nothing,
    picked,
    tag_specification,
    whole,
)


def _create_acl(_id: str, properties: Properties, _stack: str) -> Created:
    answer = call(
        "ec2",
        "CreateNetworkAcl",
        VpcId=properties["VpcId"],
        TagSpecifications=tag_specification("network-acl", properties),
    )
    identity = answer["NetworkAcl"]["NetworkAclId"]
    return identity, {"Id": identity}


def _delete_acl(identity: str, _properties: Properties) -> None:
    call("ec2", "DeleteNetworkAcl", NetworkAclId=identity)


def _create_acl_entry(logical_id: str, properties: Properties, stack: str) -> Created:
    entry = whole(
        picked(properties, "NetworkAclId", "RuleNumber", "RuleAction", "CidrBlock", "Ipv6CidrBlock"),
        "RuleNumber",
    )
    ports = picked(properties, "PortRange")
    if ports:
        entry["PortRange"] = whole(ports["PortRange"], "From", "To")
    icmp = properties.get("Icmp")
    if icmp:
        entry["IcmpTypeCode"] = whole(icmp, "Code", "Type")
    call(
        "ec2",
        "CreateNetworkAclEntry",
        Protocol=str(properties["Protocol"]),
        Egress=boolean(properties.get("Egress", False)),
        **entry,
    )
    identity = f"{stack}-{logical_id}"
    return identity, {"Id": identity}


def _delete_acl_entry(_identity: str, properties: Properties) -> None:
    call(
        "ec2",
        "DeleteNetworkAclEntry",
        NetworkAclId=properties["NetworkAclId"],
        RuleNumber=int(properties["RuleNumber"]),
        Egress=boolean(properties.get("Egress", False)),
    )


def _associate_acl(logical_id: str, properties: Properties, stack: str) -> Created:
    associations = [
        association
        for acl in call("ec2", "DescribeNetworkAcls")["NetworkAcls"]
        for association in acl.get("Associations", [])
        if association["SubnetId"] == properties["SubnetId"]
    ]
    if not associations:  # MiniStack ties no subnet to the default ACL until it is asked to
        identity = f"{stack}-{logical_id}"
    else:
        identity = call(
            "ec2",
            "ReplaceNetworkAclAssociation",
            AssociationId=associations[0]["NetworkAclAssociationId"],
            NetworkAclId=properties["NetworkAclId"],
        )["NewAssociationId"]
    return identity, {"AssociationId": identity}


def _create_flow_log(_id: str, properties: Properties, _stack: str) -> Created:
    answer = call(
        "ec2",
        "CreateFlowLogs",
        ResourceIds=[properties["ResourceId"]],
        **picked(
            properties,
            "ResourceType",
            "TrafficType",
            "LogDestinationType",
            "LogGroupName",
            "LogDestination",
            "DeliverLogsPermissionArn",
        ),
    )
    identity = answer["FlowLogIds"][0]
    return identity, {"Id": identity}


def _delete_flow_log(identity: str, _properties: Properties) -> None:
    call("ec2", "DeleteFlowLogs", FlowLogIds=[identity])


def _create_instance(_id: str, properties: Properties, _stack: str) -> Created:
    settings = picked(properties, "ImageId", "InstanceType", "SubnetId", "SecurityGroupIds", "UserData")
    for interface in properties.get("NetworkInterfaces", [])[:1]:
        settings.setdefault("SubnetId", interface.get("SubnetId"))
        settings.setdefault("SecurityGroupIds", interface.get("GroupSet", []))
    instance = call(
        "ec2",
        "RunInstances",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=tag_specification("instance", properties),
        **{name: value for name, value in settings.items() if value},
    )["Instances"][0]
    identity = instance["InstanceId"]
    return identity, {
        "InstanceId": identity,
        "PrivateIp": instance.get("PrivateIpAddress", ""),
        "PublicIp": instance.get("PublicIpAddress", ""),
        "PrivateDnsName": instance.get("PrivateDnsName", ""),
        "PublicDnsName": instance.get("PublicDnsName", ""),
        "AvailabilityZone": instance.get("Placement", {}).get("AvailabilityZone", ""),
        "VpcId": instance.get("VpcId", ""),
    }


def _delete_instance(identity: str, _properties: Properties) -> None:
    call("ec2", "TerminateInstances", InstanceIds=[identity])


def _create_prefix_list(_id: str, properties: Properties, _stack: str) -> Created:
    answer: dict[str, Any] = call(
        "ec2",
        "CreateManagedPrefixList",
        TagSpecifications=tag_specification("prefix-list", properties),
        **whole(picked(properties, "PrefixListName", "MaxEntries", "AddressFamily", "Entries"), "MaxEntries"),
    )["PrefixList"]
    identity = answer["PrefixListId"]
    return identity, {
        "PrefixListId": identity,
        "Arn": answer.get("PrefixListArn", ""),
        "OwnerId": answer.get("OwnerId", ""),
    }


def _delete_prefix_list(identity: str, _properties: Properties) -> None:
    call("ec2", "DeleteManagedPrefixList", PrefixListId=identity)


HANDLERS = {
    "AWS::EC2::FlowLog": Handler(create=_create_flow_log, delete=_delete_flow_log),
    "AWS::EC2::Instance": Handler(create=_create_instance, delete=_delete_instance),
    "AWS::EC2::NetworkAcl": Handler(create=_create_acl, delete=_delete_acl),
    "AWS::EC2::NetworkAclEntry": Handler(create=_create_acl_entry, delete=_delete_acl_entry),
    "AWS::EC2::PrefixList": Handler(create=_create_prefix_list, delete=_delete_prefix_list),
    "AWS::EC2::SubnetNetworkAclAssociation": Handler(create=_associate_acl, delete=nothing),
}
