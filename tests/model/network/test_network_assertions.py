"""What the words of a trace name: resources, services, the internet."""

from typing import Any

import pytest

from lambda_patterns.errors import ArgumentError
from lambda_patterns.model.assembly import from_templates
from lambda_patterns.model.deployment import Deployment
from lambda_patterns.model.network import Internet, Service
from lambda_patterns.model.network.assertions import assert_reaches, find, target


def resource(kind: str, path: str | None = None) -> dict[str, Any]:
    return {"Type": kind, "Metadata": {"aws:cdk:path": path}} if path else {"Type": kind}


def deployed() -> Deployment:
    templates = {
        "net": {"Resources": {"Queue": resource("AWS::SQS::Queue"), "sns": resource("AWS::SNS::Topic")}},
        "App": {
            "Resources": {
                "Queue": resource("AWS::SQS::Queue"),
                "Ship89AB": resource("AWS::Lambda::Function", "App/Ship/Resource"),
            }
        },
    }
    return next(from_templates(templates).deployments())


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("Ship89AB", ("App", "Ship89AB")),
        ("App/Ship/Resource", ("App", "Ship89AB")),
        ("App/Ship", ("App", "Ship89AB")),
        ("App/Ship89AB", ("App", "Ship89AB")),
        ("App/Queue", ("App", "Queue")),
        ("net/Queue", ("net", "Queue")),
    ],
)
def test_a_resource_is_named_by_id_by_path_or_by_template_and_id(name: str, place: tuple[str, str]) -> None:
    for found in (find(deployed(), name), target(deployed(), name)):
        assert not isinstance(found, Internet | Service)
        assert (found.template, found.id) == place


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Queue", "Queue is in several templates: say net/Queue, App/Queue"),
        ("App/Shop", "there is no resource 'App/Shop'"),
        ("Ship89", "there is no resource 'Ship89': did you mean 'Ship89AB'?"),
        ("zzz", "there is no resource 'zzz'"),
    ],
)
def test_what_names_none_or_several_is_refused(name: str, message: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        find(deployed(), name)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("internet", Internet()),
        ("internet:4", Internet(4)),
        ("internet:6", Internet(6)),
        ("secretsmanager", Service("secretsmanager")),
        ("service:sns", Service("sns")),
        ("service:mine", Service("mine")),
    ],
)
def test_a_target_may_be_the_internet_or_a_service(name: str, expected: Internet | Service) -> None:
    assert target(deployed(), name) == expected


def test_a_resource_of_a_services_name_is_meant_itself() -> None:
    found = target(deployed(), "sns")
    assert not isinstance(found, Internet | Service)
    assert found.type == "AWS::SNS::Topic"


def test_an_assertion_holds_only_where_its_source_exists() -> None:
    condition = {"Conditions": {"Never": {"Fn::Equals": ["a", "b"]}}}
    function = {"Type": "AWS::Lambda::Function", "Condition": "Never"}
    assembly = from_templates({"t": {**condition, "Resources": {"Function": function}}})
    with pytest.raises(ArgumentError, match=r"^there is no resource 'Function'$"):
        assert_reaches(assembly, "Function", "internet")
