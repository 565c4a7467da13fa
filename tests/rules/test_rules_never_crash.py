"""Whatever stands in a property, no rule crashes, and every finding can be written in every form."""

import json
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_patterns.cli.reports import FORMATS, render
from lambda_patterns.model.assembly import from_templates
from lambda_patterns.model.deployment import Settings
from lambda_patterns.rules.engine import check

# type -> properties that rules look at
# fmt: off
PROPERTIES: dict[str, list[str]] = {
    "AWS::Lambda::Function": [
        "Architectures", "CapacityProviderConfig", "Code", "DeadLetterConfig", "Environment",
        "EphemeralStorage", "FileSystemConfigs", "Handler", "Layers", "MemorySize", "PackageType",
        "ReservedConcurrentExecutions", "Role", "Runtime", "SnapStart", "Timeout", "VpcConfig",
    ],
    "AWS::Lambda::EventInvokeConfig": [
        "DestinationConfig", "FunctionName", "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "Qualifier",
    ],
    "AWS::Lambda::EventSourceMapping": [
        "BatchSize", "DestinationConfig", "Enabled", "EventSourceArn", "FunctionName",
        "FunctionResponseTypes", "MaximumBatchingWindowInSeconds", "ProvisionedPollerConfig",
        "ScalingConfig", "SelfManagedEventSource",
    ],
    "AWS::Lambda::Alias": ["FunctionName", "FunctionVersion", "Name", "ProvisionedConcurrencyConfig"],
    "AWS::Lambda::Version": ["FunctionName", "ProvisionedConcurrencyConfig"],
    "AWS::Lambda::Permission": ["Action", "FunctionName", "Principal", "SourceArn"],
    "AWS::IAM::Role": ["AssumeRolePolicyDocument", "ManagedPolicyArns", "Policies"],
    "AWS::SQS::Queue": [
        "FifoQueue", "KmsMasterKeyId", "MessageRetentionPeriod", "QueueName", "RedrivePolicy",
        "SqsManagedSseEnabled", "VisibilityTimeout",
    ],
    "AWS::SQS::QueuePolicy": ["PolicyDocument", "Queues"],
    "AWS::SNS::Topic": ["FifoTopic", "KmsMasterKeyId", "Subscription"],
    "AWS::SNS::Subscription": [
        "DeliveryPolicy", "Endpoint", "FilterPolicy", "Protocol", "RedrivePolicy", "TopicArn",
    ],
    "AWS::Events::Rule": ["EventPattern", "ScheduleExpression", "Targets"],
    "AWS::Scheduler::Schedule": ["Target"],
    "AWS::S3::Bucket": ["BucketEncryption", "NotificationConfiguration"],
    "AWS::KMS::Key": ["KeyPolicy"],
    "AWS::KMS::Alias": ["AliasName", "TargetKeyId"],
    "AWS::CloudWatch::Alarm": [
        "ActionsEnabled", "AlarmActions", "AlarmName", "Dimensions", "MetricName", "Metrics", "Namespace",
    ],
    "AWS::CloudWatch::CompositeAlarm": ["AlarmActions", "AlarmRule"],
    "AWS::CloudFront::Distribution": ["DistributionConfig"],
    "AWS::CloudFront::Function": ["FunctionCode", "FunctionConfig"],
    "AWS::ApplicationAutoScaling::ScalableTarget": ["ResourceId", "ScalableDimension"],
}
# keys below a property, and texts that mean something to a rule
KEYS = [
    "ApplyOn", "Arn", "BoundedBy", "CacheBehaviors", "DefaultCacheBehavior", "DeadLetterConfig",
    "Destination", "Dimensions", "Effect", "Endpoint", "EventType", "Function", "FunctionAssociations",
    "ImageUri", "KeyValueStoreAssociations", "LambdaConfigurations", "LambdaFunctionARN",
    "LambdaFunctionAssociations", "MaximumConcurrency", "Metric", "MetricStat", "MinimumPollers", "Mode",
    "Name", "OnFailure", "Principal", "Protocol", "ProvisionedConcurrentExecutions", "Queue", "Runtime",
    "S3Key", "SecurityGroupIds", "ServerSideEncryptionConfiguration", "Service", "Size", "Statement",
    "SubnetIds", "TargetArn", "Value", "Variables", "ZipFile", "deadLetterTargetArn", "healthyRetryPolicy",
    "maxDelayTarget", "maxReceiveCount", "minDelayTarget", "numRetries", "source",
]
TEXTS = [
    "$LATEST", "lambda", "sqs", "https", "Image", "PublishedVersions", "python3.13", "python3.99",
    "viewer-request", "QueueName", "Allow", "Deny", "AWS/SQS", "{", "[", "alias/aws/sqs",
    "arn:aws:sqs:eu-west-1:111122223333:q.fifo", "arn:aws:lambda:::function:f:live", "-1", "1e400", "nan",
    "true", "한글",
]
# fmt: on
IDS = tuple(kind.replace("::", "") for kind in PROPERTIES)

references = st.one_of(
    st.builds(lambda name: {"Ref": name}, st.sampled_from((*IDS, "Unknown", "AWS::NoValue", "AWS::Region"))),
    st.builds(
        lambda name, attribute: {"Fn::GetAtt": [name, attribute]},
        st.sampled_from(IDS),
        st.sampled_from(("Arn", "QueueName", "Version")),
    ),
    st.builds(lambda name: {"Fn::Sub": f"${{{name}.Arn}}:live"}, st.sampled_from(IDS)),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 2_000_000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(TEXTS),
    references,
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=8,
)


@st.composite
def templates(draw: st.DrawFn) -> dict[str, Any]:
    resources = {}
    for kind in draw(st.lists(st.sampled_from(sorted(PROPERTIES)), min_size=1, max_size=8, unique=True)):
        names = st.sampled_from(PROPERTIES[kind])
        properties = draw(st.dictionaries(names, values, max_size=6))
        resources[kind.replace("::", "")] = {"Type": kind, "Properties": properties}
    return {"Parameters": {"Unknown": {"Type": "String"}}, "Resources": resources}


@given(templates())
@settings(max_examples=60, deadline=None)
def test_no_rule_crashes_on_any_property(template: dict[str, Any]) -> None:
    report = check(from_templates({"template.yaml": template}), Settings(date(2026, 11, 24)))
    assert [finding.message for finding in report.findings if finding.rule == "rule-crashed"] == []
    for form in FORMATS:
        assert isinstance(render(report, form), str)
    json.loads(render(report, "json"))
