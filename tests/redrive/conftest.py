"""SQS and Lambda in memory, with AWS's rules of visibility, receives, order, deduplication, and faults."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from email.utils import formatdate
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

REGION = "eu-central-1"
ACCOUNT = "123456789012"


class Killed(BaseException):
    """The process died: no call is made any more."""


def client_error(operation: str, code: str, status: int = 400) -> ClientError:
    answer = {
        "Error": {"Code": code, "Message": f"{code} was injected"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, operation)


@dataclass
class Held:
    id: str
    body: str
    attributes: dict[str, Any]
    sent: int
    system: dict[str, str]
    visible_at: float = 0.0
    receives: int = 0
    receipt: str = ""


@dataclass
class FakeQueue:
    name: str
    attributes: dict[str, str]
    messages: list[Held] = field(default_factory=list)
    deduplicated: set[str] = field(default_factory=set)

    @property
    def is_fifo(self) -> bool:
        return self.name.endswith(".fifo")


class World:
    """All queues and functions, one clock that tests can turn, and one list of every call made.

    `fault` is called with (number of the call, operation, "before" or "after" its effect) and may raise.
    """

    def __init__(self) -> None:
        self.queues: dict[str, FakeQueue] = {}
        self.invoked: list[tuple[str, str, str, dict[str, Any]]] = []
        self.published: list[dict[str, Any]] = []
        self.functions: dict[str, Callable[[Any], Any]] = {}
        self.calls: list[str] = []
        self.fault: Callable[[int, str, str], None] = lambda _number, _operation, _when: None
        self.offset = 0.0
        self.region = REGION
        self.ids = itertools.count(1)
        self.sqs: Any = _Sqs(self)
        self.lambda_: Any = _Lambda(self)
        self.waiting_lambda: Any = self.lambda_
        self.sns: Any = _Sns(self)

    def time(self) -> float:
        return time.time() + self.offset

    def wait_out(self) -> None:
        """Let every visibility timeout expire."""
        self.offset += 50_000

    def queue(self, name: str, **attributes: str) -> FakeQueue:
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        return self.queues.setdefault(name, FakeQueue(name, {"QueueArn": arn, **fifo, **attributes}))

    def url(self, name: str) -> str:
        return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"

    def put(self, queue: str, body: str, attributes: dict[str, Any] | None = None, **system: str) -> str:
        """Put a message in, a second ago, past every fault."""
        held = Held(f"m{next(self.ids)}", body, attributes or {}, int((self.time() - 1) * 1000), dict(system))
        self.queues[queue].messages.append(held)
        return held.id

    def bodies(self, queue: str) -> list[str]:
        return [held.body for held in self.queues[queue].messages]

    def payloads(self) -> Counter[str]:
        return Counter(payload for _, payload, _, _ in self.invoked)

    def call(self, operation: str, effect: Callable[[], Any]) -> Any:
        self.calls.append(operation)
        number = len(self.calls)
        self.fault(number, operation, "before")
        answer = effect()
        self.fault(number, operation, "after")
        return answer


class _Sqs:
    def __init__(self, world: World) -> None:
        self._world = world
        self.meta = SimpleNamespace(region_name=REGION)
        self._receipts = itertools.count(1)

    def _named(self, url: str, operation: str) -> FakeQueue:
        name = url.rsplit("/", 1)[-1]
        if name not in self._world.queues:
            raise client_error(operation, "AWS.SimpleQueueService.NonExistentQueue")
        return self._world.queues[name]

    def get_queue_url(self, QueueName: str, **_: Any) -> Any:  # noqa: N803  # boto3's names
        def effect() -> Any:
            self._named(QueueName, "GetQueueUrl")
            return {"QueueUrl": self._world.url(QueueName)}

        return self._world.call("GetQueueUrl", effect)

    def get_queue_attributes(self, QueueUrl: str, **_: Any) -> Any:  # noqa: N803  # boto3's names
        def effect() -> Any:
            queue = self._named(QueueUrl, "GetQueueAttributes")
            date = formatdate(self._world.time(), usegmt=True)
            count = {"ApproximateNumberOfMessages": str(len(queue.messages))}
            return {
                "Attributes": {**count, **queue.attributes},
                "ResponseMetadata": {"HTTPHeaders": {"date": date}},
            }

        return self._world.call("GetQueueAttributes", effect)

    def receive_message(self, QueueUrl: str, VisibilityTimeout: int, **_: Any) -> Any:  # noqa: N803  # boto3's names
        def effect() -> Any:
            return self._receive(self._named(QueueUrl, "ReceiveMessage"), VisibilityTimeout)

        return self._world.call("ReceiveMessage", effect)

    def _receive(self, queue: FakeQueue, hide: int) -> Any:
        now = self._world.time()
        policy = json.loads(queue.attributes.get("RedrivePolicy", "{}"))
        entries, blocked = [], set()
        for held in list(queue.messages):
            group = held.system.get("MessageGroupId")
            if held.visible_at > now:
                blocked.add(group)
                continue
            if queue.is_fifo and group in blocked:
                continue
            if policy and held.receives >= int(policy["maxReceiveCount"]):
                queue.messages.remove(held)
                self._world.queues[policy["deadLetterTargetArn"].rsplit(":", 1)[-1]].messages.append(held)
                continue
            if len(entries) == 10:
                break
            held.receives += 1
            held.visible_at = now + hide
            held.receipt = f"r{next(self._receipts)}"
            system = {
                "SentTimestamp": str(held.sent),
                "ApproximateReceiveCount": str(held.receives),
                **held.system,
            }
            entries.append(
                {
                    "MessageId": held.id,
                    "Body": held.body,
                    "ReceiptHandle": held.receipt,
                    "Attributes": system,
                    "MessageAttributes": held.attributes,
                }
            )
        return {"Messages": entries} if entries else {}

    def change_message_visibility_batch(self, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803  # boto3's names
        def effect() -> Any:
            queue, failed = self._named(QueueUrl, "ChangeMessageVisibilityBatch"), []
            for entry in Entries:
                held = next((h for h in queue.messages if h.receipt == entry["ReceiptHandle"]), None)
                if held is None:
                    failed.append({"Id": entry["Id"], "Code": "ReceiptHandleIsInvalid", "SenderFault": True})
                else:
                    held.visible_at = self._world.time() + entry["VisibilityTimeout"]
            return {"Failed": failed}

        return self._world.call("ChangeMessageVisibilityBatch", effect)

    def delete_message_batch(self, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803  # boto3's names
        def effect() -> Any:
            queue = self._named(QueueUrl, "DeleteMessageBatch")
            gone = {entry["ReceiptHandle"] for entry in Entries}
            queue.messages[:] = [held for held in queue.messages if held.receipt not in gone]
            return {}

        return self._world.call("DeleteMessageBatch", effect)

    def send_message_batch(self, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803  # boto3's names
        def effect() -> Any:
            queue = self._named(QueueUrl, "SendMessageBatch")
            for entry in Entries:
                system = {"MessageGroupId": entry["MessageGroupId"]} if "MessageGroupId" in entry else {}
                if queue.is_fifo:
                    if entry["MessageDeduplicationId"] in queue.deduplicated:
                        continue
                    queue.deduplicated.add(entry["MessageDeduplicationId"])
                now = int(self._world.time() * 1000)
                attributes = entry.get("MessageAttributes", {})
                queue.messages.append(
                    Held(f"m{next(self._world.ids)}", entry["MessageBody"], attributes, now, system)
                )
            return {"Failed": []}

        return self._world.call("SendMessageBatch", effect)

    def get_paginator(self, _operation: str) -> Any:
        return SimpleNamespace(paginate=self._sources)

    def _sources(self, QueueUrl: str) -> Any:  # noqa: N803  # boto3's names
        arn = self._named(QueueUrl, "ListDeadLetterSourceQueues").attributes["QueueArn"]
        feeding = [
            q.name for q in self._world.queues.values() if arn in q.attributes.get("RedrivePolicy", "")
        ]
        return [{"queueUrls": [self._world.url(name) for name in feeding]}]


class _Lambda:
    def __init__(self, world: World) -> None:
        self._world = world

    def invoke(self, FunctionName: str, InvocationType: str, Payload: bytes, **given: Any) -> Any:  # noqa: N803  # boto3's names
        def effect() -> Any:
            self._world.invoked.append((FunctionName, Payload.decode(), InvocationType, given))
            if InvocationType == "Event":
                return {"StatusCode": 202}
            name = FunctionName.rsplit(":function:", maxsplit=1)[-1].split(":", maxsplit=1)[0]
            try:
                self._world.functions.get(name, lambda _event: None)(json.loads(Payload))
            except ValueError as error:
                said = json.dumps({"errorType": "ValueError", "errorMessage": str(error)}).encode()
                payload = SimpleNamespace(read=lambda: said)
                return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": payload}
            return {"StatusCode": 200}

        return self._world.call("Invoke", effect)

    def get_paginator(self, _operation: str) -> Any:
        return SimpleNamespace(paginate=lambda: [{"Functions": []}])


class _Sns:
    def __init__(self, world: World) -> None:
        self._world = world

    def publish(self, **given: Any) -> Any:
        return self._world.call("Publish", lambda: self._world.published.append(given))

    def get_subscription_attributes(self, SubscriptionArn: str) -> Any:  # noqa: N803  # boto3's names
        del SubscriptionArn
        raise client_error("GetSubscriptionAttributes", "NotFound", 404)

    def get_paginator(self, _operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **_given: [{"Subscriptions": []}])


@pytest.fixture(scope="session")
def new_world() -> type[World]:
    return World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def killed() -> type[Killed]:
    return Killed


@pytest.fixture
def aws_error() -> Callable[..., ClientError]:
    return client_error


@pytest.fixture(scope="session")
def record() -> Callable[..., str]:
    """Write an asynchronous failure record as Lambda does, around an event."""

    def write(event: Any, function: str = "orders", qualifier: str = "live", **changes: Any) -> str:
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}:{qualifier}"
        return json.dumps(
            {
                "version": "1.0",
                "timestamp": "2025-11-24T23:11:12.123Z",
                "requestContext": {
                    "requestId": "af1f9ac3-b670-407b-857a-c85ab17a3dcf",
                    "functionArn": arn,
                    "condition": "RetriesExhausted",
                    "approximateInvokeCount": 3,
                },
                "requestPayload": event,
                "responseContext": {"statusCode": 200, "executedVersion": "7", "functionError": "Unhandled"},
                "responsePayload": {
                    "errorMessage": "no stock",
                    "errorType": "KeyError",
                    "stackTrace": ["  line 1\n"],
                },
                **changes,
            }
        )

    return write
