"""Where failures go, who may put them there, who watches: each rule's message, boundary and exception."""

from collections.abc import Callable
from typing import Any

import pytest

Judge = Callable[..., list[tuple[str, str]]]
Write = Callable[..., dict[str, Any]]
QUEUE = "arn:aws:sqs:eu-west-1:111122223333:"


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def arn(name: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, "Arn"]}


def allow(service: str, *actions: str, source: Any = None) -> dict[str, Any]:
    condition = {} if source is None else {"Condition": {"ArnEquals": {"aws:SourceArn": source}}}
    return {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": list(actions),
        "Resource": "*",
        **condition,
    }


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def rule(target: Any) -> dict[str, Any]:
    return resource("Events::Rule", ScheduleExpression="rate(1 day)", Targets=[{"Id": "f", "Arn": target}])


def invoke_config(destination: Any, qualifier: Any = "$LATEST") -> dict[str, Any]:
    return resource(
        "Lambda::EventInvokeConfig",
        FunctionName={"Ref": "F"},
        Qualifier=qualifier,
        DestinationConfig={"OnFailure": {"Destination": destination}},
    )


ALIAS = resource("Lambda::Alias", Name="live", FunctionName={"Ref": "F"}, FunctionVersion="1")


def test_a_destination_holds_for_the_qualifier_that_is_invoked(judge: Judge, function: Write) -> None:
    base = {"F": function(), "A": ALIAS, "R": rule({"Ref": "A"})}
    assert judge("failures-dropped", {**base, "C": invoke_config(QUEUE + "q")}) == [
        (
            "F",
            (
                "the rule R invokes F (live) asynchronously, and nothing keeps its failures: "
                "the destination is on $LATEST"
            ),
        )
    ]
    assert judge("failures-dropped", {**base, "C": invoke_config(QUEUE + "q", "live")}) == []
    assert (
        judge("failures-dropped", {**base, "F": function(DeadLetterConfig={"TargetArn": QUEUE + "q"})}) == []
    )


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        (
            resource("SNS::Subscription", Protocol="lambda", TopicArn={"Ref": "T"}, Endpoint=arn("F")),
            "the SNS subscription X",
        ),
        (resource("SNS::Topic", Subscription=[{"Protocol": "lambda", "Endpoint": arn("F")}]), "the topic X"),
        (
            resource(
                "S3::Bucket",
                NotificationConfiguration={
                    "LambdaConfigurations": [{"Event": "s3:ObjectCreated:*", "Function": arn("F")}]
                },
            ),
            "the bucket X",
        ),
        (
            {
                "Type": "Custom::S3BucketNotifications",
                "Properties": {
                    "BucketName": {"Ref": "B"},
                    "NotificationConfiguration": {
                        "LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn("F")}]
                    },
                },
            },
            "the bucket B",
        ),
        (rule(arn("F")), "the rule X"),
        (
            resource("Scheduler::Schedule", Target={"Arn": arn("F"), "RoleArn": "arn:aws:iam::1:role/r"}),
            "the schedule X",
        ),
    ],
)
def test_every_asynchronous_caller_counts(
    judge: Judge, function: Write, trigger: dict[str, Any], words: str
) -> None:
    resources = {"F": function(), "X": trigger, "T": resource("SNS::Topic"), "B": resource("S3::Bucket")}
    assert judge("failures-dropped", resources) == [
        ("F", f"{words} invokes F ($LATEST) asynchronously, and nothing keeps its failures")
    ]


def test_a_declared_caller_counts(judge: Judge, function: Write) -> None:
    declared = {**function(), "Metadata": {"LambdaPatterns": {"Asynchronous": ["live"]}}}
    assert judge("failures-dropped", {"F": declared}) == [
        (
            "F",
            "something outside the template invokes F (live) asynchronously, and nothing keeps its failures",
        )
    ]


def test_a_configuration_of_an_unknown_function_keeps_the_rule_silent(judge: Judge, function: Write) -> None:
    config = invoke_config(QUEUE + "q")
    config["Properties"]["FunctionName"] = {"Ref": "Name"}
    found = judge(
        "failures-dropped",
        {"F": function(), "R": rule(arn("F")), "C": config},
        Parameters={"Name": {"Type": "String"}},
    )
    assert found == []


