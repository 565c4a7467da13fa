"""An SQS queue that holds failures."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import TYPE_CHECKING, cast

from botocore.exceptions import BotoCoreError, ClientError

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.redrive import aws as aws_
from lambda_patterns.redrive.message import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

BATCH = 10
BATCH_BYTES = 1_048_576
_SAME_CLOCK_MS = 2_000
_OVERTAKING = "an earlier message of its group was not taken"


@dataclass(frozen=True, slots=True)
class Depth:
    """About how many messages a queue holds, as SQS counts them.

    Args:
        visible: messages that anybody can receive.
        hidden: messages that somebody has received and not deleted.
        delayed: messages that are not yet to be received.
    """

    visible: int
    hidden: int
    delayed: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.visible + self.hidden + self.delayed


class Queue:
    """One queue, its attributes read once when it is opened.

    Args:
        client: a boto3 SQS client.
        url: the queue's URL.

    Raises:
        LambdaPatternsError: the queue does not exist, or may not be read.
    """

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self.url = url
        self.name = url.rsplit("/", 1)[-1]
        before = int(time.time() * 1000)
        try:
            answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        except (BotoCoreError, ClientError) as error:
            if aws_.is_missing(error):
                raise LambdaPatternsError(f"there is no queue {url}") from None
            raise aws_.refusal(error, f"queue {self.name}") from None
        self._skew = _skew(answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date"), before)
        self.attributes: Mapping[str, str] = {str(k): v for k, v in answer.get("Attributes", {}).items()}
        self.arn = self.attributes.get("QueueArn", "")
        self.is_ordered = self.attributes.get("FifoQueue") == "true" or self.name.endswith(".fifo")
        self.most_bytes = int(self.attributes.get("MaximumMessageSize", BATCH_BYTES))
        redrive = _redrive(self.attributes.get("RedrivePolicy"))
        self.dead_letter_arn = redrive[0] if redrive else None
        self.most_receives = redrive[1] if redrive else None

    @classmethod
    def of_arn(cls, client: SQSClient, arn: str) -> Queue:
        """Open the queue that an ARN names.

        Raises:
            LambdaPatternsError: there is no such queue in this Region, or it may not be read.
        """
        _, _, _, region, account, name = arn.split(":", 5)
        if region != (here := client.meta.region_name):
            raise LambdaPatternsError(f"queue {name} is in {region}, not in {here}: give --region {region}")
        try:
            url = client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        except (BotoCoreError, ClientError) as error:
            if aws_.is_missing(error):
                raise LambdaPatternsError(f"there is no queue {arn}") from None
            raise aws_.refusal(error, f"queue {name}") from None
        return cls(client, url)

    @property
    def depth(self) -> Depth:
        """About how many messages there were when the queue was opened."""
        number = self.attributes.get
        return Depth(
            int(number("ApproximateNumberOfMessages", "0")),
            int(number("ApproximateNumberOfMessagesNotVisible", "0")),
            int(number("ApproximateNumberOfMessagesDelayed", "0")),
        )

    @property
    def size(self) -> int:
        """About how many messages there were when the queue was opened, in whatever state."""
        return self.depth.total

    def now(self) -> int:
        """Tell the time by SQS's clock, epoch milliseconds."""
        return int(time.time() * 1000) + self._skew

    def receive(self, hide: int) -> list[Message]:
        """Take up to ten messages, hidden for `hide` seconds.

        It waits a second: a receive that does not wait asks only some of SQS's servers.
        """
        answer = self._client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=hide,
            WaitTimeSeconds=1,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        return [Message.received(entry) for entry in answer.get("Messages", [])]

    def extend(self, messages: Sequence[Message], hide: int) -> list[Message]:
        """Hide messages for `hide` seconds from now on; give those that are no longer ours."""
        lost = []
        for batch in _batches(messages):
            answer = self._client.change_message_visibility_batch(
                QueueUrl=self.url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": message.receipt, "VisibilityTimeout": hide}
                    for index, message in enumerate(batch)
                ],
            )
            lost += [batch[int(entry["Id"])] for entry in answer.get("Failed", [])]
        return lost

    def release(self, messages: Sequence[Message]) -> None:
        """Let everybody see the messages again; one that is no longer ours is visible already."""
        self.extend(messages, 0)

    def delete(self, messages: Sequence[Message]) -> list[Message]:
        """Delete messages; give those that could not be deleted after three tries."""
        left = list(messages)
        for pause in (0.0, 0.2, 1.0):
            if not left:
                break
            time.sleep(pause)
            failed: list[Message] = []
            for batch in _batches(left):
                answer = self._client.delete_message_batch(
                    QueueUrl=self.url,
                    Entries=[{"Id": str(i), "ReceiptHandle": m.receipt} for i, m in enumerate(batch)],
                )
                failed += [batch[int(entry["Id"])] for entry in answer.get("Failed", [])]
            left = failed
        return left

    def put_back(self, messages: Sequence[Message]) -> list[Message]:
        """Write the messages into this queue anew; give those that were not taken."""
        return [message for message, why in self.send(messages) if why is not None]

    def set_aside(self, messages: Sequence[Message]) -> list[tuple[Message, str | None]]:
        """Take messages that are set aside from another queue."""
        return self.send(messages)

    def send(self, messages: Sequence[Message], delay: int = 0) -> list[tuple[Message, str | None]]:
        """Send messages in their order, in as few calls as SQS allows.

        Args:
            messages: what to send, with its ledger.
            delay: seconds until they can be received, 0-900; a FIFO queue knows none.

        Returns:
            Each message with None, or with why it was not taken.
        """
        results: list[tuple[Message, str | None]] = []
        stopped: set[str] = set()
        for batch in _batches(messages, BATCH_BYTES):
            # In a FIFO queue nothing may overtake a message of its group that was not taken.
            free = [message for message in batch if not (self.is_ordered and message.group in stopped)]
            answers = zip(free, self._send_batch(free, delay), strict=True) if free else ()
            refused = {id(message): why for message, why in answers if why is not None}
            if self.is_ordered:
                stopped |= {message.group for message in free if id(message) in refused and message.group}
            taken = {id(message) for message in free}
            results += [(m, refused.get(id(m)) if id(m) in taken else _OVERTAKING) for m in batch]
        return results

    def _send_batch(self, batch: Sequence[Message], delay: int) -> list[str | None]:
        """Send up to ten messages; give for each why it was not taken, or None."""
        try:
            answer = self._client.send_message_batch(
                QueueUrl=self.url, Entries=[self._entry(i, m, delay) for i, m in enumerate(batch)]
            )
        except (BotoCoreError, ClientError) as error:
            return [aws_.reason(error)] * len(batch)
        failed = {
            entry["Id"]: f"{entry['Code']}: {entry.get('Message', '')}" for entry in answer.get("Failed", [])
        }
        return [failed.get(str(index)) for index in range(len(batch))]

    def _entry(self, index: int, message: Message, delay: int) -> SendMessageBatchRequestEntryTypeDef:
        entry: dict[str, object] = {"Id": str(index), "MessageBody": message.body}
        if attributes := message.outgoing():
            entry["MessageAttributes"] = attributes
        if trace := message.system.get("AWSTraceHeader"):
            header = {"DataType": "String", "StringValue": trace}
            entry["MessageSystemAttributes"] = {"AWSTraceHeader": header}
        if delay and not self.is_ordered:
            entry["DelaySeconds"] = delay
        if message.group is not None:
            entry["MessageGroupId"] = message.group
        if self.is_ordered:
            entry["MessageDeduplicationId"] = deduplication(message)
        return cast("SendMessageBatchRequestEntryTypeDef", entry)


