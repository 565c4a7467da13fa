"""Texts put together from parts of which not all are known, and taken apart again.

Not modelled: what a dynamic reference reads; delimiters inside a part that is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.model.values import Reference, Text, Unknown, Zone, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lambda_patterns.model.values import Value

DYNAMIC = "{{resolve:"

Part = str | Reference | Zone | Unknown


def join(parts: Iterable[Value]) -> Value:
    """Join the parts of a string: a `str` where all are known, a lone part as it is, else a `Text`."""
    joined = _merged(
        piece if isinstance(piece, str) else _piece(piece)
        for part in parts
        for piece in (part.parts if isinstance(part, Text) else (part,))
    )
    if any(isinstance(part, str) and DYNAMIC in part for part in joined):
        joined = _merged(_without_dynamic(joined))
    if not joined:
        return ""
    return joined[0] if len(joined) == 1 else Text(tuple(joined))


def _merged(parts: Iterable[Part]) -> list[Part]:
    """Make one of strings that are neighbours, and none of empty ones."""
    merged: list[Part] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    return merged


def _piece(piece: Value) -> Part:
    written = plain(piece)
    if written is not None:
        return written
    if isinstance(piece, Reference | Zone | Unknown):
        return piece
    return Unknown("a list or mapping in the middle of a text")


def dynamic(text: str) -> Value:
    """The text, with each dynamic reference (``{{resolve:ssm:name}}``) in it unknown."""
    return join([text])


def _without_dynamic(parts: list[Part]) -> Iterator[Part]:
    """Replace every ``{{resolve:...}}``, which may run over several parts, by one `Unknown`."""
    inside: list[Part] = []
    for part in parts:
        if not isinstance(part, str):
            if inside:
                inside.append(part)
            else:
                yield part
            continue
        rest = part
        while rest:
            if inside:
                within, found, rest = rest.partition("}}")
                inside.append(within + found)
                if found:
                    yield _secret(inside)
                    inside = []
            else:
                before, found, rest = rest.partition(DYNAMIC)
                yield before
                inside = [DYNAMIC] if found else []
    yield from inside  # it does not end here: it may end in a text that this one becomes a part of


def _secret(parts: list[Part]) -> Unknown:
    written = "".join(part if isinstance(part, str) else "..." for part in parts)
    known = all(isinstance(part, str) for part in parts)
    return Unknown(f"{written} is read at deployment", name=written if known else "")


def split_list(value: Value) -> Value:
    """A list parameter's value from the comma-separated text that it is given as."""
    if isinstance(value, str):
        return [item.strip() for item in value.split(",")] if value else []
    if not isinstance(value, Text):
        return value
    items: list[list[Value]] = [[]]
    for part in value.parts:
        if isinstance(part, str):
            first, *rest = part.split(",")
            items[-1].append(first.strip())
            items.extend([item.strip()] for item in rest)
        else:
            items[-1].append(part)
    return [join(item) for item in items]


def arn_segments(value: Value) -> list[Value] | None:
    """The six segments of an ARN that is written out, with what is not plain in them; None for all else."""
    parts = value.parts if isinstance(value, Text) else (value,)
    if not isinstance(parts[0], str) or not parts[0].startswith("arn:"):
        return None
    segments: list[list[Value]] = [[]]
    for part in parts:
        if not isinstance(part, str):
            segments[-1].append(part)
            continue
        first, *rest = part.split(":", 6 - len(segments))
        segments[-1].append(first)
        segments.extend([item] for item in rest)
    return [join(segment) for segment in segments] if len(segments) == 6 else None  # noqa: PLR2004  # an ARN has six