@pytest.mark.parametrize("kind", ["SQS::Queue", "SNS::Topic"])
def test_a_fifo_target_is_found_by_its_resource(judge: Judge, function: Write, kind: str) -> None:
    name = "FifoQueue" if kind == "SQS::Queue" else "FifoTopic"
    reference = {"Ref": "T"} if kind == "SNS::Topic" else arn("T")
    resources = {
        "F": function(DeadLetterConfig={"TargetArn": reference}),
        "T": resource(kind, **{name: True}),
    }
    assert judge("destination-fifo", resources) == [
        (
            "F.DeadLetterConfig.TargetArn",
            "the dead-letter queue of F is FIFO, allowed are standard queues and topics",
        )
    ]


ROLE = resource("IAM::Role", AssumeRolePolicyDocument=policy(allow("lambda.amazonaws.com", "sts:AssumeRole")))


def granting(*statements: dict[str, Any]) -> dict[str, Any]:
    return resource(
        "IAM::Policy", PolicyName="p", Roles=[{"Ref": "Role"}], PolicyDocument=policy(*statements)
    )


def grant(action: str, on: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": on}


def test_the_execution_role_has_to_write_and_to_use_the_key(judge: Judge, function: Write) -> None:
    account = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    administrators = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "kms:*", "Resource": "*"}
    resources = {
        "F": function(Role=arn("Role"), DeadLetterConfig={"TargetArn": arn("Q")}),
        "Role": ROLE,
        "Q": resource("SQS::Queue", KmsMasterKeyId=arn("Key")),
        "Key": resource("KMS::Key", KeyPolicy=policy(administrators)),
    }
    place = "F.DeadLetterConfig.TargetArn"
    assert judge("destination-denied", resources) == [
        (place, "the role Role may not sqs:SendMessage to the dead-letter queue Q"),
        (place, "the role Role may not use the key Key of the dead-letter queue Q"),
    ]
    sending = {**resources, "P": granting(grant("sqs:SendMessage", arn("Q")))}
    assert judge("destination-denied", sending) == [
        (place, "the role Role may not use the key Key of the dead-letter queue Q")
    ]
    actions = ["kms:GenerateDataKey*", "kms:Decrypt"]
    used = {"Effect": "Allow", "Principal": {"AWS": arn("Role")}, "Action": actions, "Resource": "*"}
    opened = {**sending, "Key": resource("KMS::Key", KeyPolicy=policy(administrators, used))}
    assert judge("destination-denied", opened) == []


def test_an_aws_managed_key_needs_no_grant_of_the_role(judge: Judge, function: Write) -> None:
    resources = {
        "F": function(Role=arn("Role"), DeadLetterConfig={"TargetArn": arn("Q")}),
        "Role": ROLE,
        "P": granting(grant("sqs:SendMessage", arn("Q"))),
        "Q": resource("SQS::Queue", KmsMasterKeyId="alias/aws/sqs"),
    }
    assert judge("destination-denied", resources) == []


def mapping(**properties: Any) -> dict[str, Any]:
    return resource(
        "Lambda::EventSourceMapping", FunctionName={"Ref": "F"}, EventSourceArn=arn("Q"), **properties
    )


WARNED = "messages are hidden for {} s, recommended are {} s: six times the 60 s of F{}"


@pytest.mark.parametrize(
    ("queue", "function_", "window", "rule_", "message"),
    [
        ({"VisibilityTimeout": 60}, {"Timeout": 60}, 0, "six-timeouts", WARNED.format(60, 360, "")),
        ({"VisibilityTimeout": 60}, {"Timeout": 60}, 0, "timeout", None),
        ({"VisibilityTimeout": 59}, {"Timeout": 60}, 0, "six-timeouts", None),
        (
            {"VisibilityTimeout": 59},
            {"Timeout": 60},
            0,
            "timeout",
            "messages are hidden for 59 s, F may run for 60 s",
        ),
        ({"VisibilityTimeout": 360}, {"Timeout": 60}, 0, "six-timeouts", None),
        (
            {"VisibilityTimeout": 360},
            {"Timeout": 60},
            5,
            "six-timeouts",
            WARNED.format(360, 365, " plus a window of 5 s"),
        ),
        ({"VisibilityTimeout": 365}, {"Timeout": 60}, 5, "six-timeouts", None),
        ({}, {"Timeout": 31}, 0, "timeout", "messages are hidden for 30 s, F may run for 31 s"),
        ({}, {}, 0, "six-timeouts", None),
    ],
)
def test_visibility_is_held_against_the_timeout(  # noqa: PLR0913, PLR0917  # one argument a column
    judge: Judge,
    function: Write,
    queue: dict[str, int],
    function_: dict[str, int],
    window: int,
    rule_: str,
    message: str | None,
) -> None:
    resources = {
        "F": function(**function_),
        "Q": resource("SQS::Queue", **queue),
        "M": mapping(MaximumBatchingWindowInSeconds=window),
    }
    found = judge(f"visibility-under-{rule_}", resources)
    assert found == ([("Q.VisibilityTimeout", message)] if message else [])


