"""Fn::ForEach of AWS::LanguageExtensions, written out before anything is followed.

Source:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html

Not modelled: loops over what is known at deployment; they leave the template incomplete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.model.values import plain

if TYPE_CHECKING:
    from lambda_patterns.model.values import Json, Raw

_LOOP = "Fn::ForEach::"
_MOST = 10_000
"""Pieces that all loops of one template may write; CloudFormation takes 500 resources."""


def expand_loops(template: Raw) -> Raw:
    """Write out each loop over a collection that is a list, or a list parameter with a default.

    A loop that cannot be written out stays, as an entry whose key begins with ``Fn::``.
    """
    return _Loops(template).mapping(template, {})


class _Loops:
    def __init__(self, template: Raw) -> None:
        declared = template.get("Parameters")
        self._parameters = declared if isinstance(declared, dict) else {}
        self._left = _MOST

    def mapping(self, raw: Raw, names: dict[str, str]) -> Raw:
        result: Raw = {}
        for key, value in raw.items():
            rounds = self._rounds(key, value, names)
            if rounds is None:
                result[_replace(key, names)] = self._any(value, names)
                continue
            for inner in rounds:
                result.update(self.mapping(value[2], inner))
        return result

    def _any(self, raw: Json, names: dict[str, str]) -> Json:
        if isinstance(raw, dict):
            name = raw.get("Ref") if len(raw) == 1 else None
            if isinstance(name, str) and name in names:
                return names[name]
            return self.mapping(raw, names)
        if isinstance(raw, list):
            return [self._any(item, names) for item in raw]
        return _replace(raw, names) if isinstance(raw, str) and names else raw

    def _rounds(self, key: str, loop: Json, names: dict[str, str]) -> list[dict[str, str]] | None:
        if not key.startswith(_LOOP) or not isinstance(loop, list) or len(loop) != 3:  # noqa: PLR2004  # name, items, body
            return None
        name, collection, body = loop
        items = self._items(collection)
        if (
            not isinstance(name, str)
            or not isinstance(body, dict)
            or items is None
            or len(items) > self._left
        ):
            return None
        self._left -= len(items)
        return [{**names, name: item} for item in items]

    def _items(self, collection: Json) -> list[str] | None:
        if isinstance(collection, dict) and isinstance(name := collection.get("Ref"), str):
            declared = self._parameters.get(name)
            default = declared.get("Default") if isinstance(declared, dict) else None
            collection = default.split(",") if isinstance(default, str) else None
        if not isinstance(collection, list):
            return None
        items = [plain(item) for item in collection]
        return [item.strip() for item in items if item is not None] if None not in items else None


def _replace(text: str, names: dict[str, str]) -> str:
    for name, item in names.items():
        text = text.replace(f"${{{name}}}", item).replace(f"&{{{name}}}", _alphanumeric(item))
    return text


def _alphanumeric(item: str) -> str:
    return "".join(character for character in item if character.isalnum())
