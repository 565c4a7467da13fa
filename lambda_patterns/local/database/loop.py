"""One event loop in a thread of its own, for everything that listens beside the server's own loop."""

from __future__ import annotations

import asyncio
import threading
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

_Result = TypeVar("_Result")
_SECONDS = 10.0


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True, name="databases").start()
    return loop


def wait_for(work: Coroutine[object, object, _Result]) -> _Result:
    """Do `work` on the loop, from another thread, and give its result."""
    return asyncio.run_coroutine_threadsafe(work, _loop()).result(_SECONDS)