def redrive(to: Any, receives: Any = 5) -> dict[str, Any]:
    return {"RedrivePolicy": {"deadLetterTargetArn": to, "maxReceiveCount": receives}}


@pytest.mark.parametrize(
    ("receives", "message"),
    [
        (5, None),
        ("4", "Q gives up after 4 receives, recommended are at least 5"),
        (1, "Q gives up after 1 receive, recommended are at least 5"),
    ],
)
def test_receives_are_counted(judge: Judge, function: Write, receives: Any, message: str | None) -> None:
    resources = {
        "F": function(),
        "Q": resource("SQS::Queue", **redrive(QUEUE + "d", receives)),
        "M": mapping(),
    }
    found = judge("few-receives", resources)
    assert found == ([("Q.RedrivePolicy.maxReceiveCount", message)] if message else [])
    assert judge("source-queue-without-dlq", resources) == []


def test_a_source_queue_without_a_redrive_policy_is_found(judge: Judge, function: Write) -> None:
    resources = {"F": function(), "Q": resource("SQS::Queue"), "M": mapping()}
    assert judge("source-queue-without-dlq", resources) == [
        ("Q.RedrivePolicy", "Q feeds F, without a dead-letter queue")
    ]


@pytest.mark.parametrize(
    ("source", "dead", "message"),
    [
        (345_600, 1_209_600, None),
        (1_209_600, 1_209_600, "D keeps messages for 14 days, its source Q for 14 days"),
        (86_400, 86_400, "D keeps messages for 1 day, its source Q for 1 day"),
        (
            86_400,
            1_209_599,
            "D, the dead-letter queue of Q, keeps messages for 1,209,599 s, recommended are 14 days",
        ),
    ],
)
def test_retention_of_a_dead_letter_queue_is_judged(
    judge: Judge, source: int, dead: int, message: str | None
) -> None:
    resources = {
        "Q": resource("SQS::Queue", MessageRetentionPeriod=source, **redrive(arn("D"))),
        "D": resource("SQS::Queue", MessageRetentionPeriod=dead),
    }
    found = judge("dlq-forgets-first", resources)
    assert found == ([("D.MessageRetentionPeriod", message)] if message else [])


def alarm(metric: str = "ApproximateNumberOfMessagesVisible", **properties: Any) -> dict[str, Any]:
    base = {
        "Namespace": "AWS/SQS",
        "MetricName": metric,
        "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["D", "QueueName"]}}],
        "AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:on-call"],
    }
    return resource("CloudWatch::Alarm", **{**base, **properties})


MOVED = {"Q": resource("SQS::Queue", **redrive(arn("D"))), "D": resource("SQS::Queue")}


@pytest.mark.parametrize(
    ("alarms", "problem"),
    [
        ({}, "has no alarm"),
        ({"X": alarm()}, None),
        ({"X": alarm(AlarmActions=[])}, "has an alarm without an action (X)"),
        ({"X": alarm(ComparisonOperator="LessThanThreshold")}, "has no alarm"),
        ({"X": alarm(ActionsEnabled=False)}, "has an alarm without an action (X)"),
        (
            {"X": alarm("NumberOfMessagesSent")},
            "is watched by NumberOfMessagesSent alone, which does not count what SQS moves there",
        ),
        (
            {"X": alarm("NumberOfMessagesReceived")},
            "is watched by NumberOfMessagesReceived alone, which does not show arrivals",
        ),
        (
            {
                "X": alarm(AlarmActions=[]),
                "Any": resource(
                    "CloudWatch::CompositeAlarm",
                    AlarmRule={"Fn::Sub": "ALARM(${X})"},
                    AlarmActions=["arn:aws:sns:eu-west-1:111122223333:on-call"],
                ),
            },
            None,
        ),
        (
            {
                "X": alarm(AlarmActions=[]),
                "R": resource("Events::Rule", EventPattern={"source": ["aws.cloudwatch"]}),
            },
            None,
        ),
        (
            {
                "X": resource(
                    "CloudWatch::Alarm",
                    AlarmActions=["a"],
                    Metrics=[
                        {
                            "Id": "m",
                            "MetricStat": {
                                "Metric": {
                                    "Namespace": "AWS/SQS",
                                    "MetricName": "ApproximateNumberOfMessagesVisible",
                                    "Dimensions": [
                                        {"Name": "QueueName", "Value": {"Fn::GetAtt": ["D", "QueueName"]}}
                                    ],
                                }
                            },
                        }
                    ],
                )
            },
            None,
        ),
    ],
)
def test_arrivals_in_a_dead_letter_queue_are_noticed(
    judge: Judge, alarms: dict[str, Any], problem: str | None
) -> None:
    found = judge("dlq-unwatched", {**MOVED, **alarms})
    assert found == ([("D", f"D, the dead-letter queue of Q, {problem}")] if problem else [])


