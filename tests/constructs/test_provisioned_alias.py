from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from lambda_patterns.constructs import OnFailureQueue, PlainFunction
from lambda_patterns.constructs.provisioned_alias import GradualDeployment, ProvisionedAlias
from lambda_patterns.constructs.provisioned_concurrency import (
    Concurrency,
    FixedConcurrency,
    FollowedConcurrency,
    ScheduledConcurrency,
)
from lambda_patterns.errors import ArgumentError
from tests.constructs.template_queries import code, found, one

pytestmark = pytest.mark.cdk


def plain(stack: Stack, name: str = "Fn", **options: Any) -> PlainFunction:
    return PlainFunction(stack, name, **code(), **options)


def test_a_fixed_number_is_provisioned_on_an_alias_of_a_published_version(stack: Stack) -> None:
    ProvisionedAlias(stack, "Live", function=plain(stack), concurrency=FixedConcurrency(5))
    alias = one(stack, "AWS::Lambda::Alias")
    assert alias["Name"] == "live"
    assert alias["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": 5}
    (version,) = Template.from_stack(stack).find_resources("AWS::Lambda::Version")
    assert alias["FunctionVersion"] == {"Fn::GetAtt": [version, "Version"]}
    assert not found(stack, "AWS::ApplicationAutoScaling::ScalableTarget")


def test_a_followed_number_is_left_to_scaling_between_its_bounds_and_not_to_the_template(
    stack: Stack,
) -> None:
    ProvisionedAlias(stack, "Live", function=plain(stack), concurrency=FollowedConcurrency(2, 20))
    assert "ProvisionedConcurrencyConfig" not in one(stack, "AWS::Lambda::Alias")
    target = one(stack, "AWS::ApplicationAutoScaling::ScalableTarget")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 20)
    policy = one(stack, "AWS::ApplicationAutoScaling::ScalingPolicy")
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["TargetValue"] == 0.7
    assert tracking["PredefinedMetricSpecification"] == {
        "PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"
    }


def test_a_scheduled_number_changes_at_its_times(stack: Stack) -> None:
    changes = {
        "Morning": (scaling.Schedule.cron(hour="7", minute="45"), 20),
        "Night": (scaling.Schedule.cron(hour="20", minute="0"), 0),
    }
    ProvisionedAlias(stack, "Live", function=plain(stack), concurrency=ScheduledConcurrency(changes))
    target = one(stack, "AWS::ApplicationAutoScaling::ScalableTarget")
    wanted = {
        action["ScheduledActionName"]: (action["Schedule"], action["ScalableTargetAction"])
        for action in target["ScheduledActions"]
    }
    assert wanted == {
        "Morning": ("cron(45 7 * * ? *)", {"MinCapacity": 20, "MaxCapacity": 20}),
        "Night": ("cron(0 20 * * ? *)", {"MinCapacity": 0, "MaxCapacity": 0}),
    }


def test_an_alarm_tells_of_requests_that_found_no_ready_environment(stack: Stack) -> None:
    topic = sns.Topic(stack, "Alarms")
    alias = ProvisionedAlias(
        stack,
        "Live",
        function=plain(stack),
        concurrency=FixedConcurrency(1),
        alarm_actions=[actions.SnsAction(topic)],
    )
    alarm = one(stack, "AWS::CloudWatch::Alarm")
    assert alarm["MetricName"] == "ProvisionedConcurrencySpilloverInvocations"
    assert (alarm["Statistic"], alarm["Threshold"], alarm["TreatMissingData"]) == ("Sum", 1, "notBreaching")
    resource = next(each["Value"] for each in alarm["Dimensions"] if each["Name"] == "Resource")
    assert resource == {"Fn::Join": ["", [{"Ref": "Fn9270CBC0"}, ":live"]]}
    assert alarm["AlarmActions"] == [stack.resolve(topic.topic_arn)]
    assert alias.spillover_alarm is not None


