"""The pre-commit hook and the GitHub Action call the command line as it is."""

import re
import shlex
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from lambda_patterns.cli import cli

ROOT = Path(__file__).parents[2]
TEMPLATE = "Resources: {Q: {Type: 'AWS::SQS::Queue'}}\n"


def test_the_hook_checks_the_files_that_it_is_given(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE)
    program, *arguments = shlex.split(hook["entry"])
    assert program == "lambda-patterns"
    assert CliRunner().invoke(cli, [*arguments, str(template)]).exit_code == 0


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("template.yaml", True),
        ("cdk.out/Shop.template.json", True),
        ("infra/template.yml", True),
        ("package.json", False),
        (".github/workflows/test.yml", False),
    ],
)
def test_the_hook_takes_templates_alone(name: str, *, taken: bool) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert bool(re.search(hook["files"], name)) is taken


def test_the_action_runs_a_command_line_that_exists(tmp_path: Path) -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    step = action["runs"]["steps"][-1]
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE)
    given = {"PATHS": str(template), "FAIL_ON": action["inputs"]["fail-on"]["default"], "ARGUMENTS": ""}
    assert given.keys() == step["env"].keys()
    line = step["run"]
    for name, value in given.items():
        line = line.replace(f"${name}", value)
    program, *arguments = shlex.split(line)
    assert program == "lambda-patterns"
    result = CliRunner().invoke(cli, arguments)
    assert (result.exit_code, result.output.splitlines()[0].partition(" ")[0]) == (0, "::warning")
