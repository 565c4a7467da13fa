"""What the pages tell people to type is there: each command, with each option that its line names."""

import re
from pathlib import Path

import click
import pytest

from lambda_patterns.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *(page for page in (ROOT / "docs").rglob("*.md") if page.parent.name != "rules")]
LINES = {
    f"{page.relative_to(ROOT)}: {line}": line
    for page in PAGES
    for line in re.findall(r"lambda-patterns ([a-z][^`\n]*)", page.read_text())
}


@pytest.mark.parametrize("line", LINES.values(), ids=list(LINES))
def test_a_line_names_a_command_and_options_that_are_there(line: str) -> None:
    command: click.Command = cli
    context = click.Context(cli)
    for word in re.findall(r"[a-z][a-z-]*", line):
        found = command.get_command(context, word) if isinstance(command, click.Group) else None
        if found is None:
            break
        command = found
    assert command is not cli, f"there is no command {line!r}"
    known = {option for parameter in command.get_params(context) for option in parameter.opts}
    assert set(re.findall(r"--[a-z][a-z-]*", line)) <= known
