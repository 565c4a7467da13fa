"""Where a failed event goes when it is replayed, and in which form."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_patterns.errors import ArgumentError
from lambda_patterns.redrive import json_text
from lambda_patterns.redrive.records import Shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_patterns.redrive.message import Message
    from lambda_patterns.redrive.records import FailureRecord
    from lambda_patterns.redrive.sources import Sources, Subscription

_FUNCTION = re.compile(
    r"(?P<name>(arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:)?[\w-]{1,140})"
    r"(:(?P<qualifier>\$LATEST|[\w-]+))?"
)
_ARN_COLONS = 5
_KINDS = "function:NAME[:QUALIFIER], queue:NAME or topic:ARN, or the ARN itself"


@dataclass(frozen=True, slots=True)
class FunctionTarget:
    """A function to invoke.

    Args:
        function: its name or ARN, without qualifier.
        qualifier: alias, version or "$LATEST"; None for the unqualified function.
    """

    function: str
    qualifier: str | None = None

    @property
    def qualified(self) -> str:
        """The name or ARN with its qualifier, as Invoke takes it."""
        return f"{self.function}:{self.qualifier}" if self.qualifier else self.function

    def __str__(self) -> str:
        name = self.function.rsplit(":", 1)[-1]
        return f"function {name}:{self.qualifier}" if self.qualifier else f"function {name}"


@dataclass(frozen=True, slots=True)
class QueueTarget:
    """A queue to send to, by ARN or name."""

    queue: str

    def __str__(self) -> str:
        return f"queue {self.queue.rsplit(':', 1)[-1]}"


@dataclass(frozen=True, slots=True)
class TopicTarget:
    """A topic to publish to, by ARN: every subscriber gets the message, not only the one that failed."""

    topic: str

    def __str__(self) -> str:
        return f"topic {self.topic.rsplit(':', 1)[-1]}"


Target = FunctionTarget | QueueTarget | TopicTarget


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message is not replayed, one clause with what would help."""

    why: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent where.

    Args:
        target: where it goes.
        body: the text to send: an event as JSON for a function, a message's body otherwise.
        whole: whether the message's own attributes go with it; an unwrapped event has none.
    """

    target: Target
    body: str
    whole: bool = False


def target(text: str) -> Target:
    """Read a target as people write it.

    Args:
        text: an ARN of a function (with or without qualifier), queue or topic, or "function:NAME:QUALIFIER",
            "queue:NAME", "topic:ARN".

    Raises:
        ArgumentError: it is none of these.
    """
    kind, _, rest = text.partition(":")
    if kind == "arn":
        service = text.split(":")[2] if text.count(":") >= _ARN_COLONS else ""
        kind, rest = {"lambda": "function", "sqs": "queue", "sns": "topic"}.get(service, ""), text
    if kind == "function" and (match := _FUNCTION.fullmatch(rest)):
        return FunctionTarget(match["name"], match["qualifier"])
    if kind == "queue" and rest:
        return QueueTarget(rest)
    if kind == "topic" and rest.startswith("arn:"):
        return TopicTarget(rest)
    raise ArgumentError(f"{text!r} is no target: give {_KINDS}")


def route(
    message: Message, record: FailureRecord, sources: Sources, to: Target | None = None
) -> Parcel | Refusal:
    """Decide where a message goes: back to what failed, unless somewhere else is asked for.

    Args:
        message: the message as it lies in its queue.
        record: what it holds.
        sources: what is known about who writes to that queue.
        to: send everything there instead.
    """
    if record.problem is not None:
        return Refusal(record.problem)
    if not record.is_failure:
        return Refusal("it succeeded: the record of an on-success destination")
    if record.payload is None:
        return Refusal(_where(record))
    if to is not None:
        return _to(to, message, record)
    found = _origin(message, record, sources)
    return found if isinstance(found, Parcel | Refusal) else _to(found, message, record)


def _origin(message: Message, record: FailureRecord, sources: Sources) -> Target | Parcel | Refusal:
    if record.shape is Shape.UNDELIVERED:
        return _undelivered(record)
    if record.function is not None:
        return FunctionTarget(record.function, record.qualifier)
    if record.shape is Shape.DEAD_LETTER:
        functions = [FunctionTarget(name) for name in sources.functions(record.topic)]
        what = "topic, by which it came," if record.topic else "queue"
        return _only(functions, f"functions have this {what} as their dead-letter queue")
    source = message.system.get("DeadLetterQueueSourceArn")
    if queues := [source] if source else sources.queues():
        return _only([QueueTarget(arn) for arn in queues], "queues have this one as their dead-letter queue")
    return _subscriber(sources.subscriptions(record), message, record)


def _undelivered(record: FailureRecord) -> Target | Refusal:
    if record.function is not None:
        return FunctionTarget(record.function, record.qualifier)
    try:
        return target(record.target or "")
    except ArgumentError:
        return Refusal(f"EventBridge could not hand it to {record.target}, which cannot be sent to from here")


def _only(found: list[FunctionTarget] | list[QueueTarget], what: str) -> Target | Refusal:
    if len(found) == 1:
        return found[0]
    return Refusal(f"{len(found)} {what}: say which one with --to")


def _subscriber(
    subscriptions: Sequence[Subscription], message: Message, record: FailureRecord
) -> Target | Parcel | Refusal:
    """Hand the notification to the one subscriber that did not get it, as SNS would have."""
    if len(subscriptions) != 1:
        return Refusal(
            f"nothing says where it came from ({len(subscriptions)} subscriptions have this queue as their "
            "dead-letter queue): say it with --to"
        )
    (subscription,) = subscriptions
    if subscription.protocol == "sqs":
        return QueueTarget(subscription.endpoint)
    if subscription.protocol == "lambda" and record.shape is Shape.NOTIFICATION:
        return Parcel(target(subscription.endpoint), _sns_event(message.body, subscription.arn))
    return Refusal(
        f"the subscriber is {subscription.protocol} {subscription.endpoint}, which cannot be called in SNS's "
        "name: publish it to all subscribers again with --to topic:ARN"
    )


def _to(to: Target, message: Message, record: FailureRecord) -> Parcel | Refusal:
    payload = record.payload or ""
    if isinstance(to, FunctionTarget):
        try:
            json_text.loads(payload)
        except ValueError as error:
            return Refusal(f"its body is not JSON ({error}), which a function does not take: --to queue:NAME")
        return Parcel(to, payload)
    if isinstance(to, TopicTarget) and record.shape is Shape.NOTIFICATION:
        inner = json_text.loads(payload)
        return Parcel(to, str(inner.get("Message")) if isinstance(inner, dict) else payload, whole=True)
    # A message goes on as it lies there; of a record, only the event that it wraps.
    untouched = record.shape in {Shape.MESSAGE, Shape.NOTIFICATION} and not record.via
    return Parcel(to, message.body if untouched else payload, whole=untouched)


def _where(record: FailureRecord) -> str:
    at = ", ".join(f"{name} {value}" for name, value in (record.position or {}).items())
    return (
        "the record says only where the failed batch lies in its stream "
        f"({at or 'no position'}): read it there again with a new event source mapping "
        "(StartingPosition AT_TIMESTAMP); an S3 destination would hold the batch itself"
    )


def _sns_event(envelope: str, subscription: str) -> str:
    """Build the event in which SNS hands an envelope to a function; it names two members differently."""
    sns = json.loads(envelope)
    renamed = {"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"}
    body = {renamed.get(name, name): value for name, value in sns.items()}
    body.setdefault("Subject", None)
    body.setdefault("MessageAttributes", {})
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription,
        "Sns": body,
    }
    return json.dumps({"Records": [record]}, ensure_ascii=False)
