"""The generated pages say what the code says."""

import runpy
from pathlib import Path

import pytest

GENERATE = Path(__file__).parents[2] / "docs" / "generate.py"


@pytest.mark.cdk
def test_the_generated_pages_are_those_that_the_code_gives() -> None:
    pages: dict[Path, str] = runpy.run_path(str(GENERATE))["pages"]()
    kept = {path for folder in {path.parent for path in pages} for path in folder.glob("*.md")}
    stale = [
        path.name
        for path in sorted(kept | pages.keys())
        if path not in kept or pages.get(path) != path.read_text()
    ]
    assert not stale, f"run `python docs/generate.py`: {stale}"
