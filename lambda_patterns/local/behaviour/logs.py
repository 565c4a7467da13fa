"""What a failed invocation logged, whole: its trace becomes part of the failure record."""

from __future__ import annotations

from typing import Any

from lambda_patterns.local.ministack import module

runtime = module("core.lambda_runtime")

# reading a pipe to its end takes milliseconds, unless a child of the function still holds it open
_END_SECONDS = 2.0


def install() -> None:
    """Read the log of a worker that has ended to its end.

    MiniStack ends a worker after an error and gives its reader five idle milliseconds: on a busy machine
    the trace is cut, and its rest turns up in the log of the next worker.
    """
    original = runtime.Worker._drain_stderr_bounded

    def drain(worker: Any, *arguments: float, **named: float) -> str:  # noqa: ANN401  # MiniStack has no types
        if worker._proc is None and worker._stderr_thread is not None:
            worker._stderr_thread.join(_END_SECONDS)
        log: str = original(worker, *arguments, **named)
        return log

    runtime.Worker._drain_stderr_bounded = drain
