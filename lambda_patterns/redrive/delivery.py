"""Handing events over: to functions, queues and topics, and saying of each whether it was accepted."""

from __future__ import annotations

import base64
import json
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from botocore.exceptions import BotoCoreError, ClientError

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.redrive import aws as aws_
from lambda_patterns.redrive import json_text
from lambda_patterns.redrive.message import encoded
from lambda_patterns.redrive.queue import Queue, deduplication
from lambda_patterns.redrive.targets import FunctionTarget, QueueTarget

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

    from lambda_patterns.redrive.aws import Aws
    from lambda_patterns.redrive.message import Attribute, Message
    from lambda_patterns.redrive.targets import Parcel, Target, TopicTarget

ASYNCHRONOUS_BYTES = 1_048_576
SYNCHRONOUS_BYTES = 6 * 1_048_576
_ACCEPTED = 202
_OVERTAKING = "an earlier message of its group was not accepted"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one event.

    Args:
        message: the message it came from.
        why: why it was not accepted; None if it was.
        ran: whether the function ran and failed, which counts as an attempt.
        passes: whether the same may succeed later (throttling, the network).
    """

    message: Message
    why: str | None = None
    ran: bool = False
    passes: bool = False


class Rate:
    """Lets at most so many events a second through, evenly, over all threads.

    Args:
        per_second: the limit; None lets everything through.
    """

    def __init__(self, per_second: float | None) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Wait for the next event's turn."""
        if not self._gap:
            return
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + self._gap
        time.sleep(max(turn - time.monotonic(), 0))


class Delivery:
    """Sends parcels on. It is shared by threads.

    Args:
        aws: the clients.
        wait: invoke functions synchronously and count a function's error as not accepted. The function sees
            attempt and idempotency key in its client context, and its own on-failure destination is not used.
            Default: asynchronously, as the failed event came; accepted means that Lambda has queued it, and a
            further failure comes back as a new record.
        rate: the pace.
    """

    def __init__(self, aws: Aws, *, wait: bool = False, rate: Rate | None = None) -> None:
        self._aws = aws
        self._wait = wait
        self._rate = rate or Rate(None)
        self._lock = threading.Lock()
        self._queues: dict[str, Queue] = {}
        self._closed: dict[Target, str] = {}

    def deliver(self, parcels: Sequence[tuple[Message, Parcel]], *, in_order: bool = False) -> list[Outcome]:
        """Hand parcels over, in their order.

        Args:
            parcels: each message with what to send of it.
            in_order: once a message of a group is not accepted, send no later one of that group.

        Returns:
            The outcome of each, in the same order.
        """
        outcomes: list[Outcome] = []
        stopped: set[str] = set()
        for target, run in _runs(parcels):
            free = [(m, p) for m, p in run if not (in_order and m.group in stopped)]
            blocked = [Outcome(m, _OVERTAKING) for m, _ in run]
            sent = iter(self._send(target, free, in_order=in_order)) if free else iter(())
            taken = {id(message) for message, _ in free}
            for (message, _), refused in zip(run, blocked, strict=True):
                outcome = next(sent) if id(message) in taken else refused
                if outcome.why is not None and message.group is not None:
                    stopped.add(message.group)
                outcomes.append(outcome)
        return outcomes

    def _send(
        self, target: Target, run: Sequence[tuple[Message, Parcel]], *, in_order: bool
    ) -> Iterator[Outcome]:
        if isinstance(target, QueueTarget):
            yield from self._send_to_queue(target, run)
            return
        stopped: set[str] = set()
        for message, parcel in run:
            if in_order and message.group in stopped:
                yield Outcome(message, _OVERTAKING)
                continue
            if (why := self._closed.get(target)) is not None:
                outcome = Outcome(message, why)
            elif isinstance(target, FunctionTarget):
                outcome = self._invoke(target, message, parcel.body)
            else:
                outcome = self._publish(target, message, parcel)
            if outcome.why is not None and message.group is not None:
                stopped.add(message.group)
            yield outcome

    def _failed(self, target: Target, message: Message, error: Exception) -> Outcome:
        why = f"{target}: {aws_.reason(error)}"
        if aws_.is_denied(error) or aws_.is_missing(error):
            # It would be so for every further message; asking again only takes time.
            self._closed[target] = why
        return Outcome(message, why, passes=aws_.passes(error))

    def _invoke(self, target: FunctionTarget, message: Message, body: str) -> Outcome:
        payload = encoded(body)
        most = SYNCHRONOUS_BYTES if self._wait else ASYNCHRONOUS_BYTES
        if len(payload) > most:
            more = "" if self._wait else "; up to 6 MB are taken with --wait"
            return Outcome(message, f"the event has {len(payload):,} bytes, {target} takes {most:,}{more}")
        self._rate.wait()
        try:
            if self._wait:
                return self._run(target, message, payload)
            answer = self._aws.lambda_.invoke(
                FunctionName=target.qualified, InvocationType="Event", Payload=payload
            )
        except (BotoCoreError, ClientError) as error:
            return self._failed(target, message, error)
        accepted = answer["StatusCode"] == _ACCEPTED
        return Outcome(message, None if accepted else f"{target}: Lambda answered {answer['StatusCode']}")

    def _run(self, target: FunctionTarget, message: Message, payload: bytes) -> Outcome:
        """Invoke and wait; only synchronous invocations hand the client context on to the function."""
        custom = {"attempt": message.ledger.attempts + 1, "idempotency_key": message.ledger.key or message.id}
        context = base64.b64encode(json.dumps({"custom": custom}).encode()).decode()
        answer = self._aws.waiting_lambda.invoke(
            FunctionName=target.qualified,
            InvocationType="RequestResponse",
            ClientContext=context,
            Payload=payload,
        )
        if not (kind := answer.get("FunctionError")):
            return Outcome(message)
        try:
            error = json_text.loads(answer["Payload"].read().decode("utf-8", "replace"))
        except ValueError:
            error = None
        said = error if isinstance(error, dict) else {}
        text = f"{said.get('errorType', kind)}: {said.get('errorMessage', 'no message')}"
        return Outcome(message, f"{target}: {text}", ran=True)

    def _send_to_queue(self, target: QueueTarget, run: Sequence[tuple[Message, Parcel]]) -> Iterator[Outcome]:
        queue = self._open(target)
        sendable: list[Message] = []
        refused: dict[int, str] = {}
        stopped: set[str | None] = set()
        for index, (message, parcel) in enumerate(run):
            copy = _copy(message, parcel)
            if isinstance(queue, str):
                refused[index] = queue
            elif queue.is_ordered and message.group is None:
                refused[index] = f"{target} is FIFO and the message has no group"
            elif queue.is_ordered and message.group in stopped:
                refused[index] = _OVERTAKING
            elif (size := copy.size()) > queue.most_bytes:
                refused[index] = f"the message has {size:,} bytes, {target} takes {queue.most_bytes:,}"
                stopped.add(message.group)
            else:
                self._rate.wait()
                sendable.append(copy)
        sent = iter(queue.send(sendable) if sendable and not isinstance(queue, str) else ())
        for index, (message, _) in enumerate(run):
            why = refused[index] if index in refused else next(sent)[1]
            prefix = "" if why is None or index in refused else f"{target}: "
            yield Outcome(message, None if why is None else f"{prefix}{why}")

    def _open(self, target: QueueTarget) -> Queue | str:
        with self._lock:
            if target in self._closed:
                return self._closed[target]
            try:
                if target.queue not in self._queues:
                    self._queues[target.queue] = open_queue(self._aws, target.queue)
                return self._queues[target.queue]
            except LambdaPatternsError as error:
                self._closed[target] = str(error)
                return str(error)

    def _publish(self, target: TopicTarget, message: Message, parcel: Parcel) -> Outcome:
        given = _published_attributes(message) if parcel.whole else {}
        subject = _envelope(message).get("Subject") if parcel.whole else None
        order = {"Subject": subject} if isinstance(subject, str) else {}
        if target.topic.endswith(".fifo"):
            if message.group is None:
                return Outcome(message, f"{target} is FIFO and the message has no group")
            order |= {"MessageGroupId": message.group, "MessageDeduplicationId": deduplication(message)}
        self._rate.wait()
        try:
            self._aws.sns.publish(
                TopicArn=target.topic,
                Message=parcel.body,
                MessageAttributes=cast("Mapping[str, MessageAttributeValueTypeDef]", given),
                **order,
            )
        except (BotoCoreError, ClientError) as error:
            return self._failed(target, message, error)
        return Outcome(message)


