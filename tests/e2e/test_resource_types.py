"""Every CloudFormation type that we add is created, changed and deleted, with the attributes CDK reads."""

import json
from typing import Any

import pytest

from lambda_patterns.local.resources.table import HANDLERS

pytestmark = pytest.mark.e2e

BASE: dict[str, Any] = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
    "Subnet": {
        "Type": "AWS::EC2::Subnet",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "us-east-1a"},
    },
    "Other": {
        "Type": "AWS::EC2::Subnet",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "us-east-1b"},
    },
    "Group": {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {"GroupDescription": "group", "VpcId": {"Ref": "Vpc"}},
    },
    "Acl": {"Type": "AWS::EC2::NetworkAcl", "Properties": {"VpcId": {"Ref": "Vpc"}}},
    "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
    "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "{}"}},
    "Queue": {"Type": "AWS::SQS::Queue"},
    "Topic": {"Type": "AWS::SNS::Topic"},
    "Bucket": {"Type": "AWS::S3::Bucket"},
    "Proxy": {
        "Type": "AWS::RDS::DBProxy",
        "Properties": {
            "DBProxyName": "orders-UNIQUE",
            "EngineFamily": "MYSQL",
            "RoleArn": "arn:aws:iam::000000000000:role/proxy",
            "RequireTLS": True,
            "Auth": [{"AuthScheme": "SECRETS", "SecretArn": {"Ref": "Secret"}, "IAMAuth": "REQUIRED"}],
            "VpcSubnetIds": [{"Ref": "Subnet"}, {"Ref": "Other"}],
        },
    },
    "Alarm": {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "Namespace": "AWS/SQS",
            "MetricName": "NumberOfMessagesSent",
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 1,
            "Threshold": 1,
        },
    },
}
ALLOW = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "*", "Resource": "*"}
POLICY = {"Version": "2012-10-17", "Statement": [ALLOW]}
VPC, SUBNET, GROUP = {"Ref": "Vpc"}, {"Ref": "Subnet"}, {"Fn::GetAtt": ["Group", "GroupId"]}
HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": "443"}
# type -> (properties, the same changed, attributes that can be read)
TYPES: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": ({"MinCapacity": 1}, {"MinCapacity": 2}, ("Id",)),
    "AWS::ApplicationAutoScaling::ScalingPolicy": ({"PolicyName": "a"}, {"PolicyName": "b"}, ("Arn",)),
    "AWS::Budgets::Budget": ({"Budget": {"BudgetName": "a"}}, {"Budget": {"BudgetName": "b"}}, ()),
    "AWS::Chatbot::SlackChannelConfiguration": ({"LoggingLevel": "NONE"}, {"LoggingLevel": "INFO"}, ("Arn",)),
    "AWS::CloudWatch::AnomalyDetector": ({"Stat": "Sum"}, {"Stat": "Average"}, ("Id",)),
    "AWS::CloudWatch::CompositeAlarm": (
        {"AlarmRule": {"Fn::Sub": 'ALARM("${Alarm}")'}},
        {"AlarmRule": {"Fn::Sub": 'OK("${Alarm}")'}},
        ("Arn",),
    ),
    "AWS::CodeDeploy::Application": (
        {"ComputePlatform": "Lambda"},
        {"ComputePlatform": "Lambda", "Tags": []},
        (),
    ),
    "AWS::CodeDeploy::DeploymentConfig": ({"ComputePlatform": "Lambda"}, {"ComputePlatform": "ECS"}, ()),
    "AWS::CodeDeploy::DeploymentGroup": ({"ApplicationName": "a"}, {"ApplicationName": "b"}, ()),
    "AWS::EC2::EIP": (
        {"Domain": "vpc"},
        {"Domain": "vpc", "Tags": [{"Key": "a", "Value": "b"}]},
        ("AllocationId",),
    ),
    "AWS::EC2::EIPAssociation": (
        {"AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]}},
        {"AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]}, "PrivateIpAddress": "10.0.0.9"},
        ("Id",),
    ),
    "AWS::EC2::EgressOnlyInternetGateway": ({"VpcId": VPC}, {"VpcId": VPC, "Tags": []}, ("Id",)),
    "AWS::EC2::FlowLog": (
        {"ResourceType": "VPC", "ResourceId": VPC, "TrafficType": "ALL", "LogGroupName": "a"},
        {"ResourceType": "VPC", "ResourceId": VPC, "TrafficType": "REJECT", "LogGroupName": "a"},
        ("Id",),
    ),
    "AWS::EC2::Instance": (
        {"InstanceType": "t4g.nano", "ImageId": "ami-0c2023a1b2c3d4e5f", "SubnetId": SUBNET},
        {"InstanceType": "t4g.micro", "ImageId": "ami-0c2023a1b2c3d4e5f", "SubnetId": SUBNET},
        ("PrivateIp", "AvailabilityZone"),
    ),
    "AWS::EC2::NatGateway": (
        {"SubnetId": SUBNET, "AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]}},
        {"SubnetId": SUBNET, "ConnectivityType": "private"},
        ("NatGatewayId",),
    ),
    "AWS::EC2::NetworkAcl": ({"VpcId": VPC}, {"VpcId": VPC, "Tags": [{"Key": "a", "Value": "b"}]}, ("Id",)),
    "AWS::EC2::NetworkAclEntry": (
        {
            "NetworkAclId": {"Ref": "Acl"},
            "RuleNumber": 100,
            "Protocol": -1,
            "RuleAction": "allow",
            "CidrBlock": "10.0.0.0/8",
        },
        {
            "NetworkAclId": {"Ref": "Acl"},
            "RuleNumber": 100,
            "Protocol": 6,
            "RuleAction": "deny",
            "CidrBlock": "10.0.0.0/8",
            "PortRange": {"From": 443, "To": 443},
        },
        ("Id",),
    ),
    "AWS::EC2::NetworkInterface": (
        {"SubnetId": SUBNET, "GroupSet": [GROUP]},
        {"SubnetId": SUBNET, "GroupSet": [GROUP], "Description": "a"},
        ("Id", "PrimaryPrivateIpAddress"),
    ),
    "AWS::EC2::PrefixList": (
        {
            "PrefixListName": "a",
            "MaxEntries": 1,
            "AddressFamily": "IPv4",
            "Entries": [{"Cidr": "10.0.0.0/8"}],
        },
        {
            "PrefixListName": "b",
            "MaxEntries": 2,
            "AddressFamily": "IPv4",
            "Entries": [{"Cidr": "10.0.0.0/8"}],
        },
        ("PrefixListId",),
    ),
    "AWS::EC2::SecurityGroupEgress": (
        {"GroupId": GROUP, "CidrIp": "10.0.0.0/8", **HTTPS},
        {"GroupId": GROUP, "CidrIpv6": "::/0", **HTTPS},
        ("Id",),
    ),
    "AWS::EC2::SecurityGroupIngress": (
        {"GroupId": GROUP, "SourceSecurityGroupId": GROUP, **HTTPS},
        {"GroupId": GROUP, "SourceSecurityGroupId": GROUP, "Description": "a", **HTTPS},
        ("Id",),
    ),
    "AWS::EC2::SubnetNetworkAclAssociation": (
        {"NetworkAclId": {"Ref": "Acl"}, "SubnetId": SUBNET},
        {"NetworkAclId": {"Ref": "Acl"}, "SubnetId": {"Ref": "Other"}},
        ("AssociationId",),
    ),
    "AWS::EC2::VPCCidrBlock": (
        {"VpcId": VPC, "AmazonProvidedIpv6CidrBlock": True},
        {"VpcId": VPC, "AmazonProvidedIpv6CidrBlock": "true"},
        ("Ipv6CidrBlock",),
    ),
    "AWS::Lambda::CodeSigningConfig": (
        {"AllowedPublishers": {"SigningProfileVersionArns": ["a"]}},
        {"AllowedPublishers": {"SigningProfileVersionArns": ["b"]}},
        ("CodeSigningConfigArn",),
    ),
    "AWS::Logs::QueryDefinition": (
        {"Name": "a", "QueryString": "fields a"},
        {"Name": "a", "QueryString": "fields b"},
        ("QueryDefinitionId",),
    ),
    "AWS::RDS::DBProxy": (
        {**BASE["Proxy"]["Properties"], "DBProxyName": "mine-UNIQUE"},
        {**BASE["Proxy"]["Properties"], "DBProxyName": "mine-UNIQUE", "IdleClientTimeout": "60"},
        ("DBProxyArn", "Endpoint", "VpcId"),
    ),
    "AWS::RDS::DBProxyEndpoint": (
        {"DBProxyName": {"Ref": "Proxy"}, "DBProxyEndpointName": "a-UNIQUE", "VpcSubnetIds": [SUBNET]},
        {"DBProxyName": {"Ref": "Proxy"}, "DBProxyEndpointName": "b-UNIQUE", "VpcSubnetIds": [SUBNET]},
        ("DBProxyEndpointArn", "Endpoint"),
    ),
    "AWS::RDS::DBProxyTargetGroup": (
        {"DBProxyName": {"Ref": "Proxy"}, "TargetGroupName": "default"},
        {
            "DBProxyName": {"Ref": "Proxy"},
            "TargetGroupName": "default",
            "ConnectionPoolConfigurationInfo": {"MaxConnectionsPercent": "50"},
        },
        ("TargetGroupArn",),
    ),
    "AWS::RDS::OptionGroup": (
        {"EngineName": "mysql", "MajorEngineVersion": "8.0", "OptionGroupDescription": "a"},
        {"EngineName": "mysql", "MajorEngineVersion": "8.0", "OptionGroupDescription": "b"},
        (),
    ),
    "AWS::SecretsManager::ResourcePolicy": (
        {"SecretId": {"Ref": "Secret"}, "ResourcePolicy": POLICY},
        {"SecretId": {"Ref": "Secret"}, "ResourcePolicy": {**POLICY, "Id": "b"}},
        ("Id",),
    ),
    "AWS::SecretsManager::RotationSchedule": (
        {"SecretId": {"Ref": "Secret"}, "RotationRules": {"AutomaticallyAfterDays": "30"}},
        {"SecretId": {"Ref": "Secret"}, "RotationRules": {"ScheduleExpression": "rate(10 days)"}},
        ("Id",),
    ),
    "Custom::S3AutoDeleteObjects": (
        {"ServiceToken": "a", "BucketName": {"Ref": "Bucket"}},
        {"ServiceToken": "b", "BucketName": {"Ref": "Bucket"}},
        (),
    ),
    "Custom::VpcRestrictDefaultSG": (
        {"ServiceToken": "a", "DefaultSecurityGroupId": {"Fn::GetAtt": ["Vpc", "DefaultSecurityGroup"]}},
        {"ServiceToken": "b", "DefaultSecurityGroupId": {"Fn::GetAtt": ["Vpc", "DefaultSecurityGroup"]}},
        (),
    ),
    "AWS::SQS::QueueInlinePolicy": (
        {"Queue": {"Ref": "Queue"}, "PolicyDocument": POLICY},
        {"Queue": {"Ref": "Queue"}, "PolicyDocument": {**POLICY, "Id": "b"}},
        (),
    ),
    "AWS::SNS::TopicInlinePolicy": (
        {"TopicArn": {"Ref": "Topic"}, "PolicyDocument": POLICY},
        {"TopicArn": {"Ref": "Topic"}, "PolicyDocument": {**POLICY, "Id": "b"}},
        (),
    ),
}


def test_every_type_that_we_add_is_tried_here() -> None:
    inline = {"AWS::SQS::QueueInlinePolicy", "AWS::SNS::TopicInlinePolicy"}
    assert set(TYPES) - inline == set(HANDLERS)


def template(kind: str, properties: dict[str, Any], attributes: tuple[str, ...], unique: str) -> str:
    outputs = {name: {"Value": {"Fn::GetAtt": ["Tried", name]}} for name in attributes}
    content: dict[str, Any] = {
        "Resources": {**BASE, "Tried": {"Type": kind, "Properties": properties}},
        "Outputs": {**outputs, "Itself": {"Value": {"Ref": "Tried"}}},
    }
    return json.dumps(content).replace("UNIQUE", unique)


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_a_type_is_created_changed_and_deleted(workshop: Any, eventually: Any, kind: str) -> None:
    properties, changed, attributes = TYPES[kind]
    formation, name = workshop.aws.client("cloudformation"), workshop.name("stack")

    def state() -> dict[str, Any]:
        found: dict[str, Any] = formation.describe_stacks(StackName=name)["Stacks"][0]
        return found if not found["StackStatus"].endswith("IN_PROGRESS") else {}

    def reasons() -> list[str]:
        events = formation.describe_stack_events(StackName=name)["StackEvents"]
        return [
            event.get("ResourceStatusReason", "") for event in events if "FAILED" in event["ResourceStatus"]
        ]

    formation.create_stack(
        StackName=name, TemplateBody=template(kind, properties, attributes, workshop.unique)
    )
    created = eventually(state)
    assert created["StackStatus"] == "CREATE_COMPLETE", reasons()
    outputs = {output["OutputKey"]: output["OutputValue"] for output in created["Outputs"]}
    assert all(outputs[attribute] for attribute in attributes)
    formation.update_stack(StackName=name, TemplateBody=template(kind, changed, attributes, workshop.unique))
    assert eventually(state)["StackStatus"] == "UPDATE_COMPLETE", reasons()
    identity = created["StackId"]
    formation.delete_stack(StackName=name)
    gone = eventually(
        lambda: [
            stack
            for stack in formation.describe_stacks(StackName=identity)["Stacks"]
            if not stack["StackStatus"].endswith("IN_PROGRESS")
        ]
    )
    assert gone[0]["StackStatus"] == "DELETE_COMPLETE", reasons()


def test_a_mapping_that_is_made_switched_off_says_so(workshop: Any, eventually: Any) -> None:
    """Who asks whether a reprocessor is at work is told what it is."""
    formation, name = workshop.aws.client("cloudformation"), workshop.name("stack")
    function = {
        "Runtime": "python3.11",
        "Handler": "index.handler",
        "Role": "arn:aws:iam::000000000000:role/reader",
        "Code": {"ZipFile": "def handler(event, context): ..."},
    }
    mapping = {
        "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
        "FunctionName": {"Ref": "Reader"},
        "Enabled": False,
    }
    resources = {
        "Queue": BASE["Queue"],
        "Reader": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": mapping},
    }
    body = {"Resources": resources, "Outputs": {"Mapping": {"Value": {"Ref": "Mapping"}}}}
    formation.create_stack(StackName=name, TemplateBody=json.dumps(body))

    def outputs() -> list[dict[str, str]]:
        found: list[dict[str, str]] = formation.describe_stacks(StackName=name)["Stacks"][0].get(
            "Outputs", []
        )
        return found

    (output,) = eventually(outputs)
    identity = output["OutputValue"]
    assert workshop.lam.get_event_source_mapping(UUID=identity)["State"] == "Disabled"
    workshop.lam.update_event_source_mapping(UUID=identity, Enabled=True)
    assert workshop.lam.get_event_source_mapping(UUID=identity)["State"] == "Enabled"
    formation.delete_stack(StackName=name)
