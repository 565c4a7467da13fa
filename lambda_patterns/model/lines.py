"""The line of a path of keys in a template's text, found only when a message needs it.

Not modelled: the lines of what SAM or a loop makes of the text: theirs is the nearest part that is written.
"""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yaml.nodes import Node

    from lambda_patterns.model.values import Json

_BLANK = re.compile(r"[ \t\r\n\ufeff]*")
_DECODER = json.JSONDecoder()
_STRETCH = 4096

Step = str | int
Place = tuple[int, int]


class Locator:
    """Finds lines in one text: called with a path, the line, from 1, of its deepest part that is there."""

    __slots__ = ("_as_json", "_before", "_composed", "_members", "_root", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        begin = _skip(text, 0)
        self._as_json = text[begin : begin + 1] in ("{", "[")
        self._members: dict[int, tuple[dict[Step, Place], Iterator[tuple[Step, Place]]]] = {}
        self._root: Node | None = None
        self._composed = False
        self._before: list[int] | None = None

    def __call__(self, path: tuple[Step, ...]) -> int | None:
        """The line of `path`, None where not even its first key is there."""
        if self._as_json:
            try:
                return self._in_json(path)
            except (ValueError, RecursionError):
                self._as_json = False  # a flow mapping of YAML begins like JSON
        return self._in_yaml(path)

    def _in_json(self, path: tuple[Step, ...]) -> int | None:
        position = _skip(self._text, 0)
        found: int | None = None
        for step in path:
            member = self._member(position, step)
            if member is None:
                break
            found, position = member
        return None if found is None else self._line(found)

    def _member(self, position: int, step: Step) -> Place | None:
        """Read the container at `position` as far as `step`, and go on from there for the next one."""
        if position not in self._members:
            self._members[position] = {}, _members(self._text, position)
        known, more = self._members[position]
        if step not in known:
            for key, place in more:
                known[key] = place
                if key == step:
                    break
        return known.get(step)

    def _line(self, position: int) -> int:
        """Count the ends of lines before a position: those of whole stretches of the text are kept."""
        text = self._text
        if self._before is None:
            starts = range(0, len(text), _STRETCH)
            ends = (text.count("\n", start, start + _STRETCH) for start in starts)
            self._before = list(accumulate(ends, initial=1))
        stretch = position // _STRETCH
        return self._before[stretch] + text.count("\n", stretch * _STRETCH, position)

    def _in_yaml(self, path: tuple[Step, ...]) -> int | None:
        from lambda_patterns.model.yaml_document import compose  # noqa: PLC0415  # only YAML needs PyYAML

        if not self._composed:
            self._root = compose(self._text)
            self._composed = True
        node: Json = self._root
        found: int | None = None
        for step in path:
            line, node = _child(node, step)
            if line is None:
                break
            found = line
        return found


def _members(text: str, position: int) -> Iterator[tuple[Step, Place]]:
    """Key or index -> where it and its value begin, of the JSON container at `position`."""
    if text[position : position + 1] not in ("{", "["):
        return
    keyed = text[position] == "{"
    index = 0
    position = _skip(text, position + 1)
    while text[position : position + 1] not in ("}", "]", ""):
        start = position
        step: Step = index
        if keyed:
            step, end = _DECODER.raw_decode(text, position)
            position = _skip(text, _skip(text, end) + 1)
        yield step, (start, position)
        position = _skip(text, _DECODER.raw_decode(text, position)[1])
        if text[position : position + 1] == ",":
            position = _skip(text, position + 1)
        index += 1


def _skip(text: str, position: int) -> int:
    return _BLANK.match(text, position).end()  # type: ignore[union-attr]  # it matches nothing too


def _child(node: Json, step: Step) -> tuple[int | None, Json]:
    kind = getattr(node, "id", None)
    if kind == "mapping":
        for key, value in node.value:
            if key.value == step:
                return key.start_mark.line + 1, value
    elif kind == "sequence" and isinstance(step, int) and 0 <= step < len(node.value):
        return node.value[step].start_mark.line + 1, node.value[step]
    return None, None


def second_key(text: str, key: str) -> int | None:
    """The line of the second writing of `key` in the first JSON mapping that has it twice."""
    pending = [_skip(text, 0)]
    while pending:
        container = pending.pop()
        seen = set()
        inner = []
        for step, (start, value) in _members(text, container):
            if step == key and step in seen:
                return text.count("\n", 0, start) + 1
            seen.add(step)
            if text[value : value + 1] in ("{", "["):
                inner.append(value)
        pending.extend(reversed(inner))
    return None
