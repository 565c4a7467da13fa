"""Templates that are large in one way each: what a check must not take quadratic time for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bench.templates import Template, grown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CLOSED: list[Template] = [{"IpProtocol": "-1", "CidrIp": "127.0.0.1/32"}]


def _sound(resources: int) -> dict[str, Template]:
    """The sound application: 16 resources for the VPC and 12 for each of its services."""
    body: dict[str, Template] = json.loads(grown(28 + 12 * max(1, (resources - 28) // 12)))["Resources"]
    return body


def _resource(kind: str, **properties: object) -> Template:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def _ref(name: str) -> Template:
    return {"Ref": name}


def _template(body: Mapping[str, object], **sections: object) -> dict[str, Template]:
    return {"application": {**sections, "Resources": body}}


def sound(resources: int) -> dict[str, Template]:
    """Nothing wrong, nothing special."""
    return _template(_sound(resources))


def dangling_names(resources: int) -> dict[str, Template]:
    """Every name is misspelt by one letter."""
    body = {f"Queue{number}": _resource("SQS::Queue", QueueName=_ref(f"Qeue{number}"))
            for number in range(resources)}  # fmt: skip
    return _template(body)


def nat_gateways(resources: int) -> dict[str, Template]:
    """Every function is in a subnet of its own, behind a NAT gateway of its own."""
    body = _sound(28)
    for number in range((resources - 28) // 6):
        block = f"10.{number >> 8}.{number & 255}.0/24"
        body |= {
            f"N{number}": _resource("EC2::NatGateway", SubnetId=_ref("Public0"), AllocationId="eipalloc-1"),
            f"T{number}": _resource("EC2::RouteTable", VpcId=_ref("Vpc")),
            f"R{number}": _resource(
                "EC2::Route",
                RouteTableId=_ref(f"T{number}"),
                DestinationCidrBlock="0.0.0.0/0",
                NatGatewayId=_ref(f"N{number}"),
            ),
            f"S{number}": _resource(
                "EC2::Subnet", VpcId=_ref("Vpc"), CidrBlock=block, AvailabilityZone="us-east-1a"
            ),
            f"A{number}": _resource(
                "EC2::SubnetRouteTableAssociation",
                SubnetId=_ref(f"S{number}"),
                RouteTableId=_ref(f"T{number}"),
            ),
            f"F{number}": _function(
                [f"S{number}"], ["S0Group"], {"LambdaPatterns": {"Needs": ["secretsmanager"]}}
            ),
        }
    return _template(body)


def _function(subnets: list[str], groups: list[str], metadata: Template | None = None) -> Template:
    properties: Template = {
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Code": {"ZipFile": "def handler(event, context): pass"},
        "Role": {"Fn::GetAtt": ["S0Role", "Arn"]},
        "VpcConfig": {
            "SubnetIds": [_ref(name) for name in subnets],
            "SecurityGroupIds": [{"Fn::GetAtt": [name, "GroupId"]} for name in groups],
        },
    }
    return {"Type": "AWS::Lambda::Function", "Properties": properties, "Metadata": metadata or {}}


def security_groups(resources: int) -> dict[str, Template]:
    """Groups of which each lets in and out twenty others, with a function in each and one database."""
    body = _sound(28)
    count = (resources - 30) // 22
    for number in range(count):
        body[f"G{number}"] = _resource(
            "EC2::SecurityGroup", VpcId=_ref("Vpc"), GroupDescription="one", SecurityGroupEgress=_CLOSED
        )
        for other in range(10):
            for kind, end in (("Ingress", "SourceSecurityGroupId"), ("Egress", "DestinationSecurityGroupId")):
                properties = {
                    "GroupId": {"Fn::GetAtt": [f"G{number}", "GroupId"]},
                    "IpProtocol": "tcp",
                    "FromPort": 5432,
                    "ToPort": 5432,
                    end: {"Fn::GetAtt": [f"G{(number + other + 1) % count}", "GroupId"]},
                }
                body[f"G{number}{kind}{other}"] = _resource(f"EC2::SecurityGroup{kind}", **properties)
        body[f"F{number}"] = _function(["Private0"], [f"G{number}"])
        body[f"F{number}"]["Properties"]["Environment"] = {  # type: ignore[index]  # a mapping, above
            "Variables": {"HOST": {"Fn::GetAtt": ["Database", "Endpoint.Address"]}}
        }
    body["DatabaseSubnets"] = _resource(
        "RDS::DBSubnetGroup",
        DBSubnetGroupDescription="both",
        SubnetIds=[_ref("Private0"), _ref("Private1")],
    )
    body["Database"] = _resource(
        "RDS::DBInstance",
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        DBSubnetGroupName=_ref("DatabaseSubnets"),
        VPCSecurityGroups=[{"Fn::GetAtt": ["G0", "GroupId"]}],
    )
    return _template(body)


def endpoints(resources: int) -> dict[str, Template]:
    """VPCs of one subnet and six closed interface endpoints each, with a function that needs them all."""
    body = _sound(28)
    needed = ["secretsmanager", "sqs", "sns", "kms", "ssm", "states"]
    for number in range((resources - 28) // 10):
        vpc = _ref(f"V{number}")
        body |= {
            f"V{number}": _resource(
                "EC2::VPC", CidrBlock="10.0.0.0/16", EnableDnsSupport=True, EnableDnsHostnames=True
            ),
            f"S{number}": _resource(
                "EC2::Subnet", VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone="us-east-1a"
            ),
            f"G{number}": _resource(
                "EC2::SecurityGroup", VpcId=vpc, GroupDescription="one", SecurityGroupEgress=_CLOSED
            ),
            f"F{number}": _function([f"S{number}"], [f"G{number}"], {"LambdaPatterns": {"Needs": needed}}),
        }
        for service in needed:
            body[f"E{number}{service}"] = _resource(
                "EC2::VPCEndpoint",
                VpcId=vpc,
                VpcEndpointType="Interface",
                PrivateDnsEnabled=True,
                ServiceName={"Fn::Sub": f"com.amazonaws.${{AWS::Region}}.{service}"},
                SubnetIds=[_ref(f"S{number}")],
                SecurityGroupIds=[{"Fn::GetAtt": [f"G{number}", "GroupId"]}],
            )
    return _template(body)


def subnets(resources: int) -> dict[str, Template]:
    """Functions that are each in ten of many subnets, and one table with as many routes for them all."""
    body = _sound(28)
    count = (resources - 28) // 4
    for number in range(count):
        block = f"10.{number >> 8}.{number & 255}.0/24"
        body[f"S{number}"] = _resource(
            "EC2::Subnet", VpcId=_ref("Vpc"), CidrBlock=block, AvailabilityZone="us-east-1a"
        )
        body[f"A{number}"] = _resource(
            "EC2::SubnetRouteTableAssociation",
            SubnetId=_ref(f"S{number}"),
            RouteTableId=_ref("PrivateTable0"),
        )
        body[f"R{number}"] = _resource(
            "EC2::Route",
            RouteTableId=_ref("PrivateTable0"),
            DestinationCidrBlock=f"100.{number >> 8}.{number & 255}.0/24",
            NatGatewayId=_ref("Nat0"),
        )
        body[f"F{number}"] = _function([f"S{(number + other) % count}" for other in range(10)], ["S0Group"])
    return _template(body)


def one_policy(resources: int) -> dict[str, Template]:
    """One role with as many statements as there are resources, carried by a function in ten."""
    body = _sound(28)
    for number in range(resources - 28):
        body[f"Q{number}"] = _resource("SQS::Queue") if number % 10 else _function(["Private0"], ["S0Group"])
    statements = [
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": [name, "Arn"]}}
        for name, resource in body.items()
        if resource["Type"] == "AWS::SQS::Queue"
    ]
    body["S0Policy"]["Properties"]["PolicyDocument"] = {  # type: ignore[index]  # a mapping
        "Version": "2012-10-17",
        "Statement": statements,
    }
    return _template(body)


def one_queue(resources: int) -> dict[str, Template]:
    """Everything names one queue: topics' subscriptions, dead-letter queues, alarms, destinations."""
    body = _sound(28)
    arn = {"Fn::GetAtt": ["S0Queue", "Arn"]}
    for number in range((resources - 28) // 4):
        body |= {
            f"D{number}": _resource(
                "SNS::Subscription", TopicArn=_ref("S0Topic"), Protocol="sqs", Endpoint=arn
            ),
            f"L{number}": _resource(
                "SQS::Queue",
                RedrivePolicy={
                    "deadLetterTargetArn": {"Fn::GetAtt": ["S0Dlq", "Arn"]},
                    "maxReceiveCount": 5,
                },
            ),
            f"F{number}": _function(["Private0"], ["S0Group"]),
            f"I{number}": _resource(
                "Lambda::EventInvokeConfig",
                FunctionName=_ref(f"F{number}"),
                Qualifier="$LATEST",
                DestinationConfig={"OnFailure": {"Destination": arn}},
            ),
        }
    return _template(body)


def triggers(resources: int) -> dict[str, Template]:
    """Rules that each invoke a function of their own, with the permission for it."""
    body = _sound(28)
    for number in range((resources - 28) // 3):
        function = {"Fn::GetAtt": [f"F{number}", "Arn"]}
        body |= {
            f"F{number}": _function(["Private0"], ["S0Group"]),
            f"R{number}": _resource(
                "Events::Rule",
                ScheduleExpression="rate(1 minute)",
                Targets=[{"Id": "Function", "Arn": function}],
            ),
            f"P{number}": _resource(
                "Lambda::Permission",
                Action="lambda:InvokeFunction",
                FunctionName=function,
                Principal="events.amazonaws.com",
                SourceArn={"Fn::GetAtt": [f"R{number}", "Arn"]},
            ),
        }
    return _template(body)


def acknowledgements(resources: int) -> dict[str, Template]:
    """Queues with a finding each, and each accepted with its reason."""
    accepted = {"LambdaPatterns": {"Acknowledge": [{"Rule": "queue-without-tls", "Reason": "measured"}]}}
    return _template(
        {f"Q{number}": {**_resource("SQS::Queue"), "Metadata": accepted} for number in range(resources)}
    )


def conditions(resources: int) -> dict[str, Template]:
    """Six parameters that nobody decides, so 64 combinations, and each resource under one of them."""
    body = _sound(resources)
    for number, name in enumerate(name for name in body if name.endswith(("Bucket", "Alarm"))):
        body[name]["Condition"] = f"C{number % 6}"
    return _template(
        body,
        Parameters={f"P{number}": {"Type": "String"} for number in range(6)},
        Conditions={f"C{number}": {"Fn::Equals": [_ref(f"P{number}"), "yes"]} for number in range(6)},
    )


def stacks(resources: int) -> dict[str, Template]:
    """An assembly of stacks of 28 resources each, which all take their topic from the first."""
    found: dict[str, Template] = {}
    for number in range(resources // 28):
        body = _sound(28)
        body["S0Function"]["Properties"]["FunctionName"] = f"service-{number}"  # type: ignore[index]  # a mapping
        found[f"Stack{number}"] = {"Resources": body}
        if number:
            alarm = body["S0Alarm"]["Properties"]
            alarm["AlarmActions"] = [{"Fn::ImportValue": "Topic"}]  # type: ignore[index]  # a mapping
        else:
            found["Stack0"]["Outputs"] = {"Topic": {"Value": _ref("S0Topic"), "Export": {"Name": "Topic"}}}
    return found


VARIANTS: dict[str, Callable[[int], dict[str, Template]]] = {
    "sound": sound,
    "dangling names": dangling_names,
    "NAT gateways": nat_gateways,
    "security groups": security_groups,
    "endpoints": endpoints,
    "subnets and routes": subnets,
    "one policy": one_policy,
    "one queue": one_queue,
    "triggers": triggers,
    "acknowledgements": acknowledgements,
    "64 combinations": conditions,
    "stacks": stacks,
}
