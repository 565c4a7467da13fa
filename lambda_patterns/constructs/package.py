"""Code as Lambda will unpack it: normalised, hashed by its content, and measured before anything is uploaded.

A package is staged in the user's cache, in a folder named by its hash: the same content gives the same
hash on every machine and path, and is staged once. `LAMBDA_PATTERNS_CACHE` names another folder than
``~/.cache``.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import Annotations, AssetHashType
from aws_cdk import aws_lambda as lambda_

from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts.limits import UNZIPPED_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from constructs import Construct

LEFT_OUT = (
    "__pycache__",
    "*.py[co]",
    ".DS_Store",
    ".git",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".venv",
)
"""What no function needs, by the name of the file or folder."""
# the machine in the header of an ELF file: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
_MACHINES = {62: "x86_64", 183: "arm64"}
_EPOCH = 315_532_800  # 1980-01-01, the first day that a zip file can name


@dataclass(frozen=True, slots=True)
class Package:
    """Code that is ready to be uploaded.

    Args:
        path: the folder with the files as Lambda will see them below ``/var/task``.
        digest: the SHA-256 of all paths, permissions and contents, in hexadecimal.
        size: bytes, unzipped.
        parts: the bytes of each top-level file or folder, largest first.
        machines: the architectures that its `bootstrap` and its shared libraries are compiled for, "arm64" or
            "x86_64"; none where nothing is.
        note: what its user has to know, shown at each function that it becomes: that it was built earlier.
    """

    path: Path
    digest: str
    size: int
    parts: tuple[tuple[str, int], ...]
    machines: frozenset[str] = frozenset()
    note: str = ""

    @property
    def code(self) -> lambda_.Code:
        """The package as the `code` of a function, with its content's hash as the asset's."""
        return _NotedCode(self) if self.note else PackageCode(self)

    def report(self, most: int = 5) -> str:
        """Its size, its largest parts and its note: "14,012,345 bytes: psycopg_binary 9,000,000, ..."."""
        named = ", ".join(f"{name} {size:,}" for name, size in self.parts[:most])
        rest = len(self.parts) - most
        more = f" and {rest} more" if rest > 0 else ""
        return f"{self.size:,} bytes: {named}{more}{f' ({self.note})' if self.note else ''}"


class PackageCode(lambda_.AssetCode):
    """A package as the `code` of a function, which can be asked what it is compiled for."""

    def __init__(self, package: Package) -> None:
        super().__init__(str(package.path), asset_hash=package.digest, asset_hash_type=AssetHashType.CUSTOM)
        self.package = package

    def check(self, architecture: str) -> None:
        """Raise `ArgumentError` if everything compiled in it is for another architecture.

        Source: https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html
        """
        machines = self.package.machines
        if machines and architecture not in machines:
            built = " and ".join(sorted(machines))
            raise ArgumentError(
                f"code: what is compiled in it is for {built}, and the function is {architecture}: build it "
                f"for {architecture}, or make the function {built} (architecture=)"
            )


class _NotedCode(PackageCode):
    """Code that leaves the package's note at the function when it becomes the function's."""

    def bind(self, scope: Construct) -> lambda_.CodeConfig:
        """Annotate the function."""
        Annotations.of(scope).add_info(self.package.note)
        return super().bind(scope)


def directory_package(directory: str | Path, *, exclude: Sequence[str] = ()) -> Package:
    """Package a folder as it is: Node.js with its node_modules, Ruby, compiled classes, a `bootstrap`.

    Args:
        directory: the folder.
        exclude: names or paths within it to leave out, with `*` and `?` as in file names. Left out already
            are `LEFT_OUT`.

    Raises:
        ArgumentError: there is no such folder, it is empty, a link leads out of it, or it is too large.
    """
    return stage([(Path(directory), exclude)])


def stage(sources: Sequence[tuple[Path, Sequence[str]]]) -> Package:
    """Put folders and files together into one package; no two may bring the same top-level name.

    Raises:
        ArgumentError: see `directory_package`.
    """
    files: dict[str, Path] = {}
    owners: dict[str, Path] = {}
    for root, exclude in sources:
        if root.is_file():
            owners[root.name], files[root.name] = root, root
            continue
        if not root.is_dir():
            raise ArgumentError(f"{root} is no folder: a package is made of one")
        for relative in _files(root, (*LEFT_OUT, *exclude)):
            top = relative.split("/", 1)[0]
            if owners.setdefault(top, root) != root:
                raise ArgumentError(f"{root} and {owners[top]} both bring {top!r}: rename one of them")
            files[relative] = root / relative
    if not files:
        raise ArgumentError(f"{sources[0][0]} holds no file that would be packaged")
    digest, sizes = measure(files)
    parts: dict[str, int] = {}
    for relative, size in sizes.items():
        top = relative.split("/", 1)[0]
        parts[top] = parts.get(top, 0) + size
    largest = tuple(sorted(parts.items(), key=lambda part: (-part[1], part[0])))
    staged = cache() / "packages" / digest
    package = Package(staged, digest, sum(sizes.values()), largest, _machines(files))
    if problem := UNZIPPED_BYTES.problem(package.size):
        raise ArgumentError(f"{sources[-1][0]}: {problem} ({package.report()}): {UNZIPPED_BYTES.why}")
    if not _is_as_staged(package.path, sizes):
        keep(files, package.path, anew=package.path.is_dir())
    return package


def _is_as_staged(folder: Path, sizes: Mapping[str, int]) -> bool:
    """Whether a folder holds these files and no others, untouched since `keep` made them.

    Reading all of them again would take as long as hashing the sources; whatever writes a file sets its time.
    """
    found: dict[str, os.stat_result] = {}
    for here, names, files in os.walk(folder):
        for name in (*files, *(name for name in names if Path(here, name).is_symlink())):
            path = Path(here, name)
            found[path.relative_to(folder).as_posix()] = path.lstat()
    return found.keys() == sizes.keys() and all(
        found[name].st_size == size and (stat.S_ISLNK(found[name].st_mode) or found[name].st_mtime == _EPOCH)
        for name, size in sizes.items()
    )


def measure(files: Mapping[str, Path]) -> tuple[str, dict[str, int]]:
    """Give the SHA-256 of all paths, permissions and contents, and the bytes of each file."""
    digest = hashlib.sha256()
    sizes = {relative: _add(digest, relative, files[relative]) for relative in sorted(files)}
    return digest.hexdigest(), sizes


def cache() -> Path:
    """The folder in which packages and what they are built from are kept."""
    named = os.environ.get("LAMBDA_PATTERNS_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lambda-patterns"


def keep(files: Mapping[str, Path], target: Path, *, anew: bool = False) -> None:
    """Copy files below `target` with the same permissions and times everywhere, all of them or none.

    Args:
        files: each path below `target`, and what is copied there.
        target: the folder. What another process has put there meanwhile stays: it has the same content.
        anew: put what lies there away, and these files in its place.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / "made"
        for relative, path in files.items():
            copy = made / relative
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy, follow_symlinks=False)
            if not copy.is_symlink():
                copy.chmod(_mode(path))
                os.utime(copy, (_EPOCH, _EPOCH))
        if anew:
            with contextlib.suppress(FileNotFoundError):
                target.rename(Path(folder) / "before")
        try:
            made.rename(target)
        except OSError:
            if not target.is_dir():
                raise


