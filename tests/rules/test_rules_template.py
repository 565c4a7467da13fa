"""Names that name nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from lambda_patterns.model.assembly import from_templates
from lambda_patterns.rules.catalogue import find
from lambda_patterns.rules.engine import check
from lambda_patterns.rules.template import MOST_COMPARISONS

Judge = Callable[..., list[tuple[str, str]]]
Write = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"Ref": "Queue"}, None),
        ({"Ref": "Stage"}, None),
        ({"Ref": "AWS::Region"}, None),
        ({"Ref": "Que"}, "Ref names 'Que', the template has no resource or parameter"),
        ({"Fn::GetAtt": ["Quene", "Arn"]}, "Fn::GetAtt names 'Quene', the template has no resource"),
        ({"Fn::GetAtt": "Queue.Arn"}, None),
        ({"Fn::Sub": "${Queue.Arn}-${Stage}-${!Kept}"}, None),
        ({"Fn::Sub": "${Gone}"}, "Fn::Sub names 'Gone', the template has no resource or parameter"),
        ({"Fn::Sub": ["${Own}", {"Own": "x"}]}, None),
        ({"Fn::If": ["Production", "a", "b"]}, None),
        ({"Fn::If": ["Prod", "a", "b"]}, "Fn::If names 'Prod', the template has no condition"),
        ({"Fn::FindInMap": ["Sizes", "small", "Memory"]}, None),
        (
            {"Fn::FindInMap": ["Size", "small", "Memory"]},
            "Fn::FindInMap names 'Size', the template has no mapping",
        ),
        (
            {"Fn::FindInMap": ["Sizes", "large", "Memory"]},
            "Fn::FindInMap names 'Sizes.large', the template has no key of that name",
        ),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "Memory"]}, None),
    ],
)
def test_a_name_is_looked_up(judge: Judge, function: Write, value: Any, message: str | None) -> None:
    found = judge(
        "dangling-reference",
        {"F": function(Environment={"Variables": {"VALUE": value}}), "Queue": {"Type": "AWS::SQS::Queue"}},
        Parameters={"Stage": {"Type": "String"}},
        Conditions={"Production": {"Fn::Equals": [{"Ref": "Stage"}, "production"]}},
        Mappings={"Sizes": {"small": {"Memory": 128}}},
    )
    assert found == ([("F.Environment.Variables.VALUE", message)] if message else [])


def test_names_outside_properties_are_looked_up(judge: Judge) -> None:
    queue = {"Type": "AWS::SQS::Queue", "DependsOn": ["Gone"], "Condition": "Never"}
    found = judge(
        "dangling-reference", {"Queue": queue}, Outputs={"Url": {"Value": {"Fn::GetAtt": ["Lost", "Arn"]}}}
    )
    assert found == [
        ("Outputs.Url", "Fn::GetAtt names 'Lost', the template has no resource"),
        ("Queue", "Condition names 'Never', the template has no condition"),
        ("Queue", "DependsOn names 'Gone', the template has no resource"),
    ]


def test_beyond_the_bound_of_comparisons_a_name_is_found_without_a_suggestion() -> None:
    rule = find("dangling-reference")
    count = 200
    suggested = MOST_COMPARISONS // count
    resources = {
        f"Queue{number}": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": f"Qeue{number}"}}}
        for number in range(count)
    }
    found = check(from_templates({"large": {"Resources": resources}}), rules=[rule]).findings
    assert len(found) == count
    assert sum(finding.fix.startswith("write Queue") for finding in found) == suggested
    assert sum(finding.fix == rule.fix for finding in found) == count - suggested


def test_the_nearest_name_is_suggested_for_each_writing_of_a_dangling_name() -> None:
    resources = {
        name: {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::GetAtt": ["Topci", "TopicName"]}}}
        for name in ("First", "Second")
    } | {"Topic": {"Type": "AWS::SNS::Topic"}}
    found = check(
        from_templates({"t": {"Resources": resources}}), rules=[find("dangling-reference")]
    ).findings
    assert [(finding.resource, finding.fix) for finding in found] == [
        ("First", "write Topic"),
        ("Second", "write Topic"),
    ]
