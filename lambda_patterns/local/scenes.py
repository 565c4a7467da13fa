"""What a demonstration does with deployed stacks: which functions it calls, and which it lets fail."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from lambda_patterns.errors import LambdaPatternsError

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
class Scenes:
    """All of them, in order."""

    calls: tuple[Call, ...] = ()
    failures: tuple[Failure, ...] = ()


def read(path: Path) -> Scenes:
    """Read scenes from a YAML file.

    Args:
        path: of a file with `calls: [{stack, function, event}]` and
            `failures: [{stack, function, event, queue, qualifier}]`.

    Raises:
        LambdaPatternsError: the file is missing, no YAML, or has other keys than these.
    """
    try:
        content = yaml.safe_load(path.read_text()) or {}
    except OSError as error:
        raise LambdaPatternsError(
            f"{path}: {error.strerror}; give the file of scenes with --scenes"
        ) from error
    except yaml.YAMLError as error:
        raise LambdaPatternsError(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not content.keys() <= {"calls", "failures"}:
        raise LambdaPatternsError(f"{path} has other keys than calls and failures")
    calls = tuple(_entry(Call, entry, f"{path}: calls") for entry in content.get("calls") or ())
    failures = tuple(_entry(Failure, entry, f"{path}: failures") for entry in content.get("failures") or ())
    return Scenes(calls=calls, failures=failures)


def _entry(kind: Any, entry: Mapping[str, Any], where: str) -> Any:  # noqa: ANN401  # Call or Failure
    names = {field.name for field in dataclasses.fields(kind)}
    needed = {field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING}
    given = set(entry) if isinstance(entry, dict) else set()
    if not needed <= given <= names:
        raise LambdaPatternsError(
            f"{where}: {entry!r} must have {', '.join(sorted(needed))}"
            + (f" and may have {', '.join(sorted(names - needed))}" if names - needed else "")
        )
    return kind(**entry)
