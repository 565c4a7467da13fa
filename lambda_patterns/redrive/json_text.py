"""Members of a JSON object as the very text they were written in, so that no number or key order is lost."""

from __future__ import annotations

import json
import re

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def member(text: str, *path: str) -> str | None:
    """Cut the value at `path` out of a JSON object's text, character by character as it stands there.

    A name that stands twice gives the last value, as `json.loads` does.

    Args:
        text: the text of one valid JSON object.
        path: the names to descend by, at least one.

    Returns:
        The value's text, or None where the path leads nowhere.
    """
    found: str | None = text
    for name in path:
        if found is None:
            return None
        found = _own_member(found, name)
    return found


def _own_member(text: str, name: str) -> str | None:
    position = _skip(text, 0)
    if text[position : position + 1] != "{":
        return None
    found = None
    position = _skip(text, position + 1)
    while text[position] != "}":
        key, position = _DECODER.raw_decode(text, position)
        position = _skip(text, _skip(text, position) + 1)
        start = position
        _, position = _DECODER.raw_decode(text, position)
        if key == name:
            found = text[start:position]
        position = _skip(text, position)
        if text[position] == ",":
            position = _skip(text, position + 1)
    return found


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def loads(text: str) -> object:
    """Parse JSON of unknown origin.

    Raises:
        ValueError: it is not JSON, or is nested too deeply to be read.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
