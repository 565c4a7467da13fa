"""What the MySQL examples are run against: MariaDB itself, and a handshake as RDS Proxy makes it."""

import getpass
import os
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pymysql

MASTER = "dbadmin"
_SSL, _AUTH = 0x0800, 0x80000
_CAPABILITIES = 0x0200 | 0x8000 | _AUTH  # protocol 4.1, secure connection, plugins


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def mariadb(folder: Path, password: str, *, certificate: Path | None) -> Iterator[int]:
    """Run MariaDB in `folder` with a database `orders` and a master user; give its port."""
    program, install = _PROGRAMS
    assert program is not None
    assert install is not None
    where = [f"--user={getpass.getuser()}", f"--datadir={folder}/data"]
    subprocess.run(
        [install, "--no-defaults", *where, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True,
        capture_output=True,
    )
    port = free_port()
    first = folder / "first.sql"
    first.write_text(
        # one statement a line
        "CREATE DATABASE orders;\n"
        f"CREATE USER '{MASTER}'@'%' IDENTIFIED BY '{password}';\n"
        f"GRANT ALL ON *.* TO '{MASTER}'@'%' WITH GRANT OPTION;\n",
        encoding="utf-8",
    )
    tls = [] if certificate is None else [f"--ssl-cert={certificate}", f"--ssl-key={certificate}"]
    log = (folder / "log").open("wb")
    # no addresses are looked up, and no other way in but TCP
    options = [
        "--skip-name-resolve",
        "--bind-address=127.0.0.1",
        f"--socket={folder}/s",
        f"--init-file={first}",
    ]
    server = subprocess.Popen(
        [program, "--no-defaults", *where, *options, *tls, f"--port={port}"], stdout=log, stderr=log
    )
    try:
        _wait(server, port, folder)
        yield port
    finally:
        server.terminate()
        server.wait(30)
        log.close()


_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin"))
_PROGRAMS = [shutil.which(name, path=_PATH) for name in ("mariadbd", "mariadb-install-db")]
HAS_MARIADB = None not in _PROGRAMS


def _wait(server: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError((folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:])


class TokenServer:
    """Takes one client: asks for the password in plain text, behind TLS if it has any, and says OK to all."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.password: bytes | None = None
        self.said: list[str] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        with closing(client):
            offered = _CAPABILITIES | (0 if self._tls is None else _SSL)
            scramble = b"01234567" + b"\0", b"890123456789" + b"\0"
            greeting = (
                b"\x0a8.4.0\0" + struct.pack("<I", 1) + scramble[0] + struct.pack("<H", offered & 0xFFFF)
            )
            greeting += struct.pack("<BHHB", 45, 2, offered >> 16, 21) + bytes(10) + scramble[1]
            _send(client, 0, greeting + b"mysql_native_password\0")
            try:
                self._answer(client)
            except (EOFError, ssl.SSLError, OSError):
                # the client has seen enough
                return

    def _answer(self, client: socket.socket) -> None:
        number, asked = _receive(client)
        if self._tls is None or len(asked) != struct.calcsize("<IIB23x"):
            self._ask(client, number)
            return
        with self._tls.wrap_socket(client, server_side=True) as hidden:
            number, _ = _receive(hidden)
            self._ask(hidden, number)

    def _ask(self, client: socket.socket, number: int) -> None:
        _send(client, number + 1, b"\xfemysql_clear_password\0" + b"01234567890123456789\0")
        number, given = _receive(client)
        self.password = given.rstrip(b"\0")
        while True:
            _send(client, number + 1, b"\0\0\0\2\0\0\0")
            number, command = _receive(client)
            self.said.append(command[1:].decode())


def _send(client: socket.socket, number: int, payload: bytes) -> None:
    client.sendall(len(payload).to_bytes(3, "little") + bytes([number]) + payload)


def _receive(client: socket.socket) -> tuple[int, bytes]:
    head = _exactly(client, 4)
    return head[3], _exactly(client, int.from_bytes(head[:3], "little"))


def _exactly(client: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        more = client.recv(count - len(found))
        if not more:
            raise EOFError
        found += more
    return found


def administer(port: int, password: str, statement: str) -> list[tuple[object, ...]]:
    """Run one statement as the master user, without TLS."""
    with (
        closing(
            pymysql.connect(
                host="127.0.0.1",
                port=port,
                user=MASTER,
                password=password,
                ssl_disabled=True,
                autocommit=True,
            )
        ) as made,
        made.cursor() as cursor,
    ):
        cursor.execute(statement)
        return list(cursor.fetchall())
