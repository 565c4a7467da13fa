"""CPython of another architecture, out of Debian's packages: a folder, an emulator, no root, no Docker.

Nothing is installed: apt downloads into the folder, with a configuration of its own, and dpkg-deb unpacks
there. Debian's stable is taken whatever runs here, since its interpreter is one of Lambda's runtimes.
"""

import os
import platform
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

_DEBIAN = {"x86_64": "amd64", "aarch64": "arm64"}
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_INTERPRETER = ("python3-minimal", "libpython3-stdlib")


class UnavailableError(Exception):
    """This machine cannot have that interpreter; the message is the reason."""


class Interpreter(NamedTuple):
    """How an interpreter is started, and its version."""

    command: tuple[str, ...]
    version: str


def other_machine() -> str:
    """The one of Lambda's two architectures that this machine is not."""
    return "aarch64" if platform.machine() in ("x86_64", "AMD64") else "x86_64"


def foreign_python(machine: str, folder: Path) -> Interpreter:
    """Give an interpreter for `machine`; the first call downloads it into `folder` (14 MB, qemu 71 MB).

    Raises:
        UnavailableError: this is no Debian, or its packages cannot be reached.
    """
    if missing := [name for name in ("apt-get", "dpkg-deb") if shutil.which(name) is None]:
        raise UnavailableError(f"this machine has no {missing[0]}, which brings an interpreter for {machine}")
    root = folder / machine
    if not root.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as made:
            whole = Path(made) / "root"
            _fill(whole, machine, Path(made) / "apt")
            # all of it or nothing
            whole.rename(root)
    (python,) = (root / "usr" / "bin").glob("python3.*[0-9]")
    emulator = shutil.which(f"qemu-{machine}-static") or str(root / f"qemu-{machine}")
    home = str(root / "usr")
    command = (emulator, "-L", str(root), "-E", f"PYTHONHOME={home}", str(python), "-I", "-B")
    return Interpreter(command, python.name.removeprefix("python"))


def _fill(root: Path, machine: str, apt: Path) -> None:
    wanted, ours = _DEBIAN[machine], _DEBIAN[platform.machine()]
    settings = _settings(apt, wanted, ours)
    _apt(settings, "update")
    named = [f"{name}:{wanted}" for name in _INTERPRETER]
    _apt(settings, "install", "--yes", "--download-only", "--no-install-recommends", *named)
    for package in sorted((apt / "archives").glob("*.deb")):
        _run("dpkg-deb", "--extract", str(package), str(root))
    # made by base-files on a real system
    (root / "lib").symlink_to("usr/lib")
    if wanted == "amd64":
        (root / "lib64").symlink_to("usr/lib64")
    if shutil.which(f"qemu-{machine}-static") is None:
        _apt(settings, "install", "--yes", "--download-only", "--no-install-recommends", f"qemu-user:{ours}")
        (package,) = (apt / "archives").glob("qemu-user_*.deb")
        _run("dpkg-deb", "--extract", str(package), str(apt / "qemu"))
        shutil.move(apt / "qemu" / "usr" / "bin" / f"qemu-{machine}", root)


def _settings(apt: Path, wanted: str, ours: str) -> Path:
    """Write apt's configuration for a system that is empty, beside the machine's own."""
    for name in ("lists/partial", "archives/partial"):
        (apt / name).mkdir(parents=True)
    (apt / "status").touch()
    (apt / "sources.list").write_text(
        f"deb [signed-by={_KEYRING}] {_mirror()} stable main\n", encoding="utf-8"
    )
    here = {
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": apt / "none",
        "Dir::Etc::preferencesparts": apt / "none",
        "Dir::State::status": apt / "status",
        "Dir::State::extended_states": apt / "extended",
        "Dir::State::lists": apt / "lists",
        "Dir::Cache": apt,
        "Dir::Cache::archives": apt / "archives",
        "APT::Architecture": wanted,
        "APT::Architectures": f"{wanted},{ours}",
        "Acquire::Languages": "none",
        "Debug::NoLocking": "true",
    }
    lines = [f'{name} "{value}";' for name, value in here.items()]
    if os.geteuid() == 0:
        # else apt downloads as an account that cannot write to this folder
        lines.append('APT::Sandbox::User "root";')
    settings = apt / "apt.conf"
    settings.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return settings


def _mirror() -> str:
    """The mirror of Debian that this machine uses itself."""
    said = _run("apt-get", "update", "--print-uris")
    found = re.search(r"'(\S+/debian)/dists/", said)
    if found is None or not _KEYRING.is_file():
        raise UnavailableError("this machine is no Debian with its keyring, from whose packages Python comes")
    return found[1]


def _apt(settings: Path, *command: str) -> None:
    _run("apt-get", "--quiet", *command, env={**os.environ, "APT_CONFIG": str(settings)})


def _run(*command: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=env)
    if done.returncode:
        said = " ".join(done.stderr.split())[-300:]
        raise UnavailableError(
            f"this machine does not get Debian's packages ({' '.join(command[:3])}: {said})"
        )
    return done.stdout
