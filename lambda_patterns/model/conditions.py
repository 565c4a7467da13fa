"""Which conditions hold, and which combinations of them can occur.

A condition is evaluated from what is known: defaults, the stack's Region and account, the settings. Where it
depends on a parameter without a default (or on an unknown Region), that parameter is *chosen*: one
combination for each value that conditions compare it with, and one for anything else. So no combination
contradicts itself: ``Equals(P, "a")`` and ``Equals(P, "b")`` never hold together. A comparison that cannot
be reduced to one parameter's value is chosen itself, true or false, and is the same wherever it is written
alike.

At most `MOST_COMBINATIONS` are enumerated for one assembly; beyond it, what is undecided stays `Unknown`.

Not modelled: the Rules section, AllowedPattern, MaxLength, MinValue and MaxValue of a parameter, all of
which may exclude a combination that is enumerated here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lambda_patterns.model.values import Unknown, plain, same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lambda_patterns.model.scope import Scope, World
    from lambda_patterns.model.values import Json, Value

MOST_COMBINATIONS = 64
"""Each is checked whole, so a template takes at most that many times as long."""

Choices = dict[str, str | bool | None]
"""Atom -> the value chosen (None: any that no condition compares it with), or the comparison's outcome."""

_PSEUDO = frozenset({"AWS::Region", "AWS::AccountId", "AWS::Partition", "AWS::URLSuffix", "AWS::StackName"})
_SSM = "AWS::SSM::Parameter::Value<"
_METADATA = "AWS::CDK::Metadata"  # deployed or not by a list of all Regions, and nothing depends on it


class Undecided(Exception):  # noqa: N818  # it asks for a choice, it is not an error
    """A condition that cannot be evaluated before a choice is made."""

    def __init__(self, atom: str, domain: tuple[str | bool | None, ...]) -> None:
        super().__init__(atom)
        self.atom = atom
        self.domain = domain


def combinations(make: Callable[[Choices | None], World]) -> Iterator[World]:
    """Yield a world for each combination of choices that can occur, or one without choices beyond the bound.

    Args:
        make: makes a world in which the given choices were made.
    """
    complete: list[World] = []
    pending: list[Choices] = [{}]
    used: dict[str, tuple[str, ...]] | None = None
    while pending:
        choices = pending.pop()
        world = make(choices)
        if used is None:
            used = {scope.template.name: used_conditions(scope) for scope in world.scopes}
        try:
            for scope in world.scopes:
                for name in used[scope.template.name]:
                    scope.condition(name)
        except Undecided as choice:
            pending.extend({**choices, choice.atom: value} for value in reversed(choice.domain))
            if len(pending) + len(complete) > MOST_COMBINATIONS:
                yield make(None)
                return
        else:
            complete.append(world)
    while complete:
        yield complete.pop(0)  # not kept: what a world has followed is large


def used_conditions(scope: Scope) -> tuple[str, ...]:
    """The conditions that decide about a resource, output or value of the template."""
    declared = scope.template.section("Conditions")
    if not declared:
        return ()
    used: dict[str, None] = {}
    for section in ("Resources", "Outputs"):
        for raw in scope.template.section(section).values():
            if not isinstance(raw, dict) or raw.get("Type") == _METADATA:
                continue
            if isinstance(raw.get("Condition"), str):
                used[raw["Condition"]] = None
            used.update(dict.fromkeys(_ifs(raw)))
    return tuple(name for name in used if name in declared)


def _ifs(raw: object) -> Iterator[str]:
    pending = [raw]
    while pending:
        item = pending.pop()
        if type(item) is dict:
            chosen = item.get("Fn::If")
            if isinstance(chosen, list) and chosen and isinstance(chosen[0], str):
                yield chosen[0]
            pending.extend(item.values())
        elif type(item) is list:
            pending.extend(item)


def decide(scope: Scope, name: str) -> bool | Unknown:
    """Evaluate the condition `name` of the template."""
    declared = scope.template.section("Conditions")
    if name not in declared:
        return Unknown(f"{scope.template.name} has no condition {name}")
    return _evaluate(scope, declared[name])


def _evaluate(scope: Scope, raw: Json) -> bool | Unknown:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, dict) and len(raw) == 1:
        ((key, argument),) = raw.items()
        if key == "Condition":
            return scope.condition(argument)
        if key == "Fn::Equals" and isinstance(argument, list) and len(argument) == 2:  # noqa: PLR2004  # two sides
            return _equals(scope, argument[0], argument[1])
        if key in ("Fn::And", "Fn::Or") and isinstance(argument, list):
            return _junction(scope, argument, deciding=key == "Fn::Or")
        if key == "Fn::Not" and isinstance(argument, list) and len(argument) == 1:
            held = _evaluate(scope, argument[0])
            return held if isinstance(held, Unknown) else not held
    return Unknown("the condition is not written in a form that can be evaluated")


def _junction(scope: Scope, operands: list[Json], *, deciding: bool) -> bool | Unknown:
    """Fn::Or (one True decides) or Fn::And (one False decides): a known operand may spare a choice."""
    undecided: Undecided | None = None
    unknown: Unknown | None = None
    for operand in operands:
        try:
            held = _evaluate(scope, operand)
        except Undecided as choice:
            undecided = undecided or choice
            continue
        if held is deciding:
            return deciding
        unknown = held if isinstance(held, Unknown) else unknown
    if undecided is not None:
        raise undecided
    return not deciding if unknown is None else unknown