def _files(root: Path, exclude: Sequence[str]) -> Iterator[str]:
    """The files below `root`, and the links, by their path with slashes."""
    for folder, names, found in os.walk(root):
        here = Path(folder).relative_to(root)
        kept = [name for name in names if not _left_out(here / name, exclude)]
        names[:] = [name for name in kept if not (root / here / name).is_symlink()]
        links = [name for name in kept if name not in names]
        for name in (*found, *links):
            relative = here / name
            if not _left_out(relative, exclude):
                _check_link(root, relative)
                yield relative.as_posix()


def _left_out(relative: Path, exclude: Sequence[str]) -> bool:
    return any(fnmatchcase(relative.name, each) or fnmatchcase(relative.as_posix(), each) for each in exclude)


def _check_link(root: Path, relative: Path) -> None:
    path = root / relative
    if path.is_symlink():
        target, said = path.resolve(), path.readlink()
        if said.is_absolute() or not target.is_relative_to(root.resolve()):
            raise ArgumentError(f"{path} is a link that leads out of the package, to {said}")
        if not target.exists():
            raise ArgumentError(f"{path} is a link to {said}, which does not exist")


def _machines(files: Mapping[str, Path]) -> frozenset[str]:
    """Name the architectures of what Lambda would load: a `bootstrap`, and shared libraries."""
    found = set()
    for relative, path in files.items():
        if relative == "bootstrap" or relative.endswith(".so"):
            with path.open("rb") as file:
                start = file.read(20)
            if start[:4] == b"\x7fELF":
                found.add(_MACHINES.get(int.from_bytes(start[18:20], "little")))
    return frozenset(name for name in found if name is not None)


def _mode(path: Path) -> int:
    return 0o755 if path.stat().st_mode & 0o111 else 0o644


def _add(digest: hashlib._Hash, relative: str, path: Path) -> int:
    """Add one file to the hash, and give its bytes."""
    if path.is_symlink():
        content = str(path.readlink()).encode()
        kind = "link"
    else:
        content = path.read_bytes()
        kind = f"{_mode(path):o}"
    digest.update(f"{relative}\0{kind}\0{len(content)}\0".encode())
    digest.update(content)
    return len(content)