def test_an_alias_without_concurrency_is_what_a_function_with_snap_start_takes(stack: Stack) -> None:
    function = plain(stack, snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS)
    alias = ProvisionedAlias(stack, "Live", function=function, deployment=GradualDeployment())
    assert alias.spillover_alarm is None
    assert "ProvisionedConcurrencyConfig" not in one(stack, "AWS::Lambda::Alias")


def test_snap_start_and_provisioned_concurrency_on_one_function_are_refused(stack: Stack) -> None:
    function = plain(stack, snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS)
    with pytest.raises(ArgumentError) as refused:
        ProvisionedAlias(stack, "Live", function=function, concurrency=FixedConcurrency(1))
    assert str(refused.value) == (
        "concurrency: a function with SnapStart takes no provisioned concurrency: leave one of them out "
        "(https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html)"
    )


def test_a_new_version_takes_over_by_degrees_and_is_taken_back_on_errors(stack: Stack) -> None:
    alias = ProvisionedAlias(stack, "Live", function=plain(stack), deployment=GradualDeployment(errors=3))
    group = one(stack, "AWS::CodeDeploy::DeploymentGroup")
    assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    assert set(group["AutoRollbackConfiguration"]["Events"]) == {
        "DEPLOYMENT_FAILURE",
        "DEPLOYMENT_STOP_ON_REQUEST",
        "DEPLOYMENT_STOP_ON_ALARM",
    }
    alarm = one(stack, "AWS::CloudWatch::Alarm")
    assert (alarm["MetricName"], alarm["Threshold"], alarm["Period"]) == ("Errors", 3, 60)
    assert group["AlarmConfiguration"]["Enabled"] is True
    assert len(group["AlarmConfiguration"]["Alarms"]) == 1
    (live,) = Template.from_stack(stack).find_resources("AWS::Lambda::Alias").values()
    assert "CodeDeployLambdaAliasUpdate" in live["UpdatePolicy"]
    assert alias.deployment_group is not None


