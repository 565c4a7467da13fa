"""Walks failure paths to their end: an event fails, is kept and noticed, mended, replayed, and done."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lambda_patterns.errors import LambdaPatternsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lambda_patterns.local.connection import Connection
    from lambda_patterns.local.scenes import FailurePath, Mend
    from lambda_patterns.local.stage import Stage

_POLL_SECONDS = 0.2
_KEPT_SECONDS = 60.0
_DONE_SECONDS = 60.0
_HIDDEN_SECONDS = 5
_KINDS = {
    "bucket": "AWS::S3::Bucket",
    "topic": "AWS::SNS::Topic",
    "queue": "AWS::SQS::Queue",
}


@dataclass(kw_only=True)
class Walked:
    """One path and how far it is: seconds after the event was sent, None until then."""

    path: FailurePath
    queue_url: str
    sent: float = 0.0
    kept: float | None = None
    alarm: str | None = None
    done: float | None = None

    @property
    def queue(self) -> str:
        """The name of the queue that keeps it."""
        return self.queue_url.rsplit("/", 1)[1]


@dataclass
class Walk:
    """All failure paths of a demonstration, walked side by side.

    Args:
        aws: where the stacks are deployed.
        stage: finds what the paths name.
        paths: the paths.
    """

    aws: Connection
    stage: Stage
    paths: Sequence[FailurePath]
    walked: list[Walked] = field(init=False)
    # statements of functions' policies that were taken away, as AddPermission takes them
    _taken: list[dict[str, Any]] = field(init=False, default_factory=list)
    _seen: dict[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._sqs, self._lambda = self.aws.client("sqs"), self.aws.client("lambda")
        self._dynamodb = self.aws.client("dynamodb")
        self.walked = [
            Walked(path=path, queue_url=self.stage.find(path.stack, path.queue, "AWS::SQS::Queue"))
            for path in self.paths
        ]

    def send(self) -> None:
        """Send every event, in order; a function that is named as refused loses its permissions before."""
        for one in self.walked:
            if one.path.refused is not None:
                self._refuse(one.path.stack, **one.path.refused)
            self._send(one.path)
            one.sent = time.monotonic()

    def until_kept(self, told: Callable[[], None]) -> None:
        """Wait until every event lies in its queue and an alarm has noticed.

        Args:
            told: called after each look.

        Raises:
            LambdaPatternsError: an event does not arrive.
        """
        self._until(
            self._look, lambda one: one.kept is not None and one.alarm is not None, _KEPT_SECONDS, told
        )

    def mend(self, mends: Sequence[Mend]) -> None:
        """Put items into tables, and give functions back the permissions that they lost."""
        for mend in mends:
            table = self.stage.find(mend.stack, mend.table, "AWS::DynamoDB::Table")
            self._dynamodb.put_item(TableName=table, Item=_item(mend.item))
        for permission in self._taken:
            self._lambda.add_permission(**permission)
        self._taken.clear()

    def until_done(self, told: Callable[[], None]) -> None:
        """Wait until every event was processed and its queue is empty.

        Args:
            told: called after each look.

        Raises:
            LambdaPatternsError: an event was not processed.
        """
        self._until(self._look_for_results, lambda one: one.done is not None, _DONE_SECONDS, told)

    def _until(
        self,
        look: Callable[[], None],
        holds: Callable[[Walked], bool],
        seconds: float,
        told: Callable[[], None],
    ) -> None:
        deadline = time.monotonic() + seconds
        while True:
            look()
            told()
            left = [one for one in self.walked if not holds(one)]
            if not left:
                return
            if time.monotonic() > deadline:
                ways = "; ".join(f"{one.path.way} ({one.queue})" for one in left)
                raise LambdaPatternsError(f"not there after {seconds:.0f} s: {ways}")
            time.sleep(_POLL_SECONDS)

    def _look(self) -> None:
        for url in dict.fromkeys(one.queue_url for one in self.walked):
            mine = [one for one in self.walked if one.queue_url == url]
            if any(one.kept is None for one in mine):
                self._look_into(url, [one for one in mine if one.kept is None])
            elif mine[0].alarm is None:
                states = self.stage.alarms_on(mine[0].queue)
                alarm = next((name for name, state in states.items() if state == "ALARM"), None)
                for one in mine:
                    one.alarm = alarm if states else "it has none"

    def _look_into(self, url: str, missing: Sequence[Walked]) -> None:
        """Look at the messages once for each arrival: every look is a receive, and those are counted."""
        if self._depth(url) <= self._seen.get(url, 0):
            return
        found: list[dict[str, Any]] = []
        while messages := self._receive(url):
            found += messages
        for one in missing:
            if any(one.path.marker in message["Body"] for message in found):
                one.kept = time.monotonic() - one.sent
        for message in found:
            self._sqs.change_message_visibility(
                QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )
        self._seen[url] = len(found)

    def _receive(self, url: str) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=_HIDDEN_SECONDS
        )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    def _depth(self, url: str) -> int:
        names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        counts = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(counts[name]) for name in names)

    def _look_for_results(self) -> None:
        for one in self.walked:
            if one.done is None and self._is_processed(one.path) and self._depth(one.queue_url) == 0:
                one.done = time.monotonic() - one.sent

    def _is_processed(self, path: FailurePath) -> bool:
        table = self.stage.find(path.stack, path.table, "AWS::DynamoDB::Table")
        (key,) = self._dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]
        asked = {key["AttributeName"]: {"S": path.marker}}
        return "Item" in self._dynamodb.get_item(TableName=table, Key=asked, ConsistentRead=True)

    def _send(self, path: FailurePath) -> None:
        body = json.dumps(path.event)
        ((kind, name),) = path.to.items()
        if kind == "bus":
            entry = {"EventBusName": name, "Source": path.source, "DetailType": path.type, "Detail": body}
            self.aws.client("events").put_events(Entries=[entry])
            return
        target = self.stage.find(path.stack, name, _KINDS[kind])
        if kind == "bucket":
            self.aws.client("s3").put_object(Bucket=target, Key=f"{path.marker}.json", Body=body.encode())
        elif kind == "topic":
            self.aws.client("sns").publish(TopicArn=target, Message=body)
        else:
            self._sqs.send_message(QueueUrl=target, MessageBody=body)

    def _refuse(self, stack: str, function: str, qualifier: str) -> None:
        """Take away what the services may call a function by, as a careless deployment would."""
        name = {
            "FunctionName": self.stage.find(stack, function, "AWS::Lambda::Function"),
            "Qualifier": qualifier,
        }
        policy = json.loads(self._lambda.get_policy(**name)["Policy"])
        for statement in policy["Statement"]:
            conditions = [value for test in statement["Condition"].values() for value in test.items()]
            source = next(value for key, value in conditions if key.lower() == "aws:sourcearn")
            self._lambda.remove_permission(**name, StatementId=statement["Sid"])
            self._taken.append(
                {
                    **name,
                    "StatementId": statement["Sid"],
                    "Action": statement["Action"],
                    "Principal": statement["Principal"]["Service"],
                    "SourceArn": source,
                }
            )


def _item(plain: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {name: {"S": value} for name, value in plain.items()}
