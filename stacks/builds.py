"""How the examples of compiled languages are built: `python -m stacks.builds` keeps what each build makes.

What is kept is for x86_64, where it matters: the machine that runs the embedded AWS.
"""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from lambda_patterns.constructs import keep_built
from stacks.handlers import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_patterns.constructs.built_package import Build

_STATIC = {"CGO_ENABLED": "0", "GOARCH": "amd64", "GOOS": "linux"}

BUILDS: Mapping[str, Build] = {
    "checksum_event": {
        "command": ["cargo", "build", "--release", "--locked", "--quiet"],
        "output": "target/release/bootstrap",
        "sources": ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "src/*.rs"],
    },
    "count_words": {
        "command": ["go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", "build/bootstrap"],
        "output": "build/bootstrap",
        "environment": _STATIC,
        "sources": ["go.mod", "*.go"],
    },
    "greet_customer": {
        "command": ["dotnet", "publish", "--configuration", "Release", "--output", "build"],
        "output": "build",
        "sources": ["*.csproj", "*.cs"],
    },
    "validate_iban": {
        "command": ["javac", "--release", "17", "-d", "build", "Handler.java"],
        "output": "build",
        "sources": ["*.java"],
    },
}
"""The build of each, by the name of its folder in `functions`; the other examples need none."""


def keep() -> None:
    """Build what this machine has the toolchain for, and keep it beside its sources."""
    for name, build in BUILDS.items():
        program = build["command"][0]
        if shutil.which(program) is None:
            sys.stdout.write(f"{name}: not built, {program} is not installed\n")
        else:
            package = keep_built(FUNCTIONS / name, **build)
            sys.stdout.write(f"{name}: {package.report()}\n")


if __name__ == "__main__":
    keep()
