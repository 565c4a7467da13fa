"""Pages of steps, followed to the letter, print what they say; and no page links to nothing."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from lambda_patterns.cli import cli

ROOT = Path(__file__).parents[2]
STEP = re.compile(r"^```(yaml|toml|console) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = sorted(
    [*ROOT.glob("*.md"), *(page for page in (ROOT / "docs").rglob("*.md") if page.parent.name != "rules")]
)


@pytest.mark.parametrize(("page", "number"), [("tutorial.md", 4), ("how-to/check-templates.md", 3)])
def test_every_step_prints_what_it_shows(
    page: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = 0
    for kind, name, body in STEP.findall((ROOT / "docs" / page).read_text()):
        if kind != "console":
            if name:  # a block without a name is of another program
                path = Path(name.removeprefix("+"))
                path.write_text((path.read_text() if name.startswith("+") else "") + body)
            continue
        for shown in body.removeprefix("$ ").split("\n$ "):
            command, *expected = shown.splitlines()
            result = CliRunner().invoke(cli, shlex.split(command)[1:], catch_exceptions=False)
            assert [line for line in expected if line not in result.output.splitlines()] == [], result.output
            commands += 1
    assert commands == number


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_page_that_a_page_links_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)[^)]*\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
