import json

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs

from lambda_patterns.constructs import (
    FailureReprocessor,
    OnFailureQueue,
    PlainFunction,
    QueueConsumer,
    on_event,
)
from lambda_patterns.errors import ArgumentError
from lambda_patterns.testing import synthesize
from tests.constructs.template_queries import code, declarations, of_type, only

pytestmark = pytest.mark.cdk


def test_it_is_encrypted_kept_for_14_days_and_spoken_to_over_tls(stack: Stack) -> None:
    OnFailureQueue(stack, "Failures")
    template = synthesize(stack)
    queue = only(template, "AWS::SQS::Queue")
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert "FifoQueue" not in queue
    (statement,) = only(template, "AWS::SQS::QueuePolicy")["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert declarations(template, "AWS::SQS::Queue") == [{"HoldsFailures": True}]


def test_it_is_watched_on_arrival_and_tells_the_topic(stack: Stack) -> None:
    OnFailureQueue(stack, "Failures", alarm_topic=sns.Topic(stack, "Topic"))
    alarm = only(synthesize(stack), "AWS::CloudWatch::Alarm")
    assert alarm["MetricName"] == "NumberOfMessagesSent"
    assert (alarm["Statistic"], alarm["Period"], alarm["Threshold"]) == ("Sum", 60, 1)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm["AlarmActions"][0]["Ref"].startswith("Topic")


def test_without_a_topic_the_alarm_tells_nobody(stack: Stack) -> None:
    OnFailureQueue(stack, "Failures")
    assert "AlarmActions" not in only(synthesize(stack), "AWS::CloudWatch::Alarm")


def test_any_function_of_aws_cdk_takes_it_as_its_destination(stack: Stack) -> None:
    queue = OnFailureQueue(stack, "Failures")
    lambda_.Function(stack, "Plain", runtime=lambda_.Runtime.PYTHON_3_13, on_failure=queue, **code())
    template = synthesize(stack)
    destination = only(template, "AWS::Lambda::EventInvokeConfig")["DestinationConfig"]["OnFailure"]
    assert destination["Destination"]["Fn::GetAtt"][0].startswith("FailuresQueue")
    (statement,) = only(template, "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    assert "sqs:SendMessage" in statement["Action"]
    assert statement["Resource"] == destination["Destination"]


def test_with_a_customer_key_whoever_writes_may_use_it(stack: Stack) -> None:
    queue = OnFailureQueue(stack, "Failures", encryption_key=kms.Key(stack, "Key"))
    PlainFunction(stack, "Ship", on_failure=queue, **code())
    template = synthesize(stack)
    assert "KmsMasterKeyId" in only(template, "AWS::SQS::Queue")
    statements = only(template, "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    assert ["kms:Decrypt", "kms:GenerateDataKey"] in [statement["Action"] for statement in statements]


def test_a_subscription_of_aws_cdk_takes_it_and_its_key_is_opened_by_the_grant_alone(stack: Stack) -> None:
    queue = OnFailureQueue(stack, "Failures", encryption_key=kms.Key(stack, "Key"))
    function = PlainFunction(stack, "Ship", on_failure=queue, **code())
    topic = sns.Topic(stack, "Topic")
    topic.add_subscription(subscriptions.LambdaSubscription(function, dead_letter_queue=queue.queue))
    template = synthesize(stack)
    assert "sns.amazonaws.com" in json.dumps(only(template, "AWS::SQS::QueuePolicy"))
    assert "RedrivePolicy" in only(template, "AWS::SNS::Subscription")
    assert "sns.amazonaws.com" not in json.dumps(only(template, "AWS::KMS::Key"))


def test_the_grant_names_what_this_app_makes_in_the_queue_alone(stack: Stack) -> None:
    """A rule needs its dead-letter queue, and that its key: the key cannot need the rule."""
    queue = OnFailureQueue(stack, "Failures", encryption_key=kms.Key(stack, "Key"))
    pattern = events.EventPattern(source=["shop"])
    function = PlainFunction(stack, "Ship", on_failure=queue, **code())
    rule = on_event(function, "Placed", pattern=pattern, undelivered=queue.queue)
    queue.grant_service("events.amazonaws.com", source_arn=rule.rule_arn)
    template = synthesize(stack)
    opened = only(template, "AWS::KMS::Key")["KeyPolicy"]["Statement"][-1]
    assert opened["Principal"] == {"Service": "events.amazonaws.com"}
    parts = opened["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Join"][1]
    assert [part for part in parts if isinstance(part, str)] == ["arn:", ":events:", ":", ":*"]
    assert "ShipPlaced" in json.dumps(only(template, "AWS::SQS::QueuePolicy"))


def test_by_its_role_no_queue_may_take_it_as_its_dead_letter_queue(stack: Stack) -> None:
    OnFailureQueue(stack, "One", role="destination")
    OnFailureQueue(stack, "Two", role="function")
    OnFailureQueue(stack, "Three", role="subscription")
    queues = of_type(synthesize(stack), "AWS::SQS::Queue")
    assert [queue["RedriveAllowPolicy"] for queue in queues] == [{"redrivePermission": "denyAll"}] * 3


def test_without_a_role_it_may_be_anybodys(stack: Stack) -> None:
    OnFailureQueue(stack, "Failures")
    assert "RedriveAllowPolicy" not in only(synthesize(stack), "AWS::SQS::Queue")


def test_behind_a_source_it_is_watched_by_depth_and_lets_in_the_sources_that_are_named(stack: Stack) -> None:
    arn = "arn:aws:sqs:eu-west-1:123456789012:work"
    OnFailureQueue(stack, "Dead", role="source", source_arns=[arn])
    template = synthesize(stack)
    assert only(template, "AWS::SQS::Queue")["RedriveAllowPolicy"] == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [arn],
    }
    alarm = only(template, "AWS::CloudWatch::Alarm")
    assert (alarm["MetricName"], alarm["Threshold"]) == ("ApproximateNumberOfMessagesVisible", 1)


def test_behind_a_fifo_source_it_is_fifo_and_takes_any_source(stack: Stack) -> None:
    dead = OnFailureQueue(stack, "Dead", role="source", fifo=True)
    function = PlainFunction(stack, "Orders", **code())
    QueueConsumer(stack, "Consumer", function=function, fifo=True, dead_letter_queue=dead.queue)
    queues = of_type(synthesize(stack), "AWS::SQS::Queue")
    assert all(queue["FifoQueue"] for queue in queues)
    assert [queue["RedriveAllowPolicy"] for queue in queues if "RedrivePolicy" not in queue] == [
        {"redrivePermission": "allowAll"}
    ]


def test_what_fails_again_too_often_goes_into_a_quarantine_of_its_own(stack: Stack) -> None:
    failures = OnFailureQueue(stack, "Failures", quarantine_after=20)
    ship = PlainFunction(stack, "Ship", on_failure=failures, **code())
    reprocessor = FailureReprocessor(stack, "Reprocessor", failures=failures, functions=[ship])
    assert failures.quarantine is not None
    assert reprocessor.quarantine.node.path == failures.quarantine.node.path
    template = synthesize(stack)
    queues = {"RedrivePolicy" in queue: queue for queue in of_type(template, "AWS::SQS::Queue")}
    assert queues.keys() == {True, False}
    assert queues[True]["RedrivePolicy"]["maxReceiveCount"] == 20
    stated = declarations(template, "AWS::SQS::Queue")
    assert [entry["Rule"] for one in stated for entry in one.get("Acknowledge", [])] == ["dlq-forgets-first"]
    metrics = {alarm["MetricName"] for alarm in of_type(template, "AWS::CloudWatch::Alarm")}
    assert metrics == {"NumberOfMessagesSent", "ApproximateNumberOfMessagesVisible"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"role": "dlq"}, "role: 'dlq' is none of destination, function, subscription, source"),
        ({"fifo": True}, "fifo: Lambda writes failures to standard queues alone: leave it out, or say"),
        ({"fifo": True, "role": "function"}, "fifo: Lambda writes failures to standard queues alone: leave"),
        ({"source_arns": ["arn"]}, "source_arns: only a queue whose failures SQS moves here has an ARN to"),
        (
            {"role": "source", "source_arns": ["arn"] * 11},
            "source_arns: 11 queues, allowed are 10: leave them out to let every queue (",
        ),
        ({"quarantine_after": 0}, "quarantine_after: "),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_made(
    stack: Stack, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        OnFailureQueue(stack, "Failures", **arguments)  # type: ignore[arg-type]  # wrong on purpose
    assert str(caught.value).startswith(message)
    assert stack.node.try_find_child("Failures") is None


def test_a_service_that_writes_is_let_in_for_one_source(stack: Stack) -> None:
    queue = OnFailureQueue(stack, "Failures", encryption_key=kms.Key(stack, "Key"))
    rule = "arn:aws:events:eu-west-1:123456789012:rule/nightly"
    queue.grant_service("events.amazonaws.com", source_arn=rule)
    template = synthesize(stack)
    for kind, actions in (
        ("AWS::SQS::QueuePolicy", "sqs:SendMessage"),
        ("AWS::KMS::Key", ["kms:Decrypt", "kms:GenerateDataKey"]),
    ):
        resource = only(template, kind)
        policy = resource.get("PolicyDocument") or resource["KeyPolicy"]
        (statement,) = [
            s for s in policy["Statement"] if s["Principal"] == {"Service": "events.amazonaws.com"}
        ]
        assert statement["Action"] == actions
        assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": rule}}


def test_queue_and_function_may_stand_in_two_stacks(app: App) -> None:
    base, service = Stack(app, "Base"), Stack(app, "Service")
    queue = OnFailureQueue(base, "Failures", encryption_key=kms.Key(base, "Key"))
    function = PlainFunction(service, "Ship", on_failure=queue, **code())
    function.add_alias("live")
    assert len(of_type(synthesize(service), "AWS::Lambda::EventInvokeConfig")) == 3


def test_what_a_reprocessor_gives_up_on_goes_to_a_queue_behind_it(stack: Stack) -> None:
    behind = sqs.Queue(stack, "GivenUp")
    OnFailureQueue(
        stack,
        "Failures",
        visibility_timeout=Duration.minutes(3),
        dead_letter_queue=sqs.DeadLetterQueue(queue=behind, max_receive_count=5),
    )
    (queue,) = [q for q in of_type(synthesize(stack), "AWS::SQS::Queue") if "RedrivePolicy" in q]
    assert queue["VisibilityTimeout"] == 180
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5


def test_two_queues_live_in_one_stack(stack: Stack) -> None:
    OnFailureQueue(stack, "One")
    OnFailureQueue(stack, "Two")
    assert len(of_type(synthesize(stack), "AWS::SQS::Queue")) == 2


def test_a_retention_that_sqs_refuses_is_refused(stack: Stack) -> None:
    with pytest.raises(ArgumentError) as caught:
        OnFailureQueue(stack, "Failures", retention=Duration.days(15))
    assert str(caught.value).startswith("retention: retention is 1,296,000 s, allowed are 60-1,209,600 s: ")
    assert stack.node.try_find_child("Failures") is None


def test_a_fifo_queue_behind_it_is_refused(stack: Stack) -> None:
    fifo = sqs.DeadLetterQueue(queue=sqs.Queue(stack, "Fifo", fifo=True), max_receive_count=5)
    with pytest.raises(ArgumentError) as caught:
        OnFailureQueue(stack, "Failures", dead_letter_queue=fifo)
    assert str(caught.value) == (
        "dead_letter_queue: it is FIFO, and this queue is standard: the two have to be of one type "
        "(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html)"
    )