def _equals(scope: Scope, left: Json, right: Json) -> bool | Unknown:
    values = scope.resolve(left), scope.resolve(right)
    answer = same(*values)
    if answer is not None:
        return answer
    choices = scope.world.choices
    if choices is None:
        return Unknown("the condition depends on what is known at deployment")
    for side in (left, right):
        for atom, owner, name in _atoms(scope, side):
            if atom not in choices:
                raise Undecided(atom, _domain(owner, name, atom))
    for side, other in ((left, values[1]), (right, values[0])):
        found = atom_of(scope, side)
        if found is not None and choices.get(found[0]) is None and plain(other) is not None:
            return False
    sides = sorted(json.dumps(side, sort_keys=True) for side in (left, right))
    key = f"{scope.template.name}: {' = '.join(sides)}"
    chosen = choices.get(key)
    if isinstance(chosen, bool):
        return chosen
    raise Undecided(key, (True, False))


def atom_of(scope: Scope, raw: Json) -> tuple[str, Scope, str] | None:
    """The undecided parameter that `raw` is a Ref to: its atom, the scope that declares it, its name."""
    if not (isinstance(raw, dict) and len(raw) == 1 and isinstance(name := raw.get("Ref"), str)):
        return None
    if name in _PSEUDO:
        atom = scope.atom(name)
        choices = scope.world.choices
        open_ = isinstance(scope.pseudo(name), Unknown) or (choices is not None and atom in choices)
        return (atom, scope, name) if open_ else None
    declared = scope.template.section("Parameters").get(name)
    if declared is None:
        return None
    stored = isinstance(declared, dict) and str(declared.get("Type")).startswith(_SSM)
    given = None if stored else scope.given(name)
    if given is not None:
        return atom_of(*given)
    decided = isinstance(declared, dict) and "Default" in declared and not stored
    return None if decided else (scope.atom(name), scope, name)


def _atoms(scope: Scope, raw: Json) -> Iterator[tuple[str, Scope, str]]:
    """Every undecided parameter in `raw`, also those that a parent stack passes in an expression."""
    pending: list[tuple[Scope, Json, int]] = [(scope, raw, 0)]
    while pending:
        owner, item, passed = pending.pop()
        found = atom_of(owner, item)
        if found is not None:
            yield found
        elif isinstance(item, dict):
            given = owner.given(item["Ref"]) if isinstance(item.get("Ref"), str) else None
            if given is not None:
                pending.append((*given, passed + 1))
            else:
                pending.extend((owner, value, passed) for value in reversed(item.values()))
        elif isinstance(item, list):
            pending.extend((owner, value, passed) for value in reversed(item))


def _domain(owner: Scope, name: str, atom: str) -> tuple[str | bool | None, ...]:
    """The values of a parameter that conditions tell apart, and None for any other where one is possible."""
    compared = dict.fromkeys(
        value
        for scope in owner.world.scopes
        for value in _compared_with(scope, atom)
        if _possible(owner, name, value)
    )
    allowed = _allowed(owner.template.section("Parameters").get(name))
    if allowed is None:
        return (*compared, None)
    rest = [value for value in allowed if value not in compared]
    if len(rest) == 1:
        return (*compared, rest[0])
    return (*compared, None) if rest else tuple(compared)


def _possible(owner: Scope, name: str, value: str) -> bool:
    declared = owner.template.section("Parameters").get(name)
    allowed = _allowed(declared)
    shortest = declared.get("MinLength", 0) if isinstance(declared, dict) else 0
    long_enough = bool(value) or plain(shortest) in ("0", None)
    return long_enough and (allowed is None or value in allowed)


def _allowed(declared: object) -> list[str] | None:
    values = declared.get("AllowedValues") if isinstance(declared, dict) else None
    if not isinstance(declared, dict) or not isinstance(values, list):
        return None
    if str(declared.get("Type")).startswith(_SSM):
        return None
    return [written for value in values if (written := plain(value)) is not None]


def _compared_with(scope: Scope, atom: str) -> Iterator[str]:
    """The constants that conditions compare the atom with, and the keys of the maps that it selects from."""
    pending: list[Json] = list(scope.template.section("Conditions").values())
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, dict):
            pending.extend(item.values())
            sides = item.get("Fn::Equals")
            if isinstance(sides, list) and len(sides) == 2:  # noqa: PLR2004  # a comparison has two sides
                yield from _constants(scope, sides, atom)
            keys = item.get("Fn::FindInMap")
            if isinstance(keys, list) and len(keys) >= 3:  # noqa: PLR2004  # a map and two keys
                yield from _map_keys(scope, keys, atom)


def _is_atom(scope: Scope, raw: Json, atom: str) -> bool:
    found = atom_of(scope, raw)
    return found is not None and found[0] == atom


def _constants(scope: Scope, sides: list[Json], atom: str) -> Iterator[str]:
    for side, other in (sides, reversed(sides)):
        if _is_atom(scope, side, atom):
            value: Value = scope.resolve(other)
            written = plain(value)
            if written is not None:
                yield written


def _map_keys(scope: Scope, keys: list[Json], atom: str) -> Iterator[str]:
    table = scope.template.section("Mappings").get(keys[0]) if isinstance(keys[0], str) else None
    rows: Mapping[str, Json] = table if isinstance(table, dict) else {}
    if _is_atom(scope, keys[1], atom):
        yield from rows
    if _is_atom(scope, keys[2], atom):
        for row in rows.values():
            yield from row if isinstance(row, dict) else ()
