from typing import Any

import pytest
from aws_cdk import App, Duration, Stack, TimeZone
from aws_cdk import aws_apigatewayv2 as api
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs

from lambda_patterns.constructs import OnFailureQueue, PlainFunction
from lambda_patterns.constructs.triggers import (
    add_http_api,
    add_url,
    on_event,
    on_object,
    on_object_event,
    on_partner_event,
    on_schedule,
)
from lambda_patterns.errors import ArgumentError
from tests.constructs.template_queries import code, found, one

pytestmark = pytest.mark.cdk


@pytest.fixture
def function(stack: Stack) -> PlainFunction:
    return PlainFunction(stack, "Fn", **code())


@pytest.fixture
def live(function: PlainFunction) -> lambda_.Alias:
    return function.add_alias("live")


def permitted(stack: Stack, principal: str) -> dict[str, Any]:
    (permission,) = (
        each for each in found(stack, "AWS::Lambda::Permission") if each["Principal"] == principal
    )
    return permission


def arn(stack: Stack, function: lambda_.IFunction) -> Any:
    return stack.resolve(function.function_arn)


def test_objects_of_a_bucket_invoke_what_was_given_and_nothing_else(
    stack: Stack, live: lambda_.Alias
) -> None:
    bucket = s3.Bucket(stack, "Orders")
    on_object(live, bucket, prefix="in/", suffix=".json")
    (configuration,) = one(stack, "Custom::S3BucketNotifications")["NotificationConfiguration"][
        "LambdaFunctionConfigurations"
    ]
    assert configuration["Events"] == ["s3:ObjectCreated:*"]
    assert configuration["LambdaFunctionArn"] == arn(stack, live)
    assert configuration["Filter"]["Key"]["FilterRules"] == [
        {"Name": "suffix", "Value": ".json"},
        {"Name": "prefix", "Value": "in/"},
    ]
    permission = permitted(stack, "s3.amazonaws.com")
    assert permission["FunctionName"] == arn(stack, live)
    assert permission["SourceArn"] == stack.resolve(bucket.bucket_arn)


def test_notifications_of_a_bucket_of_another_stack_are_refused_before_they_make_a_cycle(app: App) -> None:
    code = lambda_.Code.from_inline("def handler(event, context): ...")
    function = PlainFunction(Stack(app, "Shop"), "Fn", code=code, handler="index.handler")
    bucket = s3.Bucket(Stack(app, "Storage"), "Orders")
    with pytest.raises(ArgumentError) as refused:
        on_object(function, bucket)
    assert str(refused.value) == (
        "bucket: Storage/Orders stands in another stack than Shop/Fn: its notifications make Storage need "
        "Shop, and what the function reads the other way round: use on_object_event, which goes through "
        "EventBridge, or put both into one stack"
    )


def test_a_bucket_that_another_stack_imports_may_notify(app: App, function: PlainFunction) -> None:
    other = Stack(app, "Storage")
    on_object(function, s3.Bucket.from_bucket_name(other, "Orders", "orders-of-ours"))
    assert one(other, "Custom::S3BucketNotifications")["Managed"] is False


def test_objects_of_a_bucket_of_another_stack_invoke_through_eventbridge_what_reads_them(
    app: App, stack: Stack, live: lambda_.Alias
) -> None:
    other = Stack(app, "Storage")
    bucket = s3.Bucket(other, "Orders")
    undelivered = sqs.Queue(stack, "Undelivered")
    on_object_event(live, "Placed", bucket=bucket, prefix="in*/", suffix=".json", undelivered=undelivered)
    bucket.grant_read(live)
    app.synth()
    (rule,) = found(stack, "AWS::Events::Rule")
    pattern = rule["EventPattern"]
    assert (pattern["source"], pattern["detail-type"]) == (["aws.s3"], ["Object Created"])
    assert pattern["detail"]["object"] == {"key": [{"wildcard": "in\\*/*.json"}]}
    assert "ImportValue" in str(pattern["detail"]["bucket"]["name"])
    assert rule["Targets"][0]["Arn"] == arn(stack, live)
    assert rule["Targets"][0]["DeadLetterConfig"]
    configuration = one(other, "Custom::S3BucketNotifications")["NotificationConfiguration"]
    assert configuration == {"EventBridgeConfiguration": {}}


