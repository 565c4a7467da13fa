"""`lambda-patterns failures` at the terminal: what it says when something is wrong, and what it asks."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from click.testing import CliRunner, Result

from lambda_patterns.cli import cli, failure_places
from lambda_patterns.cli.failure_options import AwsSettings
from lambda_patterns.cli.failure_replay import How
from lambda_patterns.cli.failure_tables import purpose
from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.redrive import filters
from lambda_patterns.redrive.aws import Aws, refusal
from lambda_patterns.redrive.filters import Filter
from lambda_patterns.redrive.message import Message
from lambda_patterns.redrive.records import FailureRecord, Shape
from lambda_patterns.redrive.resolve import Place, Resolved

URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/failures"


class Sqs:
    """An SQS client that answers from a table, or raises what stands there."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def answer(**_given: Any) -> Any:
            found = self._answers.get(name, {})
            if isinstance(found, Exception):
                raise found
            return found

        return answer


def error(operation: str, code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {}}, operation)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def called(*arguments: str, sqs: Sqs | None = None) -> Result:
        class Stub(Aws):
            pass

        if sqs is not None:
            Stub.sqs = sqs  # type: ignore[assignment]  # stands in for a client
        monkeypatch.setattr(AwsSettings, "open", lambda _self, connections=16: Stub(connections=connections))
        return CliRunner().invoke(cli, ["failures", *arguments])

    return called


def filled(**more: Any) -> Sqs:
    attributes = {
        "QueueArn": "arn:aws:sqs:eu-central-1:123456789012:failures",
        "ApproximateNumberOfMessages": "3",
    }
    return Sqs(get_queue_attributes={"Attributes": attributes, "ResponseMetadata": {}}, **more)


def said(result: Result) -> str:
    assert isinstance(result.exception, LambdaPatternsError), result.output
    return str(result.exception)


def test_a_missing_permission_is_named_by_its_action(run: Callable[..., Result]) -> None:
    denied = Sqs(get_queue_attributes=error("GetQueueAttributes", "AccessDenied"))
    assert said(run("list", URL, sqs=denied)) == (
        "queue failures: access denied: sqs:GetQueueAttributes is missing (no)"
    )


def test_missing_credentials_say_how_to_get_some(run: Callable[..., Result]) -> None:
    nobody = Sqs(get_queue_attributes=NoCredentialsError())
    assert said(run("list", URL, sqs=nobody)) == (
        "queue failures: no AWS credentials (Unable to locate credentials): set AWS_PROFILE or --profile, "
        "or sign in with `aws sso login`"
    )


def test_a_profile_that_is_not_there_and_a_missing_region_are_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(LambdaPatternsError, match="--profile: The config profile"):
        Aws(profile="nobody")
    with pytest.raises(LambdaPatternsError, match="no AWS Region is set: give --region"):
        Aws()
    with pytest.raises(LambdaPatternsError, match=r"^--region: Provided region_name 'us east' doesn't match"):
        Aws(region="us east")
    with pytest.raises(LambdaPatternsError, match=r"^--endpoint-url is 'localhost:4566', no address like"):
        Aws(region="us-east-1", endpoint_url="localhost:4566")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("KMS.AccessDeniedException", "x: access denied: sqs:ReceiveMessage is missing (no)"),
        (
            "KmsAccessDenied",
            "x: its key cannot be used: kms:Decrypt (to send, kms:GenerateDataKey too) is missing (no)",
        ),
        ("ExpiredToken", "x: AWS does not accept the credentials (ExpiredToken: no): sign in again"),
    ],
)
def test_errors_of_aws_are_told_in_the_users_terms(code: str, message: str) -> None:
    assert str(refusal(error("ReceiveMessage", code), "x")) == message


@pytest.mark.parametrize(
    "arguments", [("purge", URL), ("quarantine", URL, "--into", URL), ("export", URL, "--drain")]
)
def test_what_takes_messages_away_refuses_to_guess_the_answer(
    run: Callable[..., Result], arguments: tuple[str, ...]
) -> None:
    assert said(run(*arguments, sqs=filled())).endswith("say --yes: there is nobody to ask")


def one_message(**more: Any) -> Sqs:
    return filled(
        receive_message={"Messages": [{"MessageId": "1", "Body": "{}", "ReceiptHandle": "r"}]}, **more
    )


