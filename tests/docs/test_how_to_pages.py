"""The examples of the how-to pages do what the pages say."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template
from click.testing import CliRunner

from lambda_patterns.cli import cli

ROOT = Path(__file__).parents[2]
HOW_TO = ROOT / "docs" / "how-to"
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[tuple[str, str]]:
    text = (HOW_TO / page).read_text(encoding="utf-8")
    return [(name, body) for kind, name, body in _BLOCK.findall(text) if kind == language]


def test_the_prices_that_the_page_shows_are_those_that_the_commands_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = "price-a-deployment.md"
    for language in ("json", "yaml"):
        for name, body in blocks(page, language):
            (tmp_path / name).write_text(body, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    shown = blocks(page, "console")
    assert len(shown) == 2
    for _, body in shown:
        command, *expected = body.splitlines()
        result = CliRunner().invoke(
            cli, command.removeprefix("$ lambda-patterns ").split(), catch_exceptions=False
        )
        printed = {" ".join(line.split()) for line in result.output.splitlines()}
        missing = [line for line in expected if " ".join(line.split()) not in printed]
        assert not missing, result.output


def test_the_starting_sizes_that_the_page_shows_are_those_of_the_model() -> None:
    ((_, code),) = blocks("choose-a-memory-size.md", "python")
    exec(compile(code, "choose-a-memory-size.md", "exec"), {})  # noqa: S102  # the page's own example


@pytest.mark.cdk
def test_the_packages_that_the_page_shows_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAMBDA_PATTERNS_CACHE", str(tmp_path))
    monkeypatch.chdir(ROOT)
    ((_, code),) = blocks("package-a-function.md", "python")
    exec(compile(code, "package-a-function.md", "exec"), {})  # noqa: S102  # the page's own example
    assert re.match(r"[\d,]+ bytes: ", capsys.readouterr().out)


@pytest.mark.cdk
def test_the_database_that_the_page_shows_is_connected(capsys: pytest.CaptureFixture[str]) -> None:
    ((_, code),) = blocks("connect-a-database.md", "python")
    exec(compile(code, "connect-a-database.md", "exec"), {})  # noqa: S102  # the page's own example
    assert 'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "report";' in capsys.readouterr().out


@pytest.mark.cdk
def test_the_triggers_that_the_page_shows_are_synthesized(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    ((_, code),) = blocks("invoke-a-function.md", "python")
    page: dict[str, Any] = {}
    exec(compile(code, "invoke-a-function.md", "exec"), page)  # noqa: S102  # the page's own example
    shop = Template.from_stack(page["stack"])
    invoked = shop.find_resources("AWS::Lambda::Permission").values()
    principals = {each["Properties"]["Principal"] for each in invoked}
    assert {"s3.amazonaws.com", "events.amazonaws.com", "sns.amazonaws.com"} <= principals
    (settings,) = shop.find_resources("AWS::Lambda::EventInvokeConfig").values()
    assert "live" in str(settings["Properties"]["Qualifier"])


@pytest.mark.cdk
def test_the_distribution_that_the_page_shows_calls_both_functions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAMBDA_PATTERNS_CACHE", str(tmp_path))
    monkeypatch.chdir(ROOT)
    ((_, code),) = blocks("serve-at-the-edge.md", "python")
    page: dict[str, Any] = {}
    exec(compile(code, "serve-at-the-edge.md", "exec"), page)  # noqa: S102  # the page's own example
    (site,) = Template.from_stack(page["stack"]).find_resources("AWS::CloudFront::Distribution").values()
    behavior = site["Properties"]["DistributionConfig"]["DefaultCacheBehavior"]
    assert [each["EventType"] for each in behavior["LambdaFunctionAssociations"]] == ["origin-response"]
    assert [each["EventType"] for each in behavior["FunctionAssociations"]] == ["viewer-request"]


@pytest.mark.cdk
def test_the_tests_that_the_page_shows_pass_until_what_they_keep_is_changed(tmp_path: Path) -> None:
    page = "test-a-stack.md"
    files = dict(blocks(page, "python"))
    assert sorted(files) == ["orders.py", "test_orders.py"]

    def tested(*options: str) -> tuple[int, str]:
        for name, body in files.items():
            (tmp_path / name).write_text(body, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-W", "error", f"--rootdir={tmp_path}", *options]
        # a change within the second in which the file was compiled would not be seen
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        run = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        return run.returncode, run.stdout

    code, said = tested("--snapshot-update")
    assert (code, "3 passed" in said) == (0, True), said
    (kept,) = (tmp_path / "__snapshots__").rglob("*.json")
    assert str(kept.relative_to(tmp_path)) in (HOW_TO / page).read_text(encoding="utf-8")
    files["orders.py"] = files["orders.py"].replace("seconds(10)", "seconds(30)")
    code, said = tested()
    assert (code, "1 failed, 2 passed" in said) == (1, True), said
    ((_, shown),) = blocks(page, "text")
    assert shown in said


@pytest.mark.parametrize(
    "page",
    [
        "choose-a-memory-size.md",
        "connect-a-database.md",
        "invoke-a-function.md",
        "package-a-function.md",
        "price-a-deployment.md",
        "serve-at-the-edge.md",
        "test-a-stack.md",
    ],
)
def test_the_files_that_a_page_names_exist(page: str) -> None:
    text = (HOW_TO / page).read_text(encoding="utf-8")
    named = re.findall(r"`(functions/\w+)`", text) + re.findall(r"\]\((\S+?)\)", text)
    gone = [name for name in named if not (ROOT / name).exists() and not (HOW_TO / name).exists()]
    assert not gone
