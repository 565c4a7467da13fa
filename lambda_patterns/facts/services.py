"""The AWS services that a function's code calls: which grants speak of them, which endpoint meets them.

One row a service, named after the short name of its VPC endpoint (``com.amazonaws.<region>.<name>``). Several
rows may share one IAM prefix (`dynamodb` and `dynamodb-streams`): `of_action` tells them apart.

Sources: the list of services with PrivateLink, the page on gateway endpoints, and for single rows their own.
"""

from __future__ import annotations

from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple

_DOCS = "https://docs.aws.amazon.com/"
_PRIVATELINK = _DOCS + "vpc/latest/privatelink/aws-services-privatelink-support.html"
_GATEWAY = _DOCS + "vpc/latest/privatelink/gateway-endpoints.html"
_IAM_ENDPOINT = _DOCS + "IAM/latest/UserGuide/reference_iam_vpc_endpoint_create.html"


class Endpoint(StrEnum):
    """How a VPC meets the service without a way to the internet.

    INTERFACE: an interface endpoint. GATEWAY: a gateway endpoint (free), or an interface endpoint.
    HOME: an interface endpoint, but only in the home Region (us-east-1). NONE: none in any Region.
    """

    INTERFACE = "interface"
    GATEWAY = "gateway"
    HOME = "home"
    NONE = "none"


class Service(NamedTuple):
    """One service.

    Args:
        name: the short name of its endpoint ("secretsmanager"); for NONE the name of its API ("route53").
        title: its name in words ("Secrets Manager").
        endpoint: see `Endpoint`.
        prefixes: the IAM action prefixes that speak of it, where the whole prefix is its own.
        actions: single actions, with wildcards, of a prefix that it shares with another row.
        hosts: what its host names start with, before ``.<region>.amazonaws.com``.
        arns: the service part of ARNs that, in an environment variable, say that the code calls it.
        on_behalf: actions that Lambda or another service makes in the role's name, over no path of its own.
        polling: actions that Lambda's pollers make where the resource is an event source of the function.
        delivering: actions that Lambda makes where the resource is a destination or dead-letter queue.
        note: what is particular about it.
        source: the address of the page.
    """

    name: str
    title: str
    endpoint: Endpoint = Endpoint.INTERFACE
    prefixes: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    arns: tuple[str, ...] = ()
    on_behalf: tuple[str, ...] = ()
    polling: tuple[str, ...] = ()
    delivering: tuple[str, ...] = ()
    note: str = ""
    source: str = _PRIVATELINK

    @property
    def has_endpoint(self) -> bool:
        """Whether every Region can have an endpoint for it."""
        return self.endpoint in {Endpoint.INTERFACE, Endpoint.GATEWAY}


def _plain(name: str, title: str, *prefixes: str, host: str = "", arns: tuple[str, ...] = ()) -> Service:
    return Service(name, title, prefixes=prefixes or (name,), hosts=(host or name,), arns=arns)


_OF_STREAMS = (
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:DescribeStream",
    "dynamodb:ListStreams",
)

