"""What Lambda does over no path of a function's own: it polls its event sources, and delivers its outcomes.

What stands outside of the deployment (a queue that a parameter or an ARN names) is known by that value.
Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html and
https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html

Not modelled: two values that name one resource in different words, unless both are ARNs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.model.matching import matches_resource, segments_of
from lambda_patterns.model.names import NAMED_BY
from lambda_patterns.model.template import Resource
from lambda_patterns.model.values import Text, Unknown, references

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_patterns.facts.services import Service
    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.policies import Statement
    from lambda_patterns.model.values import Value

Named = Resource | str | Text | Unknown
"""What is polled or delivered to: a resource, or, outside of the deployment, the value that names it."""

_FUNCTION = "AWS::Lambda::Function"


class Served:
    """The event sources and destinations of the functions of one deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._of: dict[Resource, dict[Named, bool]] | None = None

    def of(self, function: Resource) -> Mapping[Named, bool]:
        """The function's event sources (True), and its destinations and dead-letter queues (False)."""
        if self._of is None:
            self._of = {}
            deployment = self._deployment
            for mapping in deployment.of_type("AWS::Lambda::EventSourceMapping"):
                self._note(self._of, self._owner(mapping), mapping.get("EventSourceArn"), polled=True)
                failed = mapping.get("DestinationConfig", "OnFailure", "Destination")
                self._note(self._of, self._owner(mapping), failed, polled=False)
            for settings in deployment.of_type("AWS::Lambda::EventInvokeConfig"):
                for outcome in ("OnFailure", "OnSuccess"):
                    to = settings.get("DestinationConfig", outcome, "Destination")
                    self._note(self._of, self._owner(settings), to, polled=False)
            for each in deployment.of_type(_FUNCTION):
                self._note(self._of, each, each.get("DeadLetterConfig", "TargetArn"), polled=False)
        return self._of.get(function, {})

    def may_be_of(self, statement: Statement, served: Mapping[Named, bool]) -> bool:
        """Whether a statement names one of `served`, or something that is not in the deployment."""
        named = (self._name(target) for target in statement.resources)
        return any(not isinstance(one, Resource) or one in served for one in named)

    def does(self, served: Mapping[Named, bool], service: Service, action: str, target: Value) -> bool:
        """Whether Lambda, not the code, does `action` of `service` to `target`, or may be meant to."""
        named = self._name(target)
        ways = _ways(served, named)
        if ways:
            return any(covers(service.polling if polled else service.delivering, action) for polled in ways)
        if isinstance(named, Resource):
            return False
        if covers(service.polling, action) and _has(served, service, polled=True):
            return True
        return target == "*" and covers(service.delivering, action) and _has(served, service, polled=False)

    def _note(
        self,
        noted: dict[Resource, dict[Named, bool]],
        function: Resource | None,
        value: Value,
        *,
        polled: bool,
    ) -> None:
        named = self._name(value)
        if function is not None and named is not None:
            noted.setdefault(function, {}).setdefault(named, polled)

    def _name(self, value: Value) -> Named | None:
        named = self._deployment.resource_of(value)
        return value if named is None and isinstance(value, str | Text | Unknown) else named

    def _owner(self, settings: Resource) -> Resource | None:
        """The function that a mapping or configuration is for, by itself, an alias or a version."""
        value = settings.get("FunctionName")
        named = self._deployment.resource_of(value, _FUNCTION)
        if named is None:
            named = next((reference.resource for reference in references(value)), None)
        if named is not None and named.type in ("AWS::Lambda::Alias", "AWS::Lambda::Version"):
            return self._deployment.resource_of(named.get("FunctionName"), _FUNCTION)
        return named


def covers(actions: tuple[str, ...], pattern: str) -> bool:
    """Whether an action pattern is, or a wildcard in it covers, one of `actions`."""
    stem, wildcard, _ = pattern.lower().partition("*")
    if wildcard:
        return any(action.lower().startswith(stem) for action in actions)
    return any(
        action.lower() == stem or (action.endswith("*") and stem.startswith(action[:-1].lower()))
        for action in actions
    )


def _ways(served: Mapping[Named, bool], named: Named | None) -> list[bool]:
    """How Lambda uses, or may use, what a statement names: polled (True), or delivered to (False)."""
    if named is not None and named in served:
        return [served[named]]
    if named == "*" or not isinstance(named, str | Text):
        return []
    outside = ((one, polled) for one, polled in served.items() if isinstance(one, str | Text))
    return [polled for one, polled in outside if matches_resource(named, one) is not False]


def _has(served: Mapping[Named, bool], service: Service, *, polled: bool) -> bool:
    """Whether an event source (or a destination) of the function is, or may be, of the service."""
    return any(how is polled and _may_be_of(one, service, polled=polled) for one, how in served.items())


def _may_be_of(served: Named, service: Service, *, polled: bool) -> bool:
    if isinstance(served, Resource):
        named: Value = NAMED_BY.get(served.type, ("",))[0]
    else:
        segments = segments_of(served)
        named = None if segments is None else segments[2]
        if not isinstance(named, str):
            return True
    streams = polled and service.name == "dynamodb-streams" and named == "dynamodb"
    return streams or named in (service.name, *service.prefixes, *service.arns)
