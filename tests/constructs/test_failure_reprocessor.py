import json
import subprocess
import sys

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs

from lambda_patterns.constructs import FailureReprocessor, OnFailureQueue, PlainFunction
from lambda_patterns.constructs.reprocessor_package import reprocessor_package
from lambda_patterns.errors import ArgumentError
from lambda_patterns.redrive.reprocessor import Settings
from lambda_patterns.testing import synthesize
from tests.constructs.template_queries import Template, code, of_type, only

pytestmark = pytest.mark.cdk


def environment(template: Template) -> dict[str, str]:
    (found,) = [
        properties["Environment"]["Variables"]
        for properties in of_type(template, "AWS::Lambda::Function")
        if properties["Handler"].startswith("lambda_patterns.")
    ]
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in found.items()}


def test_it_is_off_reports_item_by_item_and_hides_messages_long_enough(stack: Stack) -> None:
    failures = OnFailureQueue(stack, "Failures")
    orders = PlainFunction(stack, "Orders", timeout=Duration.seconds(90), on_failure=failures, **code())
    FailureReprocessor(stack, "Reprocessor", failures=failures, functions=[orders])
    template = synthesize(stack)
    mapping = only(template, "AWS::Lambda::EventSourceMapping")
    assert mapping["Enabled"] is False
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}
    (queue,) = [q for q in of_type(template, "AWS::SQS::Queue") if "RedrivePolicy" in q]
    assert queue["VisibilityTimeout"] == 6 * (90 + 30)
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 20
    (timeout,) = [f["Timeout"] for f in of_type(template, "AWS::Lambda::Function") if f["Timeout"] != 90]
    assert timeout == 120


def test_its_settings_are_those_that_the_handler_reads(stack: Stack) -> None:
    table = dynamodb.Table(
        stack, "Table", partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    )
    orders = PlainFunction(stack, "Orders", **code())
    FailureReprocessor(
        stack,
        "Reprocessor",
        failures=OnFailureQueue(stack, "Failures"),
        functions=[orders],
        target=orders,
        max_attempts=5,
        backoff=Duration.seconds(0),
        events_per_second=2.5,
        longest_wait=Duration.seconds(17),
        idempotency_table=table,
    )
    settings = Settings.read(environment(synthesize(stack)))
    assert (settings.most_attempts, settings.backoff_seconds, settings.rate_per_second) == (5, 0, 2.5)
    assert settings.longest_wait_seconds == 17
    for given in (settings.target, settings.idempotency_table, settings.failure_queue_url):
        assert given is not None


def test_it_may_invoke_what_is_named_and_nothing_else(stack: Stack) -> None:
    orders = PlainFunction(stack, "Orders", **code())
    live = orders.add_alias("live")
    FailureReprocessor(
        stack, "Reprocessor", failures=OnFailureQueue(stack, "Failures"), functions=[orders, live]
    )
    policies = of_type(synthesize(stack), "AWS::IAM::Policy")
    statements = [s for policy in policies for s in policy["PolicyDocument"]["Statement"]]
    (invoke,) = [s for s in statements if s["Action"] == "lambda:InvokeFunction"]
    assert len(invoke["Resource"]) == 3
    assert "*" not in json.dumps(invoke["Resource"]).replace("$LATEST", "")
    assert not [s for s in statements if s["Resource"] == "*"]


def test_the_queues_own_dead_letter_queue_is_the_quarantine(stack: Stack) -> None:
    aside = OnFailureQueue(stack, "Aside")
    behind = sqs.DeadLetterQueue(queue=aside.queue, max_receive_count=9)
    failures = OnFailureQueue(stack, "Failures", dead_letter_queue=behind)
    reprocessor = FailureReprocessor(stack, "Reprocessor", failures=failures)
    assert reprocessor.quarantine is aside.queue
    assert len(of_type(synthesize(stack), "AWS::SQS::Queue")) == 2