SERVICES: tuple[Service, ...] = (
    _plain("acm", "Certificate Manager"),
    Service("appconfig", "AppConfig", prefixes=("appconfig",), hosts=("appconfig",)),
    Service(
        "appconfigdata",
        "AppConfig Data",
        actions=("appconfig:StartConfigurationSession", "appconfig:GetLatestConfiguration"),
        hosts=("appconfigdata",),
    ),
    _plain("application-autoscaling", "Application Auto Scaling"),
    Service(
        "appsync-api",
        "AppSync (private APIs)",
        actions=("appsync:GraphQL",),
        hosts=("appsync-api",),
        note="a public API is met over the internet even where the endpoint exists",
    ),
    _plain("athena", "Athena"),
    _plain("autoscaling", "EC2 Auto Scaling"),
    _plain("backup", "Backup"),
    _plain("batch", "Batch"),
    Service("bedrock", "Bedrock", prefixes=("bedrock",), hosts=("bedrock",)),
    Service(
        "bedrock-agent-runtime",
        "Bedrock Agents",
        actions=(
            "bedrock:InvokeAgent",
            "bedrock:InvokeFlow",
            "bedrock:Retrieve",
            "bedrock:RetrieveAndGenerate",
        ),
        hosts=("bedrock-agent-runtime",),
    ),
    Service(
        "bedrock-runtime",
        "Bedrock Runtime",
        actions=("bedrock:InvokeModel*", "bedrock:Converse*", "bedrock:ApplyGuardrail"),
        hosts=("bedrock-runtime",),
    ),
    _plain("cloudformation", "CloudFormation"),
    Service(
        "cloudfront",
        "CloudFront",
        Endpoint.HOME,
        prefixes=("cloudfront",),
        hosts=("cloudfront",),
        note="one API for the whole partition; its endpoint is com.amazonaws.cloudfront, in us-east-1",
    ),
    _plain("cloudtrail", "CloudTrail"),
    _plain("codebuild", "CodeBuild"),
    _plain("codepipeline", "CodePipeline"),
    _plain("cognito-identity", "Cognito identity pools"),
    _plain("cognito-idp", "Cognito user pools"),
    _plain("comprehend", "Comprehend"),
    _plain("config", "Config"),
    Service(
        "dynamodb",
        "DynamoDB",
        Endpoint.GATEWAY,
        prefixes=("dynamodb",),
        hosts=("dynamodb",),
        arns=("dynamodb",),
        source=_GATEWAY,
    ),
    Service(
        "dynamodb-streams",
        "DynamoDB Streams",
        actions=_OF_STREAMS,
        hosts=("streams.dynamodb",),
        # aws_cdk grants these two with every grant to read a table
        on_behalf=("dynamodb:GetRecords", "dynamodb:GetShardIterator"),
        polling=_OF_STREAMS,
        note="the gateway endpoint of DynamoDB does not carry streams",
    ),
    Service(
        "ec2",
        "EC2",
        prefixes=("ec2",),
        hosts=("ec2",),
        on_behalf=(
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeVpcs",
            "ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses",
            "ec2:GetSecurityGroupsForVpc",
        ),
        note="the network interface actions are Lambda's own, with the execution role",
        source=_DOCS + "lambda/latest/dg/configuration-vpc.html",
    ),
    _plain("ecr.api", "ECR", "ecr", host="api.ecr"),
    _plain("ecs", "ECS"),
    _plain("eks", "EKS"),
    _plain("elasticache", "ElastiCache (control)"),
    Service(
        "elasticfilesystem",
        "EFS (control)",
        prefixes=("elasticfilesystem",),
        hosts=("elasticfilesystem",),
        on_behalf=(
            "elasticfilesystem:ClientMount",
            "elasticfilesystem:ClientWrite",
            "elasticfilesystem:ClientRootAccess",
            "elasticfilesystem:DescribeMountTargets",
        ),
        note="a mounted file system is met over NFS (port 2049), not over the API",
    ),
    _plain("elasticloadbalancing", "Elastic Load Balancing"),
    _plain("elasticmapreduce", "EMR"),
    Service(
        "email",
        "SES",
        prefixes=("ses",),
        hosts=("email",),
        note="the API; SMTP has an endpoint of its own, email-smtp",
        source=_DOCS + "ses/latest/dg/send-email-set-up-vpc-endpoints.html",
    ),
    Service(
        "events",
        "EventBridge",
        prefixes=("events",),
        hosts=("events",),
        arns=("events",),
        delivering=("events:PutEvents",),
    ),
    Service(
        "execute-api",
        "API Gateway (calling APIs)",
        prefixes=("execute-api",),
        hosts=("execute-api",),
        note="private APIs only; with private DNS the endpoint hides the Region's public APIs",
    ),
    _plain("glue", "Glue"),
    Service(
        "iam",
        "IAM",
        Endpoint.HOME,
        prefixes=("iam",),
        hosts=("iam",),
        on_behalf=("iam:PassRole",),
        note="one API for the whole partition; its endpoint is com.amazonaws.iam, in us-east-1",
        source=_IAM_ENDPOINT,
    ),
    Service(
        "iot.data",
        "IoT Core (messages)",
        actions=("iot:Publish", "iot:*ThingShadow", "iot:*RetainedMessage*"),
        hosts=("data-ats.iot", "data.iot"),
        source=_DOCS + "iot/latest/developerguide/IoTCore-VPC.html",
    ),
    _plain("kendra", "Kendra"),
    Service(
        "kinesis-firehose",
        "Data Firehose",
        prefixes=("firehose",),
        hosts=("firehose",),
        arns=("firehose",),
    ),
    Service(
        "kinesis-streams",
        "Kinesis Data Streams",
        prefixes=("kinesis",),
        hosts=("kinesis",),
        arns=("kinesis",),
        polling=(
            "kinesis:DescribeStream",
            "kinesis:DescribeStreamSummary",
            "kinesis:GetRecords",
            "kinesis:GetShardIterator",
            "kinesis:ListShards",
            "kinesis:ListStreams",
            "kinesis:SubscribeToShard",
        ),
    ),
    Service(
        "kms",
        "KMS",
        prefixes=("kms",),
        arns=("kms",),
        hosts=("kms",),
        on_behalf=(
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:GenerateDataKey",
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
            "kms:CreateGrant",
            "kms:Encrypt",
        ),
        note="for an encrypted secret, queue, topic, table or bucket, that service calls KMS itself",
        source=_DOCS + "kms/latest/developerguide/concepts.html",
    ),
    Service(
        "lambda",
        "Lambda",
        prefixes=("lambda",),
        hosts=("lambda",),
        arns=("lambda",),
        delivering=("lambda:InvokeFunction",),
        note="in aws_cdk for Python: InterfaceVpcEndpointAwsService.LAMBDA_",
    ),
    Service(
        "logs",
        "CloudWatch Logs",
        prefixes=("logs",),
        hosts=("logs",),
        on_behalf=("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
        note="what a function prints reaches its log group without a path of the function's own",
        source=_DOCS + "lambda/latest/dg/monitoring-cloudwatchlogs.html",
    ),
    Service(
        "monitoring",
        "CloudWatch",
        prefixes=("cloudwatch",),
        hosts=("monitoring",),
        note="metrics in the embedded format go through the log and need no path",
    ),
    _plain("organizations", "Organizations"),
    Service(
        "pinpoint-sms-voice-v2",
        "End User Messaging SMS",
        prefixes=("sms-voice",),
        hosts=("sms-voice",),
    ),
    _plain("pipes", "EventBridge Pipes"),
    _plain("polly", "Polly"),
    _plain("pricing.api", "Price List", "pricing", host="api.pricing"),
    Service(
        "rds",
        "RDS (control)",
        prefixes=("rds",),
        hosts=(),
        note="the API that manages databases; connections to one go to its own address",
    ),
    Service("rds-data", "RDS Data API", prefixes=("rds-data",), hosts=("rds-data",)),
    Service(
        "redshift-data",
        "Redshift Data API",
        prefixes=("redshift-data",),
        hosts=("redshift-data",),
    ),
    _plain("rekognition", "Rekognition"),
    Service(
        "route53",
        "Route 53",
        Endpoint.NONE,
        prefixes=("route53",),
        hosts=("route53",),
        note="one API for the whole partition, over the internet",
    ),
    Service(
        "s3",
        "S3",
        Endpoint.GATEWAY,
        prefixes=("s3",),
        hosts=("s3",),
        arns=("s3",),
        delivering=("s3:PutObject", "s3:ListBucket"),
        note="a gateway endpoint serves buckets of its own Region only",
        source=_GATEWAY,
    ),
    Service(
        "s3express",
        "S3 Express One Zone",
        Endpoint.GATEWAY,
        prefixes=("s3express",),
        hosts=("s3express",),
        source=_DOCS + "AmazonS3/latest/userguide/s3-express-networking.html",
    ),
    Service("s3tables", "S3 Tables", prefixes=("s3tables",), hosts=("s3tables",)),
    Service("s3vectors", "S3 Vectors", prefixes=("s3vectors",), hosts=("s3vectors",)),
    Service(
        "sagemaker.runtime",
        "SageMaker Runtime",
        actions=("sagemaker:InvokeEndpoint*",),
        hosts=("runtime.sagemaker",),
    ),
    Service(
        "scheduler",
        "EventBridge Scheduler",
        prefixes=("scheduler",),
        hosts=("scheduler",),
        source=_DOCS + "scheduler/latest/UserGuide/vpc-interface-endpoints.html",
    ),
    _plain("secretsmanager", "Secrets Manager", arns=("secretsmanager",)),
    _plain("servicediscovery", "Cloud Map"),
    Service(
        "sns",
        "SNS",
        prefixes=("sns",),
        hosts=("sns",),
        arns=("sns",),
        delivering=("sns:Publish",),
    ),
    Service(
        "sqs",
        "SQS",
        prefixes=("sqs",),
        hosts=("sqs", "queue"),
        arns=("sqs",),
        polling=(
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:DeleteMessageBatch",
            "sqs:GetQueueAttributes",
            "sqs:GetQueueUrl",
            "sqs:ChangeMessageVisibility",
            "sqs:ChangeMessageVisibilityBatch",
        ),
        delivering=("sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"),
    ),
    _plain("ssm", "Systems Manager", arns=("ssm",)),
    Service(
        "ssmmessages",
        "Systems Manager sessions",
        prefixes=("ssmmessages",),
        hosts=("ssmmessages",),
        on_behalf=("ssmmessages:*",),
        note="granted to agents, not called by a function's code",
    ),
    Service(
        "states",
        "Step Functions",
        prefixes=("states",),
        hosts=("states",),
        arns=("states",),
    ),
    Service(
        "sts",
        "STS",
        prefixes=("sts",),
        hosts=("sts",),
        on_behalf=("sts:GetServiceBearerToken", "sts:TagSession", "sts:SetSourceIdentity"),
        note="the regional host has an endpoint, the global one (sts.amazonaws.com) has not",
        source=_DOCS + "IAM/latest/UserGuide/reference_interface_vpc_endpoints.html",
    ),
    _plain("swf", "SWF"),
    Service(
        "sync-states",
        "Step Functions (synchronous)",
        actions=("states:StartSyncExecution",),
        hosts=("sync-states",),
    ),
    _plain("tagging", "Resource Groups Tagging", "tag"),
    _plain("textract", "Textract"),
    _plain("timestream-influxdb", "Timestream for InfluxDB"),
    _plain("transcribe", "Transcribe"),
    _plain("transfer", "Transfer Family"),
    _plain("translate", "Translate"),
    _plain("verifiedpermissions", "Verified Permissions"),
    _plain("wafv2", "WAF"),
    Service(
        "xray",
        "X-Ray",
        prefixes=("xray",),
        hosts=("xray",),
        on_behalf=(
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
            "xray:GetSamplingStatisticSummaries",
        ),
        note="segments go to Lambda's own daemon; whether an isolated function's arrive is not documented",
        source=_DOCS + "lambda/latest/dg/services-xray.html",
    ),
)


@cache
def _by_name() -> dict[str, Service]:
    return {service.name: service for service in SERVICES}


@cache
def _by_prefix() -> dict[str, Service]:
    return {prefix: service for service in SERVICES for prefix in service.prefixes}


@cache
def _shared() -> tuple[tuple[str, Service], ...]:
    return tuple((pattern.lower(), service) for service in SERVICES for pattern in service.actions)


@cache
def _by_host() -> dict[str, Service]:
    return {host: service for service in SERVICES for host in service.hosts}


def by_name(name: str) -> Service | None:
    """Find a service by the short name of its endpoint ("secretsmanager")."""
    return _by_name().get(name)


def is_gateway(name: str) -> bool:
    """Whether a service is met through a gateway endpoint, which costs nothing."""
    service = by_name(name)
    return service is not None and service.endpoint is Endpoint.GATEWAY


@cache
def of_action(action: str) -> Service | None:
    """Find the service that an IAM action ("dynamodb:GetRecords", "sqs:*") speaks of."""
    lowered = action.lower()
    for pattern, service in _shared():
        if fnmatchcase(lowered, pattern):
            return service
    return _by_prefix().get(lowered.partition(":")[0])


def of_host(host: str) -> Service | None:
    """Find the service that a host name belongs to.

    "sqs.eu-west-1.amazonaws.com" and "sqs.eu-west-1.api.aws" are SQS; "orders.s3.eu-west-1.amazonaws.com" is
    S3; "orders.c1.eu-west-1.rds.amazonaws.com", the address of a database, is no service.
    """
    for suffix in (".amazonaws.com", ".amazonaws.com.cn", ".api.aws"):
        if host.lower().endswith(suffix):
            labels = host.lower().removesuffix(suffix).split(".")
            break
    else:
        return None
    if labels[-1].count("-") >= 2 and labels[-1][-1].isdigit():  # noqa: PLR2004  # "eu-west-1", "us-gov-west-1"
        labels.pop()
    for start in range(len(labels)):
        if found := _by_host().get(".".join(labels[start:])):
            return found
    return None


@cache
def of_arn(service: str) -> Service | None:
    """Find the service that the code calls when its environment carries an ARN of `service` ("sqs")."""
    return next((row for row in SERVICES if service in row.arns), None)
