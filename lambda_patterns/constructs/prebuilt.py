"""What a build left, kept beside its sources for machines that lack its toolchain.

It is taken only where it was made from these very sources, by this very command: it is the function, built
elsewhere, and never stands in for one.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_patterns.constructs.package import Package, measure, stage
from lambda_patterns.errors import ArgumentError, LambdaPatternsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ARCHIVE = "prebuilt.zip"
NOTES = "prebuilt.json"
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)


def sources_of(root: Path, patterns: Sequence[str]) -> str:
    """Give the SHA-256 of what the build reads.

    Raises:
        ArgumentError: there are no patterns, or one names no file.
    """
    if not patterns:
        raise ArgumentError(f"sources: {root} needs the names of what its build reads, to keep what it makes")
    files: dict[str, Path] = {}
    for pattern in patterns:
        found = [path for path in root.glob(pattern) if path.is_file()]
        if not found:
            raise ArgumentError(f"sources: {pattern!r} names no file in {root}")
        files.update((path.relative_to(root).as_posix(), path) for path in found)
    return measure(files)[0]


def write(
    root: Path, package: Package, command: Sequence[str], environment: Mapping[str, str], sources: str
) -> None:
    """Keep a package: the zip file, and of what and how it was made."""
    with zipfile.ZipFile(root / ARCHIVE, "w") as archive:
        for path in sorted(package.path.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(package.path).as_posix(), _FIRST_DAY)
                entry.external_attr = path.stat().st_mode << 16
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)
    notes = {"command": _said(command, environment), "package": package.digest, "sources": sources}
    (root / NOTES).write_text(json.dumps(notes, indent=2) + "\n", encoding="utf-8")


def read(
    root: Path, command: Sequence[str], environment: Mapping[str, str], patterns: Sequence[str]
) -> Package:
    """Give the package that was kept, with a note of where it comes from.

    Raises:
        LambdaPatternsError: none was kept, or not from these sources by this command, or it is damaged.
    """
    missing = f"{root} is built with {command[0]}, which is not installed"
    if not patterns:
        raise LambdaPatternsError(missing)
    notes, said = _notes(root, missing), _said(command, environment)
    mend = f"run keep_built on a machine with {command[0]}"
    if notes.get("sources") != sources_of(root, patterns):
        raise LambdaPatternsError(f"{missing}, and {ARCHIVE} was made from other sources: {mend}")
    if notes.get("command") != said:
        raise LambdaPatternsError(
            f"{missing}, and {ARCHIVE} was made by `{notes.get('command')}` instead of `{said}`: {mend}"
        )
    with tempfile.TemporaryDirectory() as folder:
        package = _unpacked(root / ARCHIVE, Path(folder))
    if package is None or package.digest != notes.get("package"):
        raise LambdaPatternsError(f"{missing}, and {root / ARCHIVE} is not what {NOTES} says: {mend}")
    return replace(
        package,
        note=f"{root.name}: {command[0]} is not installed here, so this is what `{said}` made earlier of the "
        f"same sources ({ARCHIVE})",
    )


def _notes(root: Path, missing: str) -> dict[str, object]:
    try:
        notes = json.loads((root / NOTES).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LambdaPatternsError(
            f"{missing}, and nothing that it built is kept there: install it, or run keep_built where it is"
        ) from None
    except (OSError, ValueError) as error:
        raise LambdaPatternsError(f"{missing}, and {root / NOTES} cannot be read: {error}") from error
    return notes if isinstance(notes, dict) else {}


def _unpacked(archive: Path, folder: Path) -> Package | None:
    """Stage what the zip file holds, with its permissions; None if it is none."""
    try:
        with zipfile.ZipFile(archive) as content:
            for entry in content.infolist():
                path = Path(content.extract(entry, folder))
                path.chmod(entry.external_attr >> 16 & 0o777)
    except (OSError, zipfile.BadZipFile):
        return None
    return stage([(folder, ())])


def _said(command: Sequence[str], environment: Mapping[str, str]) -> str:
    return " ".join((*(f"{name}={value}" for name, value in environment.items()), *command))
