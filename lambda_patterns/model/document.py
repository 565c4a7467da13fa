"""The text of a template read into plain JSON: strict about what it means, clear about what is wrong with it.

YAML is read as CloudFormation reads it: the short forms of intrinsic functions, no dates, no octal or
sexagesimal numbers, keys as text. Refused with the line: a key written twice (all but the last would be lost
without a word), an unknown tag, more than `DEEPEST` levels, more than `MOST_VALUES` values once aliases are
expanded, and files over `LARGEST` bytes. CloudFormation itself takes templates of up to 1 MB.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html

Not modelled: comments, several documents in one file, encodings other than UTF-8.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lambda_patterns.errors import LambdaPatternsError

if TYPE_CHECKING:
    from lambda_patterns.model.values import Json, Raw

DEEPEST = 100
MOST_VALUES = 2_000_000
LARGEST = 64 * 1024 * 1024
LARGEST_YAML = 8 * 1024 * 1024


def decode(content: bytes, name: str) -> str:
    """The text of a file in UTF-8, with or without a byte-order mark.

    Raises:
        LambdaPatternsError: where it is too large or no UTF-8.
    """
    if len(content) > LARGEST:
        raise LambdaPatternsError(
            f"{name}: {len(content):,} bytes is too large to be read, at most {LARGEST:,} are; "
            "CloudFormation takes 1 MB: split the template into nested stacks"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise LambdaPatternsError(
            f"{name}:{line}: byte 0x{content[error.start]:02x} is no UTF-8: save the file as UTF-8"
        ) from None


def load(text: str, name: str) -> Json:
    """The content of a JSON or YAML text.

    Raises:
        LambdaPatternsError: where it is neither, with the line.
    """
    try:
        return _load(text, name)
    except RecursionError:
        raise LambdaPatternsError(_too_deep(name)) from None


def _load(text: str, name: str) -> Json:
    begins = text.lstrip()[:1]
    if not begins:
        raise LambdaPatternsError(f"{name}: the file is empty: give a CloudFormation template")
    problem: LambdaPatternsError | None = None
    if begins in "{[" or name.endswith((".json", ".template")):
        try:
            content = _load_json(text, name)
        except LambdaPatternsError as error:
            if name.endswith(".json") or begins == '"':
                raise
            problem = error
        else:
            _check_size(content, name)
            return content
    from lambda_patterns.model.yaml_document import load_yaml  # noqa: PLC0415  # PyYAML is loaded where it is needed

    if len(text) > LARGEST_YAML:
        raise problem or LambdaPatternsError(
            f"{name}: {len(text):,} characters of YAML is too much to be read, at most {LARGEST_YAML:,} are: "
            "write it as JSON, or split it"
        )
    try:
        content = load_yaml(text, name)
    except LambdaPatternsError:
        if problem is not None and begins in "{[" and not name.endswith((".yaml", ".yml")):
            raise problem from None
        raise
    _check_size(content, name)
    return content


def _load_json(text: str, name: str) -> Json:
    def pairs(found: list[tuple[str, Json]]) -> Raw:
        mapping = dict(found)
        if len(mapping) != len(found):
            keys = [key for key, _ in found]
            raise DuplicateKeyError(next(key for key in keys if keys.count(key) > 1))
        return mapping

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=_no_constant)
    except DuplicateKeyError as error:
        line = _line_of_duplicate(text, error.key)
        where = f"{name}:{line}" if line else name
        raise LambdaPatternsError(duplicate_key(where, error.key)) from None
    except json.JSONDecodeError as error:
        raise LambdaPatternsError(
            f"{name}:{error.lineno}: no JSON: {error.msg} (column {error.colno})"
        ) from None
    except ValueError as error:
        raise LambdaPatternsError(f"{name}: no JSON: {error}") from None


class DuplicateKeyError(Exception):
    """A mapping that has one key twice."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def duplicate_key(where: str, key: str) -> str:
    """The message for a key that is written twice."""
    return (
        f"{where}: key {key!r} is written twice in one mapping, and only one of them would count: remove one"
    )


def _no_constant(constant: str) -> Json:
    raise ValueError(f"{constant} is no JSON number")


def _line_of_duplicate(text: str, key: str) -> int | None:
    """The line of the second writing of `key` in the first mapping that has it twice."""
    from lambda_patterns.model.lines import second_key  # noqa: PLC0415  # only a finding or an error needs lines

    return second_key(text, key)


def _check_size(content: object, name: str) -> None:
    """Refuse what is nested too deeply, or grows too large once its aliases are written out."""
    level = [content]
    total = 0
    for _ in range(DEEPEST):
        level = (
            [
                item
                for container in level
                for item in (container.values() if type(container) is dict else container)  # type: ignore[attr-defined]  # a list
                if type(item) is dict or type(item) is list
            ]
            if level and type(level[0]) in (dict, list)
            else []
        )
        total += len(level)
        if total > MOST_VALUES:
            raise LambdaPatternsError(
                f"{name}: the template has more than {MOST_VALUES:,} mappings and lists once its YAML "
                "aliases are written out: remove aliases"
            )
        if not level:
            return
    raise LambdaPatternsError(_too_deep(name))


def _too_deep(name: str) -> str:
    return f"{name}: the template is nested more than {DEEPEST} levels deep (or refers to itself): flatten it"
