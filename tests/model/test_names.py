"""Which resource a name stands for, be it one that only deployment decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Deploy

PARAMETERS = {name: {"Type": "String"} for name in ("Name", "Other")}
NAMES: list[Any] = ["jobs", {"Ref": "Name"}, {"Fn::Sub": "${AWS::StackName}-jobs"}]


def named(deploy: Deploy, own: Any, given: Any) -> str | None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {} if own is None else {"QueueName": own}}
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Given": given}}
    resources = {"Queue": queue, "Another": {"Type": "AWS::SQS::Queue"}, "Alarm": alarm}
    deployment = deploy(resources, Parameters=PARAMETERS)
    found = deployment.find("Alarm")
    assert found is not None
    resource = deployment.resource_of(found.get("Given"), "AWS::SQS::Queue")
    return None if resource is None else resource.id


@pytest.mark.parametrize("name", NAMES, ids=["literal", "parameter", "sub"])
def test_what_decides_a_resources_name_names_it(deploy: Deploy, name: Any) -> None:
    assert named(deploy, name, name) == "Queue"
    assert named(deploy, None, name) is None


@pytest.mark.parametrize("name", NAMES, ids=["literal", "parameter", "sub"])
@pytest.mark.parametrize(
    "before",
    [
        "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:",
        "https://sqs.${AWS::Region}.${AWS::URLSuffix}/${AWS::AccountId}/",
    ],
)
def test_an_arn_or_url_put_together_from_it_names_it_too(deploy: Deploy, name: Any, before: str) -> None:
    written = {"Fn::Join": ["", [{"Fn::Sub": before}, name]]}
    assert named(deploy, name, written) == "Queue"
    assert named(deploy, {"Ref": "Other"}, written) is None


def test_a_value_that_nothing_names_names_nothing(deploy: Deploy) -> None:
    unknown = {"Fn::Select": [{"Ref": "Name"}, ["a", "b"]]}
    assert named(deploy, unknown, unknown) is None
