"""Alarms go off and recover by themselves, on the metric with their dimensions, and tell a topic."""

import json
from typing import Any

import pytest

pytestmark = pytest.mark.e2e


def state(workshop: Any, name: str) -> str:
    found = workshop.cloudwatch.describe_alarms(
        AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    return (found["MetricAlarms"] or found["CompositeAlarms"])[0]["StateValue"]


def depth_alarm(workshop: Any, queue: str, actions: list[str], role: str = "alarm") -> str:
    name = workshop.name(role)
    workshop.cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": queue}],
        Statistic="Maximum",
        Period=10,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=actions,
        OKActions=actions,
    )
    return name


def test_an_alarm_on_a_failure_queue_goes_off_tells_a_topic_and_recovers(
    workshop: Any, eventually: Any
) -> None:
    inbox_url, inbox = workshop.queue("inbox")
    operators = workshop.sns.create_topic(Name=workshop.name("operators"))["TopicArn"]
    workshop.admit(inbox_url, inbox)
    workshop.sns.subscribe(TopicArn=operators, Protocol="sqs", Endpoint=inbox)
    url, _arn = workshop.queue("failed")
    quiet = depth_alarm(workshop, workshop.name("other"), [], "quiet")
    alarm = depth_alarm(workshop, workshop.name("failed"), [operators])
    workshop.sqs.send_message(QueueUrl=url, MessageBody="failed")

    def notification() -> tuple[str, str]:
        while True:  # the first change, from INSUFFICIENT_DATA to OK, depends on when the clock looked
            message = json.loads(workshop.record(inbox_url)["Message"])
            if (message["OldStateValue"], message["NewStateValue"]) != ("INSUFFICIENT_DATA", "OK"):
                return message["AlarmName"], message["NewStateValue"]

    eventually(lambda: state(workshop, alarm) == "ALARM")
    assert notification() == (alarm, "ALARM")
    assert state(workshop, quiet) == "OK"
    workshop.sqs.purge_queue(QueueUrl=url)
    eventually(lambda: state(workshop, alarm) == "OK", seconds=20)
    assert notification() == (alarm, "OK")


def test_a_composite_alarm_follows_its_children(workshop: Any, eventually: Any) -> None:
    url, _arn = workshop.queue("failed")
    alarm = depth_alarm(workshop, workshop.name("failed"), [])
    composite = workshop.name("composite")
    workshop.cloudwatch.put_composite_alarm(AlarmName=composite, AlarmRule=f'ALARM("{alarm}")')
    workshop.sqs.send_message(QueueUrl=url, MessageBody="failed")
    eventually(lambda: state(workshop, composite) == "ALARM")


def test_an_alarm_on_errors_of_one_function_ignores_the_errors_of_another(
    workshop: Any, eventually: Any
) -> None:
    broken, sound = workshop.function("broken"), workshop.function("sound")
    alarms = {}
    for role in ("broken", "sound"):
        alarms[role] = workshop.name(f"errors-{role}")
        workshop.cloudwatch.put_metric_alarm(
            AlarmName=alarms[role],
            Namespace="AWS/Lambda",
            MetricName="Errors",
            Dimensions=[{"Name": "FunctionName", "Value": workshop.name(role)}],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
        )
    workshop.lam.invoke(FunctionName=broken, Payload=b'"boom"')
    workshop.lam.invoke(FunctionName=sound, Payload=b'"fine"')
    eventually(lambda: state(workshop, alarms["broken"]) == "ALARM")
    eventually(lambda: state(workshop, alarms["sound"]) == "OK")
