"""The generated pages say what the code says."""

import runpy
from pathlib import Path

import pytest

GENERATE = Path(__file__).parents[2] / "docs" / "generate.py"


@pytest.mark.cdk
def test_the_reference_pages_are_those_that_the_code_gives() -> None:
    pages: dict[Path, str] = runpy.run_path(str(GENERATE))["pages"]()
    stale = [path.name for path, text in pages.items() if not path.exists() or path.read_text() != text]
    assert not stale, f"run `python docs/generate.py`: {stale}"
