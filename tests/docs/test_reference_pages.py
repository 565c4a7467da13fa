"""The generated pages say what the code says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
# In a process of its own: click keeps on a command how its help was first asked for.
CODE = "import json, runpy; print(json.dumps({str(path): text for path, text in "
CODE += "runpy.run_path('generate.py')['pages']().items()}))"


@pytest.mark.cdk
def test_the_generated_pages_are_those_that_the_code_gives() -> None:
    run = subprocess.run([sys.executable, "-c", CODE], cwd=DOCS, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    pages = {DOCS / path: text for path, text in json.loads(run.stdout).items()}
    kept = {path for folder in {path.parent for path in pages} for path in folder.glob("*.md")}
    stale = [
        path.name
        for path in sorted(kept | pages.keys())
        if path not in kept or pages.get(path) != path.read_text()
    ]
    assert not stale, f"run `python docs/generate.py`: {stale}"
