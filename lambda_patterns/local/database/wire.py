"""The little of PostgreSQL's protocol that comes before a connection: TLS, start-up, password.

Source: https://www.postgresql.org/docs/current/protocol-flow.html
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

_TLS_REQUEST, _GSS_REQUEST, _CANCEL_REQUEST = 80877103, 80877104, 80877102
_CLEARTEXT = 3
_LONGEST_STARTUP = 10_000
_LONGEST_PASSWORD = 65_536
_HEADER = struct.Struct("!I")
_STARTUP = struct.Struct("!II")


class ProtocolError(ConnectionError):
    """The client speaks something else."""


@dataclass(frozen=True, slots=True)
class Startup:
    """A start-up message: as it was sent, what it says, and whether it came through TLS."""

    raw: bytes
    parameters: dict[str, str]
    encrypted: bool

    @property
    def user(self) -> str:
        """Who connects."""
        return self.parameters.get("user", "")

    @property
    def database(self) -> str:
        """Where to: by default the database named as the user."""
        return self.parameters.get("database") or self.user


async def read_startup(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext
) -> Startup | None:
    """Read a start-up message, with TLS begun where the client asks for it; None for a request to cancel."""
    encrypted = False
    while True:
        length, code = _STARTUP.unpack(await reader.readexactly(_STARTUP.size))
        if code == _TLS_REQUEST and not encrypted:
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(context)
            encrypted = True
        elif code == _GSS_REQUEST:
            writer.write(b"N")
            await writer.drain()
        elif code == _CANCEL_REQUEST:
            return None
        elif code >> 16 != _CLEARTEXT or not _STARTUP.size <= length <= _LONGEST_STARTUP:
            raise ProtocolError("not a start-up message of protocol 3")
        else:
            body = await reader.readexactly(length - _STARTUP.size)
            parts = body.rstrip(b"\0").decode().split("\0")
            parameters = dict(zip(parts[::2], parts[1::2], strict=False))
            return Startup(_STARTUP.pack(length, code) + body, parameters, encrypted)


async def ask_password(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """Ask for a password in clear, inside TLS, as RDS Proxy does for IAM tokens."""
    writer.write(b"R" + _STARTUP.pack(8, _CLEARTEXT))
    await writer.drain()
    if await reader.readexactly(1) != b"p":
        raise ProtocolError("not a password message")
    (length,) = _HEADER.unpack(await reader.readexactly(_HEADER.size))
    if not _HEADER.size <= length <= _LONGEST_PASSWORD:
        raise ProtocolError("not a password message")
    return (await reader.readexactly(length - _HEADER.size)).rstrip(b"\0").decode()


async def refuse(writer: asyncio.StreamWriter, code: str, message: str) -> None:
    """End a connection with an error that drivers show."""
    body = b"".join(
        b"%c%s\0" % (kind, text.encode())
        for kind, text in zip(b"SVCM", ("FATAL", "FATAL", code, message), strict=True)
    )
    writer.write(b"E" + _HEADER.pack(len(body) + 1 + _HEADER.size) + body + b"\0")
    await writer.drain()
    writer.close()


async def splice(
    one: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    other: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    """Carry bytes both ways until either end closes."""
    await asyncio.gather(_carry(one[0], other[1]), _carry(other[0], one[1]))


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, OSError):
        pass
    finally:
        writer.close()