def test_steps_and_hooks_of_a_deployment_are_the_callers(stack: Stack) -> None:
    ProvisionedAlias(
        stack,
        "Live",
        function=plain(stack),
        deployment=GradualDeployment(
            steps=codedeploy.LambdaDeploymentConfig.LINEAR_10_PERCENT_EVERY_1_MINUTE,
            before_traffic=plain(stack, "Before"),
        ),
    )
    group = one(stack, "AWS::CodeDeploy::DeploymentGroup")
    assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaLinear10PercentEvery1Minute"
    (live,) = Template.from_stack(stack).find_resources("AWS::Lambda::Alias").values()
    assert "BeforeAllowTrafficHook" in live["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]


def test_the_functions_failure_destination_holds_for_the_alias_too(stack: Stack) -> None:
    from aws_cdk import aws_lambda_destinations as destinations  # noqa: PLC0415  # loaded by this test alone

    queue = OnFailureQueue(stack, "Failed")
    function = plain(stack, on_failure=destinations.SqsDestination(queue.queue))
    ProvisionedAlias(stack, "Live", function=function, concurrency=FixedConcurrency(1))
    qualifiers = [str(each["Qualifier"]) for each in found(stack, "AWS::Lambda::EventInvokeConfig")]
    assert any("Aliaslive" in qualifier for qualifier in qualifiers)


def test_any_function_of_aws_cdk_is_taken_and_an_imported_one_is_refused(stack: Stack) -> None:
    function = lambda_.Function(
        stack,
        "Other",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
    )
    ProvisionedAlias(stack, "Live", function=function, alias_name="prod", concurrency=FixedConcurrency(2))
    assert one(stack, "AWS::Lambda::Alias")["Name"] == "prod"
    imported = lambda_.Function.from_function_name(stack, "Imported", "orders")
    with pytest.raises(ArgumentError, match="of a function of this app alone, not of an imported one"):
        ProvisionedAlias(stack, "Never", function=imported)  # type: ignore[arg-type]  # what is refused


def test_two_functions_in_one_stack_have_an_alias_each(stack: Stack) -> None:
    for name in ("A", "B"):
        ProvisionedAlias(
            stack,
            f"Live{name}",
            function=plain(stack, name),
            concurrency=FixedConcurrency(1),
            deployment=GradualDeployment(),
        )
    assert len(found(stack, "AWS::Lambda::Alias")) == 2


def test_whoever_is_granted_may_invoke_the_alias_and_not_the_function(stack: Stack) -> None:
    alias = ProvisionedAlias(stack, "Live", function=plain(stack), concurrency=FixedConcurrency(1))
    caller = iam.Role(stack, "Caller", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
    alias.grant_invoke(caller)
    statements = [
        statement
        for policy in found(stack, "AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "lambda:InvokeFunction"
    ]
    assert [each["Resource"] for each in statements] == [stack.resolve(alias.alias.function_arn)]


@pytest.mark.parametrize(
    ("concurrency", "reserved", "account", "message"),
    [
        (FixedConcurrency(0), None, 1000, "concurrency is 0 environments, allowed are 1 and more"),
        (
            FixedConcurrency(-1),
            None,
            1000,
            "concurrency is FixedConcurrency(environments=-1), allowed are whole",
        ),
        (
            FixedConcurrency(901),
            None,
            1000,
            "concurrency is up to 901 environments, the account has 1,000, of which 100 stay unreserved",
        ),
        (
            FixedConcurrency(1),
            None,
            10,
            "concurrency is up to 1 environments, the account has 10, of which 10 stay unreserved",
        ),
        (
            FollowedConcurrency(1, 20),
            10,
            1000,
            "concurrency is up to 20 environments, the function reserves 10: provisioned",
        ),
    ],
)
def test_more_than_the_reservation_or_the_account_allows_is_refused(
    stack: Stack, concurrency: Concurrency, reserved: int | None, account: int, message: str
) -> None:
    options = {} if reserved is None else {"reserved_concurrent_executions": reserved}
    function = plain(stack, **options)
    with pytest.raises(ArgumentError) as refused:
        ProvisionedAlias(
            stack, "Live", function=function, concurrency=concurrency, account_concurrency=account
        )
    assert str(refused.value).startswith(message)


def test_all_of_a_reservation_and_all_of_a_raised_quota_may_be_provisioned(stack: Stack) -> None:
    reserved = plain(stack, "Reserved", reserved_concurrent_executions=10)
    ProvisionedAlias(stack, "A", function=reserved, concurrency=FixedConcurrency(10))
    ProvisionedAlias(
        stack,
        "B",
        function=plain(stack, "Raised"),
        concurrency=FixedConcurrency(4900),
        account_concurrency=5000,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 5), "concurrency: least is 0 and most is 5, allowed are 1 <= least <= most"),
        ((6, 5), "concurrency: least is 6 and most is 5, allowed are 1 <= least <= most"),
        ((1, 5, 0.95), "concurrency: target: target is 0.95 of the environments, allowed are 0.1-0.9"),
    ],
)
def test_bounds_and_targets_that_scaling_refuses_are_refused(
    arguments: tuple[Any, ...], message: str
) -> None:
    with pytest.raises(ArgumentError) as refused:
        FollowedConcurrency(*arguments)
    assert str(refused.value).startswith(message)


def test_a_deployment_that_no_error_would_end_is_refused() -> None:
    with pytest.raises(ArgumentError) as refused:
        GradualDeployment(errors=0)
    assert str(refused.value).startswith(
        "deployment: errors: threshold is 0 errors a minute, allowed are 1-1,000,000 errors a minute"
    )


@pytest.mark.parametrize("name", ["$LATEST", "7", "", "a b", "a" * 129])
def test_a_name_that_no_alias_may_have_is_refused(stack: Stack, name: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        ProvisionedAlias(stack, "Live", function=plain(stack), alias_name=name)
    assert str(refused.value) == (
        f"alias_name is {name!r}, allowed are 1-128 letters, digits, _ and -, and no number alone "
        "(https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html)"
    )


def test_a_schedule_without_a_change_is_refused() -> None:
    with pytest.raises(ArgumentError, match="a ScheduledConcurrency has at least one change"):
        ScheduledConcurrency({})
