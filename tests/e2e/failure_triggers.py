"""What can invoke a function asynchronously, and what can keep its failures, on the embedded AWS."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.e2e.shop import Shop, allow

KEEPER = """
import json, os
import boto3

def handler(event, context):
    client = boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    client.send_message(QueueUrl=os.environ["KEPT"], MessageBody=json.dumps(event))
"""


def let_in(shop: Shop, service: str, source: str) -> None:
    shop.lambda_.add_permission(
        FunctionName=shop.name,
        StatementId=f"{service.split('.', maxsplit=1)[0]}-{abs(hash(source)) % 10**6}",
        Action="lambda:InvokeFunction",
        Principal=service,
        SourceArn=source,
    )


def by_invocation(shop: Shop) -> None:
    shop.invoke({"order": "invoked"})


def by_object(shop: Shop) -> None:
    s3, bucket = shop.aws.client("s3"), f"{shop.name}-inbox"
    s3.create_bucket(Bucket=bucket)
    let_in(shop, "s3.amazonaws.com", f"arn:aws:s3:::{bucket}")
    wanted = [{"LambdaFunctionArn": shop.arn, "Events": ["s3:ObjectCreated:*"]}]
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": wanted}
    )
    s3.put_object(Bucket=bucket, Key="order.json", Body=b"{}")


def by_topic(shop: Shop) -> None:
    topic = shop.sns.create_topic(Name=f"{shop.name}-orders")["TopicArn"]
    let_in(shop, "sns.amazonaws.com", topic)
    shop.sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=shop.arn)
    shop.sns.publish(TopicArn=topic, Message="an order")


def by_rule(shop: Shop) -> None:
    rule(shop, {"Id": "1", "Arn": shop.arn})
    place(shop)


def rule(shop: Shop, target: dict[str, Any], *, permitted: bool = True) -> str:
    events, name = shop.aws.client("events"), f"{shop.name}-placed"
    arn: str = events.put_rule(Name=name, EventPattern=json.dumps({"source": [shop.name]}))["RuleArn"]
    events.put_targets(Rule=name, Targets=[target])
    if permitted:
        let_in(shop, "events.amazonaws.com", arn)
    return arn


def place(shop: Shop) -> None:
    entry = {"Source": shop.name, "DetailType": "OrderPlaced", "Detail": '{"order": "placed"}'}
    shop.aws.client("events").put_events(Entries=[entry])


def by_schedule(shop: Shop) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    shop.aws.client("scheduler").create_schedule(
        Name=f"{shop.name}-nightly",
        ScheduleExpression=f"at({now})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": shop.arn,
            "RoleArn": "arn:aws:iam::000000000000:role/scheduler",
            "Input": '{"order": "nightly"}',
        },
    )


TRIGGERS: dict[str, Callable[[Shop], None]] = {
    "an asynchronous invocation": by_invocation,
    "S3": by_object,
    "SNS": by_topic,
    "EventBridge": by_rule,
    "EventBridge Scheduler": by_schedule,
}


def trigger_of(event: dict[str, Any]) -> str:
    """Tell an event by what only its trigger writes."""
    if "detail-type" in event:
        return "EventBridge"
    if "Records" in event:
        return "S3" if "s3" in event["Records"][0] else "SNS"
    return {"invoked": "an asynchronous invocation", "nightly": "EventBridge Scheduler"}[event["order"]]


def queue_behind(shop: Shop, topic: str) -> str:
    behind = shop.queue("behind")
    shop.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=shop.arn_of(behind))
    return behind


def to_queue(shop: Shop) -> str:
    failures = shop.queue("failures")
    shop.on_failure(shop.arn_of(failures))
    return failures


def to_topic(shop: Shop) -> str:
    topic = shop.sns.create_topic(Name=f"{shop.name}-failures")["TopicArn"]
    shop.on_failure(topic)
    return queue_behind(shop, topic)


def to_bus(shop: Shop) -> str:
    events, name = shop.aws.client("events"), f"{shop.name}-failures"
    bus = events.create_event_bus(Name=name)["EventBusArn"]
    policy = allow(["sqs:SendMessage"], Principal={"Service": "events.amazonaws.com"})
    behind = shop.queue("behind", Policy=policy)
    events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps({"source": ["lambda"]}))
    events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "1", "Arn": shop.arn_of(behind)}])
    shop.on_failure(bus)
    return behind


def to_bucket(shop: Shop) -> str:
    bucket = f"{shop.name}-failures"
    shop.aws.client("s3").create_bucket(Bucket=bucket)
    shop.on_failure(f"arn:aws:s3:::{bucket}")
    return f"s3://{bucket}"


def to_function(shop: Shop) -> str:
    kept, archive = shop.queue("kept"), io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("index.py", KEEPER)
    keeper = shop.lambda_.create_function(
        FunctionName=f"{shop.name}-keeper",
        Runtime="python3.11",
        Handler="index.handler",
        Role=shop.lambda_.get_function_configuration(FunctionName=shop.name)["Role"],
        Code={"ZipFile": archive.getvalue()},
        Environment={"Variables": {"KEPT": kept, "AWS_ENDPOINT_URL": shop.aws.endpoint}},
    )
    shop.on_failure(keeper["FunctionArn"])
    return kept


def dead_letters_to(shop: Shop, target: str) -> None:
    shop.lambda_.update_function_configuration(FunctionName=shop.name, DeadLetterConfig={"TargetArn": target})
    shop.lambda_.put_function_event_invoke_config(FunctionName=shop.name, MaximumRetryAttempts=0)


def to_dead_letter_queue(shop: Shop) -> str:
    dead = shop.queue("dead")
    dead_letters_to(shop, shop.arn_of(dead))
    return dead


def to_dead_letter_topic(shop: Shop) -> str:
    topic = shop.sns.create_topic(Name=f"{shop.name}-dead")["TopicArn"]
    dead_letters_to(shop, topic)
    return queue_behind(shop, topic)


TARGETS: dict[str, Callable[[Shop], str]] = {
    "on-failure destination, queue": to_queue,
    "on-failure destination, topic": to_topic,
    "on-failure destination, event bus": to_bus,
    "on-failure destination, bucket": to_bucket,
    "on-failure destination, function": to_function,
    "dead-letter queue of the function": to_dead_letter_queue,
    "dead-letter topic of the function": to_dead_letter_topic,
}


def source_queue(shop: Shop) -> str:
    """A message that the function fails goes to the dead-letter queue of its source."""
    dead = shop.queue("dead")
    policy = json.dumps({"deadLetterTargetArn": shop.arn_of(dead), "maxReceiveCount": 1})
    work = shop.queue("work", RedrivePolicy=policy, VisibilityTimeout="1")
    shop.lambda_.create_event_source_mapping(FunctionName=shop.name, EventSourceArn=shop.arn_of(work))
    shop.sqs.send_message(QueueUrl=work, MessageBody='{"order": "queued"}')
    return dead


def subscription(shop: Shop) -> str:
    """A notification that SNS may not hand over goes to the dead-letter queue of the subscription."""
    dead = shop.queue("dead")
    topic = shop.sns.create_topic(Name=f"{shop.name}-orders")["TopicArn"]
    redrive = json.dumps({"deadLetterTargetArn": shop.arn_of(dead)})
    shop.sns.subscribe(
        TopicArn=topic, Protocol="lambda", Endpoint=shop.arn, Attributes={"RedrivePolicy": redrive}
    )
    shop.sns.publish(TopicArn=topic, Message="an order")
    return dead


def rule_target(shop: Shop) -> str:
    """An event that EventBridge may not hand over goes to the dead-letter queue of the rule's target."""
    policy = allow(["sqs:SendMessage"], Principal={"Service": "events.amazonaws.com"})
    dead = shop.queue("dead", Policy=policy)
    rule(shop, {"Id": "1", "Arn": shop.arn, "DeadLetterConfig": {"Arn": shop.arn_of(dead)}}, permitted=False)
    place(shop)
    return dead


HANDED_OVER: dict[str, tuple[str, Callable[[Shop], str]]] = {
    "SQS": ("dead-letter queue of the source queue", source_queue),
    "SNS": ("dead-letter queue of the subscription", subscription),
    "EventBridge": ("dead-letter queue of the rule's target", rule_target),
}
