import json

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs

from lambda_patterns.constructs import OnFailureQueue, PlainFunction
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
    actions = json.dumps(only(template, "AWS::IAM::Policy"))
    assert "kms:GenerateDataKey*" in actions
    assert "kms:Decrypt" in actions


def test_a_subscription_takes_it_and_sns_may_use_its_key(stack: Stack) -> None:
    queue = OnFailureQueue(stack, "Failures", encryption_key=kms.Key(stack, "Key"))
    function = PlainFunction(stack, "Ship", on_failure=queue, **code())
    sns.Topic(stack, "Topic").add_subscription(
        subscriptions.LambdaSubscription(function, dead_letter_queue=queue.queue)
    )
    template = synthesize(stack)
    assert "sns.amazonaws.com" in json.dumps(only(template, "AWS::SQS::QueuePolicy"))
    assert "RedrivePolicy" in only(template, "AWS::SNS::Subscription")


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
