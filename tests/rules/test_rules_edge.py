"""What CloudFront refuses at the edge, and what it does not."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from lambda_patterns.model.deployment import Settings

Judge = Callable[..., list[tuple[str, str]]]
Write = Callable[..., dict[str, Any]]
DAY = date(2026, 11, 24)
VERSION = {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "F"}}}


def distribution(event: str, arn: Any, **behavior: Any) -> dict[str, Any]:
    association = {"EventType": event, "LambdaFunctionARN": arn}
    return {
        "Type": "AWS::CloudFront::Distribution",
        "Properties": {
            "DistributionConfig": {
                "Enabled": True,
                "DefaultCacheBehavior": {"LambdaFunctionAssociations": [association], **behavior},
            }
        },
    }


@pytest.mark.parametrize(
    ("properties", "event", "messages"),
    [
        ({"Timeout": 30, "MemorySize": 128}, "viewer-request", []),
        ({"Timeout": 31}, "origin-request", ["timeout at the edge is 31 s, allowed are 1-30 s"]),
        (
            {"MemorySize": 129},
            "viewer-response",
            ["memory of a viewer function is 129 MB, allowed is 128 MB"],
        ),
        ({"MemorySize": 10240}, "origin-response", []),
        ({"VpcConfig": {"SubnetIds": ["s"]}}, "origin-request", ["a VPC at the edge, allowed is none"]),
        ({"VpcConfig": {"SubnetIds": []}}, "origin-request", []),
        (
            {"Environment": {"Variables": {"KEY": "value"}}},
            "origin-request",
            ["environment variables at the edge, allowed is none"],
        ),
        ({"Layers": ["a"]}, "origin-request", ["layers at the edge, allowed is none"]),
        (
            {"DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:111122223333:q"}},
            "origin-request",
            ["a dead-letter queue at the edge, allowed is none"],
        ),
        ({"Architectures": ["arm64"]}, "origin-request", ["arm64 at the edge, allowed is x86_64"]),
        ({"Architectures": ["x86_64"]}, "origin-request", []),
        ({"TracingConfig": {"Mode": "Active"}}, "origin-request", ["X-Ray at the edge, allowed is none"]),
        (
            {"PackageType": "Image"},
            "origin-request",
            ["a container image at the edge, allowed is a zip file"],
        ),
        ({"Runtime": "java21"}, "origin-request", ["java21 at the edge, allowed are Node.js and Python"]),
        (
            {"EphemeralStorage": {"Size": 513}},
            "origin-request",
            ["ephemeral storage at the edge is 513 MB, allowed is 512 MB"],
        ),
    ],
)
def test_a_setting_of_an_edge_function_is_judged(
    judge: Judge, function: Write, properties: dict[str, Any], event: str, messages: list[str]
) -> None:
    resources = {"F": function(**properties), "V": VERSION, "D": distribution(event, {"Ref": "V"})}
    assert [text for _, text in judge("edge-function-refused", resources)] == messages


def test_the_same_settings_away_from_the_edge_are_fine(judge: Judge, function: Write) -> None:
    resources = {"F": function(Timeout=60, Layers=["a"], Architectures=["arm64"]), "V": VERSION}
    assert judge("edge-function-refused", resources, Settings(DAY, region="eu-west-1")) == []


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        (
            {"Fn::GetAtt": ["F", "Arn"]},
            "the unpublished function F at the edge, allowed is a numbered version",
        ),
        ({"Ref": "A"}, "the alias A at the edge, allowed is a numbered version"),
        (
            {"Fn::Sub": "arn:aws:lambda:us-east-1:111122223333:function:f:$LATEST"},
            "$LATEST at the edge, allowed is a numbered version",
        ),
    ],
)
def test_only_a_version_is_taken(judge: Judge, function: Write, arn: Any, message: str) -> None:
    alias = {
        "Type": "AWS::Lambda::Alias",
        "Properties": {"Name": "live", "FunctionName": {"Ref": "F"}, "FunctionVersion": "1"},
    }
    resources = {"F": function(), "A": alias, "D": distribution("origin-request", arn)}
    path = "DistributionConfig.DefaultCacheBehavior.LambdaFunctionAssociations.0.LambdaFunctionARN"
    assert judge("edge-function-refused", resources) == [(f"D.{path}", message)]


def test_nothing_is_provisioned_at_the_edge(judge: Judge, function: Write) -> None:
    provisioned = {"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 1}}
    version = {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "F"}, **provisioned}}
    resources = {"F": function(), "V": version}
    rule = "edge-function-refused"
    assert judge(rule, resources, Settings(DAY, region="us-east-1")) == []
    resources["D"] = distribution("origin-request", {"Ref": "V"})
    assert judge(rule, resources, Settings(DAY, region="us-east-1")) == [
        ("V.ProvisionedConcurrencyConfig", "provisioned concurrency at the edge, allowed is none")
    ]


def test_the_region_is_judged_where_it_is_known(judge: Judge, function: Write) -> None:
    resources = {"F": function(), "V": VERSION, "D": distribution("origin-request", {"Ref": "V"})}
    rule = "edge-function-refused"
    assert judge(rule, resources) == []
    assert judge(rule, resources, Settings(DAY, region="us-east-1")) == []
    assert judge(rule, resources, Settings(DAY, region="eu-west-1")) == [
        ("F", "a function at the edge in eu-west-1, allowed is us-east-1")
    ]


def role(*services: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": list(services)}}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}}


def test_the_role_has_to_trust_the_edge(judge: Judge, function: Write) -> None:
    resources = {
        "F": function(Role={"Fn::GetAtt": ["R", "Arn"]}),
        "R": role("lambda.amazonaws.com"),
        "V": VERSION,
        "D": distribution("origin-request", {"Ref": "V"}),
    }
    assert judge("edge-function-refused", resources) == [
        ("F.Role", "its role R does not trust edgelambda.amazonaws.com")
    ]


def test_a_function_whose_role_trusts_the_edge_is_an_edge_function(judge: Judge, function: Write) -> None:
    trusting = role("lambda.amazonaws.com", "edgelambda.amazonaws.com")
    resources = {"F": function(Role={"Fn::GetAtt": ["R", "Arn"]}, Timeout=60, MemorySize=512), "R": trusting}
    assert judge("edge-function-refused", resources) == [
        ("F.Timeout", "timeout at the edge is 60 s, allowed are 1-30 s")
    ]


def cloudfront_function(**properties: Any) -> dict[str, Any]:
    config = {"Comment": "c", "Runtime": "cloudfront-js-2.0", **properties.pop("FunctionConfig", {})}
    return {
        "Type": "AWS::CloudFront::Function",
        "Properties": {"Name": "f", "FunctionCode": "x", "FunctionConfig": config, **properties},
    }


@pytest.mark.parametrize(
    ("properties", "messages"),
    [
        ({"FunctionCode": "x" * 10240}, []),
        (
            {"FunctionCode": "x" * 10241},
            ["code of a CloudFront Function is 10,241 bytes, allowed are 0-10,240 bytes"],
        ),
        (
            {"FunctionConfig": {"Runtime": "nodejs24.x"}},
            ["runtime 'nodejs24.x', allowed are cloudfront-js-1.0 and cloudfront-js-2.0"],
        ),
        (
            {"FunctionConfig": {"KeyValueStoreAssociations": ["a", "b"]}},
            ["key value stores are 2, allowed are 0-1"],
        ),
    ],
)
def test_a_cloudfront_function_is_judged(
    judge: Judge, properties: dict[str, Any], messages: list[str]
) -> None:
    found = judge("cloudfront-function-refused", {"F": cloudfront_function(**properties)})
    assert [text for _, text in found] == messages


def test_cloudfront_functions_are_for_viewer_events_without_lambda_at_them(judge: Judge) -> None:
    arn = "arn:aws:lambda:us-east-1:111122223333:function:f:1"
    rule = "cloudfront-function-refused"
    viewer = {"FunctionAssociations": [{"EventType": "viewer-request", "FunctionARN": "arn"}]}
    origin = {"FunctionAssociations": [{"EventType": "origin-request", "FunctionARN": "arn"}]}
    assert judge(rule, {"D": distribution("origin-request", arn, **viewer)}) == []
    assert [text for _, text in judge(rule, {"D": distribution("viewer-response", arn, **viewer)})] == [
        "a CloudFront Function for viewer-request beside Lambda@Edge for a viewer event"
    ]
    assert [text for _, text in judge(rule, {"D": distribution("origin-request", arn, **origin)})] == [
        "a CloudFront Function for origin-request, allowed are viewer-request and viewer-response"
    ]