def test_every_kind_of_object_event_is_taken_without_filters(stack: Stack, function: PlainFunction) -> None:
    kinds = (s3.EventType.OBJECT_CREATED_PUT, s3.EventType.OBJECT_REMOVED)
    on_object(function, s3.Bucket(stack, "Orders"), events=kinds)
    configurations = one(stack, "Custom::S3BucketNotifications")["NotificationConfiguration"]
    listed = configurations["LambdaFunctionConfigurations"]
    assert [each["Events"] for each in listed] == [["s3:ObjectCreated:Put"], ["s3:ObjectRemoved:*"]]
    assert not any("Filter" in each for each in listed)


def test_events_of_a_bus_invoke_by_their_pattern_and_what_cannot_be_handed_over_is_kept(
    stack: Stack, live: lambda_.Alias
) -> None:
    undelivered = sqs.Queue(stack, "Undelivered")
    pattern = events.EventPattern(source=["orders"], detail={"state": ["paid"]})
    on_event(
        live,
        "Paid",
        pattern=pattern,
        event=events.RuleTargetInput.from_event_path("$.detail"),
        undelivered=undelivered,
        max_event_age=Duration.hours(1),
        retry_attempts=0,
    )
    rule = one(stack, "AWS::Events::Rule")
    assert rule["EventPattern"] == {"source": ["orders"], "detail": {"state": ["paid"]}}
    (target,) = rule["Targets"]
    assert target["Arn"] == arn(stack, live)
    assert target["InputPath"] == "$.detail"
    assert target["DeadLetterConfig"] == {"Arn": stack.resolve(undelivered.queue_arn)}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 0}
    assert permitted(stack, "events.amazonaws.com")["FunctionName"] == arn(stack, live)


def test_failures_are_kept_on_the_qualifier_that_is_invoked(stack: Stack, live: lambda_.Alias) -> None:
    queue = OnFailureQueue(stack, "Failures")
    on_event(live, "Paid", pattern=events.EventPattern(source=["orders"]), on_failure=queue)
    configuration = one(stack, "AWS::Lambda::EventInvokeConfig")
    assert "Aliaslive" in str(configuration["Qualifier"])
    kept_in = configuration["DestinationConfig"]["OnFailure"]["Destination"]
    assert kept_in == stack.resolve(queue.queue.queue_arn)


def test_a_partner_sends_to_the_bus_of_its_event_source(stack: Stack, function: PlainFunction) -> None:
    on_partner_event(function, "Shop", source="aws.partner/example.com/1234/orders")
    bus = one(stack, "AWS::Events::EventBus")
    assert bus["EventSourceName"] == bus["Name"] == "aws.partner/example.com/1234/orders"
    rule = one(stack, "AWS::Events::Rule")
    assert rule["EventPattern"] == {"source": [{"prefix": "aws.partner/"}]}
    assert "Ref" in rule["EventBusName"]


def test_a_source_that_is_no_partners_is_refused(function: PlainFunction) -> None:
    with pytest.raises(ArgumentError) as refused:
        on_partner_event(function, "Shop", source="example.com/orders")
    assert str(refused.value) == (
        "source is 'example.com/orders', the event source of a partner is named aws.partner/<partner>/... "
        "(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-saas.html)"
    )


