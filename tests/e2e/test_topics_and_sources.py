"""A function error and a hand-off error take two paths: the function's, and the subscription's."""

import json
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

pytestmark = pytest.mark.e2e


def topic(workshop: Any) -> str:
    return workshop.sns.create_topic(Name=workshop.name("orders"))["TopicArn"]


def permit(workshop: Any, function: str, source: str, service: str = "sns.amazonaws.com") -> None:
    workshop.lam.add_permission(
        FunctionName=function,
        StatementId="topic",
        Action="lambda:InvokeFunction",
        Principal=service,
        SourceArn=source,
    )


def test_a_function_that_fails_on_a_notification_is_tried_again_and_leaves_its_own_record(
    workshop: Any,
) -> None:
    url, arn = workshop.queue("failed")
    dead_url, dead = workshop.queue("dead")
    workshop.admit(dead_url, dead)
    function, orders = workshop.function(), topic(workshop)
    permit(workshop, function, orders)
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    subscription = workshop.sns.subscribe(
        TopicArn=orders,
        Protocol="lambda",
        Endpoint=function,
        Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead})},
    )["SubscriptionArn"]
    workshop.sns.publish(TopicArn=orders, Message="boom")
    record = workshop.record(url)
    assert record["requestContext"]["approximateInvokeCount"] == 3
    event = record["requestPayload"]["Records"][0]
    assert event["EventSubscriptionArn"] == subscription
    assert event["Sns"]["Message"] == "boom"
    assert workshop.depth(dead_url) == 0


def test_a_notification_for_a_function_that_is_gone_goes_to_the_subscription_s_queue(workshop: Any) -> None:
    dead_url, dead = workshop.queue("dead")
    workshop.admit(dead_url, dead)
    function, orders = workshop.function(), topic(workshop)
    workshop.sns.subscribe(
        TopicArn=orders,
        Protocol="lambda",
        Endpoint=function,
        Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead})},
    )
    workshop.lam.delete_function(FunctionName=function)
    workshop.sns.publish(TopicArn=orders, Message="order 7")
    message = workshop.message(dead_url)
    envelope = json.loads(message["Body"])
    assert envelope["Type"] == "Notification"
    assert envelope["TopicArn"] == orders
    assert envelope["Message"] == "order 7"
    assert "MessageAttributes" not in message


def test_a_notification_for_a_function_that_does_not_let_the_topic_in_goes_there_too(workshop: Any) -> None:
    dead_url, dead = workshop.queue("dead")
    workshop.admit(dead_url, dead)
    function, orders = workshop.function(), topic(workshop)
    permit(workshop, function, orders + "-of-another-shop")
    workshop.sns.subscribe(
        TopicArn=orders,
        Protocol="lambda",
        Endpoint=function,
        Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead})},
    )
    workshop.sns.publish(TopicArn=orders, Message="order 7")
    assert json.loads(workshop.message(dead_url)["Body"])["Message"] == "order 7"


def test_without_a_policy_for_the_topic_the_dead_letter_is_lost_and_counted(
    workshop: Any, eventually: Any
) -> None:
    dead_url, dead = workshop.queue("dead")
    denied = {
        "Effect": "Deny",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": dead,
    }
    workshop.sqs.set_queue_attributes(
        QueueUrl=dead_url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [denied]})}
    )
    orders = topic(workshop)
    workshop.sns.subscribe(
        TopicArn=orders,
        Protocol="sqs",
        Endpoint="arn:aws:sqs:us-east-1:000000000000:nowhere",
        Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead})},
    )
    workshop.sns.publish(TopicArn=orders, Message="order 7")
    metric = "NumberOfNotificationsFailedToRedriveToDlq"
    eventually(lambda: workshop.metric("AWS/SNS", metric, TopicName=workshop.name("orders")) == 1)
    assert workshop.depth(dead_url) == 0


def test_a_raw_notification_keeps_its_body_and_attributes_in_the_dead_letter_queue(workshop: Any) -> None:
    dead_url, dead = workshop.queue("dead")
    workshop.admit(dead_url, dead)
    orders = topic(workshop)
    workshop.sns.subscribe(
        TopicArn=orders,
        Protocol="sqs",
        Endpoint="arn:aws:sqs:us-east-1:000000000000:nowhere",
        Attributes={
            "RawMessageDelivery": "true",
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead}),
        },
    )
    workshop.sns.publish(
        TopicArn=orders,
        Message="order 7",
        MessageAttributes={"kind": {"DataType": "String", "StringValue": "late"}},
    )
    message = workshop.message(dead_url)
    assert message["Body"] == "order 7"
    assert message["MessageAttributes"]["kind"]["StringValue"] == "late"


