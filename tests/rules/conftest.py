"""Templates in a line, judged by one rule on a fixed day."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from lambda_patterns.model.assembly import from_templates
from lambda_patterns.model.deployment import Settings
from lambda_patterns.rules.catalogue import select
from lambda_patterns.rules.engine import check

Judge = Callable[..., list[tuple[str, str]]]
DAY = date(2026, 11, 24)


@pytest.fixture
def judge() -> Judge:
    """Give a function that judges a template by one rule: its findings as (place, message)."""

    def judged(
        rule: str, resources: dict[str, Any], settings: Settings | None = None, **sections: Any
    ) -> list[tuple[str, str]]:
        templates = {"template.yaml": {"Resources": resources, **sections}}
        report = check(from_templates(templates), settings or Settings(DAY), select([rule]))
        crashed = [finding.message for finding in report.findings if finding.rule == "rule-crashed"]
        assert not crashed
        return [
            (".".join(part for part in (finding.resource, finding.path) if part), finding.message)
            for finding in report.findings
        ]

    return judged


@pytest.fixture
def function() -> Callable[..., dict[str, Any]]:
    """Give a function that writes a sound zip function, with whatever a test adds to it."""

    def written(**properties: Any) -> dict[str, Any]:
        base = {
            "Role": "arn:aws:iam::111122223333:role/orders",
            "Runtime": "python3.13",
            "Handler": "app.handler",
            "Code": {"S3Bucket": "code", "S3Key": "orders.zip"},
        }
        return {"Type": "AWS::Lambda::Function", "Properties": {**base, **properties}}

    return written
