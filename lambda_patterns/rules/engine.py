"""Asks every rule about every deployment of an assembly, and keeps what holds in all of them."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.model.template import Resource
from lambda_patterns.rules import acknowledgements
from lambda_patterns.rules.catalogue import RULES
from lambda_patterns.rules.finding import Finding, Report
from lambda_patterns.rules.rule import Found
from lambda_patterns.rules.template import (
    ACKNOWLEDGEMENT_OF_NOTHING,
    ACKNOWLEDGEMENT_WITHOUT_REASON,
    RULE_CRASHED,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambda_patterns.model.assembly import Assembly
    from lambda_patterns.model.deployment import Settings
    from lambda_patterns.model.template import Template
    from lambda_patterns.rules.acknowledgements import Acknowledgement
    from lambda_patterns.rules.rule import Rule


class _Place(NamedTuple):
    rule: str
    template: str
    resource: str | None
    path: tuple[str | int, ...]
    subject: str


class _Seen:
    """What a rule said of one place: in how many deployments, and in the words of the first of them.

    `everywhere`: the place is part of the template itself, so it has to be seen in every deployment.
    """

    __slots__ = ("everywhere", "first", "last", "rule", "times")

    def __init__(self, rule: Rule, found: Found, deployment: int) -> None:
        self.rule = rule
        self.first = [found]
        self.last = deployment
        self.everywhere = not isinstance(found.resource, Resource)
        self.times = 1


def check(assembly: Assembly, settings: Settings | None = None, rules: Sequence[Rule] = RULES) -> Report:
    """Judge `assembly` by `rules`.

    A finding is reported where it holds in every deployment (combination of undecided conditions) in which
    its resource exists. A rule that crashes is reported as `rule-crashed` and stops no other rule.

    Args:
        assembly: what `lambda_patterns.model.assembly.read` gives.
        settings: the day, the quota profile and the Region. Default: `Settings()`.
        rules: the rules to ask. Default: all of the catalogue.

    Raises:
        LambdaPatternsError: where the assembly itself cannot be followed (a cycle of references, say).
    """
    return _Check(assembly, settings, rules).report()


class _Check:
    def __init__(self, assembly: Assembly, settings: Settings | None, rules: Sequence[Rule]) -> None:
        self._assembly = assembly
        self._rules = rules
        self._seen: dict[_Place, _Seen] = {}
        self._existing: Counter[tuple[str, str | None]] = Counter()
        self._crashed: dict[str, Exception] = {}
        self._deployments = 0
        for deployment in assembly.deployments(settings):
            self._deployments += 1
            self._existing.update((resource.template, resource.id) for resource in deployment.resources)
            for rule in rules:
                try:
                    for found in rule.check(deployment):
                        self._take(rule, found)
                except Exception as error:  # noqa: BLE001  # whatever a rule raises becomes a finding of its own
                    self._crashed.setdefault(rule.name, error)

    def _take(self, rule: Rule, found: Found) -> None:
        template, resource, path = _split(found)
        place = _Place(rule.name, template.name, resource, path, found.subject)
        seen = self._seen.get(place)
        if seen is None:
            self._seen[place] = _Seen(rule, found, self._deployments)
        elif seen.last != self._deployments:
            seen.last = self._deployments
            seen.times += 1
        elif seen.times == 1 and all(other.what != found.what for other in seen.first):
            seen.first.append(found)

    def report(self) -> Report:
        findings = [*self._held, *self._crashes()]
        wanted = {ACKNOWLEDGEMENT_OF_NOTHING.name, ACKNOWLEDGEMENT_WITHOUT_REASON.name}
        asked = {rule.name for rule in self._rules}
        if wanted & asked:
            findings += self._judged(asked)
        accepted = acknowledgements.Accepted(self._acknowledgements)
        reasons = [
            finding
            if (reason := accepted.reason_for(finding)) is None
            else finding._replace(acknowledged=reason)
            for finding in findings
        ]
        return Report(
            tuple(sorted(reasons, key=self._order)),
            {
                "templates": len(self._assembly.templates),
                "resources": len(self._existing),
                "deployments": self._deployments,
                "rules": len(self._rules),
            },
        )

    @cached_property
    def _acknowledgements(self) -> tuple[Acknowledgement, ...]:
        return acknowledgements.read(self._assembly)

    @cached_property
    def _held(self) -> list[Finding]:
        return [
            _finding(seen.rule, found)
            for place, seen in self._seen.items()
            if seen.times
            == (self._deployments if seen.everywhere else self._existing[place.template, place.resource])
            for found in seen.first
        ]

    def _crashes(self) -> Iterator[Finding]:
        if not self._crashed:
            return
        import traceback  # noqa: PLC0415  # no rule is meant to crash

        for name, error in self._crashed.items():
            frame = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{frame.filename.rpartition('lambda_patterns')[2]}:{frame.lineno}"
            what = f"{name} crashed at {where} with {type(error).__name__}: {error}"
            yield _finding(RULE_CRASHED, Found(self._assembly.templates[0], (), what, subject=name))

    def _judged(self, asked: set[str]) -> Iterator[Finding]:
        if not self._acknowledgements:
            return
        fired = [_finding(seen.rule, found) for seen in self._seen.values() for found in seen.first]
        known = {rule.name for rule in RULES}
        # what the acknowledgements' own rules find can be acknowledged too, unjudged
        ran = (
            asked
            - {ACKNOWLEDGEMENT_OF_NOTHING.name, ACKNOWLEDGEMENT_WITHOUT_REASON.name}
            - self._crashed.keys()
        )
        for rule, one, found in acknowledgements.judge(self._acknowledgements, fired, known, ran):
            if rule.name in asked:
                finding = _finding(rule, found)
                yield finding._replace(construct=one.construct) if one.construct else finding

    @cached_property
    def _places(self) -> dict[str, int]:
        return {template.name: index for index, template in enumerate(self._assembly.templates)}

    def _order(self, finding: Finding) -> tuple[int, int, str, str, str]:
        return (
            self._places[finding.template],
            finding.line or 0,
            finding.resource or "",
            finding.rule,
            finding.message,
        )


def _split(found: Found) -> tuple[Template, str | None, tuple[str | int, ...]]:
    """Give template, logical id and path; the path is below Properties where there is a logical id."""
    if isinstance(found.resource, Resource):
        return found.resource.source, found.resource.id, found.path
    if len(found.path) > 1 and found.path[0] == "Resources":
        rest = found.path[2:]
        return found.resource, str(found.path[1]), rest[1:] if rest[:1] == ("Properties",) else rest
    return found.resource, None, found.path


def _finding(rule: Rule, found: Found) -> Finding:
    template, resource, path = _split(found)
    if isinstance(found.resource, Resource):
        construct, line = found.resource.construct_path, found.resource.line(found.path)
    else:
        construct = _construct_path(template, resource) if resource else None
        line = template.line(*found.path) if found.path else None
    return Finding(
        rule=rule.name,
        severity=rule.severity,
        template=template.name,
        resource=resource,
        path=".".join(str(step) for step in path),
        construct=construct,
        file=str(template.path) if template.path else None,
        line=line,
        message=found.what,
        why=found.why or rule.why,
        fix=found.fix or rule.fix,
        source=rule.source,
    )


def _construct_path(template: Template, logical_id: str) -> str | None:
    raw = template.section("Resources").get(logical_id)
    metadata = raw.get("Metadata") if isinstance(raw, dict) else None
    path = metadata.get("aws:cdk:path") if isinstance(metadata, dict) else None
    return path if isinstance(path, str) else template.construct_paths.get(logical_id)
