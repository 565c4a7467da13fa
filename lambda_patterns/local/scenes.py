"""What a demonstration does with deployed stacks: which functions it calls, and which it lets fail."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.model.cost import reading

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Call:
    """A function that is called and answers."""

    stack: str
    function: str
    event: Any


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An event that a function fails on, and the queue that keeps it; `qualifier` is the alias or version."""

    stack: str
    function: str
    event: Any
    queue: str
    qualifier: str = "$LATEST"


@dataclass(frozen=True, kw_only=True)
class FailurePath:
    """One way for an event to fail, and how it is brought to its end.

    Attributes:
        way: what it is called.
        stack: the stack that everything named here is in.
        to: where it is sent, one of `{"bucket": id}`, `{"topic": id}`, `{"queue": id}`, `{"bus": name}`.
        event: the event, an object whose "id" is not found anywhere else.
        queue: the queue that keeps it.
        table: the table in which it is found under its id, once it was processed.
        source: of an event of a bus, its source.
        type: of an event of a bus, its detail type.
        refused: `{"function": id, "qualifier": "live"}`, which nobody may invoke when the event is sent.
        replay: by which it is replayed: "replay", the command; "move-task", SQS's own; "reprocessor".
    """

    way: str
    stack: str
    to: Mapping[str, str]
    event: Mapping[str, Any]
    queue: str
    table: str
    source: str = "shop"
    type: str = "OrderPlaced"
    refused: Mapping[str, str] | None = None
    replay: str = "replay"

    @property
    def marker(self) -> str:
        """What the event is known by, wherever it lies."""
        return str(self.event["id"])


@dataclass(frozen=True, kw_only=True)
class Mend:
    """An item whose lack made events fail; its values are texts."""

    stack: str
    table: str
    item: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Scenes:
    """All of them, in order."""

    calls: tuple[Call, ...] = ()
    failures: tuple[Failure, ...] = ()
    paths: tuple[FailurePath, ...] = ()
    mends: tuple[Mend, ...] = ()


def read(path: Path) -> Scenes:
    """Read scenes from a YAML file.

    Args:
        path: of a file with `calls: [{stack, function, event}]`,
            `failures: [{stack, function, event, queue, qualifier}]`, `paths: [{...}]` as `FailurePath` and
            `mends: [{stack, table, item}]`.

    Raises:
        LambdaPatternsError: the file is missing, no YAML, or has other keys than these.
    """
    if not path.is_file():
        raise LambdaPatternsError(f"{path}: no such file; give the file of scenes with --scenes")
    content = reading.read(path) or {}
    if not isinstance(content, dict) or not content.keys() <= _KINDS.keys():
        raise LambdaPatternsError(f"{path} has other keys than {', '.join(_KINDS)}")
    if wrong := next((name for name, given in content.items() if not isinstance(given, list | None)), None):
        raise LambdaPatternsError(f"{path}: {wrong} is {content[wrong]!r}, allowed is a list")
    return Scenes(
        **{
            name: tuple(_entry(kind, entry, f"{path}: {name}") for entry in content.get(name) or ())
            for name, kind in _KINDS.items()
        }
    )


_KINDS: Mapping[str, Any] = {"calls": Call, "failures": Failure, "paths": FailurePath, "mends": Mend}
_WAYS_TO_SEND = ("bucket", "topic", "queue", "bus")
_REPLAYS = ("replay", "move-task", "reprocessor")


def _entry(kind: Any, entry: Mapping[str, Any], where: str) -> Any:  # noqa: ANN401  # Call or Failure
    names = {field.name for field in dataclasses.fields(kind)}
    needed = {field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING}
    given = set(entry) if isinstance(entry, dict) else set()
    if not needed <= given <= names:
        raise LambdaPatternsError(
            f"{where}: {entry!r} must have {', '.join(sorted(needed))}"
            + (f" and may have {', '.join(sorted(names - needed))}" if names - needed else "")
        )
    found = kind(**entry)
    if isinstance(found, FailurePath):
        _check_path(found, where)
    return found


def _check_path(path: FailurePath, where: str) -> None:
    if not isinstance(path.to, dict) or len(path.to) != 1 or not path.to.keys() <= set(_WAYS_TO_SEND):
        raise LambdaPatternsError(
            f"{where}: {path.way}: to is {path.to!r}, it must have one of {', '.join(_WAYS_TO_SEND)}"
        )
    if not isinstance(path.event, dict) or "id" not in path.event:
        raise LambdaPatternsError(f"{where}: {path.way}: event is {path.event!r}, it must have an id")
    if path.replay not in _REPLAYS:
        raise LambdaPatternsError(
            f"{where}: {path.way}: replay is {path.replay!r}, it must be one of {', '.join(_REPLAYS)}"
        )
    if path.refused is not None and (
        not isinstance(path.refused, dict) or path.refused.keys() != {"function", "qualifier"}
    ):
        raise LambdaPatternsError(
            f"{where}: {path.way}: refused is {path.refused!r}, it must have function and qualifier"
        )
