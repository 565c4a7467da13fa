"""Python functions with their dependencies, bundled from a lock file with hashes, without Docker."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import aws_lambda as lambda_

from lambda_patterns.constructs.package import Package, cache, keep, stage
from lambda_patterns.errors import ArgumentError, LambdaPatternsError

if TYPE_CHECKING:
    from collections.abc import Sequence

LOCK = "requirements.txt"
_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
# Amazon Linux 2023 has glibc 2.34, Amazon Linux 2 has 2.26; a wheel for 2.17 (manylinux2014) runs on both.
_GLIBC_2023, _GLIBC_2 = "2_34", "2_17"
_FIRST_ON_2023 = (3, 12)
# What the installer writes and no code reads: who installed it, from where, and the scripts of that machine.
_INSTALLED = ("bin", ".lock", "*.dist-info/INSTALLER", "*.dist-info/RECORD", "*.dist-info/REQUESTED")
_INSTALLED_TOO = ("*.dist-info/direct_url.json", "*.dist-info/uv_cache.json")
# What uv says where it reaches no index, or was told to ask none.
_OFFLINE = ("Failed to fetch", "network was disabled", "error sending request", "dns error")
_OFFLINE_MEND = (
    "; what a lock file names is downloaded at the first synthesis and kept in {cache}: run it once where "
    "the package index is reached, name another index (UV_DEFAULT_INDEX), or a folder with the wheels "
    "(UV_FIND_LINKS, with UV_NO_INDEX=1)"
)


def python_package(
    directory: str | Path,
    *,
    runtime: lambda_.Runtime | None = None,
    architecture: lambda_.Architecture | None = None,
    lock: str | Path | None = None,
    exclude: Sequence[str] = (),
) -> Package:
    """Package a folder of Python with the dependencies of its lock file, for the runtime and architecture.

    Nothing is compiled and no Docker runs: wheels are unpacked, for the platform of the function and not
    that of the machine. What was installed once is kept in the cache, so that later syntheses need no
    network.

    Args:
        directory: the folder with the handler.
        runtime: the function's runtime. Default Python 3.14, as of `VpcFunction`.
        architecture: the function's architecture. Default arm64, as of `VpcFunction`.
        lock: a requirements file in which every package has its version and hashes, as ``uv pip compile
            --generate-hashes`` or ``pip-compile --generate-hashes`` write it. Default:
            ``requirements.txt`` of the folder if there is one, else no dependencies.
        exclude: names or paths in the folder to leave out of the package.

    Raises:
        ArgumentError: the folder or the lock file does not exist, a requirement has no hash, the runtime
            is no Python, or the package is too large.
        LambdaPatternsError: uv is missing (the extra `package`), a dependency has no wheel for the platform,
            or the package index is not reached the first time.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
    """
    root = Path(directory)
    chosen = Path(lock) if lock is not None else root / LOCK
    sources: list[tuple[Path, Sequence[str]]] = [(root, (*exclude, chosen.name))]
    if lock is not None or chosen.is_file():
        version = _version(runtime or lambda_.Runtime.PYTHON_3_14)
        machine = _MACHINES[(architecture or lambda_.Architecture.ARM_64).name]
        sources.insert(0, (_dependencies(chosen, version, machine), ()))
    return stage(sources)


def _version(runtime: lambda_.Runtime) -> tuple[int, int]:
    found = re.fullmatch(r"python(\d+)\.(\d+)", runtime.name)
    if found is None:
        raise ArgumentError(
            f"runtime is {runtime.name}, a Python package needs a Python runtime (python3.14)"
        )
    return int(found[1]), int(found[2])


def _dependencies(lock: Path, version: tuple[int, int], machine: str) -> Path:
    """The folder with what the lock file names, installed now or earlier."""
    try:
        content = lock.read_bytes()
    except OSError as error:
        raise ArgumentError(f"lock: {lock}: {error.strerror}") from error
    _check_hashes(lock, content.decode())
    python = f"{version[0]}.{version[1]}"
    glibc = _GLIBC_2023 if version >= _FIRST_ON_2023 else _GLIBC_2
    platform = f"{machine}-manylinux_{glibc}" if glibc != _GLIBC_2 else f"{machine}-manylinux2014"
    key = hashlib.sha256(b"\0".join((content, python.encode(), platform.encode()))).hexdigest()
    kept = cache() / "dependencies" / key
    if not kept.is_dir():
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder)
            _install(lock, python, platform, target)
            found = _installed(target)
            keep(found, kept)
    return kept


def _check_hashes(lock: Path, text: str) -> None:
    joined = re.sub(r"\\\r?\n", " ", text)
    for line in joined.splitlines():
        requirement = line.split("#", 1)[0].strip()
        if requirement and not requirement.startswith("-") and "--hash=" not in requirement:
            raise ArgumentError(
                f"lock: {lock}: {requirement!r} has no hash: write the file with "
                "`uv pip compile --generate-hashes`, so that the same file is the same code tomorrow"
            )


def _install(lock: Path, python: str, platform: str, target: Path) -> None:
    options = ["--only-binary", ":all:", "--require-hashes", "--link-mode", "copy", "--quiet"]
    where = ["--python", sys.executable, "--python-version", python, "--python-platform", platform]
    # its own colours and progress would stand in the message
    environment = {**os.environ, "NO_COLOR": "1", "UV_NO_PROGRESS": "1"}
    done = subprocess.run(  # noqa: S603  # uv itself, with arguments that are no shell's
        [find_uv(), "pip", "install", *options, *where, "--target", str(target), "-r", str(lock)],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    if done.returncode:
        said = " ".join(re.sub(r"[^\x20-\x7e\n]", " ", done.stderr).split())
        mend = _OFFLINE_MEND.format(cache=cache()) if any(mark in said for mark in _OFFLINE) else ""
        raise LambdaPatternsError(
            f"{lock} cannot be installed for Python {python} on {platform}: {said}{mend}"
        )


def _installed(target: Path) -> dict[str, Path]:
    left_out = (*_INSTALLED, *_INSTALLED_TOO)
    found = {}
    for path in target.rglob("*"):
        relative = path.relative_to(target)
        if (
            path.is_file()
            and not any(relative.match(each) for each in left_out)
            and relative.parts[0] != "bin"
        ):
            found[relative.as_posix()] = path
    return found


def find_uv() -> str:
    """The path of uv: beside the interpreter, where the extra `package` puts it, or on PATH.

    Raises:
        LambdaPatternsError: it is in neither place.
    """
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise LambdaPatternsError(
            "bundling Python dependencies needs uv: pip install 'lambda-patterns[package]'"
        )
    return found