def deduplication(message: Message) -> str:
    """Give the id under which a FIFO queue recognises the same replay, and no other.

    The original id would be swallowed within five minutes of the original message. This one is the same
    when a replay is repeated after a crash, and another one for each further replay.
    """
    seed = f"{message.id}/{message.ledger.attempts}/{message.system.get('SequenceNumber', '')}"
    return sha256(seed.encode()).hexdigest()


def _batches(messages: Sequence[Message], most_bytes: int | None = None) -> Iterator[list[Message]]:
    batch: list[Message] = []
    size = 0
    for message in messages:
        weight = message.size() if most_bytes else 0
        if batch and (len(batch) == BATCH or (most_bytes and size + weight > most_bytes)):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += weight
    if batch:
        yield batch


def _redrive(policy: str | None) -> tuple[str, int] | None:
    try:
        written = json.loads(policy or "")
        return str(written["deadLetterTargetArn"]), int(written["maxReceiveCount"])
    except (ValueError, KeyError, TypeError):
        return None


def _skew(date: str | None, before: int) -> int:
    """Tell how far SQS's clock is ahead, in ms; the header has whole seconds: small differences are none."""
    if not date:
        return 0
    try:
        theirs = int(parsedate_to_datetime(date).timestamp() * 1000)
    except ValueError:
        return 0
    difference = theirs - before
    return difference if abs(difference) > _SAME_CLOCK_MS else 0
