"""Nested stacks: parameters in, outputs out, conditions that a parent decides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.model.assembly import read
from lambda_patterns.model.reading import MOST_TEMPLATES
from lambda_patterns.model.values import Reference, Unknown

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_patterns.model.assembly import Assembly

CHILD: dict[str, Any] = {
    "Parameters": {
        "Stage": {"Type": "String"},
        "Subnets": {"Type": "List<AWS::EC2::Subnet::Id>"},
        "Queue": {"Type": "String", "Default": "none"},
    },
    "Conditions": {"Prod": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
    "Resources": {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {"VpcConfig": {"SubnetIds": {"Ref": "Subnets"}}, "Queue": {"Ref": "Queue"}},
        },
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Condition": "Prod"},
    },
    "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Function", "Arn"]}}},
}


def stack(**parameters: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": "./child.json", "Parameters": parameters},
    }


def parent(tmp_path: Path, stage: Any, **more: Any) -> Assembly:
    subnets = {"Fn::Join": [",", [{"Ref": "One"}, {"Ref": "Two"}]]}
    template = {
        "Resources": {
            "One": {"Type": "AWS::EC2::Subnet"},
            "Two": {"Type": "AWS::EC2::Subnet"},
            "Child": stack(Stage=stage, Subnets=subnets),
            "User": {"Type": "T", "Properties": {"V": {"Fn::GetAtt": ["Child", "Outputs.Arn"]}}},
        },
        **more,
    }
    (tmp_path / "child.json").write_text(json.dumps(CHILD))
    (tmp_path / "parent.json").write_text(json.dumps(template))
    return read(tmp_path / "parent.json")


def test_a_list_of_subnets_that_is_joined_for_the_child_is_a_list_of_references_there(tmp_path: Path) -> None:
    (deployment,) = parent(tmp_path, "prod").deployments()
    function, one, two = (deployment.find(name) for name in ("Function", "One", "Two"))
    assert function is not None
    assert one is not None
    assert two is not None
    assert function.get("VpcConfig", "SubnetIds") == [Reference(one), Reference(two)]
    assert function.template == f"{tmp_path / 'parent.json'}/Child"


def test_an_output_is_the_childs_own_resource(tmp_path: Path) -> None:
    (deployment,) = parent(tmp_path, "prod").deployments()
    user, function = deployment.find("User"), deployment.find("Function")
    assert user is not None
    assert function is not None
    assert user.get("V") == Reference(function, "Arn")


def test_the_parent_decides_the_childs_conditions(tmp_path: Path) -> None:
    (deployment,) = parent(tmp_path, "prod").deployments()
    assert deployment.find("Alarm") is not None
    (deployment,) = parent(tmp_path, "dev").deployments()
    assert deployment.find("Alarm") is None


def test_what_the_parent_does_not_know_is_chosen_for_both(tmp_path: Path) -> None:
    own = {
        "Parameters": {"Env": {"Type": "String"}},
        "Conditions": {"Prod": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}},
        "Outputs": {"O": {"Value": 1, "Condition": "Prod"}},
    }
    found = [
        (deployment.choices[f"{tmp_path / 'parent.json'}:Env"], deployment.find("Alarm") is not None)
        for deployment in parent(tmp_path, {"Ref": "Env"}, **own).deployments()
    ]
    assert found == [("prod", True), (None, False)]


def test_a_child_whose_template_is_elsewhere_gives_unknown_outputs(tmp_path: Path) -> None:
    template = {
        "Resources": {
            "Child": {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {"TemplateURL": "https://example.org/child.json"},
            },
            "User": {"Type": "T", "Properties": {"V": {"Fn::GetAtt": ["Child", "Outputs.Arn"]}}},
        }
    }
    (tmp_path / "t.json").write_text(json.dumps(template))
    (deployment,) = read(tmp_path / "t.json").deployments()
    user = deployment.find("User")
    assert user is not None
    value = user.get("V")
    assert isinstance(value, Unknown)
    assert value.why == "Outputs.Arn of Child, a stack whose template is not here"


def test_a_template_that_nests_itself_is_read_once(tmp_path: Path) -> None:
    template = {
        "Resources": {
            "Child": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "t.json"}}
        }
    }
    (tmp_path / "t.json").write_text(json.dumps(template))
    assert len(read(tmp_path / "t.json").templates) == 1


def test_an_output_that_comes_back_to_its_own_parameter_is_unknown(tmp_path: Path) -> None:
    child = {
        "Parameters": {"P": {"Type": "String"}},
        "Resources": {},
        "Outputs": {"O": {"Value": {"Ref": "P"}}},
    }
    around = {"Fn::GetAtt": ["Child", "Outputs.O"]}
    template = {"Resources": {"Child": stack(P=around), "User": {"Type": "T", "Properties": {"V": around}}}}
    (tmp_path / "child.json").write_text(json.dumps(child))
    (tmp_path / "t.json").write_text(json.dumps(template))
    (deployment,) = read(tmp_path / "t.json").deployments()
    user = deployment.find("User")
    assert user is not None
    assert user.get("V") == Unknown("the value refers to itself")


def test_a_child_that_does_not_exist_has_no_resources(tmp_path: Path) -> None:
    child = {"Resources": {"R": {"Type": "T"}}, "Outputs": {"O": {"Value": 1, "Export": {"Name": "x"}}}}
    template = {
        "Parameters": {"Stage": {"Type": "String", "Default": "dev"}},
        "Conditions": {"Prod": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
        "Resources": {
            "Child": {**stack(), "Condition": "Prod"},
            "U": {"Type": "U", "Properties": {"V": {"Fn::ImportValue": "x"}}},
        },
    }
    (tmp_path / "child.json").write_text(json.dumps(child))
    (tmp_path / "t.json").write_text(json.dumps(template))
    (deployment,) = read(tmp_path / "t.json").deployments()
    assert [resource.id for resource in deployment.resources] == ["U"]
    assert isinstance(deployment.resources[0].get("V"), Unknown)


def test_templates_that_nest_each_other_many_times_are_read_up_to_a_bound(tmp_path: Path) -> None:
    for level in range(6):
        url = f"t{level + 1}.json"
        child = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}
        resources = {f"C{number}": child for number in range(10)}
        (tmp_path / f"t{level}.json").write_text(json.dumps({"Resources": resources}))
    assert len(read(tmp_path / "t0.json").templates) == MOST_TEMPLATES + 1


def test_what_is_wrong_with_a_nested_template_is_said_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "child.json").write_text("[]")
    (tmp_path / "t.json").write_text(json.dumps({"Resources": {"Child": stack()}}))
    with pytest.raises(LambdaPatternsError) as caught:
        read(tmp_path / "t.json")
    problem = "is a list, no CloudFormation template: a template is a mapping with Resources"
    assert str(caught.value) == f"{tmp_path / 'child.json'}: {problem}"
