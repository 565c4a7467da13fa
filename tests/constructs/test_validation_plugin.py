"""The plugin on an application that uses none of our constructs."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_lambda as lambda_

from lambda_patterns.constructs import validation
from lambda_patterns.constructs.validation import LambdaPatterns
from lambda_patterns.errors import ArgumentError

pytestmark = pytest.mark.cdk
DAY = date(2026, 11, 24)
RULE = "LambdaPatterns::timeout-out-of-range"


def slow_function(scope: Any, name: str = "Orders") -> lambda_.Function:
    return lambda_.Function(
        scope,
        name,
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="app.handler",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        timeout=cdk.Duration.seconds(901),
    )


@pytest.fixture
def report(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Give a function that synthesizes an application and gives the plugin's part of the report."""

    def synthesized(build: Callable[[cdk.App], None], plugin: LambdaPatterns | None = None) -> dict[str, Any]:
        app = cdk.App(outdir=str(tmp_path / "cdk.out"))
        build(app)
        Validations.of(app).add_plugins(plugin or LambdaPatterns(today=DAY, only=["timeout-out-of-range"]))
        failure = ""
        try:
            app.synth()
        except RuntimeError as error:
            failure = str(error)
        reports = json.loads((tmp_path / "cdk.out" / "validation-report.json").read_text())["pluginReports"]
        # aws_cdk leaves out plugins that have nothing to say
        nothing = {"pluginName": "LambdaPatterns", "conclusion": "success", "violations": []}
        ours = [one for one in reports if one["pluginName"] == "LambdaPatterns"] or [nothing]
        assert ("ValidationFailed" in failure) is (ours[0]["conclusion"] == "failure"), failure
        return dict(ours[0])

    return synthesized


def paths(violations: list[dict[str, Any]]) -> list[str]:
    return [construct["constructPath"] for one in violations for construct in one["violatingConstructs"]]


def test_a_finding_fails_the_synthesis_with_construct_path_fix_and_source(
    report: Callable[..., dict[str, Any]],
) -> None:
    ours = report(lambda app: slow_function(cdk.Stack(app, "Shop")))
    assert ours["conclusion"] == "failure"
    (violation,) = ours["violations"]
    assert violation["ruleName"] == "timeout-out-of-range"
    assert violation["severity"] == "error"
    assert violation["description"] == (
        "timeout is 901 s, allowed are 1-900 s: Lambda ends every invocation after 900 s at the latest"
    )
    assert violation["suggestedFix"] == (
        "set Timeout (timeout=) to at most 900 s, and split what takes longer "
        "(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)"
    )
    (construct,) = violation["violatingConstructs"]
    assert construct["constructPath"] == "Shop/Orders/Resource"
    assert construct["cloudFormationResource"]["propertyPaths"] == ["Properties.Timeout"]


def test_stages_and_nested_stacks_are_seen_from_the_application(
    report: Callable[..., dict[str, Any]],
) -> None:
    def build(app: cdk.App) -> None:
        stack = cdk.Stack(cdk.Stage(app, "Production"), "Shop")
        slow_function(stack)
        slow_function(cdk.NestedStack(stack, "Nested"))

    assert sorted(paths(report(build)["violations"])) == [
        "Production/Shop/Nested/Orders/Resource",
        "Production/Shop/Orders/Resource",
    ]


@pytest.mark.parametrize("level", ["function", "stack", "app"])
def test_an_acknowledgement_covers_its_construct_and_all_below(
    report: Callable[..., dict[str, Any]], level: str
) -> None:
    def build(app: cdk.App) -> None:
        stack = cdk.Stack(app, "Shop")
        scope = {"function": slow_function(stack), "stack": stack, "app": app}[level]
        Validations.of(scope).acknowledge(Acknowledgment(id=RULE, reason="split next month"))

    ours = report(build)
    assert ours["conclusion"] == "success"
    assert ours["violations"] == []
    assert paths(ours["suppressedViolations"]) == ["Shop/Orders/Resource"]
    assert json.dumps(ours["suppressedViolations"]).count("split next month") == 1