def test_an_export_never_writes_over_a_file_and_drains_into_one_alone(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "failures.jsonl"
    assert run("export", URL, "-o", str(file), sqs=one_message()).exit_code == 0
    written = file.read_text()
    assert json.loads(written)["body"] == "{}"
    assert said(run("export", URL, "-o", str(file), sqs=one_message())) == (
        f"--output: {file} is there already and may hold the only copy of other failures: name a new file"
    )
    assert file.read_text() == written
    assert said(run("export", URL, "--drain", "--yes", sqs=one_message())) == (
        "--drain: what goes into a pipe or onto a screen is deleted and may never have been read: give "
        "--output a file"
    )
    nowhere = tmp_path / "nowhere" / "failures.jsonl"
    assert said(run("export", URL, "-o", str(nowhere), sqs=one_message())) == (
        f"--output: {nowhere}: No such file or directory"
    )


def test_lines_on_standard_output_are_nothing_but_lines(run: Callable[..., Result]) -> None:
    result = run("export", URL, "--json", sqs=one_message())
    (line,) = result.stdout.splitlines()
    assert json.loads(line)["id"] == "1"
    assert json.loads(result.stderr)[0]["accepted"] == {"exported": 1}


def test_a_full_disk_is_one_line_and_nothing_is_deleted(run: Callable[..., Result]) -> None:
    sqs = one_message(delete_message_batch=AssertionError("deleted"))
    assert said(run("export", URL, "-o", "/dev/full", sqs=sqs)) == (
        "writing the failures of failures: No space left on device: what was not written is still there"
    )


def test_a_line_that_is_no_utf_8_is_refused_and_the_others_go_on(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    line = Message("1", "{}").line().encode()
    file = tmp_path / "failures.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + line + b"\n\xff" + line + b"\n" + line + b"\n")
    result = run("import", URL, str(file), sqs=filled(send_message_batch={}))
    assert (result.exit_code, result.stdout) == (1, "2 sent to queue failures\n")
    assert result.stderr == "line 2: not a line of an export: it is not UTF-8 (invalid start byte)\n"


def test_a_place_that_is_gone_does_not_hide_the_others(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = URL.replace("failures", "gone")
    places = (Place(gone, ("dead-letter queue of work",)), Place(URL, ("dead-letter queue of orders",)))
    monkeypatch.setattr(failure_places, "resolve", lambda _aws, _target: Resolved(places))

    class Some(Sqs):
        def get_queue_attributes(self, QueueUrl: str, **_: Any) -> Any:  # noqa: N803  # boto3's name
            if QueueUrl == gone:
                raise error("GetQueueAttributes", "QueueDoesNotExist")
            return {"Attributes": {"QueueArn": "arn:aws:sqs:eu-central-1:123456789012:failures"}} | {
                "ResponseMetadata": {}
            }

    result = run("list", "orders", sqs=Some())
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "failures: about 0 messages")
    assert result.stderr == f"not read: the dead-letter queue of work: there is no queue {gone}\n"


def test_places_that_hold_nothing_take_one_line_together(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    places = tuple(Place(URL.replace("failures", name), ("named",)) for name in ("one", "two"))
    monkeypatch.setattr(failure_places, "resolve", lambda _aws, _target: Resolved(places))
    empty = Sqs(get_queue_attributes={"Attributes": {}, "ResponseMetadata": {}})
    assert run("list", "orders", sqs=empty).stdout == "nothing in one, two\n"


def test_quarantine_without_a_queue_for_it_asks_for_one(run: Callable[..., Result]) -> None:
    assert said(run("quarantine", URL, "--yes", sqs=filled())) == (
        "failures has no dead-letter queue of its own: name a queue with --into"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--where", "a["), "'a[' is no JMESPath expression: "),
        (
            ("--after", "yesterday"),
            "'yesterday' is no time: give 2026-11-24T09:00 (UTC) or an age, 90s",
        ),
        (("--to", "mail:me", "--yes"), "'mail:me' is no target: give function:NAME[:QUALIFIER], queue:NAME"),
        (
            ("--move-task", "--limit", "3"),
            "--move-task: SQS moves all of a queue: leave the filters and --limit",
        ),
        (("--move-task", "--rate", "900"), "--rate 900: a move task takes 1-500 messages/s, whole"),
    ],
)
def test_an_option_that_cannot_be_used_says_why(
    run: Callable[..., Result], arguments: tuple[str, ...], message: str
) -> None:
    assert said(run("replay", URL, *arguments, sqs=filled())).startswith(message)


@pytest.mark.parametrize(
    ("rate", "wait", "needed"),
    [(None, False, 16), (0.5, False, 1), (5, False, 5), (500, False, 16), (1, True, 16)],
)
def test_a_slow_replay_has_little_in_hand_so_that_it_can_be_stopped(
    rate: float | None, wait: bool, needed: int
) -> None:
    how = How(
        yes=True, dry_run=False, to=None, rate=rate, wait=wait, max_attempts=5, hands=16, move_task=False
    )
    assert how.hands_needed == needed


def test_a_move_task_is_refused_where_sqs_refuses_it(run: Callable[..., Result]) -> None:
    assert said(run("replay", URL, "--move-task", "--yes", sqs=filled())).startswith(
        "SQS moves nothing out of failures: no queue has it as dead-letter queue"
    )


def test_nothing_named_is_one_line(run: Callable[..., Result]) -> None:
    assert said(run("list", " ", sqs=filled())) == (
        "TARGET is empty: name a queue, function or stack, or s3://bucket/prefix"
    )


def test_what_a_place_is_fits_on_a_line_however_many_name_it() -> None:
    whys = [
        *(f"on-failure destination of orders:{qualifier}" for qualifier in ("$LATEST", "1", "live")),
        *(f"on-failure destination of {name}:$LATEST" for name in ("bill", "ship", "sort", "send")),
        "dead-letter queue of orders",
        "dead-letter queue of work",
        "dead-letter queue of the target of rule nightly",
        "dead-letter queue of work, which feeds orders",
    ]
    assert purpose(whys, most=3) == (
        "on-failure destination of orders ($LATEST, 1, live), bill ($LATEST), ship ($LATEST) and 2 more; "
        "dead-letter queue of orders, the target of rule nightly, work, which feeds orders"
    )
    assert purpose(whys).count("send ($LATEST)") == 1
    assert purpose(["named"]) == "named"


def test_the_table_has_room_in_80_columns(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    function = "arn:aws:lambda:eu-central-1:123456789012:function:OrderEvents-FromBucket9E1C3A55-9xYzAbCdEfGh"
    context = {"functionArn": f"{function}:live", "condition": "RetriesExhausted"}
    error = {"errorType": "ConditionalCheckFailedException", "errorMessage": "no"}
    bodies = [
        json.dumps({"requestContext": context, "requestPayload": {}, "responsePayload": error}),
        json.dumps({"requestContext": context, "responsePayload": error}),
    ]
    messages = [{"MessageId": body, "Body": body, "ReceiptHandle": body} for body in bodies]
    result = run("list", URL, sqs=filled(receive_message={"Messages": messages}))
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    lines = [line.strip() for line in result.stdout.splitlines() if line.strip()]
    assert lines[0] == "failures: about 3 messages"
    assert lines[3:] == [
        "OrderEvents-FromBucket9E1C3A55-9xYzAbCdEfGh:live",
        "1                     ConditionalCheckFailedException",
        "(RetriesExhausted, destination)",
        "1                     ConditionalCheckFailedException",
        "(RetriesExhausted, destination): the record holds",
        "no requestPayload: the event itself is not in it",
    ]


def test_an_empty_queue_is_no_error(run: Callable[..., Result]) -> None:
    result = run("list", URL, "--json", sqs=filled())
    assert (result.exit_code, json.loads(result.stdout)[0]["failures"]) == (0, [])
    assert run("replay", URL, sqs=filled()).exit_code == 0


def test_a_filter_matches_names_with_and_without_alias_times_and_what_the_event_says() -> None:
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:orders"
    record = FailureRecord(
        Shape.DESTINATION, '{"id": 1}', function=arn, qualifier="live", error_type="KeyError"
    )
    message = Message("m1", "", system={"SentTimestamp": "1764000000000"})
    now = filters.point_in_time("2025-11-24T16:30:00", datetime.now(UTC))
    for chosen in (
        Filter(),
        Filter(function="orders"),
        Filter(function="orders:live"),
        Filter(function="ord*"),
        Filter(error="Key*"),
        Filter(after=filters.point_in_time("1h", now), before=now),
        Filter(contains='"id": 1'),
        Filter(where=filters.expression("id == `1`")),
        Filter(ids=frozenset({"m1"})),
    ):
        assert chosen.takes(message, record)
    for chosen in (
        Filter(function="orders:blue"),
        Filter(error="ValueError"),
        Filter(condition="*"),
        Filter(before=filters.point_in_time("1h", now)),
        Filter(where=filters.expression("length(id) > `1`")),
        Filter(ids=frozenset({"m2"})),
    ):
        assert not chosen.takes(message, record)
