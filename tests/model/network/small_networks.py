"""Small networks, written as templates, and what a function in them reaches."""

from typing import Any

from lambda_patterns.model.assembly import from_templates
from lambda_patterns.model.network import Internet, Network

Resources = dict[str, Any]
EVERYWHERE = "0.0.0.0/0"


def ref(name: str) -> dict[str, Any]:
    return {"Ref": name}


def made(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def group(**properties: Any) -> dict[str, Any]:
    return made("EC2::SecurityGroup", GroupDescription="g", VpcId=ref("Vpc"), **properties)


def rule(port: int, **peer: Any) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peer}


def base(**more: Any) -> Resources:
    """A VPC with two private subnets that share a route table, and a function in them."""
    found: Resources = {
        "Vpc": made("EC2::VPC", CidrBlock="10.0.0.0/16", EnableDnsHostnames=True),
        "Table": made("EC2::RouteTable", VpcId=ref("Vpc")),
        "FunctionGroup": group(),
        "Function": made(
            "Lambda::Function",
            VpcConfig={"SubnetIds": [ref("A"), ref("B")], "SecurityGroupIds": [ref("FunctionGroup")]},
        ),
    }
    for index, name in enumerate("AB"):
        found[name] = made(
            "EC2::Subnet",
            VpcId=ref("Vpc"),
            CidrBlock=f"10.0.{index}.0/24",
            AvailabilityZone=f"eu-west-1{name.lower()}",
        )
        found[f"{name}Table"] = made(
            "EC2::SubnetRouteTableAssociation", SubnetId=ref(name), RouteTableId=ref("Table")
        )
    return {**found, **more}


def gateway() -> Resources:
    return {
        "Gateway": {"Type": "AWS::EC2::InternetGateway"},
        "Attachment": made("EC2::VPCGatewayAttachment", VpcId=ref("Vpc"), InternetGatewayId=ref("Gateway")),
    }


def route(destination: str = EVERYWHERE, table: str = "Table", **target: Any) -> dict[str, Any]:
    way = "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock"
    return made("EC2::Route", RouteTableId=ref(table), **{way: destination}, **target)


def database(**properties: Any) -> Resources:
    return {
        "DbGroup": group(SecurityGroupIngress=[rule(5432, SourceSecurityGroupId=ref("FunctionGroup"))]),
        "DbSubnets": made("RDS::DBSubnetGroup", SubnetIds=[ref("A"), ref("B")]),
        "Db": made(
            "RDS::DBInstance",
            Engine="postgres",
            DBSubnetGroupName=ref("DbSubnets"),
            VPCSecurityGroups=[ref("DbGroup")],
            **properties,
        ),
    }


def verdict(
    resources: Resources, target: Any = "Internet", source: str = "Function", **sections: Any
) -> tuple[str, str | None]:
    """Trace, and give the verdict with the explanation code of the first reason."""
    deployment = next(from_templates({"t": {"Resources": resources, **sections}}).deployments())
    network: Network = deployment.network
    start = deployment.find(source)
    assert start is not None
    end = (
        Internet() if target == "Internet" else deployment.find(target) if isinstance(target, str) else target
    )
    assert end is not None
    trace = network.trace(start, end)
    return trace.verdict.value, trace.reason.code if trace.reason else None


def parameter(name: str, kind: str = "String") -> dict[str, Any]:
    return {"Parameters": {name: {"Type": kind}}}
