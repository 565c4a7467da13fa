"""Resources of a deployment, found by type, by name, and by what refers to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lambda_patterns.model.assembly import from_templates
from lambda_patterns.model.values import Unknown

if TYPE_CHECKING:
    from conftest import Deploy

RESOURCES: dict[str, Any] = {
    "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "orders"}},
    "F": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "f"}},
    "Role": {"Type": "AWS::IAM::Role", "Metadata": {"aws:cdk:path": "App/Role/Resource"}},
    "One": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "Role"}]}},
    "Two": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "Role"}, {"Ref": "Role"}]}},
    "Three": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": ["elsewhere"]}},
}


def test_resources_are_found_by_type_in_the_templates_order(deploy: Deploy) -> None:
    deployment = deploy(RESOURCES)
    assert [resource.id for resource in deployment.of_type("AWS::IAM::Policy")] == ["One", "Two", "Three"]
    assert [resource.id for resource in deployment.of_type("AWS::IAM::Role", "AWS::SQS::Queue")] == [
        "Role",
        "Queue",
    ]
    assert deployment.of_type("AWS::None::Such") == ()


def test_a_resource_is_found_by_its_id_or_its_construct_path_where_that_is_one(deploy: Deploy) -> None:
    deployment = deploy(RESOURCES)
    role = deployment.find("Role")
    assert role is not None
    assert deployment.find("App/Role/Resource") is role
    assert deployment.find("Gone") is None
    template = {"Resources": RESOURCES}
    (both,) = from_templates({"a": template, "b": template}).deployments()
    assert both.find("Role") is None
    assert both.find("Role", "b") is not None


def test_referrers_are_listed_once_each(deploy: Deploy) -> None:
    deployment = deploy(RESOURCES)
    role, queue = deployment.find("Role"), deployment.find("Queue")
    assert role is not None
    assert queue is not None
    assert [policy.id for policy in deployment.referrers(role, "AWS::IAM::Policy", "Roles")] == ["One", "Two"]
    assert deployment.referrers(queue, "AWS::IAM::Policy", "Roles") == ()


@pytest.mark.parametrize(
    ("written", "types", "found"),
    [
        ({"Ref": "Queue"}, (), "Queue"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, (), "Queue"),
        ("arn:aws:sqs:eu-west-1:111111111111:orders", (), "Queue"),
        ({"Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:orders"}, (), "Queue"),
        ({"Fn::Sub": "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:${Queue.QueueName}"}, (), "Queue"),
        ("arn:aws:lambda:eu-west-1:1:function:f", (), "F"),
        ("arn:aws:lambda:eu-west-1:1:function:f:live", (), "F"),
        ({"Fn::Sub": "arn:aws:lambda:${AWS::Region}:1:function:${F}"}, (), "F"),
        ("f", ("AWS::Lambda::Function",), "F"),
        ("f", (), None),
        ("f", ("AWS::SQS::Queue",), None),
        ("arn:aws:sqs:eu-west-1:111111111111:invoices", (), None),
        ("arn:aws:sns:eu-west-1:111111111111:orders", (), None),
        ({"Fn::ImportValue": "x"}, (), None),
        ("", (), None),
        (5, (), None),
    ],
)
def test_a_value_names_a_resource_or_none(
    deploy: Deploy, written: Any, types: tuple[str, ...], found: str | None
) -> None:
    deployment = deploy({**RESOURCES, "It": {"Type": "T", "Properties": {"V": written}}})
    it = deployment.find("It")
    assert it is not None
    named = deployment.resource_of(it.get("V"), *types)
    assert (named.id if named else None) == found


def test_an_arn_of_another_region_names_nothing_here(deploy: Deploy) -> None:
    named = "arn:aws:sqs:us-east-1:111111111111:orders"
    assert deploy(RESOURCES, region="eu-west-1").resource_of(named) is None
    assert deploy(RESOURCES, region="us-east-1").resource_of(named) is not None


def test_a_name_that_two_resources_bear_names_neither() -> None:
    template = {"Resources": RESOURCES}
    (deployment,) = from_templates({"a": template, "b": template}).deployments()
    assert deployment.resource_of("arn:aws:sqs:eu-west-1:111111111111:orders") is None


def test_the_answers_of_a_deployment_are_kept(deploy: Deploy) -> None:
    deployment = deploy(RESOURCES)
    assert deployment.permissions is deployment.permissions
    assert deployment.needs is deployment.needs
    assert deployment.choices == {}


def test_a_resource_says_where_it_is_deployed(deploy: Deploy) -> None:
    (queue,) = deploy({"Q": {"Type": "AWS::SQS::Queue"}}, region="cn-north-1").resources
    assert queue.environment == (
        "cn-north-1",
        Unknown("AWS::AccountId is known at deployment", "AWS::AccountId"),
    )
    assert queue.partition == "aws-cn"