def test_depth_shows_nothing_while_a_function_drains_the_queue(judge: Judge, function: Write) -> None:
    drained = {
        "F": function(DeadLetterConfig={"TargetArn": arn("D")}),
        "D": resource("SQS::Queue"),
        "M": resource("Lambda::EventSourceMapping", FunctionName="reprocess", EventSourceArn=arn("D")),
    }
    assert judge("dlq-unwatched", {**drained, "X": alarm()}) == [
        (
            "D",
            (
                "D, the dead-letter queue of F, is watched by ApproximateNumberOfMessagesVisible alone, "
                "which stays at nothing while a function drains it"
            ),
        )
    ]
    assert judge("dlq-unwatched", {**drained, "X": alarm("NumberOfMessagesSent")}) == []
    paused = {
        **drained,
        "M": {**drained["M"], "Properties": {**drained["M"]["Properties"], "Enabled": False}},
    }
    assert judge("dlq-unwatched", {**paused, "X": alarm()}) == []


def test_a_queue_and_its_dead_letter_queue_are_of_one_type(judge: Judge) -> None:
    fifo = resource("SQS::Queue", FifoQueue=True, **redrive(arn("D")))
    place = "Q.RedrivePolicy.deadLetterTargetArn"
    assert judge("dlq-type-mismatch", {"Q": fifo, "D": resource("SQS::Queue")}) == [
        (place, "Q is FIFO, D is standard")
    ]
    standard = resource("SQS::Queue", **redrive(QUEUE + "d.fifo"))
    assert judge("dlq-type-mismatch", {"Q": standard}) == [
        (place, "Q is standard, its dead-letter queue is FIFO")
    ]
    assert judge("dlq-type-mismatch", {"Q": fifo, "D": resource("SQS::Queue", FifoQueue=True)}) == []


def subscription(**properties: Any) -> dict[str, Any]:
    base = {"TopicArn": {"Ref": "T"}, "Protocol": "sqs", "Endpoint": QUEUE + "orders"}
    return resource("SNS::Subscription", **{**base, **properties})


def test_a_subscription_needs_a_dead_letter_queue_that_sns_may_write_to(judge: Judge) -> None:
    topic = resource("SNS::Topic")
    assert judge("subscription-without-dlq", {"T": topic, "S": subscription()}) == [
        ("S.RedrivePolicy", "the subscription of a queue has no dead-letter queue")
    ]
    resources = {
        "T": topic,
        "S": subscription(RedrivePolicy={"deadLetterTargetArn": arn("D")}),
        "D": resource("SQS::Queue"),
    }
    assert judge("subscription-without-dlq", resources) == []
    place = "S.RedrivePolicy.deadLetterTargetArn"
    assert judge("subscription-dlq-denied", resources) == [
        (place, "the policy of D does not let sns.amazonaws.com send for this topic")
    ]
    let_in = policy(allow("sns.amazonaws.com", "sqs:SendMessage", source={"Ref": "T"}))
    queue_policy = resource("SQS::QueuePolicy", Queues=[{"Ref": "D"}], PolicyDocument=let_in)
    assert judge("subscription-dlq-denied", {**resources, "P": queue_policy}) == []
    other = policy(allow("sns.amazonaws.com", "sqs:SendMessage", source={"Ref": "Other"}))
    closed = resource("SQS::QueuePolicy", Queues=[{"Ref": "D"}], PolicyDocument=other)
    assert judge("subscription-dlq-denied", {**resources, "P": closed, "Other": topic}) == [
        (place, "the policy of D does not let sns.amazonaws.com send for this topic")
    ]


def test_a_fifo_dead_letter_queue_is_for_fifo_topics(judge: Judge) -> None:
    fifo = {"RedrivePolicy": {"deadLetterTargetArn": QUEUE + "d.fifo"}}
    place = "S.RedrivePolicy.deadLetterTargetArn"
    assert judge("subscription-dlq-denied", {"T": resource("SNS::Topic"), "S": subscription(**fifo)}) == [
        (place, "the dead-letter queue is FIFO, the topic is not")
    ]
    topic = resource("SNS::Topic", FifoTopic=True)
    assert judge("subscription-dlq-denied", {"T": topic, "S": subscription(**fifo)}) == []


