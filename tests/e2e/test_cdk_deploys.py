"""A small application goes the whole way with the cdk command as it is, and the demonstration too."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local.cdk import Cdk
from lambda_patterns.local.embedded import EmbeddedAws
from lambda_patterns.local.settings import Settings
from lambda_patterns.local.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.cdk]

ROOT = Path(__file__).parents[2]
APPLICATION = '''
import os
from aws_cdk import App, CfnOutput, CfnResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch, aws_ec2 as ec2, aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations, aws_s3 as s3, aws_sqs as sqs

CODE = """
def handler(event, context):
    raise ValueError("out of stock")
"""

app = App()
stack = Stack(app, "Shop")
vpc = ec2.Vpc(stack, "Vpc", max_azs=2, nat_gateways=int(os.environ.get("NATS", "1")))
vpc.add_interface_endpoint("Sqs", service=ec2.InterfaceVpcEndpointAwsService.SQS)
acl = ec2.NetworkAcl(stack, "Acl", vpc=vpc, subnet_selection=ec2.SubnetSelection(one_per_az=True))
acl.add_entry("Https", cidr=ec2.AclCidr.any_ipv4(), rule_number=100, traffic=ec2.AclTraffic.tcp_port(443))
failed, dead = sqs.Queue(stack, "Failed"), sqs.Queue(stack, "Dead")
function = lambda_.Function(
    stack, "Order", code=lambda_.Code.from_inline(CODE), handler="index.handler",
    runtime=lambda_.Runtime.PYTHON_3_13, vpc=vpc, dead_letter_queue=dead, reserved_concurrent_executions=5,
)
alias = lambda_.Alias(
    stack, "Live", alias_name="live", version=function.current_version,
    on_failure=destinations.SqsDestination(failed), retry_attempts=0,
)
arrivals = failed.metric_approximate_number_of_messages_visible(
    period=Duration.seconds(10), statistic="Maximum"
)
alarm = arrivals.create_alarm(stack, "Arrivals", threshold=1, evaluation_periods=1)
ratio = cloudwatch.MathExpression(
    expression="100 * errors / FILL(calls, 1)", period=Duration.minutes(1),
    using_metrics={"errors": alias.metric_errors(), "calls": alias.metric_invocations()},
)
ratio.create_alarm(stack, "Ratio", threshold=50, evaluation_periods=1)
cloudwatch.CompositeAlarm(stack, "Any", alarm_rule=cloudwatch.AlarmRule.any_of(alarm))
bucket = s3.Bucket(stack, "Bucket", removal_policy=RemovalPolicy.DESTROY, auto_delete_objects=True)
budget = {"BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": {"Amount": 1, "Unit": "USD"}}
CfnResource(stack, "Budget", type="AWS::Budgets::Budget", properties={"Budget": budget})
CfnOutput(stack, "BucketName", value=bucket.bucket_name)
CfnOutput(stack, "Cidr", value=vpc.vpc_cidr_block)
CfnOutput(stack, "GroupId", value=vpc.vpc_default_security_group)
app.synth()
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "app.py").write_text(APPLICATION)
    shutil.copy(ROOT / "cdk.json", folder)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    return folder


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(Settings(retry_seconds=0.05, clock_seconds=0.2)) as running:
        yield running


@pytest.fixture
def cdk(aws: EmbeddedAws, project: Path, tmp_path: Path) -> Cdk:
    return Cdk(aws, project, tmp_path)


def deploy(cdk: Cdk, *stacks: str) -> None:
    cdk.synthesize()
    cdk.bootstrap()
    with cdk.deploying(*stacks):
        pass


def test_a_stack_is_deployed_fails_is_updated_and_destroyed(
    aws: EmbeddedAws, cdk: Cdk, monkeypatch: pytest.MonkeyPatch, eventually: Any
) -> None:
    deploy(cdk)
    stage, formation, ec2 = Stage(aws), aws.client("cloudformation"), aws.client("ec2")
    assert stage.stacks()["Shop"] == "CREATE_COMPLETE"
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for output in formation.describe_stacks(StackName="Shop")["Stacks"][0]["Outputs"]
    }
    assert outputs["Cidr"] == "10.0.0.0/16"
    group = ec2.describe_security_groups(GroupIds=[outputs["GroupId"]])["SecurityGroups"][0]
    assert (group["IpPermissions"], group["IpPermissionsEgress"]) == ([], [])
    assert [entry["LogicalId"] for entry in aws.status()["recordedOnly"]] == ["Budget"]

    function = stage.find("Shop", "Order", "AWS::Lambda::Function")
    configuration = aws.client("lambda").get_function_configuration(FunctionName=function)
    assert len(configuration["VpcConfig"]["SubnetIds"]) == 2
    assert configuration["DeadLetterConfig"]["TargetArn"].startswith("arn:aws:sqs:")
    aws.client("lambda").invoke(FunctionName=function, Qualifier="live", InvocationType="Event", Payload="{}")
    sqs, failed = aws.client("sqs"), stage.find("Shop", "Failed", "AWS::SQS::Queue")
    message = eventually(lambda: sqs.receive_message(QueueUrl=failed, VisibilityTimeout=0).get("Messages"))[0]
    record = json.loads(message["Body"])
    assert record["requestContext"]["functionArn"].endswith(f"{function}:live")
    assert record["responsePayload"]["errorMessage"] == "out of stock"
    cloudwatch = aws.client("cloudwatch")

    def firing() -> set[str]:
        found = cloudwatch.describe_alarms(StateValue="ALARM", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        alarms = found["MetricAlarms"] + found["CompositeAlarms"]
        return {alarm["AlarmName"].replace("-", "").removeprefix("Shop")[:3] for alarm in alarms}

    eventually(lambda: firing() == {"Arr", "Rat", "Any"})

    monkeypatch.setenv("NATS", "2")
    deploy(cdk)
    assert stage.stacks()["Shop"] == "UPDATE_COMPLETE"
    gateways = ec2.describe_nat_gateways()["NatGateways"]
    assert sum(gateway["State"] == "available" for gateway in gateways) == 2

    aws.client("s3").put_object(Bucket=outputs["BucketName"], Key="order", Body=b"1")
    with cdk.running("destroy", "--all", "--force", "--app", str(cdk.assembly)):
        pass
    assert "Shop" not in stage.stacks()
    assert not ec2.describe_addresses()["Addresses"]
    assert aws.status()["recordedOnly"] == []


def application(project: Path, folder: Path, body: str) -> Path:
    """Write another application: `body` puts something into `stack`."""
    other = folder / "other"
    shutil.copytree(project, other, symlinks=True)
    (other / "app.py").write_text(
        "from aws_cdk import App, CustomResource, Stack, aws_lambda as lambda_\n"
        f"app = App()\nstack = Stack(app, 'Other')\n{body}\napp.synth()\n"
    )
    return other


def test_a_function_that_would_only_be_mocked_fails_the_deployment_with_the_reason(
    aws: EmbeddedAws, project: Path, tmp_path: Path
) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "Order.class").touch()
    body = (
        f"code = lambda_.Code.from_asset({str(code)!r})\n"
        "lambda_.Function(stack, 'F', code=code, handler='A::b', runtime=lambda_.Runtime.JAVA_21)"
    )
    with pytest.raises(LambdaPatternsError, match="the embedded AWS cannot run java21"):
        deploy(Cdk(aws, application(project, tmp_path, body), tmp_path))


def test_a_custom_resource_whose_function_fails_ends_the_deployment_at_once(
    aws: EmbeddedAws, project: Path, tmp_path: Path
) -> None:
    body = (
        "code = lambda_.Code.from_inline('def handler(event, context): raise ValueError(\"no answer\")')\n"
        "function = lambda_.Function(stack, 'F', code=code, handler='index.handler',\n"
        "                            runtime=lambda_.Runtime.PYTHON_3_13)\n"
        "CustomResource(stack, 'R', service_token=function.function_arn)"
    )
    with pytest.raises(LambdaPatternsError, match="custom resource failed without an answer: no answer"):
        deploy(Cdk(aws, application(project, tmp_path, body), tmp_path))


def test_the_demonstration_deploys_calls_fails_and_leaves_nothing(project: Path, tmp_path: Path) -> None:
    scenes = tmp_path / "demo.yaml"
    scenes.write_text(
        json.dumps(
            {
                "failures": [
                    {"stack": "Shop", "function": "Order", "qualifier": "live", "event": 1, "queue": "Failed"}
                ]
            }
        )
    )
    shown = subprocess.run(
        [
            sys.executable,
            "-m",
            "lambda_patterns.local.demo",
            "--project",
            str(project),
            "--scenes",
            str(scenes),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "160"},
    )
    assert shown.returncode == 0, shown.stderr
    assert '"errorMessage": "out of stock"' in shown.stdout
    proved = r"Shop/Order *\n  internet \(not needed\) +blocked: .*no entry allows it"
    assert re.search(proved, shown.stdout)
    assert "AWS::Budgets::Budget Budget (Shop)" in shown.stdout
    assert "the embedded AWS has ended; nothing is left of it" in shown.stdout


def test_a_demonstration_that_cannot_be_synthesized_says_why_and_ends_with_2(
    project: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(project, broken, symlinks=True)
    (broken / "app.py").write_text("raise RuntimeError('no such stack')\n")
    scenes = tmp_path / "demo.yaml"
    scenes.touch()
    shown = subprocess.run(
        [
            sys.executable,
            "-m",
            "lambda_patterns.local.demo",
            "--project",
            str(broken),
            "--scenes",
            str(scenes),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 2
    assert shown.stderr.startswith("demo: cdk synth failed with exit code 1; it said:\n")
    assert "RuntimeError: no such stack" in shown.stderr