def test_queue_functions_and_reprocessor_may_stand_in_three_stacks(app: App) -> None:
    base, service, operations = Stack(app, "Base"), Stack(app, "Service"), Stack(app, "Operations")
    failures = OnFailureQueue(base, "Failures", encryption_key=kms.Key(base, "Key"))
    orders = PlainFunction(service, "Orders", on_failure=failures, **code())
    FailureReprocessor(operations, "Reprocessor", failures=failures, functions=[orders.add_alias("live")])
    assert only(synthesize(operations), "AWS::Lambda::EventSourceMapping")
    queue = only(synthesize(base), "AWS::SQS::Queue")
    assert queue["VisibilityTimeout"] == 6 * (30 + 30)
    assert "RedrivePolicy" not in queue


def test_an_imported_queue_is_taken_as_it_is(stack: Stack) -> None:
    queue = sqs.Queue.from_queue_arn(stack, "Queue", "arn:aws:sqs:eu-west-1:123456789012:failures")
    FailureReprocessor(stack, "Reprocessor", failures=queue, enabled=True, max_concurrency=10)
    mapping = only(synthesize(stack), "AWS::Lambda::EventSourceMapping")
    assert (mapping["Enabled"], mapping["ScalingConfig"]) == (True, {"MaximumConcurrency": 10})


def test_two_reprocessors_live_in_one_stack(stack: Stack) -> None:
    for name in ("One", "Two"):
        FailureReprocessor(stack, name, failures=OnFailureQueue(stack, f"{name}Failures"))
    assert len(of_type(synthesize(stack), "AWS::Lambda::EventSourceMapping")) == 2


def test_a_queue_that_shows_messages_again_too_soon_is_refused(stack: Stack) -> None:
    failures = OnFailureQueue(stack, "Failures", visibility_timeout=Duration.seconds(100))
    with pytest.raises(ArgumentError) as caught:
        FailureReprocessor(stack, "Reprocessor", failures=failures)
    assert str(caught.value) == (
        "failures: its visibility timeout is 100 s, the reprocessor needs 540 s, six times its own timeout: "
        "leave visibility_timeout= out, or give a shorter longest_wait= "
        "(https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html)"
    )
    assert stack.node.try_find_child("Reprocessor") is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"max_attempts": 11},
            "max_attempts: attempts is 11 replays, allowed are 1-10 replays: Lambda breaks",
        ),
        ({"max_concurrency": 1}, "max_concurrency: "),
        ({"backoff": Duration.minutes(16)}, "backoff: delay is 960 s, allowed are 0-900 s: "),
        ({"longest_wait": Duration.minutes(15)}, "longest_wait: wait is 900 s, allowed are 1-870 s: "),
        ({"events_per_second": 0}, "events_per_second: 0 is no rate: give a number above 0"),
    ],
)
def test_a_value_out_of_its_range_is_refused(
    stack: Stack, arguments: dict[str, object], message: str
) -> None:
    failures = OnFailureQueue(stack, "Failures")
    with pytest.raises(ArgumentError) as caught:
        FailureReprocessor(stack, "Reprocessor", failures=failures, **arguments)  # type: ignore[arg-type]  # wrong on purpose
    assert str(caught.value).startswith(message)


def test_its_package_runs_by_itself_and_holds_nothing_of_the_cdk() -> None:
    package = reprocessor_package()
    tops = {path.name for path in package.path.iterdir()}
    assert tops == {"lambda_patterns", "aws_lambda_powertools", "jmespath", "typing_extensions.py"}
    inner = {path.name for path in (package.path / "lambda_patterns").iterdir()}
    assert inner == {"__init__.py", "errors.py", "redrive"}
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import lambda_patterns.redrive.reprocess as r; "
        "assert r.__file__.startswith(sys.argv[1]); "
        "assert not {'aws_cdk', 'rich'} & set(sys.modules)"
    )
    # -B: compiled modules in the staged folder would be another package
    subprocess.run([sys.executable, "-B", "-c", code, str(package.path)], check=True)