def test_an_acknowledgement_leaves_other_constructs_alone(report: Callable[..., dict[str, Any]]) -> None:
    def build(app: cdk.App) -> None:
        stack = cdk.Stack(app, "Shop")
        acknowledged = slow_function(stack)
        slow_function(stack, "Invoices")
        Validations.of(acknowledged).acknowledge(Acknowledgment(id=RULE, reason="split next month"))

    ours = report(build)
    assert ours["conclusion"] == "failure"
    assert paths(ours["violations"]) == ["Shop/Invoices/Resource"]


def test_what_metadata_acknowledges_is_no_violation(report: Callable[..., dict[str, Any]]) -> None:
    def build(app: cdk.App) -> None:
        resource = slow_function(cdk.Stack(app, "Shop")).node.default_child
        assert isinstance(resource, cdk.CfnResource)
        entry = {"Rule": "timeout-out-of-range", "Reason": "split next month"}
        resource.add_metadata("LambdaPatterns", {"Acknowledge": [entry]})

    ours = report(build)
    assert (ours["conclusion"], ours["violations"]) == ("success", [])


def test_an_acknowledgement_of_an_unknown_rule_is_a_warning(report: Callable[..., dict[str, Any]]) -> None:
    def build(app: cdk.App) -> None:
        stack = cdk.Stack(app, "Shop")
        entry = Acknowledgment(id="LambdaPatterns::timeout-out-of-rang", reason="split next month")
        Validations.of(stack).acknowledge(entry)
        lambda_.CfnLayerVersion(stack, "L", content={"s3Bucket": "code", "s3Key": "layer.zip"})

    ours = report(build, LambdaPatterns(today=DAY, only=["acknowledgement-of-nothing"]))
    assert ours["conclusion"] == "success"
    (violation,) = ours["violations"]
    assert violation["severity"] == "warning"
    assert violation["suggestedFix"].startswith("write timeout-out-of-range (")
    assert paths([violation]) == ["Shop"]


def test_whatever_goes_wrong_is_a_violation_never_an_exception(
    report: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(validation, "read", broken)
    ours = report(lambda app: slow_function(cdk.Stack(app, "Shop")))
    assert ours["conclusion"] == "failure"
    (violation,) = ours["violations"]
    assert violation["ruleName"] == "rule-crashed"
    assert violation["description"] == "the application could not be judged: OSError: the disk is full"


def test_an_unknown_rule_is_refused_where_the_plugin_is_made() -> None:
    with pytest.raises(ArgumentError) as raised:
        LambdaPatterns(ignore=["timeout-out-of-rang"])
    assert str(raised.value) == "there is no rule 'timeout-out-of-rang': did you mean timeout-out-of-range?"


APP = """
from aws_cdk import App, Duration, Stack, Validations, aws_lambda as lambda_
from lambda_patterns.constructs.validation import LambdaPatterns, synthesize

app = App()
Validations.of(app).add_plugins(LambdaPatterns())
code = lambda_.Code.from_inline("def handler(event, context): ...")
runtime = lambda_.Runtime.PYTHON_3_14
for name, other in (("One", "Two"), ("Two", "One")):
    stack = Stack(app, name)
    timeout = Duration.seconds(TIMEOUT)
    lambda_.Function(stack, "Orders", runtime=runtime, handler="app.handler", code=code, timeout=timeout)
if CYCLE:
    one, two = app.node.find_child("One"), app.node.find_child("Two")
    one.add_stack_dependency(two)
    two.add_stack_dependency(one)
synthesize(app)
"""


def run_app(tmp_path: Path, *, timeout: int, cycle: bool = False) -> subprocess.CompletedProcess[str]:
    """Run an app as a user does: aws_cdk behaves otherwise where it sees pytest."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"CDK_OUTDIR": str(tmp_path)}
    code = APP.replace("TIMEOUT", str(timeout)).replace("CYCLE", str(cycle))
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )


def test_an_app_in_which_something_is_found_ends_with_the_report(tmp_path: Path) -> None:
    run = run_app(tmp_path, timeout=901)
    assert (run.returncode, run.stdout) == (1, "")
    assert "Acknowledge with 'LambdaPatterns::timeout-out-of-range'" in run.stderr
    assert "Traceback" not in run.stderr
    assert run_app(tmp_path, timeout=900).returncode == 0


def test_what_else_goes_wrong_in_an_app_is_not_hidden(tmp_path: Path) -> None:
    run = run_app(tmp_path, timeout=900, cycle=True)
    assert run.returncode == 1
    assert "Traceback" in run.stderr
    assert "DependencyCycle" in run.stderr
