from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from lambda_patterns.constructs.edge_function import EdgeFunction, ViewerFunction
from lambda_patterns.constructs.package import directory_package
from lambda_patterns.errors import ArgumentError
from tests.constructs.template_queries import one

pytestmark = pytest.mark.cdk
FUNCTIONS = Path(__file__).parents[2] / "functions"
EVENTS = cloudfront.LambdaEdgeEventType


@pytest.fixture
def stack(app: App) -> Stack:
    return Stack(app, "Site", env=Environment(region="us-east-1", account="123456789012"))


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> lambda_.Code:
    monkeypatch.setenv("LAMBDA_PATTERNS_CACHE", str(tmp_path / "cache"))
    return directory_package(FUNCTIONS / "add_security_headers").code


def test_one_distribution_calls_a_version_at_the_origin_and_a_script_at_the_viewer(
    stack: Stack, code: lambda_.Code
) -> None:
    headers = EdgeFunction(
        stack, "Headers", code=code, handler="handler.handler", event=EVENTS.ORIGIN_RESPONSE
    )
    index = ViewerFunction(stack, "Index", file=FUNCTIONS / "rewrite_index" / "index.js")
    cloudfront.Distribution(
        stack,
        "Distribution",
        default_behavior=cloudfront.BehaviorOptions(
            origin=origins.HttpOrigin("example.com"),
            edge_lambdas=[headers.behavior],
            function_associations=[index.behavior],
        ),
    )
    behavior = one(stack, "AWS::CloudFront::Distribution")["DistributionConfig"]["DefaultCacheBehavior"]
    (at_origin,) = behavior["LambdaFunctionAssociations"]
    (at_viewer,) = behavior["FunctionAssociations"]
    (version,) = Template.from_stack(stack).find_resources("AWS::Lambda::Version")
    assert at_origin == {
        "EventType": "origin-response",
        "IncludeBody": False,
        "LambdaFunctionARN": {"Ref": version},
    }
    assert at_viewer["EventType"] == "viewer-request"
    function = one(stack, "AWS::Lambda::Function")
    assert (function["MemorySize"], function["Timeout"], function["Architectures"]) == (128, 5, ["x86_64"])
    assert "Environment" not in function
    assert one(stack, "AWS::CloudFront::Function")["FunctionConfig"]["Runtime"] == "cloudfront-js-2.0"


def test_a_function_of_a_stack_elsewhere_is_created_in_us_east_1(app: App, code: lambda_.Code) -> None:
    seoul = Stack(app, "Seoul", env=Environment(region="ap-northeast-2", account="123456789012"))
    EdgeFunction(seoul, "Headers", code=code, handler="handler.handler", event=EVENTS.ORIGIN_RESPONSE)
    made = {each.stack_name: each.region for each in app.node.find_all() if isinstance(each, Stack)}
    assert "us-east-1" in made.values()
    kinds = {each["Type"] for each in Template.from_stack(seoul).to_json()["Resources"].values()}
    assert "Custom::CrossRegionStringParameterReader" in kinds


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"event": EVENTS.VIEWER_REQUEST, "memory_size": 256},
            "memory_size: memory of a viewer function is 256 MB, allowed is 128 MB",
        ),
        (
            {"event": EVENTS.ORIGIN_REQUEST, "memory_size": 64},
            "memory_size: memory is 64 MB, allowed are 128-10,240 MB",
        ),
        (
            {"event": EVENTS.ORIGIN_REQUEST, "timeout": Duration.seconds(31)},
            "timeout: timeout at the edge is 31 s, allowed are 1-30 s",
        ),
        (
            {"event": EVENTS.ORIGIN_REQUEST, "runtime": lambda_.Runtime.JAVA_21},
            "runtime is java21, allowed at the edge are nodejs and python",
        ),
        (
            {"event": EVENTS.ORIGIN_RESPONSE, "include_body": True},
            "include_body: a response has no request body to include",
        ),
    ],
)
def test_what_cloudfront_refuses_is_refused(
    stack: Stack, code: lambda_.Code, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ArgumentError) as refused:
        EdgeFunction(stack, "Headers", code=code, handler="handler.handler", **arguments)
    assert str(refused.value).startswith(message)


def test_a_script_of_ten_kilobytes_is_taken_and_one_byte_more_is_refused(
    stack: Stack, tmp_path: Path
) -> None:
    file = tmp_path / "index.js"
    file.write_text("/" * 10_240, encoding="utf-8")
    ViewerFunction(stack, "Just", file=file)
    file.write_text("/" * 10_241, encoding="utf-8")
    with pytest.raises(ArgumentError) as refused:
        ViewerFunction(stack, "Over", file=file)
    assert "code of a CloudFront Function is 10,241 bytes, allowed are 0-10,240 bytes" in str(refused.value)
    with pytest.raises(ArgumentError, match=r"gone\.js: No such file or directory"):
        ViewerFunction(stack, "Gone", file=tmp_path / "gone.js")
