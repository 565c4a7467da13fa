"""The HTTP side of the child process: MiniStack's application, put right, on our socket."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import platform
import resource
from typing import TYPE_CHECKING, Any, NoReturn

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config

from lambda_patterns.local import ministack
from lambda_patterns.local.connection import RESET_PATH, STATUS_PATH

if TYPE_CHECKING:
    import socket

    from lambda_patterns.local.settings import Settings

_REQUEST_ID_HEADERS = {b"x-amzn-requestid", b"x-amz-request-id"}


def serve(listener: socket.socket, settings: Settings) -> NoReturn:
    """Serve on `listener` until the process is ended; the seams are checked by then.

    Hypercorn gets no signal to end gracefully on: from Python 3.12 it would wait for every open request, a
    long poll of 20 seconds among them, while the starter waits less and then kills.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    application = _Application(settings)
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    _raise_file_limit()
    asyncio.run(hypercorn_serve(application, config, shutdown_trigger=_never))  # type: ignore[arg-type]  # ASGI by shape
    raise AssertionError("served until it is ended from outside")


async def _never() -> None:
    await asyncio.Event().wait()


class _Application:
    """An ASGI application around MiniStack's."""

    def __init__(self, settings: Settings) -> None:
        from lambda_patterns.local.behaviour import (  # noqa: PLC0415  # after the check of the seams
            acceptance,
            alarms,
            asynchronous,
            clock,
            compiled,
            edge,
            invocation,
            logs,
            permissions,
            queue_metrics,
            queue_redrive,
            sources,
            topics,
        )
        from lambda_patterns.local.database import resources as databases  # noqa: PLC0415  # the same
        from lambda_patterns.local.database import running  # noqa: PLC0415  # the same
        from lambda_patterns.local.resources import attributes, distribution, recorded, table  # noqa: PLC0415  # the same

        self.settings = settings
        self.inner: Any = ministack.module("app").app
        self.response = invocation.RESPONSE
        self.substitutions, self.recorded = attributes.substitutions, recorded.listing
        self.databases = running.listing
        self.forget = (
            attributes.forget_all,
            distribution.forget_all,
            queue_metrics.forget_all,
            queue_redrive.forget_all,
            recorded.forget_all,
            running.forget_all,
        )
        permissions.install()
        invocation.install()
        logs.install()
        asynchronous.install(settings.retry_seconds)
        topics.install(settings.retry_seconds)
        sources.install()
        queue_metrics.install()
        queue_redrive.install()
        alarms.install()
        acceptance.install()
        compiled.install()
        distribution.install()
        edge.install()
        table.install()
        databases.install()
        clock.start(settings.clock_seconds)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401  # ASGI
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        if scope["path"] == STATUS_PATH:
            await _answer(send, self.status())
            return
        answer: dict[str, str] = {}

        async def send_with_id(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start" and "request_id" in answer:
                message = {**message, "headers": _identified(message["headers"], answer["request_id"])}
            await send(message)

        token = self.response.set(answer)
        try:
            await self.inner(scope, receive, send_with_id)
        finally:
            self.response.reset(token)
        if scope["path"] == RESET_PATH:
            for forget in self.forget:
                forget()

    def status(self) -> dict[str, Any]:
        """Say what runs, how fast, and what is not what it looks like."""
        return {
            "pid": os.getpid(),
            "ministack": ministack.VERSION,
            "python": platform.python_version(),
            "region": self.settings.region,
            "retrySeconds": self.settings.retry_seconds,
            "peakMemoryMiB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            "recordedOnly": self.recorded(),
            "otherRuntime": self.substitutions(),
            "databases": self.databases(),
        }


def _identified(headers: list[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name.lower() not in _REQUEST_ID_HEADERS]
    return [*kept, *((name, request_id.encode()) for name in sorted(_REQUEST_ID_HEADERS))]


async def _answer(send: Any, content: dict[str, Any]) -> None:  # noqa: ANN401  # ASGI
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _raise_file_limit() -> None:
    """Many connections and workers at once need more than the usual soft limit of 1,024 files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
