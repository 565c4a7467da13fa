"""What a check reports: each place where a rule is broken, ready to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.rules.rule import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


class Finding(NamedTuple):
    """A rule at a place.

    Args:
        rule: the rule's name.
        severity: the rule's severity.
        template: the template's name: the file as it was given, or the stack's construct path.
        resource: the logical id; None where the place is no resource (an output).
        path: the property, below Properties, dotted ("VpcConfig.SubnetIds.0"); "" is the whole resource.
        construct: the construct path, where it is known.
        file: the template's file; None where it was not read from one.
        line: the line in the file, from 1; None where it is not known.
        message: what is wrong, with the value found and the values allowed.
        why: the fact about AWS behind it.
        fix: how to mend it.
        source: the address of the page that documents the fact.
        acknowledged: the reason for which somebody accepted it; None where nobody did.
    """

    rule: str
    severity: Severity
    template: str
    resource: str | None
    path: str
    construct: str | None
    file: str | None
    line: int | None
    message: str
    why: str
    fix: str
    source: str
    acknowledged: str | None = None

    @property
    def where(self) -> str:
        """The place in one word: "template.yaml:12", or the template's name alone."""
        return f"{self.file or self.template}:{self.line}" if self.line else self.file or self.template

    def reaches(self, severity: Severity) -> bool:
        """Whether it is at least as bad as `severity` and nobody acknowledged it."""
        return self.acknowledged is None and _RANK[self.severity] <= _RANK[severity]

    def as_json(self) -> dict[str, str | int | None]:
        """Give it as plain JSON, keys as in the command line's JSON output."""
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "template": self.template,
            "resource": self.resource,
            "property": self.path,
            "construct": self.construct,
            "line": self.line,
            "message": self.message,
            "why": self.why,
            "fix": self.fix,
            "source": self.source,
            "acknowledged": self.acknowledged,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What one check found.

    Args:
        findings: template by template, line by line; acknowledged ones among them.
        checked: what was looked at: "templates", "resources", "deployments" (combinations of undecided
            conditions) and "rules", each a count.
    """

    findings: tuple[Finding, ...]
    checked: Mapping[str, int]

    @property
    def open(self) -> tuple[Finding, ...]:
        """The findings that nobody acknowledged."""
        return tuple(finding for finding in self.findings if finding.acknowledged is None)

    def count(self, severity: Severity) -> int:
        """How many open findings are of exactly this severity."""
        return sum(finding.severity is severity for finding in self.open)

    def reaching(self, severity: Severity) -> tuple[Finding, ...]:
        """The open findings that are at least as bad as `severity`."""
        return tuple(finding for finding in self.findings if finding.reaches(severity))
