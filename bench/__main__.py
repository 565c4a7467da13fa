"""`python -m bench [NAME...]`: run the measurements of this folder one after another: all, or those named."""

from __future__ import annotations

import ast
import importlib
import os
import sys
import time
from pathlib import Path

from rich.console import Console

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local.node import node_environment


def measurements() -> dict[str, str]:
    """Name -> the first line of what it says of itself, of each module here that has a `main`."""
    found = {}
    for file in sorted(Path(__file__).parent.glob("*.py")):
        tree = ast.parse(file.read_text())
        named = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        if "main" in named and file.stem != "__main__":
            found[file.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def main(names: list[str]) -> int:
    """Run them. One that cannot run on this machine says so and stops no other; it makes the exit code 1."""
    console = Console()
    known = measurements()
    unknown = [name for name in names if name not in known]
    if unknown:
        console.print(f"there is no measurement {unknown[0]!r}, there are {', '.join(known)}")
        return 2
    os.environ |= node_environment()  # before a measurement imports aws_cdk, which starts Node
    failed = False
    for name in names or known:
        console.rule(name)
        console.print(known[name], highlight=False)
        start = time.monotonic()
        sys.argv = [name]  # some take arguments of their own
        try:
            failed |= bool(importlib.import_module(f"bench.{name}").main())
        except (ImportError, OSError, LambdaPatternsError) as error:
            failed = True
            console.print(f"{name} cannot run here: {error}", highlight=False)
        console.print(f"{name} took {time.monotonic() - start:.0f} s\n", highlight=False)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
