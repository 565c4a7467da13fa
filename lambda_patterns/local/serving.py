"""The HTTP side of the child process: MiniStack's application on our socket, with one path of our own."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config

if TYPE_CHECKING:
    import socket

    from lambda_patterns.local.settings import Settings


def serve(listener: socket.socket, settings: Settings) -> None:
    """Serve on `listener` until the process ends."""
    del settings
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    application = importlib.import_module("ministack.app").app
    asyncio.run(hypercorn_serve(application, config))
