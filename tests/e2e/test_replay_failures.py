"""Each trigger and each failure target on the embedded AWS: the record that arrives, and its replay."""

import json
import shlex
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lambda_patterns.cli import cli
from lambda_patterns.local.embedded import EmbeddedAws
from tests.e2e.shop import Shop, until

pytestmark = pytest.mark.e2e

HOW_TO = Path(__file__).parents[2] / "docs/how-to/replay-failures.md"


@pytest.fixture
def shop(embedded_aws: EmbeddedAws, request: pytest.FixtureRequest) -> Shop:
    return Shop(embedded_aws, f"shop-{abs(hash(request.node.name)) % 10**8}")


def test_failures_of_function_and_alias_are_listed_shown_and_replayed_where_they_belong(shop: Shop) -> None:
    failures = shop.queue("failures")
    shop.lambda_.publish_version(FunctionName=shop.name)
    shop.lambda_.create_alias(FunctionName=shop.name, Name="live", FunctionVersion="$LATEST")
    for qualifier in ("$LATEST", "live"):
        shop.on_failure(shop.arn_of(failures), qualifier)
    for number in range(3):
        shop.invoke({"id": number})
        shop.invoke({"id": number + 10}, Qualifier="live")
    shop.wait_for(failures, 6)

    (listed,) = shop.failures("list", shop.name)
    counts = {(kind["function"], kind["error"], kind["count"]) for kind in listed["failures"]}
    assert counts == {(shop.name, "KeyError", 3), (f"{shop.name}:live", "KeyError", 3)}
    (shown,) = shop.failures("show", f"{shop.name}:live", "--where", "id == `11`")
    assert (shown["event"], shown["condition"]) == ({"id": 11}, "RetriesExhausted")
    assert shown["goes_back_to"] == f"function {shop.name}:live"
    assert shop.depth(failures) == 6, "looking takes nothing away"

    shop.mend()
    (report,) = shop.failures("replay", shop.name, "--yes", "--contains", '"id": 1')
    assert report["accepted"] == {f"function {shop.name}:live": 3, f"function {shop.name}:$LATEST": 1}
    shop.wait_for(failures, 2)
    (report,) = shop.failures("replay", f"function:{shop.name}", "--yes")
    assert report["accepted"] == {f"function {shop.name}:$LATEST": 2}
    assert sorted(event["id"] for event in shop.results(6)) == [0, 1, 2, 10, 11, 12]
    shop.wait_for(failures, 0)


def test_what_fails_again_comes_back_as_a_record_of_the_same_event_not_of_the_record(shop: Shop) -> None:
    failures = shop.queue("failures")
    shop.on_failure(shop.arn_of(failures))
    shop.invoke({"id": 1})
    for _ in range(3):
        shop.wait_for(failures, 1)
        (shown,) = shop.failures("show", shop.name)
        assert (shown["event"], shown.get("via")) == ({"id": 1}, None)
        shop.failures("replay", shop.name, "--yes")
    shop.wait_for(failures, 1)


def test_waited_for_an_event_that_fails_again_stays_with_its_attempts_counted(shop: Shop) -> None:
    failures = shop.queue("failures")
    shop.on_failure(shop.arn_of(failures))
    shop.invoke({"id": 1})
    shop.wait_for(failures, 1)
    for _ in range(2):
        (report,) = shop.failures("replay", shop.name, "--yes", "--wait", "--max-attempts", "2", code=1)
        assert list(report["failed"]) == [f"function {shop.name}:$LATEST: KeyError: 'broken on purpose'"]
        time.sleep(0.01)
    (report,) = shop.failures("replay", shop.name, "--yes", "--wait", "--max-attempts", "2", code=1)
    assert report["refused"] == {"replayed 2 times already, the limit is 2": 1}


def test_a_dead_letter_goes_back_to_the_function_whose_dead_letter_queue_it_is(shop: Shop) -> None:
    failures = shop.queue("failures")
    shop.lambda_.update_function_configuration(
        FunctionName=shop.name, DeadLetterConfig={"TargetArn": shop.arn_of(failures)}
    )
    shop.lambda_.put_function_event_invoke_config(FunctionName=shop.name, MaximumRetryAttempts=0)
    shop.invoke({"id": 1})
    shop.wait_for(failures, 1)
    (shown,) = shop.failures("show", shop.name)
    assert (shown["shape"], shown["event"]) == ("dead-letter", {"id": 1})
    shop.mend()
    shop.failures("replay", shop.name, "--yes")
    assert shop.results(1) == [{"id": 1}]


def test_a_record_over_a_topic_is_unwrapped_from_its_envelope(shop: Shop) -> None:
    failures = shop.queue("failures")
    topic = shop.sns.create_topic(Name=f"{shop.name}-failures")["TopicArn"]
    shop.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=shop.arn_of(failures))
    shop.on_failure(topic)
    shop.invoke({"id": 1})
    shop.wait_for(failures, 1)
    shop.mend()
    (report,) = shop.failures("replay", failures, "--yes")
    assert report["accepted"] == {f"function {shop.name}:$LATEST": 1}
    assert shop.results(1) == [{"id": 1}]


def test_a_record_in_a_bucket_is_replayed_and_its_object_deleted(shop: Shop) -> None:
    s3 = shop.aws.client("s3")
    bucket = f"{shop.name}-failures"
    s3.create_bucket(Bucket=bucket)
    shop.on_failure(f"arn:aws:s3:::{bucket}")
    shop.invoke({"id": 1})

    def objects() -> int:
        return int(s3.list_objects_v2(Bucket=bucket).get("KeyCount", 0))

    until(lambda: objects() == 1, "one object in the bucket")
    (listed,) = shop.failures("list", shop.name)
    assert (listed["name"], listed["failures"][0]["count"]) == (f"s3://{bucket}/aws/lambda/async/", 1)
    assert objects() == 1
    shop.mend()
    shop.failures("replay", shop.name, "--yes")
    assert (shop.results(1), objects()) == ([{"id": 1}], 0)


