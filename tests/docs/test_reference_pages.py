"""The generated pages say what the code says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

GENERATE = Path(__file__).parents[2] / "docs" / "generate.py"
# In a process of its own: click keeps on a command how its help was first asked for.
CODE = "import json, runpy, sys; pages = runpy.run_path(sys.argv[1])['pages'](); "
CODE += "print(json.dumps({str(path): text for path, text in pages.items()}))"


@pytest.mark.cdk
def test_the_generated_pages_are_those_that_the_code_gives() -> None:
    command = [sys.executable, "-c", CODE, GENERATE]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    pages = {Path(path): text for path, text in json.loads(run.stdout).items()}
    kept = {path for folder in {path.parent for path in pages} for path in folder.glob("*.md")}
    stale = [
        path.name
        for path in sorted(kept | pages.keys())
        if path not in kept or pages.get(path) != path.read_text()
    ]
    assert not stale, f"run `python docs/generate.py`: {stale}"