@pytest.mark.parametrize(
    ("retry", "message"),
    [
        ({}, None),
        ({"numRetries": 100}, None),
        ({"numRetries": 101}, "numRetries: retries are 101, allowed are 0-100"),
        ({"minDelayTarget": 60, "maxDelayTarget": 30}, "minDelayTarget is 60 s, over maxDelayTarget, 30 s"),
        (
            {"numRetries": 3, "numMinDelayRetries": 2, "numMaxDelayRetries": 2},
            "numRetries is 3, its phases have 4 retries together",
        ),
        ({"numRetries": 4, "numMinDelayRetries": 2, "numMaxDelayRetries": 2}, None),
        ({"numRetries": 10, "numMaxDelayRetries": 10, "maxDelayTarget": 360}, None),
        (
            {"numRetries": 10, "numMaxDelayRetries": 10, "maxDelayTarget": 361},
            "the retries take about 3,610 s in all, allowed are 0-3,600 s",
        ),
        (
            {"numRetries": 50, "maxDelayTarget": 600},
            "the retries take about 15,500 s in all, allowed are 0-3,600 s",
        ),
        ({"numRetries": 10, "maxDelayTarget": 600, "backoffFunction": "exponential"}, None),
        (  # 20 s x (r^20 - 1) / (r - 1), where r^19 = 60
            {"numRetries": 20, "maxDelayTarget": 1200, "backoffFunction": "exponential"},
            "the retries take about 6,107 s in all, allowed are 0-3,600 s",
        ),
        ({"numRetries": 1, "minDelayTarget": 3600, "maxDelayTarget": 3600}, None),
        ({"numRetries": {"Ref": "Retries"}}, None),
    ],
)
def test_a_delivery_policy_is_computed(judge: Judge, retry: dict[str, Any], message: str | None) -> None:
    http = subscription(
        TopicArn="arn:aws:sns:eu-west-1:111122223333:t",
        Protocol="https",
        Endpoint="https://example.com",
        DeliveryPolicy={"healthyRetryPolicy": retry},
    )
    found = judge("delivery-policy-refused", {"S": http}, Parameters={"Retries": {"Type": "Number"}})
    assert [text for _, text in found] == ([message] if message else [])


def test_a_delivery_policy_is_for_http_alone(judge: Judge) -> None:
    given = subscription(
        TopicArn="arn:aws:sns:eu-west-1:111122223333:t", DeliveryPolicy={"healthyRetryPolicy": {}}
    )
    assert judge("delivery-policy-refused", {"S": given}) == [
        ("S.DeliveryPolicy", "a delivery policy on the protocol sqs, allowed are http and https")
    ]


@pytest.mark.parametrize(
    ("types", "size", "found"),
    [
        (None, None, True),
        (["ReportBatchItemFailures"], None, False),
        (None, 1, False),
        (None, 2, True),
    ],
)
def test_a_batch_is_reported_item_by_item(
    judge: Judge, function: Write, types: list[str] | None, size: int | None, *, found: bool
) -> None:
    properties = {"FunctionResponseTypes": types, "BatchSize": size}
    given = {name: value for name, value in properties.items() if value is not None}
    resources = {"F": function(), "Q": resource("SQS::Queue"), "M": mapping(**given)}
    message = f"F reads batches of up to {size or 10} messages of Q, which fail as a whole"
    assert judge("batch-fails-whole", resources) == ([("M.FunctionResponseTypes", message)] if found else [])


def test_two_functions_that_hand_failures_to_each_other_are_a_loop(judge: Judge, function: Write) -> None:
    other = invoke_config(arn("F"))
    other["Properties"]["FunctionName"] = {"Ref": "G"}
    resources = {"F": function(), "G": function(), "C": invoke_config(arn("G")), "D": other}
    assert judge("failure-loop", resources) == [("F", "failures come back: F -> G -> F")]


