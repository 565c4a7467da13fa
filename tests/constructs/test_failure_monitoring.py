import json

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from lambda_patterns.constructs import FailureMonitoring, OnFailureQueue, PlainFunction
from lambda_patterns.errors import ArgumentError
from lambda_patterns.testing import synthesize
from tests.constructs.template_queries import Template, code, of_type, only

pytestmark = pytest.mark.cdk


def metrics(template: Template) -> set[str]:
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    plain = {alarm["MetricName"] for alarm in alarms if "MetricName" in alarm}
    stats = [metric for alarm in alarms for metric in alarm.get("Metrics", [])]
    return plain | {
        metric["MetricStat"]["Metric"]["MetricName"] for metric in stats if "MetricStat" in metric
    }


def test_a_queue_is_watched_by_its_role(stack: Stack) -> None:
    FailureMonitoring(
        stack,
        "Monitoring",
        queues={"Quarantine": sqs.Queue(stack, "Quarantine")},
        drained={"Failures": sqs.Queue(stack, "Failures")},
        sources={"Work": sqs.Queue(stack, "Work")},
    )
    assert metrics(synthesize(stack)) == {
        "ApproximateNumberOfMessagesVisible",
        "NumberOfMessagesSent",
        "ApproximateAgeOfOldestMessage",
    }


def test_the_way_that_failures_take_is_watched_for_losses(stack: Stack) -> None:
    function = PlainFunction(stack, "Orders", **code())
    topic = sns.Topic(stack, "Topic")
    FailureMonitoring(stack, "Monitoring", functions={"Orders": function}, topics={"Topic": topic})
    found = {name for name in metrics(synthesize(stack)) if not name.startswith("NoConnection")}
    assert found == {
        "DestinationDeliveryFailures",
        "DeadLetterErrors",
        "AsyncEventAge",
        "AsyncEventsDropped",
        "Throttles",
        "Errors",
        "NumberOfNotificationsFailedToRedriveToDlq",
        "NumberOfNotificationsRedrivenToDlq",
    }


def test_lines_in_which_nothing_answers_are_counted_and_can_be_searched(stack: Stack) -> None:
    function = PlainFunction(stack, "Orders", **code())
    flows = logs.LogGroup(stack, "Flows")
    FailureMonitoring(stack, "Monitoring", functions={"Orders": function}, flow_logs=flows)
    template = synthesize(stack)
    pattern = only(template, "AWS::Logs::MetricFilter")["FilterPattern"]
    assert '?"Connect timeout"' in pattern
    assert '?"Task timed out"' in pattern
    assert len(of_type(template, "AWS::Logs::QueryDefinition")) == 2


def test_one_alarm_tells_of_all_and_the_dashboard_says_what_to_do(stack: Stack) -> None:
    topic = sns.Topic(stack, "Topic")
    FailureMonitoring(
        stack,
        "Monitoring",
        queues={"Failures": OnFailureQueue(stack, "Failures")},
        functions={"Orders": PlainFunction(stack, "Orders", **code())},
        alarm_actions=[actions.SnsAction(topic)],
    )
    template = synthesize(stack)
    composite = only(template, "AWS::CloudWatch::CompositeAlarm")
    assert len(composite["AlarmActions"]) == 1
    assert json.dumps(composite["AlarmRule"]).count("ALARM(") == 7
    assert "failures replay QUEUE --dry-run" in json.dumps(only(template, "AWS::CloudWatch::Dashboard"))


def test_what_it_watches_may_stand_in_other_stacks_and_be_imported(app: App) -> None:
    service, operations = Stack(app, "Service"), Stack(app, "Operations")
    function = PlainFunction(service, "Orders", **code())
    queue = sqs.Queue.from_queue_arn(operations, "Queue", "arn:aws:sqs:eu-west-1:123456789012:failures")
    FailureMonitoring(operations, "Monitoring", functions={"Orders": function}, drained={"Failures": queue})
    assert only(synthesize(operations), "AWS::CloudWatch::CompositeAlarm")


def test_two_live_in_one_stack_and_one_may_go_without_a_dashboard(stack: Stack) -> None:
    function = PlainFunction(stack, "Orders", **code())
    FailureMonitoring(stack, "One", functions={"Orders": function})
    FailureMonitoring(stack, "Two", functions={"Orders": function}, dashboard=False)
    template = synthesize(stack)
    assert len(of_type(template, "AWS::CloudWatch::Dashboard")) == 1
    names = {
        f["MetricTransformations"][0]["MetricName"] for f in of_type(template, "AWS::Logs::MetricFilter")
    }
    assert len(names) == 2


def test_nothing_to_watch_is_refused(stack: Stack) -> None:
    with pytest.raises(ArgumentError) as caught:
        FailureMonitoring(stack, "Monitoring")
    assert str(caught.value) == "nothing to watch: give functions, queues, drained, sources or topics"
