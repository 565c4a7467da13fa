"""Functions that a toolchain builds: Go, Rust and C on the OS-only runtime, Java, .NET, bundled Node.js."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Required, TypedDict, Unpack

from lambda_patterns.constructs import prebuilt
from lambda_patterns.constructs.package import Package, stage
from lambda_patterns.errors import ArgumentError, LambdaPatternsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LINES = 5


class Build(TypedDict, total=False):
    """How a folder is built.

    Args:
        command: the program and its arguments, without a shell: ``["cargo", "build", "--release"]``.
        output: the folder that the build fills, or the one file that it makes, from the folder it runs in.
        environment: variables beside those of this process, ``{"GOARCH": "arm64", "CGO_ENABLED": "0"}``.
        exclude: names or paths in `output` to leave out.
        sources: what the build reads, from the folder it runs in, with `*` as in file names: ``["go.mod",
            "*.go"]``. With it, a machine without the program takes what `keep_built` kept, if it was made
            from these very sources by this very command. Default: none, and the program must be there.
    """

    command: Required[Sequence[str]]
    output: Required[str]
    environment: Mapping[str, str]
    exclude: Sequence[str]
    sources: Sequence[str]


def built_package(directory: str | Path, **build: Unpack[Build]) -> Package:
    """Run the build of a folder, and package what it leaves in `output`.

    The build runs at every synthesis: a toolchain knows what has changed, this does not. The package has
    the hash of what was built, so a build that is not reproducible deploys again.

    Args:
        directory: the folder in which the command runs.
        build: see `Build`.

    Raises:
        ArgumentError: there is no such folder, or the build leaves nothing there, or too much.
        LambdaPatternsError: the program is not installed and nothing is kept from these sources, or the
            build fails; its last lines are in the message.
    """
    root = _folder(directory)
    if shutil.which(build["command"][0]) is None:
        return prebuilt.read(root, build["command"], _variables(build), build.get("sources", ()))
    return _build(root, build)


def keep_built(directory: str | Path, **build: Unpack[Build]) -> Package:
    """Run the build, and keep its package beside the sources, for machines without the toolchain.

    It writes ``prebuilt.zip`` and ``prebuilt.json``, which says of what sources and by what command it was
    made. Both are meant to be committed: `built_package` takes them where the program is not installed,
    refuses them once a source has changed, and says at the function that it was not built there.

    Args:
        directory: the folder in which the command runs.
        build: see `Build`; `sources` is needed.

    Raises:
        ArgumentError: `sources` is missing or names no file, or as `built_package`.
        LambdaPatternsError: the program is not installed, or the build fails.
    """
    root = _folder(directory)
    sources = prebuilt.sources_of(root, build.get("sources", ()))
    program = build["command"][0]
    if shutil.which(program) is None:
        raise LambdaPatternsError(f"{root} is built with {program}, which is not installed")
    package = _build(root, build)
    prebuilt.write(root, package, build["command"], _variables(build), sources)
    return package


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


def _folder(directory: str | Path) -> Path:
    root = Path(directory)
    if not root.is_dir():
        raise ArgumentError(f"{root} is no folder: a package is built in one")
    return root


def _variables(build: Build) -> Mapping[str, str]:
    return build.get("environment", {})


def _build(root: Path, build: Build) -> Package:
    command = build["command"]
    program = shutil.which(command[0]) or command[0]
    done = subprocess.run(  # noqa: S603  # the caller's own build, without a shell
        [program, *command[1:]],
        cwd=root,
        env={**os.environ, **_variables(build)},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = " | ".join((done.stderr or done.stdout).strip().splitlines()[-_LINES:])
        raise LambdaPatternsError(f"{root}: `{' '.join(command)}` failed with {done.returncode}: {said}")
    return stage([(root / build["output"], build.get("exclude", ()))])
