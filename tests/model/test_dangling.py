"""Names that name nothing, each with its place, and those that are only absent for now."""

from __future__ import annotations

from typing import Any

import pytest

from lambda_patterns.model.assembly import from_templates
from lambda_patterns.model.dangling import Dangling, dangling


def found(value: Any = None, **sections: Any) -> list[Dangling]:
    resources = {"R": {"Type": "T", "Properties": {"A": {"B": [value]}}}, "Q": {"Type": "AWS::SQS::Queue"}}
    template = {
        "Parameters": {"P": {"Type": "String"}},
        "Conditions": {"C": {"Fn::Equals": [{"Ref": "P"}, "x"]}},
        "Mappings": {"M": {"one": {"a": 1}, "two": {"a": 2}}},
        "Resources": resources | sections.pop("resources", {}),
        **sections,
    }
    (read,) = from_templates({"t": template}).templates
    return list(dangling(read))


@pytest.mark.parametrize(
    ("value", "function", "name", "kind"),
    [
        ({"Ref": "Gone"}, "Ref", "Gone", "resource or parameter"),
        ({"Ref": "AWS::Gone"}, "Ref", "AWS::Gone", "resource or parameter"),
        ({"Fn::GetAtt": ["Gone", "Arn"]}, "Fn::GetAtt", "Gone", "resource"),
        ({"Fn::GetAtt": "Gone.Arn"}, "Fn::GetAtt", "Gone", "resource"),
        ({"Fn::GetAtt": ["P", "Arn"]}, "Fn::GetAtt", "P", "resource"),
        ({"Fn::Sub": "x-${Gone}"}, "Fn::Sub", "Gone", "resource or parameter"),
        ({"Fn::Sub": "x-${Gone.Arn}"}, "Fn::Sub", "Gone.Arn", "resource"),
        ({"Fn::Sub": ["${a}${Gone}", {"a": 1}]}, "Fn::Sub", "Gone", "resource or parameter"),
        ({"Fn::If": ["Gone", 1, 2]}, "Fn::If", "Gone", "condition"),
        ({"Fn::FindInMap": ["Gone", "one", "a"]}, "Fn::FindInMap", "Gone", "mapping"),
        ({"Fn::FindInMap": ["M", "three", "a"]}, "Fn::FindInMap", "M.three", "mapping"),
        ({"Fn::FindInMap": ["M", "one", "b"]}, "Fn::FindInMap", "M.one.b", "mapping"),
        ({"Fn::FindInMap": ["M", {"Ref": "P"}, "b"]}, "Fn::FindInMap", "M.*.b", "mapping"),
        ({"Fn::Join": ["", [{"Ref": "Gone"}]]}, "Ref", "Gone", "resource or parameter"),
    ],
)
def test_a_name_that_names_nothing_is_found_at_its_property(
    value: Any, function: str, name: str, kind: str
) -> None:
    (one,) = found(value)
    assert one[:2] == ("Resources", "R")
    assert one.path[:3] == ("A", "B", 0)
    assert one[3:] == (function, name, kind)


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "P"},
        {"Ref": "Q"},
        {"Ref": "AWS::NoValue"},
        {"Ref": "AWS::StackId"},
        {"Fn::GetAtt": ["Q", "Arn"]},
        {"Fn::Sub": "${P}${Q}${Q.Arn}${AWS::Region}${!Gone}$"},
        {"Fn::Sub": ["${a}", {"a": {"Ref": "P"}}]},
        {"Fn::If": ["C", 1, 2]},
        {"Fn::FindInMap": ["M", "one", "a"]},
        {"Fn::FindInMap": ["M", {"Ref": "P"}, "a"]},
        {"Fn::FindInMap": ["M", "three", "a", {"DefaultValue": 1}]},
        {"Fn::FindInMap": [{"Ref": "P"}, "three", "a"]},
        {"Condition": "Gone", "Effect": "Allow"},
        "${Gone}",
    ],
)
def test_a_name_that_names_something_or_is_no_name_is_silent(value: Any) -> None:
    assert found(value) == []


def test_a_resource_that_is_absent_under_a_condition_is_no_dangling_name() -> None:
    assert found({"Ref": "O"}, resources={"O": {"Type": "T", "Condition": "C"}}) == []


def test_depends_on_and_conditions_are_searched() -> None:
    resources = {"S": {"Type": "T", "DependsOn": ["Q", "Gone"], "Condition": "Lost"}}
    assert [(one.id, one.path, one.function, one.name) for one in found(resources=resources)] == [
        ("S", (), "DependsOn", "Gone"),
        ("S", (), "Condition", "Lost"),
    ]


def test_outputs_and_conditions_are_searched() -> None:
    outputs = {"O": {"Value": {"Ref": "Gone"}, "Condition": "Lost"}}
    conditions = {"C": {"Fn::Equals": [{"Ref": "P"}, "x"]}, "D": {"Fn::Not": [{"Condition": "Lost"}]}}
    where = [
        (one.section, one.id, one.function, one.name) for one in found(Outputs=outputs, Conditions=conditions)
    ]
    assert where == [
        ("Outputs", "O", "Condition", "Lost"),
        ("Outputs", "O", "Ref", "Gone"),
        ("Conditions", "D", "Condition", "Lost"),
    ]


def test_a_branch_that_is_never_taken_is_searched_too() -> None:
    (one,) = found({"Fn::If": ["C", {"Ref": "Gone"}, {"Ref": "AWS::NoValue"}]})
    assert one.name == "Gone"


def test_nothing_dangles_where_a_macro_may_add_what_is_named() -> None:
    assert found({"Ref": "Gone"}, Transform="Mine") == []
