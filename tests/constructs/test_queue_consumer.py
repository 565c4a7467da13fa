import json
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from lambda_patterns.constructs import HiddenFor, PlainFunction, QueueConsumer
from lambda_patterns.errors import ArgumentError
from lambda_patterns.testing import synthesize
from tests.constructs.template_queries import Template, code, of_type, only

pytestmark = pytest.mark.cdk


def source_of(template: Template) -> Template:
    (found,) = [queue for queue in of_type(template, "AWS::SQS::Queue") if "RedrivePolicy" in queue]
    return found


def test_messages_are_hidden_for_six_timeouts_and_the_window(stack: Stack) -> None:
    function = PlainFunction(stack, "Orders", timeout=Duration.seconds(40), **code())
    QueueConsumer(stack, "Consumer", function=function, batch_size=100, batching_window=Duration.seconds(5))
    assert source_of(synthesize(stack))["VisibilityTimeout"] == 245


def test_a_timeout_that_is_changed_later_counts(stack: Stack) -> None:
    function = PlainFunction(stack, "Orders", **code())
    QueueConsumer(stack, "Consumer", function=function)
    resource = function.node.default_child
    assert isinstance(resource, lambda_.CfnFunction)
    resource.timeout = 100
    assert source_of(synthesize(stack))["VisibilityTimeout"] == 600


def test_an_alias_reads_and_the_settings_of_its_function_count(stack: Stack) -> None:
    function = PlainFunction(
        stack, "Orders", timeout=Duration.seconds(40), reserved_concurrent_executions=10, **code()
    )
    alias = function.add_alias("live")
    QueueConsumer(stack, "Consumer", function=alias, max_concurrency=6)
    with pytest.raises(ArgumentError, match="max_concurrency: 5 beside the 6 of its other queues"):
        QueueConsumer(stack, "Another", function=alias, max_concurrency=5)
    template = synthesize(stack)
    assert source_of(template)["VisibilityTimeout"] == 240
    mapping = only(template, "AWS::Lambda::EventSourceMapping")
    assert "OrdersAliaslive" in json.dumps(mapping["FunctionName"])


def test_six_times_a_timeout_that_deployment_decides_has_to_be_said(stack: Stack) -> None:
    timeout = Duration.seconds(CfnParameter(stack, "Timeout", type="Number").value_as_number)
    function = PlainFunction(stack, "Orders", timeout=timeout, **code())
    with pytest.raises(ArgumentError) as caught:
        QueueConsumer(stack, "Consumer", function=function)
    assert str(caught.value).startswith(
        "hidden_for: the timeout of the function is known at deployment only, where nothing computes six "
    )
    hidden = HiddenFor(Duration.minutes(30), "the parameter is 300 at most")
    QueueConsumer(stack, "Consumer", function=function, hidden_for=hidden)
    assert source_of(synthesize(stack))["VisibilityTimeout"] == 1800


def test_a_timeout_that_becomes_unknown_later_counts_as_the_longest(stack: Stack) -> None:
    function = PlainFunction(stack, "Orders", **code())
    QueueConsumer(stack, "Consumer", function=function)
    resource = function.node.default_child
    assert isinstance(resource, lambda_.CfnFunction)
    resource.timeout = CfnParameter(stack, "Timeout", type="Number").value_as_number
    assert source_of(synthesize(stack))["VisibilityTimeout"] == 5400


def test_numbers_that_deployment_decides_are_not_wrong(stack: Stack) -> None:
    number = CfnParameter(stack, "Number", type="Number").value_as_number
    function = PlainFunction(stack, "Orders", **code())
    hidden = HiddenFor(Duration.seconds(number), "the parameter says so")
    QueueConsumer(
        stack, "Consumer", function=function, max_concurrency=number, max_receives=number, hidden_for=hidden
    )
    template = synthesize(stack)
    source = source_of(template)
    given = {"Ref": "Number"}
    assert (source["VisibilityTimeout"], source["RedrivePolicy"]["maxReceiveCount"]) == (given, given)


