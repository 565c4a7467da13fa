import json
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs

from lambda_patterns.constructs import (
    EgressOnlyGateway,
    Endpoints,
    Isolated,
    LambdaNetwork,
    OnFailureQueue,
    VpcFunction,
)
from lambda_patterns.testing import synthesize
from tests.constructs.template_queries import code, declarations, of_type, only

pytestmark = pytest.mark.cdk


def function_role(template: dict[str, Any]) -> dict[str, Any]:
    roles = [role for role in of_type(template, "AWS::IAM::Role") if "lambda" in json.dumps(role)]
    (role,) = [role for role in roles if role["Policies"][0]["PolicyName"] == "Execution"]
    return role


def test_it_is_a_lambda_function_in_two_private_subnets(stack: Stack, network: LambdaNetwork) -> None:
    function = VpcFunction(stack, "Fetch", network=network, **code())
    assert isinstance(function, lambda_.Function)
    made = next(f for f in of_type(synthesize(stack), "AWS::Lambda::Function") if "VpcConfig" in f)
    subnets = made["VpcConfig"]["SubnetIds"]
    assert len(subnets) == 2
    assert all("NetworkVpcFunctionSubnet" in subnet["Ref"] for subnet in subnets)


def test_the_defaults_are_current_and_traced(stack: Stack, network: LambdaNetwork) -> None:
    VpcFunction(stack, "Fetch", network=network, **code())
    template = synthesize(stack)
    made = next(f for f in of_type(template, "AWS::Lambda::Function") if "VpcConfig" in f)
    assert made["Runtime"] == "python3.14"
    assert made["Architectures"] == ["arm64"]
    assert (made["MemorySize"], made["Timeout"]) == (512, 30)
    assert made["TracingConfig"] == {"Mode": "Active"}
    log = template["Resources"][made["LoggingConfig"]["LogGroup"]["Ref"]]
    assert log["Properties"]["RetentionInDays"] == 90


def test_what_the_caller_says_wins(stack: Stack, network: LambdaNetwork) -> None:
    VpcFunction(
        stack,
        "Fetch",
        network=network,
        runtime=lambda_.Runtime.PYTHON_3_12,
        architecture=lambda_.Architecture.X86_64,
        memory_size=1769,
        timeout=Duration.minutes(15),
        tracing=lambda_.Tracing.DISABLED,
        log_retention=logs.RetentionDays.ONE_DAY,
        **code(),
    )
    template = synthesize(stack)
    made = next(f for f in of_type(template, "AWS::Lambda::Function") if "VpcConfig" in f)
    assert (made["Runtime"], made["Architectures"]) == ("python3.12", ["x86_64"])
    assert (made["MemorySize"], made["Timeout"]) == (1769, 900)
    assert "TracingConfig" not in made
    assert "xray" not in json.dumps(function_role(template))
    log = template["Resources"][made["LoggingConfig"]["LogGroup"]["Ref"]]
    assert log["Properties"]["RetentionInDays"] == 1


