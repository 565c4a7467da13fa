import json
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from lambda_patterns.constructs import (
    FailureMonitoring,
    FailureReprocessor,
    OnFailureQueue,
    PlainFunction,
    QueueConsumer,
)
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
    # Errors, throttles, no connection, waiting and dropped events.
    assert json.dumps(composite["AlarmRule"]).count("ALARM(") == 5
    assert telling(template) == {"FailuresArrivals", "MonitoringOrdersLost"}
    assert "failures replay QUEUE --dry-run" in json.dumps(only(template, "AWS::CloudWatch::Dashboard"))


def telling(template: Template) -> set[str]:
    """The alarms that act by themselves, by logical id without its hash."""
    return {
        name[:-8]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "AlarmActions" in resource["Properties"]
    }


def test_no_queue_is_watched_twice(stack: Stack) -> None:
    """What a construct has set on its queue is taken; who is told already is not told again."""
    topic = sns.Topic(stack, "Topic")
    function = PlainFunction(stack, "Orders", **code())
    consumer = QueueConsumer(stack, "Work", function=function)
    failures = OnFailureQueue(stack, "Failures")
    reprocessor = FailureReprocessor(stack, "Reprocessor", failures=failures, functions=[function])
    told = OnFailureQueue(stack, "Told", alarm_topic=topic)
    dead = consumer.dead_letter_queue
    assert dead is not None
    monitoring = FailureMonitoring(
        stack,
        "Monitoring",
        queues={"Dead": dead, "Quarantine": reprocessor.quarantine, "Told": told.queue},
        drained={"Failures": failures},
        sources={"Work": consumer.queue},
        alarm_actions=[actions.SnsAction(topic)],
    )
    assert monitoring.alarms == {
        "DeadHeld": consumer.alarms["DeadLetters"],
        "QuarantineHeld": monitoring.alarms["QuarantineHeld"],
        "ToldHeld": told.alarm,
        "FailuresArrived": failures.alarm,
        "WorkBacklog": consumer.alarms["Backlog"],
    }
    template = synthesize(stack)
    watched = [
        (alarm["MetricName"], json.dumps(alarm["Dimensions"]))
        for alarm in of_type(template, "AWS::CloudWatch::Alarm")
    ]
    assert len(watched) == len(set(watched)) == 5
    assert telling(template) == {"WorkDeadLetters", "ReprocessorQuarantineHeld", "ToldArrivals"}
    joined = json.dumps(only(template, "AWS::CloudWatch::CompositeAlarm")["AlarmRule"])
    assert ("FailuresArrivals" in joined, "WorkBacklog" in joined) == (True, True)
    assert joined.count("ALARM(") == 2


def test_an_alarm_of_another_stack_tells_without_needing_this_one(app: App) -> None:
    service, operations = Stack(app, "Service"), Stack(app, "Operations")
    consumer = QueueConsumer(service, "Work", function=PlainFunction(service, "Orders", **code()))
    dead = consumer.dead_letter_queue
    assert dead is not None
    topic = sns.Topic(operations, "Topic")
    FailureMonitoring(
        operations, "Monitoring", queues={"Dead": dead}, alarm_actions=[actions.SnsAction(topic)]
    )
    composite = only(synthesize(operations), "AWS::CloudWatch::CompositeAlarm")
    assert len(composite["AlarmActions"]) == 1
    assert telling(synthesize(service)) == set()


def test_more_functions_than_one_query_or_widget_takes_are_shown_by_several(app: App) -> None:
    service, operations = Stack(app, "Service"), Stack(app, "Operations")
    functions: dict[str, lambda_.IFunction] = {
        f"Orders{n}": PlainFunction(service, f"Orders{n}", **code()) for n in range(51)
    }
    FailureMonitoring(operations, "Monitoring", functions=functions)
    template = synthesize(operations)
    queries = of_type(template, "AWS::Logs::QueryDefinition")
    assert [len(query["LogGroupNames"]) for query in queries] == [50, 1]
    body = only(template, "AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else "ARN" for part in body)
    shown = [w["properties"]["alarms"] for w in json.loads(text)["widgets"] if "alarms" in w["properties"]]
    assert [len(alarms) for alarms in shown] == [100, 100, 100, 12]


def test_a_log_group_that_functions_share_is_searched_once(stack: Stack) -> None:
    shared = logs.LogGroup(stack, "Shared")
    functions: dict[str, lambda_.IFunction] = {
        name: PlainFunction(stack, name, log_group=shared, **code()) for name in ("Orders", "Bill")
    }
    FailureMonitoring(stack, "Monitoring", functions=functions)
    assert len(only(synthesize(stack), "AWS::Logs::QueryDefinition")["LogGroupNames"]) == 1


def test_more_alarms_than_a_composite_takes_are_joined_by_several(stack: Stack) -> None:
    queues = {f"Queue{n}": sqs.Queue(stack, f"Queue{n}") for n in range(51)}
    FailureMonitoring(stack, "Monitoring", drained=queues, dashboard=False)
    composites = of_type(synthesize(stack), "AWS::CloudWatch::CompositeAlarm")
    assert [json.dumps(one["AlarmRule"]).count("ALARM(") for one in composites] == [50, 1]


def test_an_alias_stands_for_its_function_and_an_imported_one_has_no_logs_here(stack: Stack) -> None:
    alias = PlainFunction(stack, "Orders", **code()).add_alias("live")
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:bill"
    imported = lambda_.Function.from_function_arn(stack, "Bill", arn)
    monitoring = FailureMonitoring(stack, "Monitoring", functions={"Orders": alias, "Bill": imported})
    assert {name for name in monitoring.alarms if name.endswith("NoConnection")} == {"OrdersNoConnection"}
    assert "BillErrors" in monitoring.alarms
    errors = [
        a for a in of_type(synthesize(stack), "AWS::CloudWatch::Alarm") if a.get("MetricName") == "Errors"
    ]
    names = [alarm["Dimensions"] for alarm in errors]
    assert [len(name) for name in names] == [1, 1]
    assert names[1] == [{"Name": "FunctionName", "Value": "bill"}]


def test_what_has_no_name_is_refused(stack: Stack) -> None:
    functions: Any = [PlainFunction(stack, "Orders", **code())]
    with pytest.raises(ArgumentError) as caught:
        FailureMonitoring(stack, "Monitoring", functions=functions)
    assert str(caught.value) == 'functions: give each a name, functions={"Orders": ...}'


def test_a_name_that_would_stand_for_two_things_is_refused(stack: Stack) -> None:
    function, topic = PlainFunction(stack, "Orders", **code()), sns.Topic(stack, "Topic")
    with pytest.raises(ArgumentError) as caught:
        FailureMonitoring(stack, "Monitoring", functions={"Orders": function}, topics={"Orders": topic})
    assert str(caught.value) == "topics: 'Orders' names a function too: alarms are called by these names"


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
