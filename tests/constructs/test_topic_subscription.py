import json
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from lambda_patterns.constructs import HttpEndpoint, OnFailureQueue, PlainFunction, TopicSubscription
from lambda_patterns.errors import ArgumentError
from lambda_patterns.testing import synthesize
from tests.constructs.template_queries import code, of_type, one, only

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


@pytest.mark.parametrize("kind", ["function", "queue", "endpoint"])
def test_topic_queue_and_failures_may_be_under_one_key(stack: Stack, kind: str) -> None:
    """A topic that the key's policy names, under that very key, could never be made."""
    key = kms.Key(stack, "Key")
    targets: dict[str, Any] = {
        "function": PlainFunction(stack, "Orders", **code()),
        "queue": sqs.Queue(stack, "Work", encryption_master_key=key),
        "endpoint": HttpEndpoint("https://example.com/orders"),
    }
    failures = OnFailureQueue(stack, "Failures", encryption_key=key)
    topic = sns.Topic(stack, "Topic", master_key=key)
    TopicSubscription(stack, "Subscription", topic=topic, target=targets[kind], failures=failures)
    template = synthesize(stack)
    statements = only(template, "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    opened = [s for s in statements if s["Principal"] == {"Service": "sns.amazonaws.com"}]
    assert opened
    for statement in opened:
        assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
        assert list(statement["Condition"]) == ["ArnLike"]
    assert "Topic" not in json.dumps(statements)
    assert "Topic" in json.dumps(of_type(template, "AWS::SQS::QueuePolicy"))


def test_the_key_names_a_topic_that_is_imported(stack: Stack) -> None:
    failures = OnFailureQueue(stack, "Failures", encryption_key=kms.Key(stack, "Key"))
    arn = "arn:aws:sns:eu-west-1:210987654321:orders"
    topic = sns.Topic.from_topic_arn(stack, "Topic", arn)
    target = PlainFunction(stack, "Orders", **code())
    TopicSubscription(stack, "Subscription", topic=topic, target=target, failures=failures)
    opened = only(synthesize(stack), "AWS::KMS::Key")["KeyPolicy"]["Statement"][-1]
    assert opened["Condition"] == {"ArnEquals": {"aws:SourceArn": arn}}


def test_a_queue_under_a_key_is_let_in_before_it_is_subscribed(stack: Stack) -> None:
    work = sqs.Queue(stack, "Work", encryption_master_key=kms.Key(stack, "Key"))
    TopicSubscription(stack, "Subscription", topic=sns.Topic(stack, "Topic"), target=work, raw=True)
    (resource,) = [
        r for r in synthesize(stack)["Resources"].values() if r["Type"] == "AWS::SNS::Subscription"
    ]
    assert (resource["Properties"]["Protocol"], resource["Properties"]["RawMessageDelivery"]) == ("sqs", True)
    assert [name for name in resource["DependsOn"] if name.startswith("WorkPolicy")]


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


def test_an_endpoint_may_be_subscribed_to_a_topic_of_another_stack(app: App) -> None:
    topics, service = Stack(app, "Topics"), Stack(app, "Service")
    topic = sns.Topic(topics, "Topic")
    for name in ("One", "Two"):
        TopicSubscription(service, name, topic=topic, target=HttpEndpoint("http://example.com/orders"))
    subscriptions = of_type(synthesize(service), "AWS::SNS::Subscription")
    assert [subscription["Protocol"] for subscription in subscriptions] == ["http", "http"]


def test_an_address_that_deployment_knows_is_taken_for_https(stack: Stack) -> None:
    url = CfnParameter(stack, "Url").value_as_string
    TopicSubscription(stack, "Subscription", topic=sns.Topic(stack, "Topic"), target=HttpEndpoint(url))
    subscription = one(stack, "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("https", {"Ref": "Url"})


def test_a_queue_of_a_stack_that_would_need_this_one_is_refused(app: App) -> None:
    base, service = Stack(app, "Base"), Stack(app, "Service")
    topic, failures = sns.Topic(service, "Topic"), OnFailureQueue(base, "Failures")
    function = PlainFunction(service, "Orders", **code())
    for target in (function, HttpEndpoint("https://example.com")):
        with pytest.raises(ArgumentError) as caught:
            TopicSubscription(service, "Subscription", topic=topic, target=target, failures=failures)
        assert str(caught.value) == (
            "failures: Base/Failures/Queue stands in another stack than the topic Service/Topic: its policy "
            "names the topic, so that Base needs Service, and the subscription the other way round: leave "
            "failures= out, so that a queue is made here, or give one of this stack"
        )


def test_a_fifo_topic_keeps_in_order_what_it_could_not_deliver(stack: Stack) -> None:
    topic = sns.Topic(stack, "Topic", fifo=True)
    TopicSubscription(stack, "Standard", topic=topic, target=sqs.Queue(stack, "Work"))
    TopicSubscription(stack, "Fifo", topic=topic, target=sqs.Queue(stack, "Ordered", fifo=True))
    queues = [q for q in of_type(synthesize(stack), "AWS::SQS::Queue") if "RedriveAllowPolicy" in q]
    assert [queue["FifoQueue"] for queue in queues] == [True, True]


def test_what_nothing_subscribes_is_refused(stack: Stack) -> None:
    target: Any = "me@example.com"
    with pytest.raises(ArgumentError) as caught:
        TopicSubscription(stack, "Subscription", topic=sns.Topic(stack, "Topic"), target=target)
    assert str(caught.value) == "target: 'me@example.com' is no function, no queue and no HttpEndpoint(url)"


def test_fifo_and_standard_that_do_not_go_together_are_refused(stack: Stack) -> None:
    fifo, standard = sns.Topic(stack, "Fifo", fifo=True), sns.Topic(stack, "Standard")
    ordered, plain = sqs.Queue(stack, "Ordered", fifo=True), sqs.Queue(stack, "Plain")
    function = PlainFunction(stack, "Orders", **code())
    for topic, target, failures, message in (
        (fifo, function, None, "topic: it is FIFO, and SNS delivers from FIFO topics to queues alone"),
        (fifo, HttpEndpoint("https://x"), None, "topic: it is FIFO, and SNS delivers from FIFO topics"),
        (
            standard,
            ordered,
            None,
            "target: it is FIFO, and a standard topic delivers to standard queues only",
        ),
        (fifo, ordered, plain, "failures: it is a standard queue, and a FIFO topic keeps what it could not"),
    ):
        with pytest.raises(ArgumentError) as caught:
            TopicSubscription(stack, "Subscription", topic=topic, target=target, failures=failures)
        assert str(caught.value).startswith(message)


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
        (HttpEndpoint("example.com"), "url: 'example.com' begins with neither http:// nor https://"),
        (
            HttpEndpoint("https://x", most_per_second=0),
            "most_per_second: 0 a second deliver nothing: give 1 or more, or leave it out for no limit",
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
