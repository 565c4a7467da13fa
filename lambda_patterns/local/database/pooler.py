"""The pool of a proxy: pgbouncer in transaction mode where it is installed."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
import time
from os import environ
from typing import TYPE_CHECKING

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local.database import account
from lambda_patterns.local.database.postgres import MAX_CONNECTIONS
from lambda_patterns.local.settings import HOST

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_patterns.local.database.postgres import Postgres

_PORT = 6432
_START_SECONDS = 5.0
_RELOADS = "got SIGHUP"
# Left to people and to the administrator, as PostgreSQL reserves them.
_RESERVED = 5
_PLACES = "/usr/sbin:/usr/local/sbin:/opt/homebrew/bin"


def program() -> str | None:
    """The path of pgbouncer, None where it is not installed."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path=_PLACES)


class Pooler:
    """A running pgbouncer before one server.

    Args:
        folder: a folder of its own.
        server: what it pools connections to.
        pool: the target group's ConnectionPoolConfig.
        idle_seconds: after how long an idle client is closed.
        trusted: whether it logs in without passwords (end-to-end IAM authentication).
    """

    def __init__(
        self, folder: Path, server: Postgres, pool: dict[str, int], idle_seconds: int, *, trusted: bool
    ) -> None:
        binary = program()
        if binary is None:
            raise LambdaPatternsError("pgbouncer is not installed: apt-get install pgbouncer")
        self.folder = account.own(folder)
        self._passwords: dict[str, str] = {}
        self._knowing = threading.Lock()
        account.give(folder / "users.txt", "")
        size = max(1, MAX_CONNECTIONS * int(pool.get("MaxConnectionsPercent", 100)) // 100 - _RESERVED)
        host = str(server.folder if trusted else HOST).replace("'", "''")
        settings = {
            "listen_port": _PORT,
            "unix_socket_dir": folder,
            "auth_type": "trust",
            "auth_file": folder / "users.txt",
            "pool_mode": "transaction",
            "default_pool_size": size,
            "max_client_conn": 5000,
            "query_wait_timeout": max(1, int(pool.get("ConnectionBorrowTimeout", 120))),
            "client_idle_timeout": idle_seconds,
            "server_login_retry": 1,
            "ignore_startup_parameters": "extra_float_digits,options",
            "logfile": folder / "pgbouncer.log",
        }
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        account.give(
            folder / "pgbouncer.ini",
            f"[databases]\n* = host='{host}' port={server.port}\n[pgbouncer]\nlisten_addr =\n{lines}",
        )
        # its libraries may be in a place that the starter named
        libraries = {name: environ[name] for name in ("LD_LIBRARY_PATH",) if name in environ}
        self._process = account.start(
            [binary, str(folder / "pgbouncer.ini")],
            {"PATH": "/usr/bin:/bin", **libraries},
            folder / "output.log",
        )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not (self.folder / f".s.PGSQL.{_PORT}").exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = (self.folder / "output.log").read_text(errors="replace").strip().splitlines()
                raise LambdaPatternsError(f"pgbouncer did not start: {said[-1] if said else 'no word'}")
            time.sleep(0.01)

    @property
    def socket(self) -> str:
        """The path of its unix socket."""
        return f"{self.folder}/.s.PGSQL.{_PORT}"

    def know(self, user: str, password: str) -> None:
        """Make sure that it logs in to the server as `user` with `password`; it does when this returns."""
        with self._knowing:
            if self._passwords.get(user) == password:
                return
            known = {**self._passwords, user: password}
            account.give(
                self.folder / "users.txt",
                "".join(f'"{name}" "{word}"\n' for name, word in sorted(known.items())),
            )
            self._reload()
            self._passwords = known

    def _reload(self) -> None:
        """Let it read its files: it says so in its log, and looks at no client before it is done."""
        log = self.folder / "pgbouncer.log"
        before, deadline = log.read_text().count(_RELOADS), time.monotonic() + _START_SECONDS
        self._process.send_signal(signal.SIGHUP)
        while log.read_text().count(_RELOADS) == before:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise LambdaPatternsError("pgbouncer has not read its users again")
            time.sleep(0.005)

    def stop(self) -> None:
        """End it at once."""
        self._process.terminate()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
