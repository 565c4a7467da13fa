"""Functions that a toolchain builds: Go, Rust and C on the OS-only runtime, Java, .NET, bundled Node.js."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_patterns.constructs.package import Package, stage
from lambda_patterns.errors import ArgumentError, LambdaPatternsError

if TYPE_CHECKING:
    from collections.abc import Sequence

_LINES = 5


def built_package(
    directory: str | Path, *, command: Sequence[str], output: str, exclude: Sequence[str] = ()
) -> Package:
    """Run the build of a folder, and package what it leaves in `output`.

    The build runs at every synthesis: a toolchain knows what has changed, this does not. The package has
    the hash of what was built, so a build that is not reproducible deploys again.

    Args:
        directory: the folder in which the command runs.
        command: the program and its arguments, without a shell: ``["cargo", "build", "--release"]``.
        output: the folder that the build fills, or the one file that it makes, from `directory`.
        exclude: names or paths in `output` to leave out.

    Raises:
        ArgumentError: there is no such folder, or the build leaves nothing there, or too much.
        LambdaPatternsError: the program is not installed, or the build fails; its last lines are in the
            message.
    """
    root = Path(directory)
    if not root.is_dir():
        raise ArgumentError(f"{root} is no folder: a package is built in one")
    program = shutil.which(command[0])
    if program is None:
        raise LambdaPatternsError(f"{root} is built with {command[0]}, which is not installed")
    done = subprocess.run(  # noqa: S603  # the caller's own build, without a shell
        [program, *command[1:]], cwd=root, check=False, capture_output=True, text=True
    )
    if done.returncode:
        said = " | ".join((done.stderr or done.stdout).strip().splitlines()[-_LINES:])
        raise LambdaPatternsError(f"{root}: `{' '.join(command)}` failed with {done.returncode}: {said}")
    return stage([(root / output, exclude)])


def bootstrap_package(directory: str | Path, *, exclude: Sequence[str] = ()) -> Package:
    """Package a folder with a ready-made `bootstrap` for the OS-only runtime.

    Args:
        directory: the folder; the file `bootstrap` in it is what Lambda starts.
        exclude: names or paths to leave out.

    Raises:
        ArgumentError: there is no `bootstrap`, it is not executable, or the folder is too large.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-provided.html
    """
    bootstrap = Path(directory) / "bootstrap"
    if not bootstrap.is_file():
        raise ArgumentError(f"{directory} has no file `bootstrap`, which is what the OS-only runtime starts")
    if not bootstrap.stat().st_mode & 0o111:
        raise ArgumentError(f"{bootstrap} is not executable: chmod +x {bootstrap}")
    return stage([(Path(directory), exclude)])
