"""A report to be read in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lambda_patterns.rules.rule import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.rules.finding import Finding, Report

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def render(report: Report) -> str:
    """Write each finding with place, what, why, fix and source, then a line that counts."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    for finding in report.open:
        yield from _finding(finding)
        yield ""
    accepted = [finding for finding in report.findings if finding.acknowledged is not None]
    if accepted:
        yield "acknowledged:"
        for finding in accepted:
            yield f"  {finding.where}: {finding.rule}{_place(finding)}: {finding.acknowledged}"
        yield ""
    yield _summary(report, len(accepted))


def _place(finding: Finding) -> str:
    name = finding.construct or finding.resource
    return (f" {name}" if name else "") + (f" {finding.path}" if finding.path else "")


def _finding(finding: Finding) -> Iterator[str]:
    severity = click.style(finding.severity.value, fg=_COLOURS[finding.severity], bold=True)
    yield f"{finding.where}: {severity}: {click.style(finding.rule, bold=True)}{_place(finding)}"
    yield f"  {finding.message}"
    yield f"  why: {finding.why}"
    yield f"  fix: {finding.fix}"
    yield f"  source: {finding.source}"


def _summary(report: Report, accepted: int) -> str:
    counted = ", ".join(_counted(report.count(severity), severity.value) for severity in Severity)
    checked = report.checked
    return (
        f"{counted}, {accepted} acknowledged, in {_counted(checked['templates'], 'template')} with "
        f"{_counted(checked['resources'], 'resource')}, by {_counted(checked['rules'], 'rule')}"
    )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
