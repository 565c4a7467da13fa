"""As whom the database's processes run: PostgreSQL and pgbouncer refuse to run as root."""

from __future__ import annotations

import os
import pwd
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Any

from lambda_patterns.errors import LambdaPatternsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_UNPRIVILEGED = "nobody"


@cache
def _other() -> pwd.struct_passwd | None:
    """The account to change to, None where this process is not root."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam(_UNPRIVILEGED)
    except KeyError:
        raise LambdaPatternsError(
            f"there is no account {_UNPRIVILEGED}: PostgreSQL refuses to run as root; run as another user"
        ) from None


def own(path: Path) -> Path:
    """Make a folder that only the database's account and root may enter; its parent may be passed."""
    path.mkdir(parents=True, exist_ok=True)
    account = _other()
    if account is not None:
        path.parent.chmod(path.parent.stat().st_mode | 0o011)
        os.chown(path, account.pw_uid, account.pw_gid)
    path.chmod(0o700)
    return path


def give(path: Path, text: str) -> None:
    """Write a file that the database's account alone may read."""
    path.write_text(text)
    account = _other()
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid)
    path.chmod(0o600)


def _as_account() -> dict[str, Any]:
    account = _other()
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": ()}


def run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a program to its end.

    Raises:
        LambdaPatternsError: it fails; the message is its last line.
    """
    done = subprocess.run(  # noqa: S603  # PostgreSQL's own programs
        command, env=environment, capture_output=True, text=True, check=False, cwd="/", **_as_account()
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise LambdaPatternsError(f"{command[0]} failed: {said[-1] if said else 'no word'}")


def start(command: Sequence[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start a program that serves until it is ended, or the embedded AWS is."""
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603  # PostgreSQL's and pgbouncer's own programs
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            **_as_account(),
        )