def test_a_failure_queue_read_by_what_failed_is_a_loop_unless_a_redrive_ends_it(
    judge: Judge, function: Write
) -> None:
    resources = {
        "F": {**function(), "Metadata": {"LambdaPatterns": {"Asynchronous": ["$LATEST"]}}},
        "C": invoke_config(arn("Q")),
        "Q": resource("SQS::Queue"),
        "M": mapping(),
    }
    assert judge("failure-loop", resources) == [("F", "failures come back: F -> Q -> F")]
    ended = {**resources, "Q": resource("SQS::Queue", **redrive(QUEUE + "given-up"))}
    assert judge("failure-loop", ended) == []
    paused = {**resources, "M": mapping(Enabled=False)}
    assert judge("failure-loop", paused) == []
    synchronous = {**resources, "F": function()}
    assert judge("failure-loop", synchronous) == []


def test_redrives_and_topics_make_loops_too(judge: Judge, function: Write) -> None:
    queues = {
        "Q": resource("SQS::Queue", **redrive(arn("D"))),
        "D": resource("SQS::Queue", **redrive(arn("Q"))),
    }
    assert judge("failure-loop", queues) == [("Q", "failures come back: Q -> D -> Q")]
    topic = {
        "F": function(),
        "T": resource("SNS::Topic"),
        "S": subscription(Protocol="lambda", Endpoint=arn("F")),
        "C": invoke_config({"Ref": "T"}),
    }
    assert judge("failure-loop", topic) == [("F", "failures come back: F -> T -> F")]
    filtered = {
        **topic,
        "S": subscription(Protocol="lambda", Endpoint=arn("F"), FilterPolicy={"kind": ["new"]}),
    }
    assert judge("failure-loop", filtered) == []


def test_an_alias_of_unknown_name_may_be_the_one_that_is_configured(judge: Judge, function: Write) -> None:
    named = resource("Lambda::Alias", FunctionName={"Ref": "F"}, FunctionVersion="1", Name={"Ref": "Name"})
    base = {"F": function(), "A": named, "R": rule({"Ref": "A"}), "Q": resource("SQS::Queue")}
    parameters = {"Name": {"Type": "String"}}
    for qualifier, broken in (("$LATEST", True), ("live", False)):
        resources = {**base, "C": invoke_config(arn("Q"), qualifier)}
        assert bool(judge("failures-dropped", resources, Parameters=parameters)) is broken


def test_a_key_has_to_let_the_writing_service_in(judge: Judge) -> None:
    placed = resource("Events::Rule", EventPattern={"source": ["o"]}, Targets=[{"Id": "q", "Arn": arn("Q")}])
    base = {"R": placed, "Q": resource("SQS::Queue", KmsMasterKeyId=arn("Key"))}
    closed = resource("KMS::Key", KeyPolicy=policy(allow("sns.amazonaws.com", "kms:*")))
    half = resource("KMS::Key", KeyPolicy=policy(allow("events.amazonaws.com", "kms:Decrypt")))
    opened = resource(
        "KMS::Key", KeyPolicy=policy(allow("events.amazonaws.com", "kms:GenerateDataKey*", "kms:Decrypt"))
    )
    message = "events.amazonaws.com writes to Q for R and may not use its key Key"
    root = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    owner = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
    for key in (closed, half, resource("KMS::Key", KeyPolicy=policy(owner))):
        assert judge("queue-key-denied", {**base, "Key": key}) == [("Q.KmsMasterKeyId", message)]
    assert judge("queue-key-denied", {**base, "Key": opened}) == []
    unknown = {**base, "Q": resource("SQS::Queue", KmsMasterKeyId={"Ref": "Key"})}
    assert judge("queue-key-denied", unknown, Parameters={"Key": {"Type": "String"}}) == []


def test_a_key_may_be_named_by_its_alias(judge: Judge) -> None:
    alias = resource("KMS::Alias", AliasName="alias/orders", TargetKeyId={"Ref": "Key"})
    other = resource("KMS::Alias", AliasName="alias/other", TargetKeyId={"Ref": "Open"})
    base = {
        "R": rule(arn("Q")),
        "Q": resource("SQS::Queue", KmsMasterKeyId="alias/orders"),
        "Key": resource("KMS::Key", KeyPolicy=policy(allow("sns.amazonaws.com", "kms:*"))),
        "Open": resource("KMS::Key", KeyPolicy=policy(allow("events.amazonaws.com", "kms:*"))),
        "Other": other,
    }
    message = "events.amazonaws.com writes to Q for R and may not use its key Key"
    assert judge("queue-key-denied", {**base, "Alias": alias}) == [("Q.KmsMasterKeyId", message)]
    by_reference = {**base, "Alias": alias, "Q": resource("SQS::Queue", KmsMasterKeyId={"Ref": "Alias"})}
    assert judge("queue-key-denied", by_reference) == [("Q.KmsMasterKeyId", message)]
    assert (
        judge("queue-key-denied", {**base, "Q": resource("SQS::Queue", KmsMasterKeyId="alias/other")}) == []
    )
    assert judge("queue-key-denied", base) == []


