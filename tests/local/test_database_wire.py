"""The start of PostgreSQL's protocol, byte by byte, without a server."""

import asyncio
import ssl
import struct
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from lambda_patterns.local.database import wire

Result = TypeVar("Result")
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


class FakeWriter:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    async def drain(self) -> None:
        pass

    async def start_tls(self, context: ssl.SSLContext) -> None:
        assert context is CONTEXT

    def close(self) -> None:
        self.closed = True


def startup(**parameters: str) -> bytes:
    body = b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items()) + b"\0"
    return struct.pack("!II", len(body) + 8, 3 << 16) + body


def request(code: int) -> bytes:
    return struct.pack("!II", 8, code)


def run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


async def read(data: bytes, writer: FakeWriter) -> wire.Startup | None:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return await wire.read_startup(reader, writer, CONTEXT)  # type: ignore[arg-type]  # a writer by shape


def test_a_plain_start_up_message_says_who_connects_where() -> None:
    found = run(read(startup(user="app", database="orders"), FakeWriter()))
    assert found is not None
    assert (found.user, found.database, found.encrypted) == ("app", "orders", False)
    assert found.raw == startup(user="app", database="orders")


def test_without_a_database_it_is_the_one_named_as_the_user() -> None:
    found = run(read(startup(user="app"), FakeWriter()))
    assert found is not None
    assert found.database == "app"


def test_tls_is_begun_before_the_start_up_message_and_gss_is_declined() -> None:
    writer = FakeWriter()
    found = run(read(request(80877104) + request(80877103) + startup(user="app"), writer))
    assert found is not None
    assert found.encrypted
    assert writer.written == b"NS"


def test_a_request_to_cancel_is_no_start_up_message() -> None:
    assert run(read(request(80877102), FakeWriter())) is None


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\n\r\n", struct.pack("!II", 20_000, 3 << 16), struct.pack("!II", 8, 2 << 16)]
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(wire.ProtocolError):
        run(read(data, FakeWriter()))


def test_a_password_is_asked_for_in_clear() -> None:
    async def ask() -> tuple[str, FakeWriter]:
        reader, writer = asyncio.StreamReader(), FakeWriter()
        reader.feed_data(b"p" + struct.pack("!I", 4 + 7) + b"secret\0")
        return await wire.ask_password(reader, writer), writer  # type: ignore[arg-type]  # a writer by shape

    password, writer = run(ask())
    assert password == "secret"  # noqa: S105  # of this test
    assert writer.written == b"R" + struct.pack("!II", 8, 3)


def test_a_refusal_carries_its_code_and_message_and_ends_the_connection() -> None:
    writer = FakeWriter()
    run(wire.refuse(writer, "28000", "TLS is required"))  # type: ignore[arg-type]  # a writer by shape
    (length,) = struct.unpack("!I", writer.written[1:5])
    assert writer.written[:1] == b"E"
    assert length == len(writer.written) - 1
    assert b"C28000\0" in writer.written
    assert b"MTLS is required\0" in writer.written
    assert writer.closed