def test_a_message_of_a_source_queue_goes_back_to_it_by_ours_and_by_the_move_task(shop: Shop) -> None:
    dead = shop.queue("dead")
    policy = json.dumps({"deadLetterTargetArn": shop.arn_of(dead), "maxReceiveCount": 1})
    work = shop.queue("work", RedrivePolicy=policy, VisibilityTimeout="0")
    tenant = {"tenant": {"DataType": "String", "StringValue": "eu"}}
    for how in ("--hands=1", "--move-task"):
        shop.sqs.send_message(QueueUrl=work, MessageBody="not json", MessageAttributes=tenant)
        until(lambda: not shop.sqs.receive_message(QueueUrl=work).get("Messages"), "the message to be moved")
        shop.wait_for(dead, 1)
        given = ["failures", "replay", dead, "--yes", how, "--endpoint-url", shop.aws.endpoint]
        result = CliRunner().invoke(cli, given, env=shop.aws.variables(), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        got = shop.sqs.receive_message(QueueUrl=work, MessageAttributeNames=["All"], VisibilityTimeout=60)
        (back,) = got["Messages"]
        assert (back["Body"], back["MessageAttributes"]["tenant"]["StringValue"]) == ("not json", "eu")
        shop.sqs.delete_message(QueueUrl=work, ReceiptHandle=back["ReceiptHandle"])
        shop.wait_for(dead, 0)


def test_a_notification_that_was_not_delivered_goes_to_the_subscriber_it_was_for(shop: Shop) -> None:
    dead = shop.queue("dead")
    topic = shop.sns.create_topic(Name=f"{shop.name}-orders")["TopicArn"]
    gone = shop.arn + "-gone"
    subscription = shop.sns.subscribe(
        TopicArn=topic,
        Protocol="lambda",
        Endpoint=gone,
        Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": shop.arn_of(dead)})},
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    shop.sns.publish(TopicArn=topic, Message="an order", Subject="order")
    shop.wait_for(dead, 1)
    (shown,) = shop.failures("show", dead)
    assert (shown["shape"], shown["topic"]) == ("notification", topic)
    assert shown["goes_back_to"] == f"function {shop.name}-gone"
    shop.mend()
    shop.failures("replay", dead, "--yes", "--to", f"queue:{shop.name}-done")
    assert shop.results(1)[0]["Message"] == "an order"
    assert subscription.startswith(topic)


def test_export_drains_to_lines_and_import_brings_the_same_failures_back(shop: Shop, tmp_path: Any) -> None:
    failures = shop.queue("failures")
    shop.on_failure(shop.arn_of(failures))
    for number in range(25):
        shop.invoke({"id": number})
    shop.wait_for(failures, 25)
    file = tmp_path / "failures.jsonl"
    shop.failures("export", shop.name, "-o", str(file), "--drain", "--yes")
    shop.wait_for(failures, 0)
    assert len(file.read_text().splitlines()) == 25
    assert shop.failures("import", f"queue:{shop.name}-failures", str(file))["sent"] == 25
    shop.mend()
    shop.failures("replay", shop.name, "--yes")
    assert sorted(event["id"] for event in shop.results(25)) == list(range(25))


def test_quarantine_and_purge_take_only_what_is_chosen(shop: Shop) -> None:
    aside = shop.queue("aside")
    policy = json.dumps({"deadLetterTargetArn": shop.arn_of(aside), "maxReceiveCount": 2})
    failures = shop.queue("failures", RedrivePolicy=policy)
    shop.on_failure(shop.arn_of(failures))
    for number in range(6):
        shop.invoke({"id": number})
    shop.wait_for(failures, 6)
    for _ in range(4):
        (listed,) = shop.failures("list", failures)
        assert listed["failures"][0]["count"] == 6, "looking never brings a message to its last receive"
    shop.failures("quarantine", failures, "--yes", "--where", "id < `2`", "--reason", "poison")
    assert (shop.depth(aside), shop.depth(failures)) == (2, 4)
    shop.failures("purge", failures, "--yes", "--where", "id < `4`")
    assert (shop.depth(aside), shop.depth(failures)) == (2, 2)
    shown = shop.failures("show", f"queue:{shop.name}-aside")
    assert {entry["last_replay"] for entry in shown} == {"poison"}


def test_the_how_to_runs_as_it_is_written(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = shop.queue("failures")
    shop.queue("aside")
    shop.on_failure(shop.arn_of(failures))
    for number in range(8):
        shop.invoke({"id": number})
    shop.wait_for(failures, 8)
    shop.mend()
    monkeypatch.chdir(tmp_path)
    lines = HOW_TO.read_text().splitlines()
    commands = [
        line.removeprefix("$ lambda-patterns ") for line in lines if line.startswith("$ lambda-patterns ")
    ]
    exports = [command for command in commands if " replay " not in command]
    replays = [command for command in commands if " replay " in command]
    assert len(exports) >= 8
    assert len(replays) >= 3
    for command in (*exports, *replays):
        arguments = [word.replace("orders", shop.name) for word in shlex.split(command)]
        result = CliRunner().invoke(cli, arguments, env=shop.aws.variables(), catch_exceptions=False)
        assert result.exit_code == 0, f"{command}: {result.output}"
    assert (shop.depth(failures), len(shop.results(7))) == (0, 7)