@pytest.mark.parametrize(
    ("kind", "name", "target", "place"),
    [
        ("QueueConfigurations", "Queue", arn("Q"), "Q"),
        ("TopicConfigurations", "Topic", {"Ref": "T"}, "T"),
    ],
)
def test_a_bucket_does_not_reach_what_lies_under_a_key_that_it_may_not_use(
    judge: Judge, kind: str, name: str, target: Any, place: str
) -> None:
    told = {kind: [{"Event": "s3:ObjectCreated:*", name: target}]}
    resources = {
        "B": resource("S3::Bucket", NotificationConfiguration=told),
        "Q": resource("SQS::Queue", KmsMasterKeyId={"Ref": "Key"}),
        "T": resource("SNS::Topic", KmsMasterKeyId={"Ref": "Key"}),
        "Key": resource("KMS::Key", KeyPolicy=policy()),
    }
    message = f"s3.amazonaws.com writes to {place} for B and may not use its key Key"
    assert judge("queue-key-denied", resources) == [(f"{place}.KmsMasterKeyId", message)]


@pytest.mark.parametrize("kind", ["Alarm", "CompositeAlarm"])
def test_an_alarm_does_not_reach_a_topic_whose_key_it_may_not_use(judge: Judge, kind: str) -> None:
    alarm = resource(f"CloudWatch::{kind}", AlarmActions=[{"Ref": "T"}], OKActions=[{"Ref": "T"}])
    resources = {"A": alarm, "B": alarm, "T": resource("SNS::Topic", KmsMasterKeyId="alias/aws/sns")}
    message = "cloudwatch.amazonaws.com writes to T for A, whose key alias/aws/sns cannot be opened to it"
    assert judge("queue-key-denied", resources) == [("T.KmsMasterKeyId", message)]
    quiet = resource(f"CloudWatch::{kind}", AlarmActions=[{"Ref": "T"}], ActionsEnabled=False)
    assert judge("queue-key-denied", {**resources, "A": quiet, "B": quiet}) == []
    opened = resource(
        "KMS::Key",
        KeyPolicy=policy(allow("cloudwatch.amazonaws.com", "kms:GenerateDataKey*", "kms:Decrypt")),
    )
    own = {**resources, "Key": opened, "T": resource("SNS::Topic", KmsMasterKeyId={"Ref": "Key"})}
    assert judge("queue-key-denied", own) == []


@pytest.mark.parametrize("managed", ["alias/aws/sqs", "arn:aws:kms:eu-west-1:111122223333:alias/aws/sqs"])
def test_an_aws_managed_key_cannot_be_opened(judge: Judge, managed: str) -> None:
    resources = {
        "T": resource("SNS::Topic"),
        "S": subscription(Endpoint=arn("Q")),
        "Q": resource("SQS::Queue", KmsMasterKeyId=managed),
    }
    assert judge("queue-key-denied", resources) == [
        (
            "Q.KmsMasterKeyId",
            "sns.amazonaws.com writes to Q for T, whose key alias/aws/sqs cannot be opened to it",
        )
    ]