def test_a_schedule_invokes_in_its_time_zone_with_what_it_is_told(stack: Stack, live: lambda_.Alias) -> None:
    on_schedule(
        live,
        "Nightly",
        schedule=scheduler.ScheduleExpression.cron(hour="2", minute="30", time_zone=TimeZone.EUROPE_PARIS),
        event={"report": "daily"},
        window=Duration.minutes(15),
        undelivered=sqs.Queue(stack, "Undelivered"),
    )
    schedule = one(stack, "AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "cron(30 2 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "Europe/Paris"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    assert schedule["Target"]["Arn"] == arn(stack, live)
    assert schedule["Target"]["Input"] == '{"report":"daily"}'
    assert "Arn" in schedule["Target"]["DeadLetterConfig"]
    (role,) = (
        each
        for each in found(stack, "AWS::IAM::Role")
        if "scheduler.amazonaws.com" in str(each["AssumeRolePolicyDocument"])
    )
    (policy,) = role["Policies"]
    assert policy["PolicyDocument"]["Statement"] == [
        {"Action": "lambda:InvokeFunction", "Effect": "Allow", "Resource": arn(stack, live)}
    ]


@pytest.mark.parametrize(
    ("delivery", "message"),
    [
        (
            {"max_event_age": Duration.days(2)},
            "max_event_age: event age is 172,800 s, allowed are 60-86,400 s",
        ),
        (
            {"retry_attempts": 186},
            "retry_attempts: retries of the hand-over is 186 retries, allowed are 0-185",
        ),
    ],
)
def test_a_hand_over_that_eventbridge_refuses_is_refused(
    function: PlainFunction, delivery: dict[str, Any], message: str
) -> None:
    with pytest.raises(ArgumentError) as refused:
        on_event(function, "Paid", pattern=events.EventPattern(source=["orders"]), **delivery)
    assert str(refused.value).startswith(message)


def test_a_url_wants_signatures(stack: Stack, live: lambda_.Alias) -> None:
    add_url(live)
    assert one(stack, "AWS::Lambda::Url")["AuthType"] == "AWS_IAM"


def test_a_url_is_open_to_all_only_where_that_is_said(stack: Stack, function: PlainFunction) -> None:
    add_url(function, public=True, streamed=True)
    url = one(stack, "AWS::Lambda::Url")
    assert (url["AuthType"], url["InvokeMode"]) == ("NONE", "RESPONSE_STREAM")


def test_an_http_api_serves_its_routes_with_signatures_and_access_logs(
    stack: Stack, live: lambda_.Alias
) -> None:
    add_http_api(live, "Api", routes=["GET /orders/{id}", "POST /orders"])
    routes = found(stack, "AWS::ApiGatewayV2::Route")
    assert {(each["RouteKey"], each["AuthorizationType"]) for each in routes} == {
        ("GET /orders/{id}", "AWS_IAM"),
        ("POST /orders", "AWS_IAM"),
    }
    stage = one(stack, "AWS::ApiGatewayV2::Stage")
    assert stage["AutoDeploy"] is True
    assert "$context.status" in stage["AccessLogSettings"]["Format"]
    assert one(stack, "AWS::ApiGatewayV2::Integration")["IntegrationUri"] == arn(stack, live)


def test_an_http_api_is_open_to_all_only_where_that_is_said(stack: Stack, function: PlainFunction) -> None:
    add_http_api(function, "Api", authorizer=api.HttpNoneAuthorizer())
    assert one(stack, "AWS::ApiGatewayV2::Route")["AuthorizationType"] == "NONE"


@pytest.mark.parametrize("route", ["/orders", "FETCH /orders", "GET orders"])
def test_a_route_without_a_method_or_a_path_is_refused(function: PlainFunction, route: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        add_http_api(function, "Api", routes=[route])
    assert str(refused.value).startswith(f"routes: {route!r} is no route like 'GET /orders/{{id}}'")


def test_two_functions_in_one_stack_have_triggers_each(stack: Stack) -> None:
    code = lambda_.Code.from_inline("def handler(event, context): ...")
    for name in ("A", "B"):
        function = PlainFunction(stack, name, code=code, handler="index.handler")
        on_event(function, "Paid", pattern=events.EventPattern(source=["orders"]))
        add_http_api(function, "Api")
    assert len(found(stack, "AWS::Events::Rule")) == 2
    assert len(found(stack, "AWS::ApiGatewayV2::Api")) == 2


def test_a_rule_stands_in_the_functions_stack_whatever_the_stack_of_the_bus(
    stack: Stack, function: PlainFunction
) -> None:
    other = Stack(stack.node.root, "Other")  # type: ignore[arg-type]  # the app
    bus = events.EventBus(other, "Bus")
    on_event(function, "Paid", pattern=events.EventPattern(source=["orders"]), bus=bus)
    assert len(found(stack, "AWS::Events::Rule")) == 1
    assert not found(other, "AWS::Events::Rule")
