"""From a stack's or a function's name to every place where its failures lie; and a bucket among them."""

import json
import threading
from typing import Any

import pytest

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local.embedded import EmbeddedAws
from lambda_patterns.redrive.aws import Aws
from lambda_patterns.redrive.bucket import Bucket
from lambda_patterns.redrive.delivery import Delivery
from lambda_patterns.redrive.filters import Filter
from lambda_patterns.redrive.replay import Plan, Report, Run, replay
from lambda_patterns.redrive.resolve import resolve
from lambda_patterns.redrive.sources import KnownSources
from tests.e2e.failure_triggers import rule_target, subscription
from tests.e2e.shop import Shop, until

pytestmark = pytest.mark.e2e


@pytest.fixture
def shop(fast_aws: EmbeddedAws, request: pytest.FixtureRequest) -> Shop:
    return Shop(fast_aws, f"places-{abs(hash(request.node.name)) % 10**8:08}")


@pytest.fixture
def clients(fast_aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    for name, value in fast_aws.variables().items():
        monkeypatch.setenv(name, value)
    return Aws(endpoint_url=fast_aws.endpoint, region=fast_aws.region)


def stack(shop: Shop, resources: dict[str, Any]) -> str:
    formation, name = shop.aws.client("cloudformation"), f"{shop.name}-stack"
    formation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
    formation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    return name


def arn(logical: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical, "Arn"]}


def test_of_a_stack_every_kind_of_place_is_found_once_with_its_reasons(shop: Shop, clients: Aws) -> None:
    role = shop.lambda_.get_function_configuration(FunctionName=shop.name)["Role"]
    failures, topic = f"{shop.name}-failures", f"{shop.name}-topic"
    name = stack(
        shop,
        {
            "Failures": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": failures}},
            "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": f"{shop.name}-dead"}},
            "Late": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": f"{shop.name}-late"}},
            "Work": {
                "Type": "AWS::SQS::Queue",
                "Properties": {
                    "QueueName": f"{shop.name}-work",
                    "RedrivePolicy": {"deadLetterTargetArn": arn("Dead"), "maxReceiveCount": 5},
                },
            },
            "Ship": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": f"{shop.name}-ship",
                    "Runtime": "python3.11",
                    "Handler": "index.handler",
                    "Role": role,
                    "Code": {"ZipFile": "def handler(event, context): pass"},
                    "DeadLetterConfig": {"TargetArn": arn("Failures")},
                },
            },
            "Config": {
                "Type": "AWS::Lambda::EventInvokeConfig",
                "Properties": {
                    "FunctionName": {"Ref": "Ship"},
                    "Qualifier": "$LATEST",
                    "DestinationConfig": {"OnFailure": {"Destination": arn("Failures")}},
                },
            },
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": topic}},
            "Subscription": {
                "Type": "AWS::SNS::Subscription",
                "Properties": {
                    "TopicArn": {"Ref": "Topic"},
                    "Protocol": "lambda",
                    "Endpoint": arn("Ship"),
                    "RedrivePolicy": {"deadLetterTargetArn": arn("Late")},
                },
            },
            "Rule": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "Name": f"{shop.name}-rule",
                    "EventPattern": {"source": ["shop"]},
                    "Targets": [{"Id": "1", "Arn": arn("Ship"), "DeadLetterConfig": {"Arn": arn("Late")}}],
                },
            },
        },
    )
    found = {
        place.address.rsplit("-", 1)[1]: set(place.whys) for place in resolve(clients, f"stack:{name}").places
    }
    assert found == {
        "failures": {
            f"dead-letter queue of {shop.name}-ship",
            f"on-failure destination of {shop.name}-ship:$LATEST",
        },
        "dead": {f"dead-letter queue of {shop.name}-work"},
        "late": {
            f"dead-letter queue of the subscription to {topic}",
            f"dead-letter queue of the target of rule {shop.name}-rule",
        },
    }
    assert resolve(clients, name) == resolve(clients, f"stack:{name}")


def test_a_stack_without_failures_and_one_that_is_not_there_are_said(shop: Shop, clients: Aws) -> None:
    name = stack(shop, {"Work": {"Type": "AWS::SQS::Queue", "Properties": {}}})
    with pytest.raises(LambdaPatternsError) as caught:
        resolve(clients, name)
    assert str(caught.value) == (
        f"stack {name} keeps no failures: it has no queue or bucket as on-failure destination or "
        "dead-letter queue"
    )
    with pytest.raises(LambdaPatternsError, match="there is no stack nowhere in us-east-1: check the name"):
        resolve(clients, "stack:nowhere")


