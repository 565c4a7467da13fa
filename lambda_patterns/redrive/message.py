"""One message of a failure queue as it was received, and our own bookkeeping beside it."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypedDict

from lambda_patterns.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sqs.type_defs import MessageTypeDef

LEDGER_ATTRIBUTE = "LambdaPatterns"
MOST_ATTRIBUTES = 10
_FORMAT = 1


class Attribute(TypedDict, total=False):
    """A message attribute as SQS carries it."""

    DataType: str
    StringValue: str
    BinaryValue: bytes


@dataclass(frozen=True, slots=True)
class Ledger:
    """What we write beside a message that we send again, in one attribute (SQS allows ten).

    Args:
        attempts: replays so far that were made and failed. Looking at a message is not an attempt.
        since: when the failure was first kept, epoch milliseconds; sending again resets SQS's own time.
        key: stable identity of the failed event over all replays, for idempotency.
        reason: why the last attempt failed, or why the message is in quarantine.
    """

    attempts: int = 0
    since: int | None = None
    key: str | None = None
    reason: str | None = None

    def attribute(self) -> Attribute:
        """Write the ledger as a message attribute, leaving out what is not set."""
        written = {
            "attempts": self.attempts,
            "since": self.since,
            "key": self.key,
            "reason": self.reason[:500] if self.reason else None,
        }
        text = json.dumps({name: value for name, value in written.items() if value is not None})
        return {"DataType": "String", "StringValue": text}

    @classmethod
    def read(cls, attribute: Attribute | None) -> Ledger:
        """Read a ledger; one that is damaged counts as none, for it is only bookkeeping."""
        try:
            written = json.loads((attribute or {}).get("StringValue", "{}"))
        except ValueError:
            return cls()
        if not isinstance(written, dict):
            return cls()
        attempts, since = written.get("attempts"), written.get("since")
        key, reason = written.get("key"), written.get("reason")
        return cls(
            attempts=max(attempts, 0) if type(attempts) is int else 0,
            since=since if type(since) is int else None,
            key=key if isinstance(key, str) else None,
            reason=reason if isinstance(reason, str) else None,
        )


@dataclass(frozen=True, slots=True)
class Message:
    """A message as its queue holds it, from whichever call delivered it.

    Args:
        id: SQS's message id, or the object key in a bucket.
        body: the text, untouched.
        attributes: the sender's message attributes, without ours.
        system: SQS's attributes ("SentTimestamp", "MessageGroupId", ...), all text.
        receipt: the handle to delete, hide or release it by; empty for one that was not received.
        ledger: our bookkeeping.
    """

    id: str
    body: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    system: Mapping[str, str] = field(default_factory=dict)
    receipt: str = ""
    ledger: Ledger = Ledger()

    @classmethod
    def received(cls, answer: MessageTypeDef) -> Message:
        """Read one entry of ReceiveMessage's answer."""
        attributes = {name: _attribute(value) for name, value in answer.get("MessageAttributes", {}).items()}
        return cls(
            id=answer.get("MessageId", ""),
            body=answer.get("Body", ""),
            attributes={name: value for name, value in attributes.items() if name != LEDGER_ATTRIBUTE},
            system={str(name): value for name, value in answer.get("Attributes", {}).items()},
            receipt=answer.get("ReceiptHandle", ""),
            ledger=Ledger.read(attributes.get(LEDGER_ATTRIBUTE)),
        )

    @classmethod
    def from_event(cls, record: Mapping[str, object]) -> Message:
        """Read one record of the event in which Lambda hands messages of a queue to a function."""
        given, system = record.get("messageAttributes"), record.get("attributes")
        system = system if isinstance(system, dict) else {}
        attributes = {
            str(name): _attribute_from_json(
                {key[:1].upper() + key[1:]: part for key, part in value.items() if isinstance(part, str)}
            )
            for name, value in (given.items() if isinstance(given, dict) else ())
        }
        return cls(
            id=str(record.get("messageId", "")),
            body=str(record.get("body", "")),
            attributes={name: value for name, value in attributes.items() if name != LEDGER_ATTRIBUTE},
            system={str(name): str(value) for name, value in system.items()},
            receipt=str(record.get("receiptHandle", "")),
            ledger=Ledger.read(attributes.get(LEDGER_ATTRIBUTE)),
        )

    @classmethod
    def from_line(cls, line: str) -> Message:
        """Read one line of an export.

        Raises:
            ArgumentError: the line is not one that `line` wrote.
        """
        try:
            written = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ArgumentError(f"not a line of an export: {error}") from None
        if not isinstance(written, dict) or written.get("format") != _FORMAT:
            raise ArgumentError(f'not a line of an export: it must be an object with "format": {_FORMAT}')
        body, attributes, system = (
            written.get("body"),
            written.get("attributes", {}),
            written.get("system", {}),
        )
        if not (isinstance(body, str) and isinstance(attributes, dict) and isinstance(system, dict)):
            raise ArgumentError(
                'not a line of an export: "body" must be text, "attributes" and "system" objects'
            )
        try:
            read = {name: _attribute_from_json(value) for name, value in attributes.items()}
        except (ValueError, TypeError, AttributeError, binascii.Error) as error:
            raise ArgumentError(f"not a line of an export: an attribute cannot be read: {error}") from None
        return cls(
            id=str(written.get("id", "")),
            body=body,
            attributes={name: value for name, value in read.items() if name != LEDGER_ATTRIBUTE},
            system={name: str(value) for name, value in system.items()},
            ledger=Ledger.read(read.get(LEDGER_ATTRIBUTE)),
        )

    def line(self) -> str:
        """Write the message as one line of JSON from which `from_line` reads the same message."""
        attributes = dict(self.attributes)
        if self.ledger != Ledger():
            attributes[LEDGER_ATTRIBUTE] = self.ledger.attribute()
        return json.dumps(
            {
                "format": _FORMAT,
                "id": self.id,
                "body": self.body,
                "attributes": {name: _attribute_to_json(value) for name, value in attributes.items()},
                "system": dict(self.system),
            }
        )

    @property
    def sent(self) -> int | None:
        """When the message was put into its queue, epoch milliseconds by SQS's clock."""
        return _number(self.system.get("SentTimestamp"))

    @property
    def since(self) -> int | None:
        """When the failure was first kept, epoch milliseconds: `sent`, unless we have sent it again since."""
        return self.ledger.since if self.ledger.since is not None else self.sent

    @property
    def receives(self) -> int:
        """How often the queue has handed the message out, looks included."""
        return _number(self.system.get("ApproximateReceiveCount")) or 0

    @property
    def group(self) -> str | None:
        """The message group, of a FIFO queue or a fair one."""
        return self.system.get("MessageGroupId")

    @property
    def has_room(self) -> bool:
        """Whether the ledger fits beside the sender's attributes."""
        return len(self.attributes) < MOST_ATTRIBUTES

    def size(self) -> int:
        """Count what SQS counts against its limit: body and attributes, in bytes."""
        return len(encoded(self.body)) + sum(
            len(encoded(name + value.get("DataType", "") + value.get("StringValue", "")))
            + len(value.get("BinaryValue", b""))
            for name, value in self.outgoing().items()
        )

    def outgoing(self) -> dict[str, Attribute]:
        """Give the attributes to send the message again with: the sender's, and ours where it fits."""
        if self.ledger == Ledger() or not self.has_room:
            return dict(self.attributes)
        return {**self.attributes, LEDGER_ATTRIBUTE: self.ledger.attribute()}

    def noted(self, *, key: str | None = None, failed: bool = False, reason: str | None = None) -> Message:
        """Give the message with its ledger brought up to date, to be sent again.

        Args:
            key: the event's stable identity; kept if the ledger has one already.
            failed: whether a replay was made and failed, which counts one attempt.
            reason: why it failed. Default: the reason noted before.
        """
        ledger = replace(
            self.ledger,
            attempts=self.ledger.attempts + (1 if failed else 0),
            since=self.since,
            key=self.ledger.key or key,
            reason=reason or self.ledger.reason,
        )
        return replace(self, ledger=ledger)