def test_encryption_and_transport_are_judged(judge: Judge) -> None:
    assert judge("queue-unencrypted", {"Q": resource("SQS::Queue")}) == []
    assert judge("queue-unencrypted", {"Q": resource("SQS::Queue", SqsManagedSseEnabled="false")}) == [
        ("Q.SqsManagedSseEnabled", "Q switches its encryption off")
    ]
    assert judge("queue-unencrypted", {"T": resource("SNS::Topic")}) == [("T.KmsMasterKeyId", "T has no key")]
    denying = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    closed = resource("SQS::QueuePolicy", Queues=[{"Ref": "Q"}], PolicyDocument=policy(denying))
    assert judge("queue-without-tls", {"Q": resource("SQS::Queue"), "P": closed}) == []
    without = {**denying, "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}}
    other = resource("SQS::QueuePolicy", Queues=[{"Ref": "Q"}], PolicyDocument=policy(without))
    assert judge("queue-without-tls", {"Q": resource("SQS::Queue"), "P": other}) == [
        ("Q", "Q has no policy that denies plain text")
    ]
    without = {**denying, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}
    inline = resource("SQS::QueueInlinePolicy", Queue={"Ref": "Q"}, PolicyDocument=policy(denying))
    assert judge("queue-without-tls", {"Q": resource("SQS::Queue"), "P": inline}) == []
    useless = resource("SQS::QueuePolicy", Queues=[{"Ref": "Q"}], PolicyDocument=policy(without))
    assert judge("queue-without-tls", {"Q": resource("SQS::Queue"), "P": useless}) == [
        ("Q", "Q has no policy that denies plain text")
    ]


def permission(principal: str, **properties: Any) -> dict[str, Any]:
    return resource(
        "Lambda::Permission",
        FunctionName={"Ref": "F"},
        Action="lambda:InvokeFunction",
        Principal=principal,
        **properties,
    )


def test_a_caller_needs_a_permission_for_itself(judge: Judge, function: Write) -> None:
    base = {"F": function(), "R": rule(arn("F")), "Other": rule(QUEUE + "q")}
    message = "the rule R may not invoke F: no permission lets events.amazonaws.com in for it"
    denied = [("R.Targets.0.Arn", message)]
    assert judge("invoke-denied", base) == denied
    assert judge("invoke-denied", {**base, "P": permission("sns.amazonaws.com")}) == denied
    other = permission("events.amazonaws.com", SourceArn=arn("Other"))
    assert judge("invoke-denied", {**base, "P": other}) == denied
    assert judge("invoke-denied", {**base, "P": permission("events.amazonaws.com", SourceArn=arn("R"))}) == []
    assert judge("invoke-denied", {**base, "P": permission("events.amazonaws.com")}) == []


def test_a_schedule_invokes_with_its_own_role(judge: Judge, function: Write) -> None:
    target = {"Arn": arn("F"), "RoleArn": arn("R")}
    base = {"F": function(), "S": resource("Scheduler::Schedule", Target=target)}
    trust = policy({"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}})
    closed = resource("IAM::Role", AssumeRolePolicyDocument=trust)
    message = "the schedule S may not invoke F: its role R does not allow it"
    assert judge("invoke-denied", {**base, "R": closed}) == [("S.Target.RoleArn", message)]
    invokes = policy({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn("F")})
    opened = resource("IAM::Role", Policies=[{"PolicyName": "p", "PolicyDocument": invokes}])
    assert judge("invoke-denied", {**base, "R": opened}) == []
    elsewhere = resource("Scheduler::Schedule", Target={**target, "RoleArn": "arn:aws:iam::1:role/r"})
    assert judge("invoke-denied", {"F": function(), "S": elsewhere}) == []


@pytest.mark.parametrize(
    ("pattern", "loops"),
    [
        ({"source": ["lambda"]}, True),
        ({"source": ["lambda"], "detail-type": ["Lambda Function Invocation Result - Failure"]}, True),
        ({"source": ["lambda"], "detail": {"requestPayload": {"again": [True]}}}, False),
        ({"source": ["orders"]}, False),
    ],
)
def test_a_bus_that_hands_failures_back_makes_a_loop(
    judge: Judge,
    function: Write,
    pattern: Any,
    loops: bool,
) -> None:
    resources = {
        "F": function(),
        "C": invoke_config(arn("Bus")),
        "Bus": resource("Events::EventBus", Name="failures"),
        "R": resource(
            "Events::Rule",
            EventBusName={"Ref": "Bus"},
            EventPattern=pattern,
            Targets=[{"Id": "f", "Arn": arn("F")}],
        ),
    }
    found = [("F", "failures come back: F -> Bus -> F")] if loops else []
    assert judge("failure-loop", resources) == found


def test_a_permission_for_an_alias_may_name_it_in_words(judge: Judge, function: Write) -> None:
    endpoint = {"Fn::Sub": "${F.Arn}:live"}
    base = {"F": function(), "R": rule(endpoint)}
    alias = resource("Lambda::Alias", FunctionName={"Ref": "F"}, FunctionVersion="1", Name="live")
    granted = permission("events.amazonaws.com") | {}
    granted["Properties"] = {**granted["Properties"], "FunctionName": {"Fn::Sub": "${F}:live"}}
    assert judge("invoke-denied", {**base, "A": alias, "P": granted}) == []
    granted["Properties"] = {**granted["Properties"], "FunctionName": {"Ref": "A"}}
    assert judge("invoke-denied", {**base, "A": alias, "P": granted}) == []
    for_function = permission("events.amazonaws.com")
    message = "the rule R may not invoke A: no permission lets events.amazonaws.com in for it"
    assert judge("invoke-denied", {**base, "A": alias, "P": for_function}) == [("R.Targets.0.Arn", message)]
    assert judge("invoke-denied", base) == []  # the alias, and what it lets in, are elsewhere
