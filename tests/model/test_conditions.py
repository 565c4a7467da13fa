"""Which combinations of conditions are looked at: those that can occur, each once, and no other."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_patterns.model.assembly import from_templates
from lambda_patterns.model.conditions import MOST_COMBINATIONS
from lambda_patterns.model.deployment import Settings
from lambda_patterns.model.values import Unknown

REF = {"Ref": "Stage"}
STRING: dict[str, Any] = {"Type": "String"}


def equals(left: Any, right: Any) -> dict[str, Any]:
    return {"Fn::Equals": [left, right]}


def existing(conditions: dict[str, Any], parameters: dict[str, Any], **told: Any) -> list[list[str]]:
    """The resources of each combination; each resource is named after the condition it has."""
    resources = {name: {"Type": "T", "Condition": name} for name in conditions}
    assembly = from_templates(
        {"t": {"Conditions": conditions, "Parameters": parameters, "Resources": resources}}
    )
    found = []
    for deployment in assembly.deployments(Settings(**told)):
        assert all(resource.certain for resource in deployment.resources)
        found.append(sorted(resource.id for resource in deployment.resources))
    return sorted(found)


def test_a_default_decides() -> None:
    conditions = {"Prod": equals(REF, "prod"), "Dev": equals(REF, "dev")}
    assert existing(conditions, {"Stage": {"Type": "String", "Default": "prod"}}) == [["Prod"]]


def test_a_parameter_without_a_default_is_each_value_it_is_compared_with_and_anything_else() -> None:
    conditions = {"Prod": equals(REF, "prod"), "Dev": equals("dev", REF)}
    assert existing(conditions, {"Stage": STRING}) == [[], ["Dev"], ["Prod"]]


def test_conditions_that_exclude_each_other_never_hold_together() -> None:
    conditions = {"A": equals(REF, "a"), "B": equals(REF, "b"), "NotA": {"Fn::Not": [{"Condition": "A"}]}}
    assert existing(conditions, {"Stage": STRING}) == [["A"], ["B", "NotA"], ["NotA"]]


def test_allowed_values_leave_nothing_else() -> None:
    conditions = {"A": equals(REF, "a"), "B": equals(REF, "b"), "C": equals(REF, "c")}
    assert existing(conditions, {"Stage": {"Type": "String", "AllowedValues": ["a", "b"]}}) == [["A"], ["B"]]


def test_the_only_value_that_is_left_is_that_value() -> None:
    template = {
        "Parameters": {"Stage": {"Type": "String", "AllowedValues": ["a", "b"]}},
        "Conditions": {"A": equals(REF, "a")},
        "Resources": {"R": {"Type": "T", "Properties": {"V": REF, "W": {"Fn::If": ["A", 1, 2]}}}},
    }
    found = [
        deployment.resources[0].properties for deployment in from_templates({"t": template}).deployments()
    ]
    assert found == [{"V": "a", "W": 1}, {"V": "b", "W": 2}]


def test_a_value_that_is_chosen_is_the_parameters_value_and_anything_else_is_unknown() -> None:
    template = {
        "Parameters": {"Stage": STRING},
        "Conditions": {"A": equals(REF, "a")},
        "Resources": {"R": {"Type": "T", "Properties": {"V": REF, "W": {"Fn::If": ["A", 1, 2]}}}},
    }
    chosen, other = (deployment.resources[0] for deployment in from_templates({"t": template}).deployments())
    assert chosen.properties == {"V": "a", "W": 1}
    assert other.get("W") == 2
    assert isinstance(other.get("V"), Unknown)


def test_a_shortest_length_excludes_the_empty_text() -> None:
    conditions = {"Empty": equals(REF, "")}
    assert existing(conditions, {"Stage": STRING}) == [[], ["Empty"]]
    assert existing(conditions, {"Stage": {"Type": "String", "MinLength": 1}}) == [[]]


def test_true_and_a_number_are_compared_as_text() -> None:
    conditions = {"On": {"Fn::Equals": [REF, True]}, "Two": equals({"Ref": "Count"}, "2")}
    parameters = {"Stage": {"Type": "String", "Default": "true"}, "Count": {"Type": "Number", "Default": 2}}
    assert existing(conditions, parameters) == [["On", "Two"]]


def test_only_parameters_that_conditions_speak_of_multiply() -> None:
    parameters = {"Stage": STRING, **{f"P{n}": STRING for n in range(20)}}
    assert existing({"A": equals(REF, "a")}, parameters) == [[], ["A"]]


def test_conditions_that_nothing_uses_multiply_nothing() -> None:
    template = {
        "Parameters": {"Stage": STRING},
        "Conditions": {"A": equals(REF, "a")},
        "Resources": {"R": {"Type": "T"}},
    }
    assert len(list(from_templates({"t": template}).deployments())) == 1


def test_the_list_of_regions_that_cdk_metadata_depends_on_multiplies_nothing() -> None:
    regions = [equals({"Ref": "AWS::Region"}, f"region-{n}") for n in range(30)]
    template = {
        "Conditions": {"CDKMetadataAvailable": {"Fn::Or": regions}},
        "Resources": {
            "M": {"Type": "AWS::CDK::Metadata", "Condition": "CDKMetadataAvailable"},
            "R": {"Type": "T"},
        },
    }
    assert len(list(from_templates({"t": template}).deployments())) == 1


@pytest.mark.parametrize("name", ["Region", "AccountId", "Partition", "URLSuffix", "StackName"])
def test_what_is_known_at_deployment_alone_has_one_value(name: str) -> None:
    written = {"Ref": f"AWS::{name}"}
    conditions = {"One": equals(written, "one"), "Two": equals(written, "two")}
    assert existing(conditions, {}) == [[], ["One"], ["Two"]]


def test_an_unknown_region_is_chosen_once_for_all_stacks() -> None:
    conditions = {"Here": equals({"Ref": "AWS::Region"}, "eu-west-1")}
    resources = {"R": {"Type": "T", "Condition": "Here"}}
    template = {"Conditions": conditions, "Resources": resources}
    found = [
        len(deployment.resources)
        for deployment in from_templates({"a": template, "b": template}).deployments()
    ]
    assert sorted(found) == [0, 2]


def test_settings_decide_the_region() -> None:
    conditions = {"Here": equals({"Ref": "AWS::Region"}, "eu-west-1")}
    assert existing(conditions, {}, region="eu-west-1") == [["Here"]]
    assert existing(conditions, {}, region="eu-west-2") == [[]]


def test_a_known_operand_spares_a_choice() -> None:
    no, yes = equals("a", "b"), equals("a", "a")
    conditions = {
        "Never": {"Fn::And": [equals(REF, "x"), no]},
        "Always": {"Fn::Or": [equals(REF, "x"), yes]},
    }
    assert existing(conditions, {"Stage": STRING}) == [["Always"]]


def test_a_map_is_looked_up_for_each_of_its_keys() -> None:
    template = {
        "Parameters": {"Stage": STRING},
        "Mappings": {"Stages": {"prod": {"big": "yes"}, "test": {"big": "no"}}},
        "Conditions": {"Big": equals({"Fn::FindInMap": ["Stages", REF, "big"]}, "yes")},
        "Resources": {"R": {"Type": "T", "Condition": "Big", "Properties": {"V": REF}}},
    }
    found = [
        [resource.get("V") for resource in deployment.resources]
        for deployment in from_templates({"t": template}).deployments()
    ]
    assert ["prod"] in found
    assert [] in found
    assert ["test"] not in found


def test_a_comparison_that_is_no_single_parameters_is_chosen_itself_and_alike_everywhere() -> None:
    empty = equals({"Fn::Join": ["", {"Ref": "Ids"}]}, "")
    conditions = {"None": empty, "Some": {"Fn::Not": [empty]}}
    assert existing(conditions, {"Ids": {"Type": "CommaDelimitedList"}}) == [["None"], ["Some"]]


def test_a_parameter_is_itself() -> None:
    assert existing({"Same": equals(REF, REF)}, {"Stage": STRING}) == [["Same"]]


def test_a_parameter_from_parameter_store_is_not_its_default() -> None:
    parameters = {
        "Stage": {
            "Type": "AWS::SSM::Parameter::Value<String>",
            "Default": "/stage",
            "AllowedValues": ["/stage"],
        }
    }
    assert existing({"A": equals(REF, "/stage"), "B": equals(REF, "b")}, parameters) == [[], ["A"], ["B"]]


def test_an_output_uses_a_condition_too() -> None:
    template = {
        "Parameters": {"Stage": STRING},
        "Conditions": {"A": equals(REF, "a")},
        "Resources": {"R": {"Type": "T"}},
        "Outputs": {"O": {"Value": 1, "Condition": "A"}},
    }
    assert len(list(from_templates({"t": template}).deployments())) == 2


@pytest.mark.parametrize(("parameters", "combinations"), [(6, MOST_COMBINATIONS), (7, 1)])
def test_beyond_the_bound_what_is_undecided_stays_unknown(parameters: int, combinations: int) -> None:
    names = [f"P{n}" for n in range(parameters)]
    template = {
        "Parameters": dict.fromkeys(names, STRING),
        "Conditions": {name: equals({"Ref": name}, "x") for name in names}
        | {"Yes": equals("a", "a"), "No": equals("a", "b")},
        "Resources": {
            **{f"R{name}": {"Type": "T", "Condition": name} for name in names},
            "Sure": {
                "Type": "T",
                "Condition": "Yes",
                "Properties": {"V": {"Fn::If": ["P0", 1, 2]}, "W": {"Fn::If": ["P0", 3, 3]}},
            },
            "Never": {"Type": "T", "Condition": "No"},
        },
    }
    deployments = list(from_templates({"t": template}).deployments())
    assert len(deployments) == combinations
    if combinations == 1:
        certain = {resource.id: resource.certain for resource in deployments[0].resources}
        assert certain == {"Sure": True} | {f"R{name}": False for name in names}
        sure = deployments[0].find("Sure")
        assert sure is not None
        assert isinstance(sure.get("V"), Unknown)
        assert sure.get("W") == 3


PARAMETERS = st.dictionaries(
    st.sampled_from("PQR"),
    st.sampled_from(
        [
            {"Type": "String"},
            {"Type": "String", "AllowedValues": ["a", "b"]},
            {"Type": "String", "AllowedValues": ["a", "b", "c", "d"]},
            {"Type": "String", "Default": "b"},
        ]
    ),
    min_size=1,
)
CONSTANTS = st.sampled_from("abc")


@st.composite
def templates(draw: st.DrawFn) -> dict[str, Any]:
    parameters = draw(PARAMETERS)
    compare = st.builds(
        lambda name, value, turned: equals(value, {"Ref": name}) if turned else equals({"Ref": name}, value),
        st.sampled_from(sorted(parameters)),
        CONSTANTS,
        st.booleans(),
    )
    formula = st.recursive(
        compare,
        lambda inner: (
            inner.map(lambda one: {"Fn::Not": [one]})
            | st.lists(inner, min_size=2, max_size=3).map(lambda all_: {"Fn::And": all_})
            | st.lists(inner, min_size=2, max_size=3).map(lambda any_: {"Fn::Or": any_})
        ),
        max_leaves=4,
    )
    conditions = draw(st.dictionaries(st.sampled_from(["C", "D", "E"]), formula, min_size=1))
    return {"Parameters": parameters, "Conditions": conditions}


def holds(formula: dict[str, Any], values: dict[str, str]) -> bool:
    ((function, operands),) = formula.items()
    if function == "Fn::Equals":
        left, right = (values[side["Ref"]] if isinstance(side, dict) else side for side in operands)
        return bool(left == right)
    found = [holds(operand, values) for operand in operands]
    return {"Fn::Not": not found[0], "Fn::And": all(found), "Fn::Or": any(found)}[function]


@settings(max_examples=300, deadline=None)
@given(templates())
def test_the_combinations_are_exactly_those_of_all_values_that_parameters_can_have(
    template: dict[str, Any],
) -> None:
    """The oracle tries every value that a parameter may have, with one that nothing is compared with."""
    parameters, conditions = template["Parameters"], template["Conditions"]
    choices = [
        [declared["Default"]]
        if "Default" in declared
        else declared.get("AllowedValues", ["a", "b", "c", "other"])
        for declared in parameters.values()
    ]
    expected = set()
    for chosen in product(*choices):
        values = dict(zip(parameters, chosen, strict=True))
        expected.add(tuple(sorted(name for name, formula in conditions.items() if holds(formula, values))))
    found = [tuple(names) for names in existing(conditions, parameters)]
    assert set(found) == expected