def encoded(text: str) -> bytes:
    r"""Encode for sending; a lone surrogate becomes its JSON escape (``\ud800``) instead of an error."""
    return text.encode("utf-8", "backslashreplace")


def moment(milliseconds: int | None) -> datetime | None:
    """Turn epoch milliseconds into a time in UTC; what is out of any calendar is None."""
    if milliseconds is None:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _number(text: str | None) -> int | None:
    try:
        return int(text) if text is not None else None
    except ValueError:
        return None


def _attribute(value: Mapping[str, object]) -> Attribute:
    """Take over DataType, StringValue and BinaryValue; SQS has no lists although its model names them."""
    taken: Attribute = {"DataType": str(value.get("DataType", "String"))}
    if isinstance(text := value.get("StringValue"), str):
        taken["StringValue"] = text
    if isinstance(binary := value.get("BinaryValue"), bytes):
        taken["BinaryValue"] = binary
    return taken


def _attribute_to_json(value: Attribute) -> dict[str, str]:
    written = {"DataType": value.get("DataType", "String")}
    if "StringValue" in value:
        written["StringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        written["BinaryValue"] = base64.b64encode(value["BinaryValue"]).decode("ascii")
    return written


def _attribute_from_json(value: Mapping[str, object]) -> Attribute:
    binary = value.get("BinaryValue")
    decoded = base64.b64decode(binary, validate=True) if isinstance(binary, str) else None
    return _attribute({**value, "BinaryValue": decoded})