def test_its_role_writes_its_own_log_and_denies_network_interfaces_to_its_code(
    stack: Stack, network: LambdaNetwork
) -> None:
    VpcFunction(stack, "Fetch", network=network, **code())
    role = function_role(synthesize(stack))
    assert "ManagedPolicyArns" not in role
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]
    (denied,) = [statement for statement in statements if statement["Effect"] == "Deny"]
    (own, every) = [statement for statement in statements if statement["Effect"] == "Allow"]
    assert own["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert own["Resource"]["Fn::GetAtt"][0].startswith("FetchLogs")
    assert {"ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"} < set(denied["Action"])
    assert set(every["Action"]) - set(denied["Action"]) == {
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
    assert denied["Condition"] == {"Null": {"lambda:SourceFunctionArn": "false"}}


def test_a_role_that_exists_is_added_to(stack: Stack, network: LambdaNetwork) -> None:
    role = iam.Role(stack, "Mine", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    VpcFunction(stack, "Fetch", network=network, role=role, **code())
    template = synthesize(stack)
    (policy,) = [p for p in of_type(template, "AWS::IAM::Policy") if "MineDefault" in p["PolicyName"]]
    actions = json.dumps(policy["PolicyDocument"])
    assert "ec2:CreateNetworkInterface" in actions
    assert "logs:PutLogEvents" in actions
    assert not any(name.startswith("FetchRole") for name in template["Resources"])


def test_a_log_group_that_exists_is_written_to(stack: Stack, network: LambdaNetwork) -> None:
    group = logs.LogGroup.from_log_group_name(stack, "Shared", "/shared")
    VpcFunction(stack, "Fetch", network=network, log_group=group, **code())
    template = synthesize(stack)
    assert not any(name.startswith("FetchLogs") for name in template["Resources"])
    assert "log-group:/shared:*" in json.dumps(function_role(template))


def test_without_needs_its_group_lets_nothing_in_and_nothing_out(
    stack: Stack, network: LambdaNetwork
) -> None:
    VpcFunction(stack, "Fetch", network=network, **code())
    template = synthesize(stack)
    group = only(template, "AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group
    (nothing,) = group["SecurityGroupEgress"]
    assert nothing["CidrIp"] == "127.0.0.1/32"
    assert not declarations(template)


def test_internet_opens_443_and_is_recorded(stack: Stack, network: LambdaNetwork) -> None:
    VpcFunction(stack, "Fetch", network=network, internet=True, **code())
    template = synthesize(stack)
    _, rule = only(template, "AWS::EC2::SecurityGroup")["SecurityGroupEgress"]
    assert (rule["CidrIp"], rule["FromPort"], rule["ToPort"]) == ("0.0.0.0/0", 443, 443)
    assert declarations(template) == [{"Needs": ["internet"]}]


def test_a_need_opens_both_groups_of_its_endpoint_on_443(stack: Stack) -> None:
    network = LambdaNetwork(stack, "Network", internet=Endpoints("secretsmanager", "sqs"))
    VpcFunction(stack, "Fetch", network=network, needs=["secretsmanager"], **code())
    template = synthesize(stack)
    ingress = only(template, "AWS::EC2::SecurityGroupIngress")
    egress = only(template, "AWS::EC2::SecurityGroupEgress")
    own = next(g for g in of_type(template, "AWS::EC2::SecurityGroup") if "Fetch" in g["GroupDescription"])
    assert [rule["CidrIp"] for rule in own["SecurityGroupEgress"]] == ["127.0.0.1/32"]
    assert ingress["GroupId"] == egress["DestinationSecurityGroupId"]
    assert ingress["GroupId"]["Fn::GetAtt"][0].startswith("NetworkSecretsmanagerEndpointGroup")
    assert (ingress["FromPort"], egress["FromPort"]) == (443, 443)
    assert declarations(template) == [{"Needs": ["secretsmanager"]}]


def test_a_gateway_endpoint_is_reached_through_its_prefix_list_where_it_is_known(stack: Stack) -> None:
    way = Endpoints("s3", prefix_lists={"s3": "pl-63a5400a"})
    network = LambdaNetwork(stack, "Network", internet=way)
    VpcFunction(stack, "Fetch", network=network, needs=["s3"], **code())
    template = synthesize(stack)
    assert only(template, "AWS::EC2::SecurityGroupEgress")["DestinationPrefixListId"] == "pl-63a5400a"


def test_a_function_in_an_isolated_network_records_that_nothing_may_lead_out(stack: Stack) -> None:
    network = LambdaNetwork(stack, "Network", internet=Isolated("s3"))
    VpcFunction(stack, "Fetch", network=network, needs=["s3"], **code())
    assert declarations(synthesize(stack)) == [{"Isolated": True, "Needs": ["s3"]}]


def test_behind_an_egress_only_gateway_it_speaks_ipv6(stack: Stack) -> None:
    network = LambdaNetwork(stack, "Network", internet=EgressOnlyGateway())
    VpcFunction(stack, "Fetch", network=network, internet=True, **code())
    template = synthesize(stack)
    made = next(f for f in of_type(template, "AWS::Lambda::Function") if "VpcConfig" in f)
    assert made["VpcConfig"]["Ipv6AllowedForDualStack"] is True
    nothing, rule = only(template, "AWS::EC2::SecurityGroup")["SecurityGroupEgress"]
    assert nothing["CidrIp"] == "127.0.0.1/32"
    assert (rule["CidrIpv6"], rule["FromPort"]) == ("::/0", 443)


def test_needs_can_be_added_later_and_once(stack: Stack) -> None:
    network = LambdaNetwork(stack, "Network", internet=Endpoints("secretsmanager", "sqs"))
    function = VpcFunction(stack, "Fetch", network=network, needs=["sqs"], **code())
    function.add_needs("secretsmanager", "sqs", "secretsmanager")
    template = synthesize(stack)
    assert len(of_type(template, "AWS::EC2::SecurityGroupEgress")) == 2
    assert declarations(template) == [{"Needs": ["sqs", "secretsmanager"]}]


def test_declarations_are_recorded_side_by_side(stack: Stack, network: LambdaNetwork) -> None:
    function = VpcFunction(stack, "Fetch", network=network, internet=True, **code())
    function.allow_unreachable("sns", reason="only the other handler publishes")
    function.allow_unreachable("sqs", reason="the grant is for the console")
    function.declare_asynchronous("live")
    assert declarations(synthesize(stack)) == [
        {
            "Needs": ["internet"],
            "Unreachable": [
                {"Service": "sns", "Reason": "only the other handler publishes"},
                {"Service": "sqs", "Reason": "the grant is for the console"},
            ],
            "Asynchronous": ["live"],
        }
    ]


def test_functions_can_share_a_group(stack: Stack, network: LambdaNetwork) -> None:
    shared = ec2.SecurityGroup(stack, "Shared", vpc=network.vpc, allow_all_outbound=False)
    for name in ("One", "Two"):
        VpcFunction(stack, name, network=network, security_groups=[shared], internet=True, **code())
    (rule,) = only(synthesize(stack), "AWS::EC2::SecurityGroup")["SecurityGroupEgress"]
    assert rule["FromPort"] == 443


def test_failures_are_kept_for_latest_version_and_alias_with_the_same_settings(
    stack: Stack, network: LambdaNetwork
) -> None:
    queue = OnFailureQueue(stack, "Failures")
    function = VpcFunction(
        stack,
        "Fetch",
        network=network,
        on_failure=queue,
        retry_attempts=1,
        max_event_age=Duration.hours(1),
        **code(),
    )
    function.add_alias("live")
    template = synthesize(stack)
    settings = of_type(template, "AWS::Lambda::EventInvokeConfig")
    assert len(settings) == 3
    for setting in settings:
        assert setting["MaximumRetryAttempts"] == 1
        assert setting["MaximumEventAgeInSeconds"] == 3600
        assert "FailuresQueue" in json.dumps(setting["DestinationConfig"]["OnFailure"])
    qualifiers = [setting["Qualifier"] for setting in settings]
    assert qualifiers[0] == "$LATEST"
    assert sorted(next(iter(q)) for q in qualifiers[1:]) == ["Fn::GetAtt", "Fn::Select"]


def test_an_alias_may_have_settings_of_its_own(stack: Stack, network: LambdaNetwork) -> None:
    queue = OnFailureQueue(stack, "Failures")
    function = VpcFunction(stack, "Fetch", network=network, on_failure=queue, retry_attempts=2, **code())
    function.add_alias("live", retry_attempts=0)
    settings = of_type(synthesize(stack), "AWS::Lambda::EventInvokeConfig")
    assert sorted(setting["MaximumRetryAttempts"] for setting in settings) == [0, 2, 2]


def test_without_asynchronous_settings_an_alias_makes_none(stack: Stack, network: LambdaNetwork) -> None:
    function = VpcFunction(stack, "Fetch", network=network, **code())
    assert isinstance(function.add_alias("live"), lambda_.Alias)
    assert not of_type(synthesize(stack), "AWS::Lambda::EventInvokeConfig")


def test_the_key_of_a_dead_letter_queue_is_opened_to_the_function(
    stack: Stack, network: LambdaNetwork
) -> None:
    key = kms.Key(stack, "Key")
    queue = sqs.Queue(stack, "Dead", encryption_master_key=key)
    VpcFunction(stack, "Fetch", network=network, dead_letter_queue=queue, **code())
    policies = json.dumps(of_type(synthesize(stack), "AWS::IAM::Policy"))
    assert '["kms:Decrypt", "kms:GenerateDataKey"]' in policies


def test_two_functions_live_in_one_stack(stack: Stack, network: LambdaNetwork) -> None:
    VpcFunction(stack, "One", network=network, internet=True, **code())
    VpcFunction(stack, "Two", network=network, internet=True, **code())
    assert len([f for f in of_type(synthesize(stack), "AWS::Lambda::Function") if "VpcConfig" in f]) == 2


def test_network_and_function_may_stand_in_two_stacks(app: App) -> None:
    base = Stack(app, "Base")
    service = Stack(app, "Service")
    network = LambdaNetwork(base, "Network", internet=Endpoints("sqs"))
    VpcFunction(service, "Fetch", network=network, needs=["sqs"], **code())
    own = synthesize(service)
    assert len(of_type(own, "AWS::EC2::SecurityGroupIngress")) == 1
    assert len(of_type(own, "AWS::EC2::SecurityGroupEgress")) == 1
    assert not of_type(synthesize(base), "AWS::EC2::SecurityGroupIngress")


def test_any_vpc_will_do(stack: Stack) -> None:
    vpc = ec2.Vpc(stack, "Vpc")
    function = VpcFunction(stack, "Fetch", network=vpc, needs=["sqs"], **code())
    function.add_needs("kms")
    template = synthesize(stack)
    _, rule = only(template, "AWS::EC2::SecurityGroup")["SecurityGroupEgress"]
    assert (rule["CidrIp"], rule["FromPort"]) == ("0.0.0.0/0", 443)
    assert declarations(template) == [{"Needs": ["sqs", "kms"]}]
