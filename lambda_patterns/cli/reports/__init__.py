"""The forms in which a report is written, one module each; each gives `render(report) -> str`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_patterns.rules.finding import Report

FORMATS = ("text", "json", "sarif", "junit", "github", "markdown")


def render(report: Report, form: str) -> str:
    """Write `report` in `form`, one of `FORMATS`; the text ends without a newline."""
    written = importlib.import_module(f"{__name__}.as_{form}").render(report)
    return str(written)
