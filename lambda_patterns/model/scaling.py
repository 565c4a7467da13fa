"""Provisioned concurrency that Application Auto Scaling sets, by the clock or by use.

Not modelled: targets that name a function by a text alone, and what a scaling policy makes of the use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.model.values import Reference, Text, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource

TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
_MINIMUM = ("MinCapacity",)


def targets_of(deployment: Deployment, function: Resource) -> Iterator[Resource]:
    """The scalable targets that set the provisioned concurrency of a function's aliases and versions."""
    for target in deployment.of_type(TARGET):
        if target.get("ServiceNamespace") == "lambda" and function in _named(target):
            yield target


def minima(target: Resource) -> Iterator[tuple[tuple[str | int, ...], int]]:
    """The least capacities that a target sets, at first and at each of its times, with where they stand."""
    actions = target.list("ScheduledActions")
    times = range(0 if isinstance(actions, Unknown) else len(actions))
    paths = [_MINIMUM, *(("ScheduledActions", each, "ScalableTargetAction", *_MINIMUM) for each in times)]
    for path in paths:
        least = target.number(*path)
        if isinstance(least, int):
            yield path, least


def _named(target: Resource) -> set[Resource]:
    """The functions in a target's id: ``function:``, a function or a cut of a qualified ARN, ``:live``."""
    value = target.get("ResourceId")
    parts = value.parts if isinstance(value, Text) else (value,)
    found = {part.resource for part in parts if isinstance(part, Reference)}
    of_them = {each.resource("FunctionName") for each in found}
    return found | {each for each in of_them if each is not None}
