"""The README's own examples run, and end as it says."""

import re
from pathlib import Path
from typing import Any

import pytest

from lambda_patterns.cli import COMMANDS
from lambda_patterns.rules.catalogue import RULES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
FIRST, GRANTED = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
FIRST_OPEN = FIRST.removesuffix("app.synth()\n")


def run(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    from lambda_patterns.testing import findings  # noqa: PLC0415  # starts aws_cdk, for the marked tests alone

    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)  # noqa: S102  # the README is ours
    return findings(names["app"])


@pytest.mark.cdk
def test_the_first_stack_synthesizes_with_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert FIRST_OPEN != FIRST
    assert run(FIRST_OPEN, tmp_path, monkeypatch) == []


@pytest.mark.cdk
def test_the_grant_that_the_network_does_not_lead_to_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (found,) = run(FIRST_OPEN + GRANTED, tmp_path, monkeypatch)
    assert found.startswith("egress-blocked at Orders/ShipOrder/Resource: ")
    assert "does not reach SNS" in found
    assert "no rule lets tcp 443 out to sns (ENI_SG_RULES_MISMATCH)" in found
    assert "allows sns:Publish" in found


@pytest.mark.cdk
def test_without_the_endpoint_the_need_is_refused_before_synthesis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lambda_patterns.errors import ArgumentError  # noqa: PLC0415  # beside what raises it

    with pytest.raises(ArgumentError, match=r"^needs: this network has no endpoint for 'secretsmanager'"):
        run(FIRST_OPEN.replace('Endpoints("secretsmanager")', "Endpoints()"), tmp_path, monkeypatch)


def test_the_first_stack_is_about_twenty_lines() -> None:
    statements = [line for line in FIRST.splitlines() if line and not line.startswith(("from ", "import "))]
    assert len(statements) <= 20


def test_every_rule_and_command_that_it_names_is_there() -> None:
    rules = {rule.name for rule in RULES}
    table = README[README.index("## The patterns") : README.index("## The command line")]
    cells = [line.split("|")[3] for line in table.splitlines() if line.startswith("| ")][1:]
    named = {
        name for cell in cells for name in re.findall(r"`([a-z-]+)`", cell) if "-" in name and name[-1] != "-"
    }
    families = {rule.topic for rule in RULES}
    assert named - rules - families == set()
    commands = set(re.findall(r"^lambda-patterns ([a-z-]+)", README, re.MULTILINE))
    assert commands <= set(COMMANDS)
