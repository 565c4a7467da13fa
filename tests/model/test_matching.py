"""IAM patterns against actions and resources."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_patterns.model.assembly import from_templates
from lambda_patterns.model.deployment import Settings
from lambda_patterns.model.matching import matches_action, matches_resource
from lambda_patterns.model.values import Unknown

RESOURCES: dict[str, Any] = {
    "Named": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "orders"}},
    "Queue": {"Type": "AWS::SQS::Queue"},
    "Other": {"Type": "AWS::SQS::Queue"},
    "Topic": {"Type": "AWS::SNS::Topic"},
    "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "files"}},
    "Unnamed": {"Type": "AWS::S3::Bucket"},
    "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "prod/db"}},
    "Parameter": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/prod/url"}},
    "Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "worker"}},
    "Key": {"Type": "AWS::KMS::Key"},
    "Proxy": {"Type": "AWS::RDS::DBProxy"},
    "Function": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "f"}},
    "Alias": {
        "Type": "AWS::Lambda::Alias",
        "Properties": {"FunctionName": {"Ref": "Function"}, "Name": "live"},
    },
}


def arn(name: str, attribute: str = "Arn") -> dict[str, Any]:
    return {"Fn::GetAtt": [name, attribute]}


def answer(pattern: Any, target: Any, **told: str) -> bool | None:
    it = {"Type": "T", "Properties": {"P": pattern, "T": target}}
    (deployment,) = from_templates({"t": {"Resources": {**RESOURCES, "It": it}}}).deployments(
        Settings(**told)
    )  # type: ignore[arg-type]  # region and account
    found = deployment.find("It")
    assert found is not None
    return matches_resource(found.get("P"), found.get("T"))


@pytest.mark.parametrize(
    ("pattern", "target"),
    [
        ("*", arn("Queue")),
        (arn("Queue"), arn("Queue")),
        ({"Fn::Sub": "${Queue.Arn}"}, arn("Queue")),
        ({"Ref": "Topic"}, arn("Topic", "TopicArn")),
        ("arn:aws:sqs:eu-west-1:111111111111:orders", arn("Named")),
        ("arn:aws:sqs:*:*:ord*", arn("Named")),
        ("arn:*:sqs:*", arn("Queue")),
        ({"Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:orders"}, arn("Named")),
        ({"Fn::Sub": "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:${Queue.QueueName}"}, arn("Queue")),
        ("arn:aws:s3:::files", arn("Bucket")),
        ("arn:aws:s3:::files/*", {"Fn::Sub": "${Bucket.Arn}/a/b"}),
        ({"Fn::Join": ["", [arn("Unnamed"), "/*"]]}, {"Fn::Join": ["", [arn("Unnamed"), "/a"]]}),
        ({"Fn::Join": ["", [arn("Unnamed"), "*"]]}, {"Fn::Join": ["", [arn("Unnamed"), "/a"]]}),
        ("arn:aws:secretsmanager:eu-west-1:*:secret:prod/*", {"Ref": "Secret"}),
        (
            "arn:aws:ssm:*:*:parameter/prod/*",
            {"Fn::Sub": "arn:aws:ssm:eu-west-1:111111111111:parameter${Parameter}"},
        ),
        ("arn:aws:iam::111111111111:role/worker", arn("Role")),
        ("arn:aws:lambda:*:*:function:f:live", {"Ref": "Alias"}),
        ("arn:aws:lambda:*:*:function:f:*", {"Ref": "Alias"}),
        (
            {
                "Fn::Sub": [
                    "arn:aws:rds-db:*:*:dbuser:${p}/*",
                    {"p": {"Fn::Select": [6, {"Fn::Split": [":", arn("Proxy", "DBProxyArn")]}]}},
                ]
            },
            {
                "Fn::Sub": [
                    "arn:aws:rds-db:eu-west-1:1:dbuser:${p}/app",
                    {"p": {"Fn::Select": [6, {"Fn::Split": [":", arn("Proxy", "DBProxyArn")]}]}},
                ]
            },
        ),
    ],
)
def test_a_pattern_covers(pattern: Any, target: Any) -> None:
    assert answer(pattern, target, region="eu-west-1", account="111111111111") is True


@pytest.mark.parametrize(
    ("pattern", "target"),
    [
        (arn("Queue"), arn("Other")),
        (arn("Queue"), arn("Topic", "TopicArn")),
        ("arn:aws:sqs:eu-west-2:111111111111:orders", arn("Named")),
        ("arn:aws:sqs:eu-west-1:222222222222:orders", arn("Named")),
        ("arn:aws:sqs:*:*:invoices", arn("Named")),
        ("arn:aws:sns:*", arn("Queue")),
        ("arn:aws:s3:::files", {"Fn::Sub": "${Bucket.Arn}/a"}),
        ("arn:aws:s3:::files/*", arn("Bucket")),
        (arn("Unnamed"), {"Fn::Join": ["", [arn("Unnamed"), "/a"]]}),
        ({"Fn::Join": ["", [arn("Unnamed"), "/*"]]}, arn("Unnamed")),
        ({"Fn::Join": ["", [arn("Unnamed"), "/b/*"]]}, {"Fn::Join": ["", [arn("Unnamed"), "/a/c"]]}),
        ("arn:aws:lambda:*:*:function:f", {"Ref": "Alias"}),
        ("arn:aws:lambda:*:*:function:f:test", {"Ref": "Alias"}),
        ("arn:aws:kms:*:*:alias/x", arn("Key")),
        ("arn:aws:sqs:eu-west-1:111111111111:orders", arn("Queue")),
        (arn("Queue"), "arn:aws:sqs:eu-west-1:111111111111:orders"),
        ("arn:aws:kms:eu-west-1:111111111111:key/mine", arn("Key")),
    ],
)
def test_a_pattern_does_not_cover(pattern: Any, target: Any) -> None:
    assert answer(pattern, target, region="eu-west-1", account="111111111111") is False


@pytest.mark.parametrize(
    ("pattern", "target"),
    [
        ("arn:aws:sqs:eu-west-1:111111111111:app-Queue-1A2B3C4D5E6F", arn("Queue")),
        ("arn:aws:sqs:*:*:app-*", arn("Queue")),
        (arn("Queue"), "arn:aws:sqs:eu-west-1:111111111111:app-Queue-1A2B3C4D5E6F"),
        ({"Fn::ImportValue": "x"}, arn("Queue")),
        (arn("Queue"), {"Fn::ImportValue": "x"}),
        ({"Fn::Sub": "arn:aws:sqs:*:*:${X}"}, arn("Named")),
        ("arn:aws:secretsmanager:eu-west-1:*:secret:prod/db-AbCdEf", {"Ref": "Secret"}),
    ],
)
def test_what_is_generated_or_unknown_may_be_covered_or_not(pattern: Any, target: Any) -> None:
    assert answer(pattern, target, region="eu-west-1", account="111111111111") is None


@pytest.mark.parametrize(
    ("pattern", "target", "covered"),
    [
        ("arn:aws:s3:::files/*", "arn:aws:s3:::files/public/*", True),
        ("arn:aws:s3:::files/public/*", "arn:aws:s3:::files/*", None),
        ("arn:aws:s3:::files/*", "arn:aws:s3:::others/*", False),
        (arn("Queue"), "*", None),
        (arn("Queue"), "arn:aws:sqs:*", None),
        ({"Fn::Sub": "${Unnamed.Arn}/a/*"}, {"Fn::Sub": "${Unnamed.Arn}/*"}, None),
        ({"Fn::Sub": "${Unnamed.Arn}/*"}, {"Fn::Sub": "${Unnamed.Arn}/*"}, True),
        ({"Fn::Sub": "${Unnamed.Arn}"}, {"Fn::Sub": "${Unnamed.Arn}/*"}, False),
    ],
)
def test_of_a_target_with_wildcards_all_some_or_nothing_is_covered(
    pattern: Any,
    target: Any,
    covered: bool | None,
) -> None:
    assert answer(pattern, target) is covered


def test_without_a_region_an_arn_with_one_may_be_covered_or_not() -> None:
    assert answer("arn:aws:sqs:eu-west-1:*:orders", arn("Named")) is None
    assert answer("arn:aws:sqs:*:*:orders", arn("Named")) is True


@pytest.mark.parametrize(
    ("pattern", "covered"),
    [
        ("sqs:SendMessage", True),
        ("SQS:sendmessage", True),
        ("sqs:Send*", True),
        ("sqs:*", True),
        ("*", True),
        ("sqs:?endMessage", True),
        ("sqs:SendMessageBatch", False),
        ("sns:*", False),
        ("sqs:", False),
        (Unknown("x"), None),
    ],
)
def test_actions_are_matched_without_case(pattern: Any, covered: bool | None) -> None:
    assert matches_action(pattern, "sqs:SendMessage") is covered


@pytest.mark.parametrize(
    ("pattern", "action", "covered"),
    [
        ("s3:*", "s3:GetObject*", True),
        ("s3:Get*", "s3:GetObject*", True),
        ("s3:GetObject", "s3:GetObject*", None),
        ("s3:*Object", "s3:Get*", None),
        ("s3:PutObject", "s3:GetObject*", False),
        ("sqs:*", "s3:*", False),
    ],
)
def test_of_an_action_with_wildcards_all_some_or_nothing_is_covered(
    pattern: str,
    action: str,
    covered: bool | None,
) -> None:
    assert matches_action(pattern, action) is covered


@given(st.text("ab*?", max_size=4), st.text("ab*?", max_size=4))
def test_two_patterns_overlap_where_one_text_fits_both(one: str, other: str) -> None:
    """The oracle tries every text of two letters that is at most as long as both patterns together."""
    texts = ["".join(signs) for length in range(9) for signs in product("ab", repeat=length)]
    both = any(matches_action(one, text) and matches_action(other, text) for text in texts)
    assert (matches_action(one, other) is not False) is both


@given(st.text("ab*?:", max_size=10), st.text("ab:", max_size=10))
def test_wildcards_match_as_a_regular_expression_of_them_does(pattern: str, text: str) -> None:
    translated = "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in pattern)
    assert matches_action(pattern, text) is (re.fullmatch(translated, text, re.DOTALL) is not None)


def test_a_pattern_of_stars_is_as_quick_as_any() -> None:
    assert matches_action("*a" * 2_000 + "b", "a" * 20_000) is False
