"""A report as workflow commands, which GitHub Actions shows beside the lines of a pull request.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.rules.rule import Severity

if TYPE_CHECKING:
    from lambda_patterns.rules.finding import Finding, Report

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(report: Report) -> str:
    """Write one command for each finding that nobody acknowledged."""
    return "\n".join(_command(finding) for finding in report.open)


def _command(finding: Finding) -> str:
    place = {"file": finding.file or finding.template, "title": finding.rule}
    if finding.line:
        place["line"] = str(finding.line)
    properties = ",".join(f"{name}={_escape(value, ':,')}" for name, value in place.items())
    named = f"{finding.resource}: " if finding.resource else ""
    message = f"{named}{finding.message}: {finding.why}. fix: {finding.fix} ({finding.source})"
    return f"::{_COMMANDS[finding.severity]} {properties}::{_escape(message)}"


def _escape(text: str, also: str = "") -> str:
    for character in "%\r\n" + also:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
