"""Every rule there is, in one sorted tuple, and the choice among them. A family is one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.errors import ArgumentError, nearest
from lambda_patterns.rules import databases, edge, failures, limits, network, template

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_patterns.rules.rule import Rule

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            *databases.RULES,
            *edge.RULES,
            *failures.RULES,
            *limits.RULES,
            *network.RULES,
            *template.RULES,
        ),
        key=lambda rule: rule.name,
    )
)


def find(name: str) -> Rule:
    """Find a rule by its name.

    Raises:
        ArgumentError: where there is none of this name; the message names the nearest.
    """
    for rule in RULES:
        if rule.name == name:
            return rule
    near = nearest(name, (rule.name for rule in RULES))
    hint = f"did you mean {near}?" if near else "`lambda-patterns rules` lists them"
    raise ArgumentError(f"there is no rule {name!r}: {hint}")


def select(only: Iterable[str] = (), ignore: Iterable[str] = ()) -> tuple[Rule, ...]:
    """Choose rules by name.

    Args:
        only: these. Default: all.
        ignore: but not these.

    Raises:
        ArgumentError: where one of the names is no rule's.
    """
    wanted = {find(name).name for name in only} or {rule.name for rule in RULES}
    unwanted = {find(name).name for name in ignore}
    return tuple(rule for rule in RULES if rule.name in wanted - unwanted)
