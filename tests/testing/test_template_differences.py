"""What changed between two templates is said in words, and what only code changes is masked."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from cdk_nag import AwsSolutionsChecks
from hypothesis import given
from hypothesis import strategies as st

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.testing import differences, findings, masked, synthesize
from lambda_patterns.testing.snapshots import TemplateSnapshot

QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 30, "Tags": [{"Key": "a"}]}}


def template(**resources: Any) -> dict[str, Any]:
    return {"Resources": resources}


def test_what_is_new_and_what_is_gone_is_named_with_its_type() -> None:
    assert differences(template(Old=QUEUE), template(New=QUEUE)) == [
        "added New (AWS::SQS::Queue)",
        "removed Old (AWS::SQS::Queue)",
    ]


def test_a_changed_property_is_named_with_both_values() -> None:
    after = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60, "Tags": [{"Key": "b"}]}}
    assert differences(template(Queue=QUEUE), template(Queue=after)) == [
        'changed Queue (AWS::SQS::Queue) Properties.Tags[0].Key: "a" -> "b"',
        "changed Queue (AWS::SQS::Queue) Properties.VisibilityTimeout: 30 -> 60",
    ]


def test_a_property_that_comes_or_goes_was_or_is_nothing() -> None:
    after = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 30}, "DeletionPolicy": "Retain"}
    assert differences(template(Queue=QUEUE), template(Queue=after)) == [
        'changed Queue (AWS::SQS::Queue) DeletionPolicy: nothing -> "Retain"',
        'changed Queue (AWS::SQS::Queue) Properties.Tags: [{"Key": "a"}] -> nothing',
    ]


def test_other_sections_are_compared_too() -> None:
    before: dict[str, Any] = {"Outputs": {"Url": {"Value": "a"}}, "Description": "one"}
    after: dict[str, Any] = {"Parameters": {"Size": {"Type": "Number"}}, "Description": "two"}
    assert differences(before, after) == [
        'changed Description: "one" -> "two"',
        "removed Outputs.Url",
        "added Parameters.Size",
    ]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)
templates = st.dictionaries(
    st.sampled_from(["Resources", "Outputs"]),
    st.dictionaries(
        st.text(max_size=2), st.dictionaries(st.text(max_size=3), values, max_size=3), max_size=3
    ),
    max_size=2,
)


@given(templates, templates)
def test_nothing_is_said_exactly_where_nothing_changed(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert differences(before, before) == []
    kept = {section: entries for section, entries in before.items() if entries}
    other = {section: entries for section, entries in after.items() if entries}
    assert bool(differences(before, after)) == (kept != other)


@pytest.mark.cdk
def test_a_change_of_code_alone_is_masked(tmp_path: Path) -> None:
    def synthesized(text: str) -> dict[str, Any]:
        folder = tmp_path / text
        folder.mkdir()
        (folder / "index.py").write_text(text)
        stack = Stack(App(outdir=str(tmp_path / f"{text}.out")), "Stack")
        function = lambda_.Function(
            stack,
            "Function",
            code=lambda_.Code.from_asset(str(folder)),
            handler="index.handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
        )
        function.add_alias("live")
        return synthesize(stack)

    one, two = synthesized("one"), synthesized("two")
    assert one != two
    assert differences(masked(one), masked(two)) == []


def test_a_snapshot_tells_its_differences_in_words() -> None:
    kept = TemplateSnapshot().serialize(template(Queue=QUEUE))
    now = TemplateSnapshot().serialize(template())
    assert list(TemplateSnapshot().diff_lines(now, kept)) == ["removed Queue (AWS::SQS::Queue)"]


def test_without_a_snapshot_it_is_said_how_one_is_written() -> None:
    now = TemplateSnapshot().serialize(template(Queue=QUEUE))
    assert list(TemplateSnapshot().diff_lines(now, "")) == [
        "nothing is kept yet",
        "pytest --snapshot-update writes it, for you to look at and commit",
    ]


def test_a_snapshot_with_the_marks_of_a_merge_is_said_to_be_no_template() -> None:
    now = TemplateSnapshot().serialize(template(Queue=QUEUE))
    assert list(TemplateSnapshot().diff_lines(now, f"<<<<<<< HEAD\n{now}")) == [
        "the kept file is no JSON: Expecting value: line 1 column 1 (char 0)",
        "pytest --snapshot-update writes it, for you to look at and commit",
    ]


def test_without_syrupy_it_is_said_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "lambda_patterns.testing.snapshots")
    monkeypatch.setitem(sys.modules, "syrupy", None)
    monkeypatch.setitem(sys.modules, "syrupy.extensions.json", None)
    with pytest.raises(
        LambdaPatternsError, match=r"snapshots need it; pip install 'lambda-patterns\[testing\]'$"
    ):
        importlib.import_module("lambda_patterns.testing.snapshots")


@pytest.mark.cdk
def test_findings_are_named_with_their_place(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    sqs.Queue(Stack(app, "Orders"), "Queue", enforce_ssl=True)
    Validations.of(app).add_plugins(AwsSolutionsChecks())
    assert findings(app) == [
        (
            "AwsSolutions-SQS3 at Orders/Queue/Resource: The SQS queue is not used as a dead-letter queue "
            "(DLQ) and does not have a DLQ enabled."
        )
    ]
