"""What answers at the address of a database or proxy: TLS first, then who may come in is let through."""

from __future__ import annotations

import asyncio
import errno
import logging
import random
import ssl
from typing import TYPE_CHECKING, Protocol

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local.database import wire
from lambda_patterns.local.database.loop import wait_for

if TYPE_CHECKING:
    from lambda_patterns.local.database.authority import Authority
    from lambda_patterns.local.database.wire import Startup

log = logging.getLogger(__name__)

_BACKLOG = 512
_TRIES = 50


class Refused(Exception):  # noqa: N818  # it is what happened to the client, no error of ours
    """The client is refused: the SQLSTATE and the message that it is told."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Gate(Protocol):
    """Who may come in, and where they are let through to."""

    def asks_password(self, startup: Startup) -> bool:
        """Whether the client is asked for a password here. Raises Refused for whom no password lets in."""

    def admit(self, startup: Startup, password: str, host: str) -> str | tuple[str, int]:
        """Give the server's unix socket, or host and port, for a client. Raises Refused."""


class Listener:
    """A listener at a loopback address of its own, for the host has no names and a proxy no port of its own.

    Args:
        port: the port that the template says.
        gate: who may come in.
        authority: signs the certificate.
    """

    def __init__(self, port: int, gate: Gate, authority: Authority) -> None:
        self.port = port
        self._gate = gate
        self._context: ssl.SSLContext
        self.host, self._server = wait_for(self._listen(authority))

    async def _listen(self, authority: Authority) -> tuple[str, asyncio.Server]:
        for _ in range(_TRIES):
            # another embedded AWS may have taken any of them
            host = _random_address()
            try:
                server = await asyncio.start_server(self._serve, host, self.port, backlog=_BACKLOG)
            except OSError as error:
                if error.errno not in {errno.EADDRINUSE, errno.EADDRNOTAVAIL}:
                    raise LambdaPatternsError(
                        f"port {self.port} of {host} may not be opened: {error.strerror}"
                    ) from error
                continue
            self._context = authority.context(host)
            return host, server
        raise LambdaPatternsError(
            f"no loopback address has port {self.port} free: on this machine 127.0.0.0/8 is one address "
            "alone (macOS), or another program listens on all of them"
        )

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            startup = await wire.read_startup(reader, writer, self._context)
            if startup is None:
                writer.close()
                return
            password = ""
            if self._gate.asks_password(startup):
                password = await wire.ask_password(reader, writer)
            place = await asyncio.get_running_loop().run_in_executor(
                None, self._gate.admit, startup, password, self.host
            )
            server = await (
                asyncio.open_unix_connection(place)
                if isinstance(place, str)
                else asyncio.open_connection(*place)
            )
            server[1].write(startup.raw)
            await wire.splice((reader, writer), server)
        except Refused as refused:
            await wire.refuse(writer, refused.code, str(refused))
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError, UnicodeDecodeError):
            writer.close()
        except Exception:
            log.exception("a connection to %s failed", self.host)
            writer.close()

    def stop(self) -> None:
        """Take no more connections."""
        wait_for(self._close())

    async def _close(self) -> None:
        self._server.close()


def _random_address() -> str:
    """Give one of the eight million loopback addresses above those that programs choose by hand."""
    parts = random.randrange(64, 255), random.randrange(256), random.randrange(1, 255)  # noqa: S311  # no secret
    return "127." + ".".join(map(str, parts))
