"""The log of a worker that has ended is read to its end, however late its reader is."""

import queue
import threading
from typing import Any

import pytest

from lambda_patterns.local.behaviour import logs

TRACE = ["Traceback (most recent call last):", '  File "handler.py", line 1, in handler', "ValueError: no"]


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A worker without a process, whose reader is far slower than MiniStack waits."""
    monkeypatch.setattr(
        logs.runtime.Worker, "_drain_stderr_bounded", logs.runtime.Worker._drain_stderr_bounded
    )
    worker = object.__new__(logs.runtime.Worker)
    worker._proc, worker._stderr_queue = None, queue.Queue()
    pause = threading.Event()

    def read() -> None:
        for line in TRACE:
            worker._stderr_queue.put(line)
            pause.wait(0.1)

    worker._stderr_thread = threading.Thread(target=read)
    worker._stderr_thread.start()
    yield worker
    pause.set()
    worker._stderr_thread.join()


def test_the_whole_trace_is_there(ended: Any) -> None:
    logs.install()
    assert ended._drain_stderr_bounded().splitlines() == TRACE


def test_without_it_the_trace_is_cut(ended: Any) -> None:
    assert ended._drain_stderr_bounded().splitlines() == TRACE[:1]