def test_of_a_function_what_was_not_handed_to_it_is_found_by_its_policy(shop: Shop, clients: Aws) -> None:
    dead = subscription(shop)
    topic = shop.sns.create_topic(Name=f"{shop.name}-orders")["TopicArn"]
    shop.lambda_.publish_version(FunctionName=shop.name)
    shop.lambda_.create_alias(FunctionName=shop.name, Name="live", FunctionVersion="1")
    permission = {"Action": "lambda:InvokeFunction", "FunctionName": shop.name}
    shop.lambda_.add_permission(
        **permission, StatementId="topic", Principal="sns.amazonaws.com", SourceArn=topic
    )
    (place,) = resolve(clients, shop.name).places
    assert (place.address, place.whys) == (
        shop.arn_of(dead),
        (f"dead-letter queue of the subscription to {shop.name}-orders",),
    )


def test_of_an_alias_the_dead_letter_queue_of_its_rule_is_found(shop: Shop, clients: Aws) -> None:
    dead = rule_target(shop)
    rule = shop.aws.client("events").describe_rule(Name=f"{shop.name}-placed")["Arn"]
    shop.lambda_.publish_version(FunctionName=shop.name)
    shop.lambda_.create_alias(FunctionName=shop.name, Name="live", FunctionVersion="1")
    shop.lambda_.add_permission(
        FunctionName=shop.name,
        Qualifier="live",
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
    (place,) = resolve(clients, f"{shop.name}:live").places
    assert place.address == shop.arn_of(dead)
    assert resolve(clients, shop.name).places == (place,)


def records(shop: Shop, number: int) -> str:
    s3, bucket = shop.aws.client("s3"), f"{shop.name}-failures"
    s3.create_bucket(Bucket=bucket)
    shop.on_failure(f"arn:aws:s3:::{bucket}")
    for each in range(number):
        shop.invoke({"id": each})
    until(lambda: len(keys(shop, bucket)) == number, f"{number} records in {bucket}")
    return bucket


def keys(shop: Shop, bucket: str) -> list[str]:
    listed = shop.aws.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    return [entry["Key"] for entry in listed]


def test_of_two_operators_at_a_bucket_each_gets_what_the_other_has_not(shop: Shop, clients: Aws) -> None:
    bucket = records(shop, 30)
    taken: list[list[str]] = [[], []]

    def take(hand: int) -> None:
        place = Bucket(clients.s3, bucket)
        while messages := place.receive(300):
            taken[hand] += [message.id for message in messages]

    hands = [threading.Thread(target=take, args=(hand,)) for hand in range(2)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert sorted(taken[0] + taken[1]) == sorted(key for key in keys(shop, bucket) if key.startswith("aws/"))
    assert Bucket(clients.s3, bucket).receive(300) == []


def test_two_replays_of_a_bucket_at_once_run_every_event_once(shop: Shop, clients: Aws) -> None:
    bucket = records(shop, 20)
    shop.mend()
    reports: list[Report] = []

    def operator() -> None:
        run = Run(Filter(), hands=2)
        reports.append(replay(Bucket(clients.s3, bucket), Plan(KnownSources()), Delivery(clients), run))

    hands = [threading.Thread(target=operator) for _ in range(2)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert all(report.is_clean for report in reports)
    assert sum(report.accepted.total() for report in reports) == 20
    assert sorted(event["id"] for event in shop.results(20)) == list(range(20))
    assert keys(shop, bucket) == []


def test_what_a_dead_operator_had_claimed_is_free_again_after_its_time(shop: Shop, clients: Aws) -> None:
    bucket = records(shop, 1)
    assert len(Bucket(clients.s3, bucket).receive(300)) == 1
    assert Bucket(clients.s3, bucket).receive(300) == []
    assert len(Bucket(clients.s3, bucket).receive(0)) == 1


def test_quarantine_of_a_bucket_moves_the_record_where_no_replay_finds_it(shop: Shop) -> None:
    bucket = records(shop, 3)
    shop.failures("quarantine", f"s3://{bucket}", "--yes", "--where", "id == `1`")
    aside = [key for key in keys(shop, bucket) if key.startswith("quarantine/aws/lambda/async/")]
    assert len(aside) == 1
    assert len(keys(shop, bucket)) == 3, "no claim is left"
    shop.mend()
    (report,) = shop.failures("replay", shop.name, "--yes")
    assert sum(report["accepted"].values()) == 2
    assert keys(shop, bucket) == aside
    (shown,) = shop.failures("show", f"s3://{bucket}/quarantine/")
    assert shown["event"] == {"id": 1}