def test_an_imported_function_is_refused(stack: Stack) -> None:
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
    function: Any = lambda_.Function.from_function_arn(stack, "Orders", arn)
    with pytest.raises(ArgumentError, match="function: of an imported function neither its timeout is known"):
        QueueConsumer(stack, "Consumer", function=function)


def test_failed_items_are_reported_one_by_one_and_given_up_after_five_receives(stack: Stack) -> None:
    QueueConsumer(stack, "Consumer", function=PlainFunction(stack, "Orders", **code()))
    template = synthesize(stack)
    mapping = only(template, "AWS::Lambda::EventSourceMapping")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source_of(template)["RedrivePolicy"]["maxReceiveCount"] == 5
    (dead,) = [queue for queue in of_type(template, "AWS::SQS::Queue") if "RedrivePolicy" not in queue]
    assert dead["MessageRetentionPeriod"] == 14 * 86_400


def test_the_dead_letter_queue_is_watched_by_depth_and_the_source_by_age(stack: Stack) -> None:
    topic = sns.Topic(stack, "Topic")
    function = PlainFunction(stack, "Orders", **code())
    QueueConsumer(stack, "Consumer", function=function, alarm_topic=topic)
    alarms = {a["MetricName"]: a for a in of_type(synthesize(stack), "AWS::CloudWatch::Alarm")}
    assert alarms.keys() == {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}
    assert all(len(alarm["AlarmActions"]) == 1 for alarm in alarms.values())
    assert alarms["ApproximateAgeOfOldestMessage"]["Threshold"] == 900


def test_a_reservation_bounds_what_is_received(stack: Stack) -> None:
    function = PlainFunction(stack, "Orders", reserved_concurrent_executions=7, **code())
    QueueConsumer(stack, "Consumer", function=function)
    mapping = only(synthesize(stack), "AWS::Lambda::EventSourceMapping")
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 7}


def test_several_queues_share_the_reservation(stack: Stack) -> None:
    function = PlainFunction(stack, "Orders", reserved_concurrent_executions=7, **code())
    QueueConsumer(stack, "One", function=function, max_concurrency=3)
    with pytest.raises(ArgumentError) as caught:
        QueueConsumer(stack, "Two", function=function, max_concurrency=5)
    assert str(caught.value).startswith(
        "max_concurrency: 5 beside the 3 of its other queues is more than the 7 reserved for the function: "
    )
    QueueConsumer(stack, "Three", function=function)
    with pytest.raises(ArgumentError) as caught:
        QueueConsumer(stack, "Four", function=function)
    assert str(caught.value).startswith(
        "max_concurrency: 0 of the 7 reserved for the function are left beside the 7 of its other queues, "
        "and a queue takes 2 at least: say max_concurrency= for each ("
    )
    mappings = of_type(synthesize(stack), "AWS::Lambda::EventSourceMapping")
    assert [mapping["ScalingConfig"]["MaximumConcurrency"] for mapping in mappings] == [3, 4]


def test_a_function_that_is_switched_off_keeps_the_concurrency_of_its_queues(stack: Stack) -> None:
    function = PlainFunction(stack, "Orders", reserved_concurrent_executions=0, **code())
    QueueConsumer(stack, "One", function=function, max_concurrency=5)
    QueueConsumer(stack, "Two", function=function)
    mappings = of_type(synthesize(stack), "AWS::Lambda::EventSourceMapping")
    assert [mapping.get("ScalingConfig") for mapping in mappings] == [{"MaximumConcurrency": 5}, None]


def test_without_a_reservation_several_queues_share_the_account(stack: Stack) -> None:
    function = PlainFunction(stack, "Orders", **code())
    QueueConsumer(stack, "One", function=function, max_concurrency=900)
    QueueConsumer(stack, "Two", function=function, max_concurrency=900)
    assert len(of_type(synthesize(stack), "AWS::Lambda::EventSourceMapping")) == 2


def test_a_fifo_queue_has_a_fifo_queue_behind_it(stack: Stack) -> None:
    QueueConsumer(stack, "Consumer", function=PlainFunction(stack, "Orders", **code()), fifo=True)
    queues = of_type(synthesize(stack), "AWS::SQS::Queue")
    assert [queue["FifoQueue"] for queue in queues] == [True, True]


