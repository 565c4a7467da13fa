"""Each rule of the catalogue has a template that breaks it alone, and templates that do not."""

from datetime import date
from pathlib import Path

import pytest

from lambda_patterns.model.assembly import read
from lambda_patterns.model.deployment import Settings
from lambda_patterns.rules.catalogue import RULES
from lambda_patterns.rules.engine import check
from lambda_patterns.rules.finding import Finding
from lambda_patterns.rules.rule import Rule, Severity

TEMPLATES = Path(__file__).parents[1] / "templates"
BY_THE_ENGINE = {"rule-crashed"}
"""Rules that no template can break."""
SHOWN = [rule for rule in RULES if rule.name not in BY_THE_ENGINE]
GOOD = sorted((TEMPLATES / "good").glob("*.yaml"))


def findings(path: Path) -> list[Finding]:
    report = check(read(path), Settings(date(2026, 11, 24)))
    return [finding for finding in report.findings if finding.acknowledged is None]


def is_advice(finding: Finding) -> bool:
    """Whether it is what a sound template may be told too: what would cost less, say."""
    return finding.severity is Severity.NOTE


@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.name)
def test_the_bad_fixture_breaks_its_rule_and_no_other(rule: Rule) -> None:
    path = TEMPLATES / "bad" / f"{rule.name}.yaml"
    found = [one for one in findings(path) if one.rule == rule.name or not is_advice(one)]
    assert {finding.rule for finding in found} == {rule.name}
    assert all(finding.severity is rule.severity for finding in found)
    assert all(finding.line for finding in found)


@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.name)
def test_each_rule_has_a_fixture_of_a_legitimate_exception(rule: Rule) -> None:
    assert list((TEMPLATES / "good").glob(f"{rule.name}--*.yaml"))
    assert rule.exceptions


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_fixture_breaks_no_rule(path: Path) -> None:
    broken = [one for one in findings(path) if one.rule == path.stem.partition("--")[0] or not is_advice(one)]
    assert [(finding.rule, finding.message) for finding in broken] == []


def test_every_fixture_belongs_to_a_rule() -> None:
    names = {rule.name for rule in SHOWN}
    assert {path.stem for path in (TEMPLATES / "bad").glob("*.yaml")} == names
    assert {path.stem.partition("--")[0] for path in GOOD} == names
