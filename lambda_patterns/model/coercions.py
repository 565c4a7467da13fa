"""What CloudFormation makes of a value where a property wants another type: "128" is 128, true is "true".

Not modelled: the formats that single properties want (dates).
"""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING

from lambda_patterns.model.values import Reference, Text, Unknown, Zone, plain

if TYPE_CHECKING:
    from lambda_patterns.model.values import Value

Number = int | float | Unknown | None
Boolean = bool | Unknown | None
Written = str | Reference | Text | Zone | Unknown | None

_BOOLEANS = {"true": True, "false": False, "True": True, "False": False}


def as_number(value: Value) -> Number:
    """A number, from a number or its text; None stays None; all else is `Unknown`."""
    if value is None or isinstance(value, Unknown):
        return value
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return Unknown(f"{value!r} is no number")
        if "_" not in value and isfinite(number):
            return int(number) if number == int(number) else number
        return Unknown(f"{value!r} is no number")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if isfinite(value) else Unknown(f"{value} is no number")
    return Unknown("a number that is decided at deployment")


def as_boolean(value: Value) -> Boolean:
    """A boolean, from a boolean or its text; None stays None; all else is `Unknown`."""
    if value is None or isinstance(value, bool | Unknown):
        return value
    if isinstance(value, str) and value in _BOOLEANS:
        return _BOOLEANS[value]
    return Unknown("a boolean that is decided at deployment")


def as_text(value: Value) -> Written:
    """A text, from any scalar; references, texts and None stay; a list or mapping is `Unknown`."""
    written = plain(value)
    if written is not None:
        return written
    return Unknown("a list or mapping where a text belongs") if isinstance(value, list | dict) else value  # type: ignore[return-value]  # scalars are written above


def as_list(value: Value) -> list[Value] | Unknown:
    """A list; a single value is a list of one, None is the empty list, `Unknown` stays."""
    if isinstance(value, list | Unknown):
        return value
    return [] if value is None else [value]


def as_document(value: Value) -> Value:
    """What JSON in a text says; a text that is none is `Unknown`, all that is no text stays."""
    if not isinstance(value, str):
        return value
    try:
        loaded: Value = json.loads(value)
    except (ValueError, RecursionError):
        return Unknown("the text is no JSON")
    return loaded
