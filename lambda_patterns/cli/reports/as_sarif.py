"""A report as SARIF 2.1.0, which code scanning services read.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lambda_patterns.rules.catalogue import RULES

if TYPE_CHECKING:
    from lambda_patterns.rules.finding import Finding, Report
    from lambda_patterns.rules.rule import Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render(report: Report) -> str:
    """Write one run: the rules that found something, and each finding; acknowledged ones are suppressed."""
    names = sorted({finding.rule for finding in report.findings})
    rules = [rule for rule in RULES if rule.name in names]
    index = {rule.name: number for number, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "lambda-patterns",
                "version": version("lambda-patterns"),
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, index[finding.rule]) for finding in report.findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.name,
        "shortDescription": {"text": rule.forbids},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.fix},
        "helpUri": rule.source,
        "defaultConfiguration": {"level": rule.severity.value},
        "properties": {"tags": [rule.topic]},
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    place = ".".join(part for part in (finding.resource, finding.path) if part)
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": _uri(finding)}}}
    if finding.line:
        location["physicalLocation"]["region"] = {"startLine": finding.line}
    if place:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.construct or place, "name": place}]
    identity = f"{finding.rule}\n{finding.template}\n{place}\n{finding.message}"
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.severity.value,
        "message": {"text": f"{finding.message}: {finding.why}. fix: {finding.fix}"},
        "locations": [location],
        "partialFingerprints": {"lambdaPatterns/v1": hashlib.sha256(identity.encode()).hexdigest()},
    }
    if finding.acknowledged is not None:
        result["suppressions"] = [{"kind": "inSource", "justification": finding.acknowledged}]
    return result


def _uri(finding: Finding) -> str:
    """Give the template's file relative to the folder that the check ran in, as code scanning wants it."""
    path = Path(finding.file or finding.template)
    try:
        path = path.resolve().relative_to(Path.cwd())
    except ValueError:
        return path.resolve().as_uri()
    return quote(path.as_posix())