def open_queue(aws: Aws, named: str) -> Queue:
    """Open a queue by name, URL or ARN.

    Raises:
        LambdaPatternsError: there is none, or it may not be read.
    """
    if named.startswith("arn:"):
        return Queue.of_arn(aws.sqs, named)
    if named.startswith(("https://", "http://")):
        return Queue(aws.sqs, named)
    try:
        return Queue(aws.sqs, aws.sqs.get_queue_url(QueueName=named)["QueueUrl"])
    except (BotoCoreError, ClientError) as error:
        if aws_.is_missing(error):
            raise LambdaPatternsError(f"there is no queue {named} in {aws.region}") from None
        raise aws_.refusal(error, f"queue {named}") from None


def _runs(
    parcels: Sequence[tuple[Message, Parcel]],
) -> Iterator[tuple[Target, list[tuple[Message, Parcel]]]]:
    """Cut the parcels into runs of one target, so that a queue gets as many as it can in one call."""
    run: list[tuple[Message, Parcel]] = []
    for pair in parcels:
        if run and run[-1][1].target != pair[1].target:
            yield run[-1][1].target, run
            run = []
        run.append(pair)
    if run:
        yield run[-1][1].target, run


def _copy(message: Message, parcel: Parcel) -> Message:
    """Give the message to send; without its trace header, so that a replay begins a new chain of hops."""
    kept = ("MessageGroupId", "SequenceNumber")
    return replace(
        message.noted(key=message.id, failed=True),
        body=parcel.body,
        attributes=message.attributes if parcel.whole else {},
        system={name: message.system[name] for name in (*kept, "SentTimestamp") if name in message.system},
    )


def _envelope(message: Message) -> Mapping[str, object]:
    """Give SNS's envelope, if the message is one."""
    try:
        envelope = json_text.loads(message.body)
    except ValueError:
        return {}
    return envelope if isinstance(envelope, dict) else {}


def _published_attributes(message: Message) -> dict[str, Attribute]:
    """Give the attributes a notification was published with: the envelope carries them."""
    if "TopicArn" not in (envelope := _envelope(message)):
        return dict(message.attributes)
    carried = envelope.get("MessageAttributes")
    found: dict[str, Attribute] = {}
    for name, value in carried.items() if isinstance(carried, dict) else ():
        kind, text = str(value.get("Type", "String")), str(value.get("Value", ""))
        if kind.startswith("Binary"):
            found[name] = {"DataType": kind, "BinaryValue": base64.b64decode(text)}
        else:
            found[name] = {"DataType": kind, "StringValue": text}
    return found
