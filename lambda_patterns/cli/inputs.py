"""The templates and cloud assemblies that the paths on a command line stand for."""

from __future__ import annotations

import glob
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.model.assembly import Assembly, parse, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SUFFIXES = (".yaml", ".yml", ".json", ".template")
_SKIPPED = {"node_modules", "__pycache__", "venv", "site-packages"}
_HEAD = 1 << 20


def assemblies(paths: Iterable[str], *, joined: bool = False) -> Iterator[Assembly]:
    """Read everything that `paths` name.

    Args:
        paths: template files, folders that `cdk synth` wrote, other folders (every template in them),
            patterns with ``*``, or ``-`` for standard input.
        joined: read all of it as the stacks of one application, whose exports and imports meet.

    Raises:
        LambdaPatternsError: where one of them is missing, unreadable, or holds no template.
    """
    found = (assembly for path in paths for assembly in _of_path(path))
    if not joined:
        yield from found
        return
    together = tuple(found)
    roots = [root for assembly in together for root in assembly.roots]
    yield Assembly(", ".join(assembly.name for assembly in together), roots)


def _of_path(path: str) -> Iterator[Assembly]:
    if path == "-":
        yield parse(sys.stdin.buffer.read(), "stdin")
        return
    if not os.path.exists(path) and glob.has_magic(path):  # noqa: PTH110  # Path raises on what is no path at all
        matches = sorted(glob.glob(path, recursive=True))  # noqa: PTH207  # the pattern may be absolute
        if not matches:
            raise LambdaPatternsError(
                f"{path}: no file matches: check the pattern, and quote it for the shell"
            )
        for match in matches:
            yield from _of_path(match)
        return
    if os.path.isdir(path) and not _is_assembly(Path(path)):  # noqa: PTH112  # as above
        files = sorted(_templates_in(Path(path)))
        if not files:
            raise LambdaPatternsError(
                f"{path}: holds no template and no cloud assembly: give a template, or the folder that "
                "`cdk synth` wrote (cdk.out)"
            )
        for file in files:
            yield read(file)
        return
    yield read(path)


def _is_assembly(folder: Path) -> bool:
    return (folder / "manifest.json").is_file()


def _templates_in(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name.startswith(".") or entry.name in _SKIPPED:
            continue
        if entry.is_dir() and not entry.is_symlink():
            if _is_assembly(entry):
                yield entry
            else:
                yield from _templates_in(entry)
        elif entry.name.endswith(_SUFFIXES) and entry.is_file() and _looks_like_a_template(entry):
            yield entry


def _looks_like_a_template(file: Path) -> bool:
    """Tell a template from other JSON and YAML by its head, so that a folder of both can be checked."""
    try:
        with file.open("rb") as content:
            head = content.read(_HEAD)
    except OSError as error:
        raise LambdaPatternsError(f"{file}: cannot be read: {error.strerror or error}") from None
    return b"Resources" in head and (b"AWS::" in head or b"AWSTemplateFormatVersion" in head)
