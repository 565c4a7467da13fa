import json

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from lambda_patterns.constructs import HttpEndpoint, OnFailureQueue, PlainFunction, TopicSubscription
from lambda_patterns.errors import ArgumentError
from lambda_patterns.testing import synthesize
from tests.constructs.template_queries import code, of_type, only

pytestmark = pytest.mark.cdk


def test_both_ways_to_fail_are_kept_in_one_queue(stack: Stack) -> None:
    function = PlainFunction(stack, "Orders", **code())
    TopicSubscription(stack, "Subscription", topic=sns.Topic(stack, "Topic"), target=function)
    template = synthesize(stack)
    (queue_id,) = [n for n, r in template["Resources"].items() if r["Type"] == "AWS::SQS::Queue"]
    here = {"Fn::GetAtt": [queue_id, "Arn"]}
    assert only(template, "AWS::SNS::Subscription")["RedrivePolicy"] == {"deadLetterTargetArn": here}
    events = only(template, "AWS::Lambda::EventInvokeConfig")
    assert events["DestinationConfig"]["OnFailure"]["Destination"] == here
    statements = only(template, "AWS::SQS::QueuePolicy")["PolicyDocument"]["Statement"]
    (allowed,) = [s for s in statements if s["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "sns.amazonaws.com"}
    assert "ArnEquals" in allowed["Condition"]


def test_a_destination_that_the_function_has_already_stays(stack: Stack) -> None:
    own = OnFailureQueue(stack, "Own")
    function = PlainFunction(stack, "Orders", on_failure=own, **code())
    TopicSubscription(stack, "Subscription", topic=sns.Topic(stack, "Topic"), target=function)
    destination = only(synthesize(stack), "AWS::Lambda::EventInvokeConfig")["DestinationConfig"]["OnFailure"]
    assert destination["Destination"]["Fn::GetAtt"][0].startswith("OwnQueue")


def test_an_alias_gets_a_destination_of_its_own(stack: Stack) -> None:
    alias = PlainFunction(stack, "Orders", **code()).add_alias("live")
    TopicSubscription(stack, "Subscription", topic=sns.Topic(stack, "Topic"), target=alias)
    template = synthesize(stack)
    assert "OrdersAliaslive" in json.dumps(only(template, "AWS::Lambda::EventInvokeConfig")["Qualifier"])
    assert only(template, "AWS::SNS::Subscription")["Protocol"] == "lambda"


def test_a_customer_key_is_opened_to_sns(stack: Stack) -> None:
    failures = OnFailureQueue(stack, "Failures", encryption_key=kms.Key(stack, "Key"))
    function = PlainFunction(stack, "Orders", **code())
    TopicSubscription(
        stack, "Subscription", topic=sns.Topic(stack, "Topic"), target=function, failures=failures
    )
    assert "sns.amazonaws.com" in json.dumps(only(synthesize(stack), "AWS::KMS::Key")["KeyPolicy"])


def test_a_queue_may_get_the_bare_message(stack: Stack) -> None:
    TopicSubscription(
        stack, "Subscription", topic=sns.Topic(stack, "Topic"), target=sqs.Queue(stack, "Work"), raw=True
    )
    subscription = only(synthesize(stack), "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["RawMessageDelivery"]) == ("sqs", True)


def test_an_endpoint_has_a_delivery_policy(stack: Stack) -> None:
    endpoint = HttpEndpoint(
        "https://example.com/orders",
        retries=20,
        at_once=2,
        at_shortest=3,
        at_longest=5,
        shortest=Duration.seconds(1),
        longest=Duration.minutes(3),
        growth=sns.BackoffFunction.EXPONENTIAL,
        most_per_second=10,
    )
    TopicSubscription(stack, "Subscription", topic=sns.Topic(stack, "Topic"), target=endpoint)
    policy = only(synthesize(stack), "AWS::SNS::Subscription")["DeliveryPolicy"]
    assert policy["healthyRetryPolicy"] == {
        "numRetries": 20,
        "numNoDelayRetries": 2,
        "numMinDelayRetries": 3,
        "numMaxDelayRetries": 5,
        "minDelayTarget": 1,
        "maxDelayTarget": 180,
        "backoffFunction": "exponential",
    }
    assert policy["throttlePolicy"] == {"maxReceivesPerSecond": 10}


def test_topic_function_and_queue_may_stand_in_three_stacks(app: App) -> None:
    topics, base, service = Stack(app, "Topics"), Stack(app, "Base"), Stack(app, "Service")
    topic, failures = sns.Topic(topics, "Topic"), OnFailureQueue(base, "Failures")
    function = PlainFunction(service, "Orders", **code())
    imported = sns.Topic.from_topic_arn(service, "Imported", "arn:aws:sns:eu-west-1:123456789012:orders")
    for name, given in (("One", topic), ("Two", imported)):
        TopicSubscription(service, name, topic=given, target=function, failures=failures)
    assert len(of_type(synthesize(service), "AWS::SNS::Subscription")) == 2


def test_an_imported_function_and_queue_are_taken(stack: Stack) -> None:
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
    function = lambda_.Function.from_function_attributes(
        stack, "Function", function_arn=arn, same_environment=True, skip_permissions=True
    )
    queue = sqs.Queue.from_queue_arn(stack, "Queue", "arn:aws:sqs:eu-west-1:123456789012:work")
    topic = sns.Topic(stack, "Topic")
    TopicSubscription(stack, "OfQueue", topic=topic, target=queue)
    with pytest.raises(ArgumentError, match="an imported function's own failures cannot be kept from here"):
        TopicSubscription(stack, "OfFunction", topic=topic, target=function)


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        (
            HttpEndpoint("https://x", retries=101),
            "retries: retries are 101, allowed are 0-100: SNS refuses",
        ),
        (
            HttpEndpoint("https://x", retries=2, at_once=3),
            "retries: the phases have 3 retries, all together are 2",
        ),
        (
            HttpEndpoint("https://x", shortest=Duration.seconds(30)),
            "shortest: 30 s is longer than longest, 20 s",
        ),
        (
            HttpEndpoint("https://x", retries=100, longest=Duration.seconds(37)),
            "retries: total retry time is 3,700 s, allowed are 0-3,600 s: SNS retries an endpoint",
        ),
    ],
)
def test_a_delivery_policy_that_sns_refuses_is_refused(
    stack: Stack, endpoint: HttpEndpoint, message: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        TopicSubscription(stack, "Subscription", topic=sns.Topic(stack, "Topic"), target=endpoint)
    assert str(caught.value).startswith(message)


def test_queues_that_sns_cannot_write_to_are_refused(stack: Stack) -> None:
    topic, function = sns.Topic(stack, "Topic"), PlainFunction(stack, "Orders", **code())
    fifo = sqs.Queue(stack, "Fifo", fifo=True)
    with pytest.raises(ArgumentError, match="failures: it is FIFO, and a standard topic and Lambda write"):
        TopicSubscription(stack, "One", topic=topic, target=function, failures=fifo)
    managed = sqs.Queue(stack, "Managed", encryption=sqs.QueueEncryption.KMS_MANAGED)
    with pytest.raises(ArgumentError, match="failures: it is encrypted with AWS's own key alias/aws/sqs"):
        TopicSubscription(stack, "Two", topic=topic, target=function, failures=managed)
    with pytest.raises(ArgumentError, match="raw: a function always gets SNS's envelope"):
        TopicSubscription(stack, "Three", topic=topic, target=function, raw=True)
