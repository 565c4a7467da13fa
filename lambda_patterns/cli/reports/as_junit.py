"""A report as JUnit XML: a suite a template, a failed case a finding, a skipped one if acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.rules.finding import Finding, Report


# control characters, which XML 1.0 cannot hold and a template's names can
_NOT_IN_XML = dict.fromkeys((*range(9), 11, 12, *range(14, 32)))


def render(report: Report) -> str:
    """Write one suite for each template with findings; a report without any is one passed case."""
    return "\n".join(_lines(report)).translate(_NOT_IN_XML)


def _lines(report: Report) -> Iterator[str]:
    suites: dict[str, list[Finding]] = {}
    for finding in report.findings:
        suites.setdefault(finding.file or finding.template, []).append(finding)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    counts = f'tests="{len(report.findings) or 1}" failures="{len(report.open)}"'
    yield f'<testsuites name="lambda-patterns" {counts}>'
    for template, findings in suites.items():
        failures = sum(finding.acknowledged is None for finding in findings)
        skipped = len(findings) - failures
        counts = f'tests="{len(findings)}" failures="{failures}" skipped="{skipped}"'
        yield f"  <testsuite name={quoteattr(template)} {counts}>"
        for finding in findings:
            yield from _case(finding)
        yield "  </testsuite>"
    if not suites:
        yield '  <testsuite name="templates" tests="1" failures="0">'
        yield '    <testcase classname="lambda-patterns" name="no findings"/>'
        yield "  </testsuite>"
    yield "</testsuites>"


def _case(finding: Finding) -> Iterator[str]:
    place = ".".join(part for part in (finding.construct or finding.resource, finding.path) if part)
    name = quoteattr(f"{finding.rule} {place}".strip())
    line = f' line="{finding.line}"' if finding.line else ""
    yield f"    <testcase classname={quoteattr(finding.rule)} name={name}{line}>"
    if finding.acknowledged is None:
        body = f"{finding.where}\nwhy: {finding.why}\nfix: {finding.fix}\nsource: {finding.source}"
        kind = quoteattr(finding.severity.value)
        yield f"      <failure type={kind} message={quoteattr(finding.message)}>{escape(body)}</failure>"
    else:
        yield f"      <skipped message={quoteattr(finding.acknowledged)}/>"
    yield "    </testcase>"
