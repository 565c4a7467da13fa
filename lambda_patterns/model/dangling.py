"""Names in a template that nothing in it bears: found whatever the conditions are, as CloudFormation does.

Not modelled: attributes that a resource type does not have, outputs that a nested stack does not have (its
template may not be the one that is deployed), names that a macro adds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.model.intrinsics import VARIABLE
from lambda_patterns.model.values import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.template import Template
    from lambda_patterns.model.values import Json, Raw

Path = tuple[str | int, ...]
_PSEUDO = frozenset(
    {
        "AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition", "AWS::Region",
        "AWS::StackId", "AWS::StackName", "AWS::URLSuffix",
    }
)  # fmt: skip


class Dangling(NamedTuple):
    """One name that names nothing.

    Attributes:
        section: the template's section it is in ("Resources", "Outputs", "Conditions").
        id: the resource, output or condition in that section.
        path: where, below the resource's Properties; () is the whole resource (DependsOn, Condition) or
            output.
        function: what names it ("Ref", "Fn::GetAtt", "Fn::Sub", "DependsOn", "Condition", "Fn::If",
            "Fn::FindInMap").
        name: the name, as it is written; of a map, with its keys ("Regions.eu-west-1.Ami").
        kind: what is missing ("resource or parameter", "resource", "condition", "mapping").
    """

    section: str
    id: str
    path: Path
    function: str
    name: str
    kind: str


def dangling(template: Template) -> Iterator[Dangling]:
    """Yield every name in the template that names nothing. Nothing where a macro may add what is named."""
    if template.incomplete:
        return
    search = _Search(template)
    for logical_id, raw in template.section("Resources").items():
        if isinstance(raw, dict):
            yield from search.resource(logical_id, raw)
    for section in ("Outputs", "Conditions"):
        for logical_id, raw in template.section(section).items():
            if section == "Outputs" and isinstance(raw, dict):
                yield from search.condition(raw.get("Condition"), (section, logical_id, (), "Condition"))
            for found in search.values(raw, section, logical_id):
                yield found._replace(path=())


class _Search:
    def __init__(self, template: Template) -> None:
        self._resources = template.section("Resources")
        self._names = self._resources.keys() | template.section("Parameters").keys() | _PSEUDO
        self._conditions = template.section("Conditions")
        self._mappings = template.section("Mappings")

    def resource(self, logical_id: str, raw: Raw) -> Iterator[Dangling]:
        place = ("Resources", logical_id, ())
        depends = raw.get("DependsOn")
        for name in depends if isinstance(depends, list) else [depends]:
            if isinstance(name, str) and name not in self._resources:
                yield Dangling(*place, "DependsOn", name, "resource")
        if "Condition" in raw:
            yield from self.condition(raw["Condition"], (*place, "Condition"))
        for attribute, value in raw.items():
            if attribute == "Properties":
                yield from self.values(value, "Resources", logical_id)
            elif isinstance(value, dict) and attribute != "Metadata":
                for found in self.values(value, "Resources", logical_id):
                    yield found._replace(path=())

    def condition(self, name: object, place: tuple[str, str, Path, str]) -> Iterator[Dangling]:
        if isinstance(name, str) and name not in self._conditions:
            yield Dangling(*place, name, "condition")

    def values(self, raw: Json, section: str, logical_id: str) -> Iterator[Dangling]:
        """Search below a value; its path is only kept where there is something to say."""
        if not self._anything(raw):
            return
        pending: list[tuple[Json, Path]] = [(raw, ())]
        while pending:
            item, path = pending.pop()
            for function, name, kind in self._check(item):
                yield Dangling(section, logical_id, path, function, name, kind)
            if isinstance(item, list):
                pending.extend((value, (*path, index)) for index, value in enumerate(item))
            elif isinstance(item, dict):
                called = len(item) == 1 and next(iter(item)) in _CHECKS
                pending.extend((value, path if called else (*path, key)) for key, value in item.items())

    def _anything(self, raw: Json) -> bool:
        """Whether something at or below a value names nothing, without saying where: there seldom is."""
        pending = [raw] if type(raw) is dict or type(raw) is list else []
        while pending:
            item = pending.pop()
            if type(item) is dict and len(item) == 1:
                ((key, argument),) = item.items()
                if key in _CHECKS and next(_CHECKS[key](self, argument), None) is not None:
                    return True
            for value in item.values() if type(item) is dict else item:
                if type(value) is dict or type(value) is list:
                    pending.append(value)  # noqa: PERF401  # most hold nothing: a list of it costs more
        return False

    def _check(self, item: Json) -> Iterator[tuple[str, str, str]]:
        if type(item) is dict and len(item) == 1:
            ((key, argument),) = item.items()
            if key in _CHECKS:
                yield from _CHECKS[key](self, argument)

    def ref(self, argument: Json) -> Iterator[tuple[str, str, str]]:
        if isinstance(argument, str) and argument not in self._names:
            yield "Ref", argument, "resource or parameter"

    def get_att(self, argument: Json) -> Iterator[tuple[str, str, str]]:
        name = argument.partition(".")[0] if isinstance(argument, str) else None
        if isinstance(argument, list) and argument and isinstance(argument[0], str):
            name = argument[0]
        if name is not None and name not in self._resources:
            yield "Fn::GetAtt", name, "resource"

    def sub(self, argument: Json) -> Iterator[tuple[str, str, str]]:
        text, given = argument, {}
        if isinstance(argument, list) and len(argument) == 2:  # noqa: PLR2004  # the text and its variables
            text, given = argument
        if not isinstance(text, str) or "${" not in text or not isinstance(given, dict):
            return
        for match in VARIABLE.finditer(text):
            name = match[1].strip()
            if name.startswith("!") or name in given or name in self._names:
                continue
            resource, dot, _ = name.partition(".")
            if not dot or resource not in self._resources:
                yield "Fn::Sub", name, "resource" if dot else "resource or parameter"

    def if_(self, argument: Json) -> Iterator[tuple[str, str, str]]:
        name = argument[0] if isinstance(argument, list) and argument else None
        if isinstance(name, str) and name not in self._conditions:
            yield "Fn::If", name, "condition"

    def condition_function(self, argument: Json) -> Iterator[tuple[str, str, str]]:
        if isinstance(argument, str) and argument not in self._conditions and self._conditions:
            yield "Condition", argument, "condition"

    def find_in_map(self, argument: Json) -> Iterator[tuple[str, str, str]]:
        """A map that is missing, or a key of it that is written out and missing, without a default."""
        if not isinstance(argument, list) or len(argument) != 3 or not isinstance(argument[0], str):  # noqa: PLR2004  # a map and two keys
            return
        table = self._mappings.get(argument[0])
        if not isinstance(table, dict):
            yield "Fn::FindInMap", argument[0], "mapping"
            return
        rows, key = list(table.values()), plain(argument[1])
        if key is not None:
            if key not in table:
                yield "Fn::FindInMap", f"{argument[0]}.{key}", "mapping"
                return
            rows = [table[key]]
        second = plain(argument[2])
        if second is not None and rows and not any(isinstance(row, dict) and second in row for row in rows):
            yield "Fn::FindInMap", f"{argument[0]}.{key or '*'}.{second}", "mapping"


_CHECKS = {
    "Ref": _Search.ref,
    "Fn::GetAtt": _Search.get_att,
    "Fn::Sub": _Search.sub,
    "Fn::If": _Search.if_,
    "Fn::FindInMap": _Search.find_in_map,
    "Condition": _Search.condition_function,
}
