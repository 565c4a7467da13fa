"""Whatever a file holds, it is read or refused in one line: no hang, no crash, no RecursionError."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.model.assembly import from_templates, parse
from lambda_patterns.model.dangling import dangling
from lambda_patterns.model.values import Reference, Text, Unknown, Zone, same

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_patterns.model.assembly import Assembly

LAUGHS = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
MERGES = "a0: &a0 {k: v}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 12)
)


def refusal(text: str, name: str) -> str:
    with pytest.raises(LambdaPatternsError) as caught:
        parse(text, name)
    return str(caught.value)


def refused_in_one_line(ask: Callable[[], None], begins: str = "") -> None:
    """Ask, and take a refusal for an answer, if it is one line."""
    try:
        ask()
    except LambdaPatternsError as error:
        message = str(error)
    else:
        return
    assert "\n" not in message
    assert message.startswith(begins)


def use(assembly: Assembly) -> None:
    """Ask a template everything that rules ask."""
    for template in assembly.templates:
        for found in dangling(template):
            assert found.kind
    for deployment in assembly.deployments():
        for resource in deployment.resources:
            assert None not in resource.properties.values()
            for name in resource.properties:
                for ask in (resource.number, resource.boolean, resource.text, resource.list):
                    ask(name)
                resource.line((name,))
            assert isinstance((resource.construct_path, resource.metadata), tuple)
            deployment.referrers(resource, resource.type, "Value")
        for role in deployment.of_type("AWS::IAM::Role"):
            deployment.permissions.may(role, "sqs:SendMessage", "*")
            deployment.permissions.admits(role, "sns.amazonaws.com", "sqs:SendMessage")
        for function in deployment.of_type("AWS::Lambda::Function"):
            deployment.needs.of(function)
            deployment.needs.peers(function)


def test_aliases_that_grow_without_end_are_refused() -> None:
    message = refusal(f"{LAUGHS}Resources: {{A: {{Type: T}}}}\n", "t.yaml")
    assert message == (
        "t.yaml: the template has more than 2,000,000 mappings and lists once its YAML aliases are written "
        "out: remove aliases"
    )


def test_merges_that_repeat_without_end_cost_nothing() -> None:
    assembly = parse(f"{MERGES}Resources: {{A: {{Type: T, Properties: *a11}}}}\n", "t.yaml")
    (deployment,) = assembly.deployments()
    assert deployment.resources[0].properties == {"k": "v"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.json", '{"Resources":' + "[" * 100_000),
        ("t.json", '{"Resources":' + '{"a":' * 5_000 + "1" + "}" * 5_001),
        ("t.json", '{"Resources":' + '{"a":' * 150 + "1" + "}" * 151),
        ("t.yaml", "Resources: " + "[" * 100_000),
        ("t.yaml", "Resources: " + "[" * 5_000 + "]" * 5_000),
        ("t.yaml", "Resources:\n" + "".join(" " * depth + "a:\n" for depth in range(1, 3_000))),
        ("t.yaml", "Resources:\n  " + "- " * 50_000 + "a\n"),
        ("t.yaml", "Resources: " + "!Sub " * 3 + "x"),
        ("t.yaml", "a: &a {b: *a}\n"),
    ],
)
def test_what_is_nested_without_end_is_refused_in_one_line(name: str, text: str) -> None:
    message = refusal(text, name)
    assert message.startswith(name)
    assert "\n" not in message


def test_a_text_of_dashes_is_no_nesting() -> None:
    text = "Resources:\n  A:\n    Type: T\n    Properties:\n      V: '" + "- " * 5_000 + "'\n"
    (deployment,) = parse(text, "t.yaml").deployments()
    assert len(str(deployment.resources[0].get("V"))) == 10_000


def test_numbers_of_any_length_are_read_or_refused() -> None:
    assert "no JSON" in refusal(
        '{"Resources": {"A": {"Type": "T", "Properties": {"V": ' + "9" * 5_000 + "}}}}", "t.json"
    )
    (deployment,) = parse(
        "Resources: {A: {Type: T, Properties: {V: " + "9" * 5_000 + "}}}", "t.yaml"
    ).deployments()
    assert isinstance(deployment.resources[0].number("V"), Unknown)
    (deployment,) = parse(
        '{"Resources": {"A": {"Type": "T", "Properties": {"V": 1e999}}}}', "t.json"
    ).deployments()
    assert isinstance(deployment.resources[0].number("V"), Unknown)


def test_conditions_that_refer_to_each_other_decide_nothing() -> None:
    conditions = {"A": {"Condition": "B"}, "B": {"Fn::Not": [{"Condition": "A"}]}}
    resources = {"R": {"Type": "T", "Condition": "A"}}
    (deployment,) = from_templates({"t": {"Conditions": conditions, "Resources": resources}}).deployments()
    assert [resource.certain for resource in deployment.resources] == [False]


def test_a_chain_of_conditions_without_end_decides_nothing() -> None:
    conditions: dict[str, Any] = {f"C{n}": {"Condition": f"C{n + 1}"} for n in range(3_000)}
    conditions["C3000"] = {"Fn::Equals": ["a", "a"]}
    resources = {"R": {"Type": "T", "Condition": "C0"}}
    (deployment,) = from_templates({"t": {"Conditions": conditions, "Resources": resources}}).deployments()
    assert [resource.id for resource in deployment.resources] == ["R"]


def test_exports_that_import_each_other_are_unknown() -> None:
    templates = {
        name: {
            "Resources": {"R": {"Type": "T", "Properties": {"V": {"Fn::ImportValue": other}}}},
            "Outputs": {"O": {"Value": {"Fn::ImportValue": other}, "Export": {"Name": name}}},
        }
        for name, other in (("a", "b"), ("b", "a"))
    }
    (deployment,) = from_templates(templates).deployments()
    assert all(isinstance(resource.get("V"), Unknown) for resource in deployment.resources)


def test_an_export_whose_name_imports_another_one_is_no_export() -> None:
    name = {"Fn::ImportValue": "x"}
    template = {
        "Resources": {"R": {"Type": "T", "Properties": {"V": name}}},
        "Outputs": {"O": {"Value": "v", "Export": {"Name": name}}},
    }
    (deployment,) = from_templates({"t": template}).deployments()
    assert isinstance(deployment.resources[0].get("V"), Unknown)


NAMES = st.sampled_from(
    ["A", "B", "C", "P", "Q", "M", "X", "Missing", "AWS::Region", "AWS::NoValue", "Arn", "a", ""]
)
SCALARS = st.none() | st.booleans() | st.integers(-5, 500) | st.floats() | NAMES | st.text(max_size=6)
FUNCTIONS = st.sampled_from(
    [
        "Ref", "Condition", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::Split", "Fn::Select", "Fn::GetAZs",
        "Fn::If", "Fn::FindInMap", "Fn::ImportValue", "Fn::Base64", "Fn::Cidr", "Fn::Length",
        "Fn::ToJsonString", "Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals", "Fn::Transform",
        "Fn::ForEach::L", "Fn::Nope",
    ]
)  # fmt: skip
KEYS = st.sampled_from(
    ["Statement", "Effect", "Action", "Resource", "Principal", "Value", "Name", "Export", "Variables"]
)
SUBS = st.lists(NAMES, max_size=3).map(lambda names: "".join(f"-${{{name}}}" for name in names))
VALUES = st.recursive(
    SCALARS | SUBS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(FUNCTIONS, inner, min_size=1, max_size=1)
        | st.dictionaries(FUNCTIONS, st.lists(inner, max_size=4), min_size=1, max_size=1)
        | st.dictionaries(KEYS | NAMES, inner, max_size=3)
    ),
    max_leaves=20,
)
TYPES = st.sampled_from(
    [
        "AWS::Lambda::Function", "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
        "AWS::CloudFormation::Stack", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission",
        "AWS::EC2::Subnet",
    ]
)  # fmt: skip
PROPERTIES = st.sampled_from(
    [
        "Value", "Role", "Roles", "Queues", "PolicyDocument", "Policies", "ManagedPolicyArns", "Environment",
        "FunctionName", "EventSourceArn", "PermissionsBoundary", "CidrBlock", "QueueName", "Parameters",
    ]
)  # fmt: skip
RESOURCES = st.fixed_dictionaries(
    {"Type": TYPES},
    optional={
        "Properties": st.dictionaries(PROPERTIES, VALUES, max_size=3),
        "Condition": NAMES | VALUES,
        "DependsOn": NAMES | VALUES,
        "Metadata": VALUES,
    },
)
TEMPLATES = st.fixed_dictionaries(
    {"Resources": st.dictionaries(st.sampled_from("ABC"), RESOURCES, max_size=3)},
    optional={
        "Conditions": st.dictionaries(NAMES, VALUES, max_size=3),
        "Parameters": st.dictionaries(
            st.sampled_from("PQ"),
            st.fixed_dictionaries(
                {},
                optional={
                    "Type": st.sampled_from(["String", "CommaDelimitedList"]) | VALUES,
                    "Default": VALUES,
                    "AllowedValues": VALUES,
                },
            )
            | VALUES,
        ),
        "Mappings": st.dictionaries(NAMES, VALUES, max_size=2),
        "Outputs": st.dictionaries(NAMES, VALUES, max_size=2),
        "Transform": VALUES,
        "Metadata": VALUES,
    },
)


@settings(max_examples=300, deadline=None)
@given(TEMPLATES)
def test_any_nesting_of_functions_is_followed_or_refused(template: Any) -> None:
    refused_in_one_line(lambda: use(from_templates({"t": template})))
    refused_in_one_line(lambda: use(parse(json.dumps(template), "t.json")), "t.json")


SPOILERS = st.sampled_from(["", "!Sub ", "*a", "&a ", "[", "{", "- ", "\t", ": ", "'", "<<: "])


@settings(max_examples=150, deadline=None)
@given(TEMPLATES, SPOILERS, st.booleans(), st.integers(0, 10_000))
def test_any_yaml_of_it_is_followed_or_refused_even_when_it_is_spoilt(
    template: Any,
    spoiler: str,
    flow: bool,
    place: int,
) -> None:
    text = yaml.safe_dump(template, allow_unicode=True, default_flow_style=flow)
    position = place % (len(text) + 1)
    refused_in_one_line(lambda: use(parse(text[:position] + spoiler + text[position:], "t.yaml")), "t.yaml")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["t.json", "t.yaml", "t.template"]))
@example(b"\x00", "t.yaml")
@example(b"Resources: {A: {Type: T, Properties: {V: !!int abc}}}", "t.yaml")
@example(b"Resources: {A: {Type: T, Properties: {V: !!bool maybe}}}", "t.yaml")
@example(b"Resources: {A: {Type: T, Properties: {V: !!map x}}}", "t.yaml")
@example(b"Resources: {A: {Type: T, Properties: {V: !!seq x}}}", "t.yaml")
@example(b"Resources: {A: {Type: T, Properties: {V: !!binary aGk=}}}", "t.yaml")
@example(b"%YAML 9.9\n---\nResources: {}", "t.yaml")
@example(b'{"Resources": {"A": {"Type": "\\ud800"}}}', "t.json")
def test_any_bytes_are_read_or_refused(content: bytes, name: str) -> None:
    refused_in_one_line(lambda: use(parse(content, name)), name)


@given(VALUES)
def test_a_value_is_never_known_to_differ_from_itself(value: Any) -> None:
    template = {"Resources": {"A": {"Type": "T", "Properties": {"Value": value}}, "B": {"Type": "T"}}}
    for deployment in from_templates({"t": template}).deployments():
        found = deployment.resources[0].get("Value")
        assert same(found, found) is not False
        pending = [found]
        while pending:
            item = pending.pop()
            if isinstance(item, Text):
                assert len(item.parts) > 1 or not isinstance(item.parts[0], str)
                strings = [isinstance(part, str) for part in item.parts]
                assert not any(one and two for one, two in pairwise(strings))
                assert "" not in item.parts
            elif isinstance(item, list):
                pending.extend(item)
            elif isinstance(item, dict):
                pending.extend(item.values())
            else:
                assert item is None or isinstance(item, bool | int | float | str | Reference | Zone | Unknown)
