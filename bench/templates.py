"""A sound application of any size: one VPC, and services of a function, its queues, secret, bucket, alarm."""

from __future__ import annotations

import json

Template = dict[str, object]


def grown(resources: int) -> bytes:
    """Give the JSON of a template with `resources` resources: 28 for the VPC and 12 for each service."""
    body = _network()
    services, rest = divmod(resources - len(body), len(_service(0)))
    assert not rest
    for number in range(services):
        body |= _service(number)
    # One of them calls the internet, so that the NAT gateways are there for a reason.
    body["S0Function"]["Metadata"] = {"LambdaPatterns": {"Needs": ["internet"]}}
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": body}, indent=1).encode()


def _resource(kind: str, **properties: object) -> Template:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def _ref(name: str) -> Template:
    return {"Ref": name}


def _arn(name: str) -> Template:
    return {"Fn::GetAtt": [name, "Arn"]}


def _network() -> dict[str, Template]:
    """A VPC with a NAT gateway in each of two zones, free endpoints, and flow logs: 28 resources."""
    body = {
        "Vpc": _resource("EC2::VPC", CidrBlock="10.0.0.0/16", EnableDnsSupport=True, EnableDnsHostnames=True),
        "Gateway": _resource("EC2::InternetGateway"),
        "Attachment": _resource(
            "EC2::VPCGatewayAttachment", VpcId=_ref("Vpc"), InternetGatewayId=_ref("Gateway")
        ),
        "PublicTable": _resource("EC2::RouteTable", VpcId=_ref("Vpc")),
        "PublicRoute": {
            **_resource(
                "EC2::Route",
                RouteTableId=_ref("PublicTable"),
                DestinationCidrBlock="0.0.0.0/0",
                GatewayId=_ref("Gateway"),
            ),
            "DependsOn": "Attachment",
        },
        "FlowLogs": _resource(
            "EC2::FlowLog",
            ResourceType="VPC",
            ResourceId=_ref("Vpc"),
            TrafficType="ALL",
            LogGroupName=_ref("FlowLogGroup"),
            DeliverLogsPermissionArn=_arn("FlowLogRole"),
        ),
        "FlowLogGroup": _resource("Logs::LogGroup", RetentionInDays=30, KmsKeyId=_arn("Key")),
        "Key": _resource("KMS::Key", EnableKeyRotation=True, KeyPolicy=_key_policy()),
        "FlowLogRole": _resource("IAM::Role", AssumeRolePolicyDocument=_trust("vpc-flow-logs.amazonaws.com")),
        "FlowLogPolicy": _resource(
            "IAM::Policy",
            PolicyName="Write",
            Roles=[_ref("FlowLogRole")],
            PolicyDocument=_policy(["logs:CreateLogStream", "logs:PutLogEvents"], _arn("FlowLogGroup")),
        ),
    }
    for service in ("s3", "dynamodb"):
        body[f"{service.title()}Endpoint"] = _resource(
            "EC2::VPCEndpoint",
            VpcId=_ref("Vpc"),
            ServiceName={"Fn::Sub": f"com.amazonaws.${{AWS::Region}}.{service}"},
            RouteTableIds=[_ref("PrivateTable0"), _ref("PrivateTable1")],
        )
    for zone in range(2):
        body |= _zone(zone)
    return body


def _zone(zone: int) -> dict[str, Template]:
    """A public subnet with a NAT gateway, and a private one that goes out through it."""
    body = {
        f"{kind}{zone}": _resource(
            "EC2::Subnet",
            VpcId=_ref("Vpc"),
            CidrBlock=f"10.0.{number}.0/24",
            AvailabilityZone={"Fn::Select": [zone, {"Fn::GetAZs": ""}]},
        )
        for number, kind in ((zone, "Public"), (zone + 8, "Private"))
    }
    return body | {
        f"PublicAssociation{zone}": _resource(
            "EC2::SubnetRouteTableAssociation",
            SubnetId=_ref(f"Public{zone}"),
            RouteTableId=_ref("PublicTable"),
        ),
        f"PrivateTable{zone}": _resource("EC2::RouteTable", VpcId=_ref("Vpc")),
        f"PrivateAssociation{zone}": _resource(
            "EC2::SubnetRouteTableAssociation",
            SubnetId=_ref(f"Private{zone}"),
            RouteTableId=_ref(f"PrivateTable{zone}"),
        ),
        f"Address{zone}": _resource("EC2::EIP", Domain="vpc"),
        f"Nat{zone}": _resource(
            "EC2::NatGateway",
            SubnetId=_ref(f"Public{zone}"),
            AllocationId={"Fn::GetAtt": [f"Address{zone}", "AllocationId"]},
        ),
        f"PrivateRoute{zone}": _resource(
            "EC2::Route",
            RouteTableId=_ref(f"PrivateTable{zone}"),
            DestinationCidrBlock="0.0.0.0/0",
            NatGatewayId=_ref(f"Nat{zone}"),
        ),
    }