def test_another_time_is_taken_with_its_reason_and_recorded(stack: Stack) -> None:
    function = PlainFunction(stack, "Orders", **code())
    hidden = HiddenFor(Duration.seconds(60), reason="the function is never throttled")
    QueueConsumer(stack, "Consumer", function=function, hidden_for=hidden)
    resources = synthesize(stack)["Resources"].values()
    (queue,) = [r for r in resources if r["Type"] == "AWS::SQS::Queue" and "RedrivePolicy" in r["Properties"]]
    assert queue["Properties"]["VisibilityTimeout"] == 60
    assert queue["Metadata"]["LambdaPatterns"]["Acknowledge"] == [
        {"Rule": "visibility-under-six-timeouts", "Reason": "the function is never throttled"}
    ]


def test_a_queue_of_another_stack_with_a_customer_key_is_read_as_it_is(app: App) -> None:
    base, service = Stack(app, "Base"), Stack(app, "Service")
    queue = sqs.Queue(base, "Queue", encryption_master_key=kms.Key(base, "Key"))
    imported = sqs.Queue.from_queue_arn(service, "Imported", "arn:aws:sqs:eu-west-1:123456789012:work")
    function = PlainFunction(service, "Orders", **code())
    QueueConsumer(service, "Consumer", function=function, queue=queue)
    QueueConsumer(service, "OfImported", function=function, queue=imported)
    assert len(of_type(synthesize(service), "AWS::Lambda::EventSourceMapping")) == 2
    assert of_type(synthesize(service), "AWS::SQS::Queue") == []


def test_two_consumers_live_in_one_stack(stack: Stack) -> None:
    function = PlainFunction(stack, "Orders", **code())
    for name in ("One", "Two"):
        QueueConsumer(stack, name, function=function)
    assert len(of_type(synthesize(stack), "AWS::SQS::Queue")) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"batch_size": 11},
            "batch_size: batch size without a window is 11 messages, allowed are 1-10 messages: ",
        ),
        (
            {"fifo": True, "batch_size": 11},
            "batch_size: batch size of a FIFO queue is 11 messages, allowed are",
        ),
        (
            {"fifo": True, "batching_window": Duration.seconds(1)},
            "batching_window: a FIFO queue has none: leave",
        ),
        ({"max_concurrency": 9}, "max_concurrency: 9 is more than the 7 reserved for the function: what is"),
        ({"max_receives": 0}, "max_receives: "),
        (
            {"hidden_for": HiddenFor(Duration.seconds(20), "fast")},
            "hidden_for: 20 s are less than the 30 s that the function may run: messages would show again",
        ),
        ({"hidden_for": HiddenFor(Duration.seconds(60), " ")}, "hidden_for: say the reason why another time"),
    ],
)
def test_settings_that_do_not_fit_are_refused_before_anything_is_made(
    stack: Stack, arguments: dict[str, object], message: str
) -> None:
    function = PlainFunction(stack, "Orders", reserved_concurrent_executions=7, **code())
    with pytest.raises(ArgumentError) as caught:
        QueueConsumer(stack, "Consumer", function=function, **arguments)  # type: ignore[arg-type]  # wrong on purpose
    assert str(caught.value).startswith(message)
    assert stack.node.try_find_child("Consumer") is None


def test_a_standard_queue_behind_a_fifo_one_and_settings_of_a_given_queue_are_refused(stack: Stack) -> None:
    function = PlainFunction(stack, "Orders", **code())
    standard = sqs.Queue(stack, "Standard")
    with pytest.raises(ArgumentError, match="it is standard, the queue is FIFO: the two have to be"):
        QueueConsumer(stack, "One", function=function, fifo=True, dead_letter_queue=standard)
    with pytest.raises(ArgumentError, match="queue: dead_letter_queue, hidden_for and fifo are settings"):
        QueueConsumer(stack, "Two", function=function, queue=standard, dead_letter_queue=standard)
