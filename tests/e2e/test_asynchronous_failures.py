"""What becomes of an event whose function fails: each qualifier, each destination, as AWS hands it over."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.e2e


def test_the_record_of_a_failed_event_is_the_one_that_aws_sends(workshop: Any) -> None:
    url, arn = workshop.queue("failed")
    function = workshop.function()
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    request_id = workshop.invoke_async(function, {"order": "boom"})
    record = workshop.record(url)
    timestamp = record.pop("timestamp")
    trace = record["responsePayload"].pop("stackTrace")
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"{function}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"order": "boom"},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {
            "errorMessage": "no such order",
            "errorType": "OrderRefused",
            "requestId": request_id,
        },
    }
    assert timestamp.endswith("Z")
    assert len(timestamp) == len("2025-11-24T23:11:12.123Z")
    assert trace == [
        '  File "/var/task/index.py", line 14, in handler\n    raise OrderRefused("no such order")\n'
    ]
    assert workshop.metric("AWS/Lambda", "Errors", FunctionName=workshop.name("orders")) == 3


@pytest.mark.parametrize("qualified_by", ["argument", "arn"])
def test_an_alias_uses_its_own_settings_and_not_those_of_latest(workshop: Any, qualified_by: str) -> None:
    latest_url, latest = workshop.queue("latest")
    live_url, live = workshop.queue("live")
    function = workshop.function()
    version = workshop.lam.publish_version(FunctionName=function)["Version"]
    workshop.lam.create_alias(FunctionName=function, Name="live", FunctionVersion=version)
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function, DestinationConfig={"OnFailure": {"Destination": latest}}
    )
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function,
        Qualifier="live",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": live}},
    )
    if qualified_by == "argument":
        workshop.invoke_async(function, "boom", Qualifier="live")
    else:
        workshop.invoke_async(f"{function}:live", "boom")
    record = workshop.record(live_url)
    assert record["requestContext"]["functionArn"] == f"{function}:live"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["responseContext"]["executedVersion"] == version
    assert workshop.depth(latest_url) == 0
    resource = f"{workshop.name('orders')}:live"
    assert (
        workshop.metric("AWS/Lambda", "Errors", FunctionName=workshop.name("orders"), Resource=resource) == 1
    )


def test_a_version_uses_its_own_settings(workshop: Any) -> None:
    url, arn = workshop.queue("failed")
    function = workshop.function()
    version = workshop.lam.publish_version(FunctionName=function)["Version"]
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function, Qualifier=version, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    workshop.invoke_async(function, "boom", Qualifier=version)
    assert workshop.record(url)["requestContext"]["functionArn"] == f"{function}:{version}"


def test_without_settings_on_the_alias_a_failure_through_it_is_lost(workshop: Any) -> None:
    url, arn = workshop.queue("failed")
    function = workshop.function()
    workshop.lam.create_alias(FunctionName=function, Name="live", FunctionVersion="$LATEST")
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    workshop.invoke_async(function, "boom", Qualifier="live")
    workshop.invoke_async(function, "boom once more")
    assert workshop.record(url)["requestPayload"] == "boom once more"
    assert workshop.depth(url) == 0


def test_a_success_goes_to_the_destination_on_success(workshop: Any) -> None:
    url, arn = workshop.queue("done")
    function = workshop.function()
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function, DestinationConfig={"OnSuccess": {"Destination": arn}}
    )
    request_id = workshop.invoke_async(function, {"order": 1})
    record = workshop.record(url)
    assert record["requestContext"]["condition"] == "Success"
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert record["responsePayload"] == {"handled": {"order": 1}, "requestId": request_id, "arn": function}


def test_the_dead_letter_queue_of_a_function_receives_the_event_itself(workshop: Any) -> None:
    url, arn = workshop.queue("dead")
    function = workshop.function(DeadLetterConfig={"TargetArn": arn})
    request_id = workshop.invoke_async(function, {"order": "boom"})
    message = workshop.message(url)
    assert json.loads(message["Body"]) == {"order": "boom"}
    attributes = {name: (a["DataType"], a["StringValue"]) for name, a in message["MessageAttributes"].items()}
    assert attributes == {
        "RequestID": ("String", request_id),
        "ErrorCode": ("Number", "200"),
        "ErrorMessage": ("String", "no such order"),
    }


def test_with_no_concurrency_reserved_an_event_fails_without_an_attempt(workshop: Any) -> None:
    url, arn = workshop.queue("failed")
    function = workshop.function()
    workshop.lam.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    workshop.invoke_async(function, {"order": 1})
    record = workshop.record(url)
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert "responsePayload" not in record
    assert "responseContext" not in record


def test_an_event_that_is_too_old_for_its_next_retry_fails_by_its_age(workshop: Any) -> None:
    url, arn = workshop.queue("failed")
    function = workshop.function()
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function,
        MaximumEventAgeInSeconds=60,
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    workshop.invoke_async(function, "boom")
    record = workshop.record(url)
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["responsePayload"]["errorType"] == "OrderRefused"


def test_a_topic_as_destination_publishes_the_record(workshop: Any) -> None:
    url, arn = workshop.queue("inbox")
    topic = workshop.sns.create_topic(Name=workshop.name("failures"))["TopicArn"]
    workshop.admit(url, arn)
    workshop.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    function = workshop.function()
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": topic}}
    )
    workshop.invoke_async(function, "boom")
    assert json.loads(workshop.record(url)["Message"])["requestPayload"] == "boom"


def test_a_function_as_destination_is_invoked_with_the_record(workshop: Any) -> None:
    url, arn = workshop.queue("done")
    function, second = workshop.function(), workshop.function("second")
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function, DestinationConfig={"OnSuccess": {"Destination": second}}
    )
    workshop.lam.put_function_event_invoke_config(
        FunctionName=second, DestinationConfig={"OnSuccess": {"Destination": arn}}
    )
    workshop.invoke_async(function, {"order": 1})
    record = workshop.record(url)
    assert record["requestPayload"]["requestContext"]["functionArn"] == f"{function}:$LATEST"


def test_an_event_bus_as_destination_receives_an_event_with_the_record(workshop: Any) -> None:
    url, arn = workshop.queue("inbox")
    workshop.admit(url, arn)
    bus = workshop.events.create_event_bus(Name=workshop.name("bus"))["EventBusArn"]
    rule = {"Name": workshop.name("rule"), "EventBusName": workshop.name("bus")}
    workshop.events.put_rule(**rule, EventPattern='{"source": ["lambda"]}')
    workshop.events.put_targets(
        Rule=rule["Name"], EventBusName=rule["EventBusName"], Targets=[{"Id": "inbox", "Arn": arn}]
    )
    function = workshop.function()
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": bus}}
    )
    workshop.invoke_async(function, "boom")
    event = workshop.record(url)
    assert event["detail-type"] == "Lambda Function Invocation Result - Failure"
    assert event["source"] == "lambda"
    assert event["resources"] == [bus, f"{function}:$LATEST"]
    assert event["detail"]["requestPayload"] == "boom"


def test_a_bucket_as_destination_receives_an_object_with_the_record(workshop: Any, eventually: Any) -> None:
    bucket = workshop.name("bucket")
    workshop.s3.create_bucket(Bucket=bucket)
    function = workshop.function()
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": f"arn:aws:s3:::{bucket}"}},
    )
    workshop.invoke_async(function, "boom")
    found = eventually(lambda: workshop.s3.list_objects_v2(Bucket=bucket).get("Contents"))
    prefix = f"aws/lambda/async/{workshop.name('orders')}/"
    assert found[0]["Key"].startswith(prefix)
    content = workshop.s3.get_object(Bucket=bucket, Key=found[0]["Key"])["Body"].read()
    assert json.loads(content)["requestPayload"] == "boom"


def test_a_destination_that_is_gone_is_counted(workshop: Any, eventually: Any) -> None:
    url, arn = workshop.queue("failed")
    function = workshop.function(DeadLetterConfig={"TargetArn": arn})
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    workshop.sqs.delete_queue(QueueUrl=url)
    workshop.invoke_async(function, "boom")
    name = workshop.name("orders")
    eventually(lambda: workshop.metric("AWS/Lambda", "DestinationDeliveryFailures", FunctionName=name) == 1)
    eventually(lambda: workshop.metric("AWS/Lambda", "DeadLetterErrors", FunctionName=name) == 1)
    assert workshop.metric("AWS/Lambda", "AsyncEventsDropped", FunctionName=name) == 1
    assert workshop.metric("AWS/Lambda", "AsyncEventsReceived", FunctionName=name) == 1


@pytest.mark.parametrize(("action", "arrived"), [("sqs:SendMessage", 1), ("sqs:ReceiveMessage", 0)])
def test_a_record_is_delivered_only_if_the_role_of_the_function_may(
    workshop: Any, eventually: Any, action: str, arrived: int
) -> None:
    url, arn = workshop.queue("failed")
    iam, role = workshop.aws.client("iam"), workshop.name("role")
    created = iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    statement = {"Effect": "Allow", "Action": action, "Resource": arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="queue", PolicyDocument=document)
    function = workshop.function(Role=created)
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    workshop.invoke_async(function, "boom")
    if arrived:
        assert workshop.record(url)["requestPayload"] == "boom"
    else:
        metric = "DestinationDeliveryFailures"
        eventually(lambda: workshop.metric("AWS/Lambda", metric, FunctionName=workshop.name("orders")) == 1)
        assert workshop.depth(url) == 0


def test_a_throttled_event_waits_and_is_run_when_there_is_room(workshop: Any) -> None:
    url, arn = workshop.queue("done")
    function = workshop.function()
    workshop.lam.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=1)
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function, MaximumRetryAttempts=0, DestinationConfig={"OnSuccess": {"Destination": arn}}
    )
    workshop.invoke_async(function, {"sleep": 0.7})
    workshop.invoke_async(function, {"sleep": 0.7})
    counts = [workshop.record(url)["requestContext"]["approximateInvokeCount"] for _ in range(2)]
    assert counts == [1, 1]
    assert workshop.metric("AWS/Lambda", "Throttles", FunctionName=workshop.name("orders")) >= 1


def test_the_response_of_a_failed_call_has_the_type_and_the_frames_of_the_exception(workshop: Any) -> None:
    answer = workshop.lam.invoke(FunctionName=workshop.function(), Payload=b'"boom"')
    payload = json.loads(answer["Payload"].read())
    assert answer["FunctionError"] == "Unhandled"
    assert payload["errorType"] == "OrderRefused"
    assert payload["requestId"] == answer["ResponseMetadata"]["RequestId"]


def test_a_function_in_node_fails_with_the_name_and_the_trace_of_its_error(workshop: Any) -> None:
    url, arn = workshop.queue("failed")
    code = """exports.handler = async (event) => {
  throw new TypeError("no such order");
};"""
    function = workshop.function(code=code, file="index.js", Runtime="nodejs24.x")
    workshop.lam.put_function_event_invoke_config(
        FunctionName=function, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    workshop.invoke_async(function, {})
    payload = workshop.record(url)["responsePayload"]
    assert payload["errorType"] == "TypeError"
    assert payload["errorMessage"] == "no such order"
    assert payload["trace"][:2] == [
        "TypeError: no such order",
        "    at exports.handler (/var/task/index.js:2:9)",
    ]


def test_a_runtime_that_would_only_be_mocked_is_refused(workshop: Any) -> None:
    with pytest.raises(ClientError, match="the embedded AWS cannot run java21"):
        workshop.function(Runtime="java21")


def test_a_function_that_runs_too_long_times_out(workshop: Any) -> None:
    answer = workshop.lam.invoke(FunctionName=workshop.function(Timeout=1), Payload=b'{"sleep": 5}')
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert json.loads(answer["Payload"].read()) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request_id} Error: Task timed out after 1.00 seconds",
    }
