"""A report as a table for a pull request's comment or a job's summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.rules.rule import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.rules.finding import Finding, Report


def render(report: Report) -> str:
    """Write one row for each finding, acknowledged ones with their reason, and a line that counts."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    if report.findings:
        yield "| severity | rule | where | what | fix |"
        yield "|---|---|---|---|---|"
        yield from (_row(finding) for finding in report.findings)
        yield ""
    counts = ", ".join(f"{report.count(severity)} {severity.value}(s)" for severity in Severity)
    yield f"{counts}, {len(report.findings) - len(report.open)} acknowledged"


def _row(finding: Finding) -> str:
    severity = "acknowledged" if finding.acknowledged is not None else finding.severity.value
    name = ".".join(part for part in (finding.resource, finding.path) if part)
    where = f"{finding.where}<br>{name}" if name else finding.where
    fix = finding.fix if finding.acknowledged is None else finding.acknowledged
    cells = (severity, f"[{finding.rule}]({finding.source})", where, finding.message, fix)
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
