"""When two values are the same once deployed, and when that cannot be known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lambda_patterns.model.values import Reference, Text, Unknown, same

if TYPE_CHECKING:
    from conftest import Deploy

KNOWN, REGION = Unknown("x", "AWS::Region"), Unknown("y")


@pytest.mark.parametrize(
    ("left", "right", "answer"),
    [
        ("a", "a", True),
        ("a", "b", False),
        (True, "true", True),
        (1, "1", True),
        (None, None, True),
        (None, "", False),
        (None, [], False),
        ([], {}, False),
        ([1, "a"], ["1", "a"], True),
        ([1, KNOWN], [1, KNOWN], True),
        ([1, REGION], [1, REGION], None),
        ([1, REGION], [2, REGION], False),
        ([1], [1, 2], False),
        ({"a": 1}, {"a": "1"}, True),
        ({"a": 1}, {"b": 1}, False),
        ({"a": REGION}, {"a": 1}, None),
        (KNOWN, KNOWN, True),
        (REGION, REGION, None),
        (KNOWN, "eu-west-1", None),
        (KNOWN, None, None),
        (Text(("a", KNOWN)), Text(("a", KNOWN)), True),
        (Text(("a", REGION)), Text(("a", REGION)), None),
        (Text(("a", KNOWN)), "ab", None),
    ],
)
def test_values_are_the_same_or_not_or_that_is_not_known(left: Any, right: Any, answer: bool | None) -> None:
    assert same(left, right) is answer
    assert same(right, left) is answer


def test_references_are_told_apart_by_their_resource(deploy: Deploy) -> None:
    vpcs: dict[str, Any] = {name: {"Type": "AWS::EC2::VPC"} for name in ("A", "B")}
    queue = {"Q": {"Type": "AWS::SQS::Queue"}}
    one, other, third = deploy(vpcs | queue).resources
    assert same(Reference(one), Reference(one)) is True
    assert same(Reference(one), Reference(other)) is False
    assert same(Reference(one), Reference(one, "VpcId")) is True
    assert same(Reference(one, "VpcId"), Reference(other)) is False
    assert same(Reference(one, "CidrBlock"), Reference(other, "CidrBlock")) is None
    assert same(Reference(third), Reference(third, "Arn")) is None
    assert same(Reference(third, "Arn"), "arn:aws:sqs:eu-west-1:1:q") is None
