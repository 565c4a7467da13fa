"""How findings of several deployments become one report, what is acknowledged, and what a crash does."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import limits
from lambda_patterns.model.assembly import Assembly, from_templates
from lambda_patterns.model.deployment import Deployment, Settings
from lambda_patterns.rules.catalogue import RULES, find, select
from lambda_patterns.rules.engine import check
from lambda_patterns.rules.finding import Finding
from lambda_patterns.rules.rule import Found, Severity

Write = Callable[..., dict[str, Any]]
DAY = Settings(date(2026, 11, 24))
STAGE = {
    "Parameters": {"Stage": {"Type": "String"}},
    "Conditions": {"Production": {"Fn::Equals": [{"Ref": "Stage"}, "production"]}},
}


def findings(template: dict[str, Any], *rules: str) -> list[Finding]:
    return list(check(from_templates({"a.yaml": template}), DAY, select(rules)).findings)


def either(one: object, other: object) -> dict[str, Any]:
    return {"Fn::If": ["Production", one, other]}


def acknowledge(*entries: object) -> dict[str, Any]:
    return {"LambdaPatterns": {"Acknowledge": list(entries)}}


def test_a_finding_under_every_condition_is_reported_once(function: Write) -> None:
    template = {**STAGE, "Resources": {"F": function(Timeout=either(901, 902))}}
    assert [finding.message for finding in findings(template, "timeout-out-of-range")] == [
        "timeout is 901 s, allowed are 1-900 s"
    ]


def test_a_finding_under_some_conditions_is_not_reported(function: Write) -> None:
    template = {**STAGE, "Resources": {"F": function(Timeout=either(901, 900))}}
    assert findings(template, "timeout-out-of-range") == []


def test_a_finding_of_a_resource_that_exists_under_some_conditions_is_reported(function: Write) -> None:
    resource = {**function(Timeout=901), "Condition": "Production"}
    assert len(findings({**STAGE, "Resources": {"F": resource}}, "timeout-out-of-range")) == 1


def test_a_finding_names_its_place(function: Write) -> None:
    resource = {**function(Timeout=901), "Metadata": {"aws:cdk:path": "Shop/F/Resource"}}
    (finding,) = findings({"Resources": {"F": resource}}, "timeout-out-of-range")
    rule = find("timeout-out-of-range")
    assert finding == Finding(
        rule=rule.name,
        severity=Severity.ERROR,
        template="a.yaml",
        resource="F",
        path="Timeout",
        construct="Shop/F/Resource",
        file=None,
        line=None,
        message="timeout is 901 s, allowed are 1-900 s",
        why=rule.why,
        fix=rule.fix,
        source=rule.source,
    )


def test_an_acknowledgement_on_the_resource_holds_for_it_alone(function: Write) -> None:
    entry = {"Rule": "timeout-out-of-range", "Reason": "tried"}
    resources = {"F": {**function(Timeout=901), "Metadata": acknowledge(entry)}, "G": function(Timeout=901)}
    found = findings({"Resources": resources}, "timeout-out-of-range")
    assert [(finding.resource, finding.acknowledged) for finding in found] == [("F", "tried"), ("G", None)]


def test_an_acknowledgement_at_the_top_holds_for_its_template(function: Write) -> None:
    entry = {"Rule": "LambdaPatterns::timeout-out-of-range", "Reason": "tried"}
    template = {"Resources": {"F": function(Timeout=901)}}
    templates = {"a.yaml": {**template, "Metadata": acknowledge(entry)}, "b.yaml": template}
    report = check(from_templates(templates), DAY, select(["timeout-out-of-range"]))
    assert [(finding.template, finding.acknowledged) for finding in report.findings] == [
        ("a.yaml", "tried"),
        ("b.yaml", None),
    ]
    assert report.count(Severity.ERROR) == 1


def test_an_acknowledgement_of_a_construct_holds_for_all_below_it(function: Write) -> None:
    def at(path: str) -> dict[str, Any]:
        return {**function(Timeout=901), "Metadata": {"aws:cdk:path": path}}

    assembly = from_templates(
        {"a": {"Resources": {"F": at("Shop/F/Resource"), "G": at("Shop/Far/Resource")}}}
    )
    assembly.roots[0].acknowledged = {"/Shop/F": {"LambdaPatterns::timeout-out-of-range": "tried"}}
    report = check(assembly, DAY, select(["timeout-out-of-range"]))
    assert [(finding.construct, finding.acknowledged) for finding in report.findings] == [
        ("Shop/F/Resource", "tried"),
        ("Shop/Far/Resource", None),
    ]


def test_without_a_reason_nothing_is_acknowledged(function: Write) -> None:
    resource = {**function(Timeout=901), "Metadata": acknowledge({"Rule": "timeout-out-of-range"})}
    found = findings({"Resources": {"F": resource}})
    assert [(finding.rule, finding.acknowledged) for finding in found] == [
        ("acknowledgement-without-reason", None),
        ("timeout-out-of-range", None),
    ]


def test_an_acknowledgement_of_an_unknown_rule_names_the_nearest(function: Write) -> None:
    entry = {"Rule": "timeout-out-of-rang", "Reason": "tried"}
    found = findings({"Resources": {"F": function()}, "Metadata": acknowledge(entry)})
    assert [(finding.rule, finding.path, finding.message, finding.fix) for finding in found] == [
        (
            "acknowledgement-of-nothing",
            "Metadata.LambdaPatterns.Acknowledge.0",
            "'timeout-out-of-rang' is acknowledged, there is no rule of this name",
            "write timeout-out-of-range",
        )
    ]


def test_an_acknowledgement_of_a_rule_that_was_not_asked_is_not_judged(function: Write) -> None:
    entry = {"Rule": "timeout-out-of-range", "Reason": "tried"}
    template = {"Resources": {"F": function()}, "Metadata": acknowledge(entry)}
    assert findings(template, "acknowledgement-of-nothing") == []


@pytest.mark.parametrize("entries", ["timeout-out-of-range", 3, [3], [{}], [{"Rule": ["a"]}], {"Rule": None}])
def test_an_acknowledgement_of_any_shape_is_a_finding_never_a_crash(function: Write, entries: object) -> None:
    metadata = {"LambdaPatterns": {"Acknowledge": entries}}
    rules = {finding.rule for finding in findings({"Resources": {"F": function()}, "Metadata": metadata})}
    assert rules <= {"acknowledgement-of-nothing", "acknowledgement-without-reason"}
    assert "acknowledgement-without-reason" in rules


def test_what_an_acknowledgement_finds_can_be_acknowledged(function: Write) -> None:
    entries = (
        {"Rule": "timeout-out-of-range", "Reason": "shared by several templates"},
        {"Rule": "acknowledgement-of-nothing", "Reason": "shared by several templates"},
    )
    found = findings({"Resources": {"F": function()}, "Metadata": acknowledge(*entries)})
    assert [(finding.rule, finding.acknowledged) for finding in found] == [
        ("acknowledgement-of-nothing", "shared by several templates")
    ]


def test_a_rule_that_crashes_is_a_finding_and_stops_no_other(function: Write) -> None:
    def crash(deployment: Deployment) -> Iterator[Found]:
        yield Found(deployment.resources[0], (), "seen before the crash")
        raise ValueError("no such thing")

    rules = (find("memory-out-of-range")._replace(check=crash), find("timeout-out-of-range"))
    assembly: Assembly = from_templates({"a.yaml": {"Resources": {"F": function(Timeout=901)}}})
    found = check(assembly, DAY, rules).findings
    assert [finding.rule for finding in found] == [
        "rule-crashed",
        "memory-out-of-range",
        "timeout-out-of-range",
    ]
    assert found[0].message.startswith("memory-out-of-range crashed at ")
    assert found[0].message.endswith(" with ValueError: no such thing")
    assert "\n" not in found[0].message


@pytest.mark.parametrize(
    ("file", "line", "where"),
    [
        ("orders.yaml", 7, "orders.yaml:7"),
        (None, 7, "Orders:7"),
        ("orders.yaml", None, "orders.yaml"),
        (None, None, "Orders"),
    ],
)
def test_a_finding_says_its_file_or_its_template_and_its_line(
    function: Write, file: str | None, line: int | None, where: str
) -> None:
    (found,) = findings({"Resources": {"F": function(Timeout=901)}}, "timeout-out-of-range")
    assert found._replace(template="Orders", file=file, line=line).where == where


def test_a_crash_is_said_with_the_line_that_it_comes_from(function: Write) -> None:
    def crash(_deployment: Deployment) -> Iterator[Found]:
        limits.TIMEOUT.check(901)
        yield from ()

    assembly = from_templates({"a.yaml": {"Resources": {"F": function()}}})
    (found,) = check(assembly, DAY, (find("memory-out-of-range")._replace(check=crash),)).findings
    assert re.match(
        r"memory-out-of-range crashed at /facts/limit\.py:\d+ with ArgumentError: timeout is 901 s",
        found.message,
    )


def test_an_unknown_rule_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ArgumentError) as raised:
        select(["memory-out-of-rang"])
    assert str(raised.value) == "there is no rule 'memory-out-of-rang': did you mean memory-out-of-range?"
    with pytest.raises(ArgumentError) as raised:
        select(ignore=["x"])
    assert str(raised.value) == "there is no rule 'x': `lambda-patterns rules` lists them"


def test_a_report_counts_what_was_checked(function: Write) -> None:
    report = check(from_templates({"a": {**STAGE, "Resources": {"F": function(Timeout=either(1, 2))}}}), DAY)
    assert report.checked == {"templates": 1, "resources": 1, "deployments": 2, "rules": len(RULES)}