@pytest.mark.parametrize(("status", "tries"), [(500, 4), (404, 1)])
def test_an_http_endpoint_is_tried_again_on_server_errors_alone(
    workshop: Any, eventually: Any, status: int, tries: int
) -> None:
    seen: list[str] = []

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if body["Type"] == "SubscriptionConfirmation":
                tokens.append(body["Token"])
                self.send_response(200)
            else:
                seen.append(body["Message"])
                self.send_response(status)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    tokens: list[str] = []
    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        dead_url, dead = workshop.queue("dead")
        workshop.admit(dead_url, dead)
        orders = topic(workshop)
        workshop.sns.subscribe(
            TopicArn=orders,
            Protocol="http",
            Endpoint=f"http://127.0.0.1:{server.server_port}/",
            Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead})},
        )
        token = eventually(lambda: tokens)[0]
        workshop.sns.confirm_subscription(TopicArn=orders, Token=token)
        workshop.sns.publish(TopicArn=orders, Message="order 7")
        assert json.loads(workshop.message(dead_url)["Body"])["Message"] == "order 7"
        assert seen == ["order 7"] * tries
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def rule_for(workshop: Any, target: dict[str, Any]) -> tuple[str, str]:
    rule, source = workshop.name("rule"), workshop.name("shop")
    arn = workshop.events.put_rule(Name=rule, EventPattern=json.dumps({"source": [source]}))["RuleArn"]
    workshop.events.put_targets(Rule=rule, Targets=[{"Id": "target", **target}])
    return source, arn


def publish(workshop: Any, source: str) -> None:
    entry = {"Source": source, "DetailType": "order", "Detail": '{"order": "boom"}'}
    workshop.events.put_events(Entries=[entry])


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("gone", "NO_RESOURCE"),
        ("closed", "NO_PERMISSIONS"),
        ("queue", "NO_RESOURCE"),
        ("inbox", "NO_PERMISSIONS"),
    ],
)
def test_an_event_that_a_rule_cannot_hand_over_goes_to_the_queue_of_the_target(
    workshop: Any, eventually: Any, target: str, code: str
) -> None:
    dead_url, dead = workshop.queue("dead")
    workshop.admit(dead_url, dead)
    arn = {
        "gone": lambda: "arn:aws:lambda:us-east-1:000000000000:function:nowhere",
        "closed": workshop.function,
        "queue": lambda: "arn:aws:sqs:us-east-1:000000000000:nowhere",
        "inbox": lambda: workshop.queue("inbox")[1],
    }[target]()
    source, rule = rule_for(workshop, {"Arn": arn, "DeadLetterConfig": {"Arn": dead}})
    publish(workshop, source)
    message = workshop.message(dead_url)
    assert json.loads(message["Body"])["detail"] == {"order": "boom"}
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes.pop("ERROR_MESSAGE")
    assert attributes == {"RULE_ARN": rule, "TARGET_ARN": arn, "ERROR_CODE": code}
    name = workshop.name("rule")
    eventually(lambda: workshop.metric("AWS/Events", "InvocationsSentToDlq", RuleName=name) == 1)


def test_an_event_of_a_rule_is_tried_again_and_leaves_a_record(workshop: Any) -> None:
    url, arn = workshop.queue("failed")
    function = workshop.function()
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    source, rule = rule_for(workshop, {"Arn": function})
    permit(workshop, function, rule, "events.amazonaws.com")
    publish(workshop, source)
    record = workshop.record(url)
    assert record["requestPayload"]["detail"] == {"order": "boom"}
    assert record["requestContext"]["approximateInvokeCount"] == 3


def test_an_event_of_a_schedule_leaves_a_record(workshop: Any) -> None:
    url, arn = workshop.queue("failed")
    function = workshop.function()
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    workshop.aws.client("scheduler").create_schedule(
        Name=workshop.name("schedule"),
        ScheduleExpression=f"at({now})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": function,
            "RoleArn": "arn:aws:iam::000000000000:role/scheduler",
            "Input": '{"order": "boom"}',
        },
    )
    assert workshop.record(url)["requestPayload"] == {"order": "boom"}


def test_an_object_in_a_bucket_that_cannot_be_handled_leaves_a_record_of_the_alias(workshop: Any) -> None:
    url, arn = workshop.queue("failed")
    function, bucket = workshop.function(), workshop.name("bucket")
    workshop.lam.create_alias(FunctionName=function, Name="live", FunctionVersion="$LATEST")
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function, Qualifier="live", DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    workshop.lam.add_permission(
        FunctionName=function,
        Qualifier="live",
        StatementId="bucket",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
    )
    workshop.s3.create_bucket(Bucket=bucket)
    workshop.s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [
                {"LambdaFunctionArn": f"{function}:live", "Events": ["s3:ObjectCreated:*"]}
            ]
        },
    )
    workshop.s3.put_object(Bucket=bucket, Key="boom.json", Body=b"{}")
    record = workshop.record(url)
    assert record["requestContext"]["functionArn"] == f"{function}:live"
    assert record["requestPayload"]["Records"][0]["s3"]["object"]["key"] == "boom.json"