def _trust(service: str) -> Template:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _key_policy() -> Template:
    account = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    statement = {"Effect": "Allow", "Principal": account, "Action": "kms:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _policy(actions: list[str], resource: Template) -> Template:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _service(number: int) -> dict[str, Template]:
    """One service: a queue with a dead-letter queue, watched, read by a function in the VPC."""
    name = f"S{number}"
    allow = [
        {
            "Effect": "Allow",
            "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            "Resource": _arn(f"{name}Queue"),
        },
        {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": _ref(f"{name}Secret")},
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": _arn(f"{name}Bucket")},
    ]
    tls = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {
        f"{name}Role": _resource(
            "IAM::Role",
            AssumeRolePolicyDocument=_trust("lambda.amazonaws.com"),
            ManagedPolicyArns=[
                {
                    "Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/service-role/"
                    "AWSLambdaVPCAccessExecutionRole"
                }
            ],
        ),
        f"{name}Policy": _resource(
            "IAM::Policy",
            PolicyName="Use",
            Roles=[_ref(f"{name}Role")],
            PolicyDocument={"Version": "2012-10-17", "Statement": allow},
        ),
        f"{name}Group": _resource(
            "EC2::SecurityGroup",
            VpcId=_ref("Vpc"),
            GroupDescription="functions",
            SecurityGroupEgress=[
                {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}
            ],
        ),
        f"{name}Secret": _resource("SecretsManager::Secret", GenerateSecretString={}),
        f"{name}Bucket": _resource("S3::Bucket"),
        f"{name}Queue": _resource(
            "SQS::Queue",
            SqsManagedSseEnabled=True,
            VisibilityTimeout=180,
            RedrivePolicy={"deadLetterTargetArn": _arn(f"{name}Dlq"), "maxReceiveCount": 5},
        ),
        f"{name}Dlq": _resource("SQS::Queue", SqsManagedSseEnabled=True, MessageRetentionPeriod=1209600),
        f"{name}QueuePolicy": _resource(
            "SQS::QueuePolicy",
            Queues=[_ref(f"{name}Queue"), _ref(f"{name}Dlq")],
            PolicyDocument={"Version": "2012-10-17", "Statement": [tls]},
        ),
        f"{name}Alarm": _resource(
            "CloudWatch::Alarm",
            Namespace="AWS/SQS",
            MetricName="ApproximateNumberOfMessagesVisible",
            Dimensions=[{"Name": "QueueName", "Value": {"Fn::GetAtt": [f"{name}Dlq", "QueueName"]}}],
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            AlarmActions=[_ref(f"{name}Topic")],
        ),
        f"{name}Topic": _resource("SNS::Topic", KmsMasterKeyId="alias/operations"),
        f"{name}Function": _resource(
            "Lambda::Function",
            FunctionName=f"service-{number}",
            Runtime="python3.13",
            Handler="index.handler",
            Code={"ZipFile": "def handler(event, context):\n    return {'batchItemFailures': []}\n"},
            Role=_arn(f"{name}Role"),
            Timeout=30,
            MemorySize=512,
            Environment={"Variables": {"SECRET": _ref(f"{name}Secret"), "BUCKET": _ref(f"{name}Bucket")}},
            VpcConfig={
                "SubnetIds": [_ref("Private0"), _ref("Private1")],
                "SecurityGroupIds": [{"Fn::GetAtt": [f"{name}Group", "GroupId"]}],
            },
        ),
        f"{name}Mapping": _resource(
            "Lambda::EventSourceMapping",
            EventSourceArn=_arn(f"{name}Queue"),
            FunctionName=_ref(f"{name}Function"),
            FunctionResponseTypes=["ReportBatchItemFailures"],
        ),
    }
