"""A report for programs: ``{"findings": [...], "checked": {...}}``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_patterns.rules.finding import Report


def render(report: Report) -> str:
    """Write all findings, acknowledged ones too, and what was checked."""
    findings = [finding.as_json() for finding in report.findings]
    return json.dumps({"findings": findings, "checked": dict(report.checked)}, indent=2, ensure_ascii=False)
