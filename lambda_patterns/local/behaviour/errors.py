"""What a function's exception looks like in its response: the type, the message and the frames. Pure."""

from __future__ import annotations

import re
from typing import Any

_LAST_PYTHON_TRACE = "Traceback (most recent call last):\n"
_PYTHON_TYPE = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)")
_NODE_TYPE = re.compile(r"^(?:Uncaught )?([A-Z]\w*)(?: \[\w+\])?:", re.MULTILINE)
_TIMED_OUT = re.compile(r"Task timed out after [\d.]+ seconds")
_CODE_FOLDER = re.compile(r'[^\s"(]*/ministack-lambda-[^/]*/code/')
_TASK_ROOT = "/var/task/"
_MINISTACK_FRAME = '/_worker.py"'
_MARKS = set(" ^~")


def error_payload(body: dict[str, Any], log: str, request_id: str, runtime: str) -> dict[str, Any]:
    r"""Shape MiniStack's error body the way that the runtime on AWS does.

    Args:
        body: what MiniStack gives: `{errorMessage, errorType}`, with one type for every exception.
        log: what the function logged, ending in its trace.
        request_id: of the invocation.
        runtime: of the function, such as "python3.13".

    Returns:
        Python: `{errorMessage, errorType, requestId, stackTrace: ["  File ...\n", ...]}`;
        Node: `{errorType, errorMessage, trace: [...]}`;
        a time-out: `{errorType: "Sandbox.Timedout", errorMessage}`.
    """
    message = str(body.get("errorMessage", ""))
    if _TIMED_OUT.search(message):
        return {"errorType": "Sandbox.Timedout", "errorMessage": f"RequestId: {request_id} Error: {message}"}
    if runtime.startswith("python"):
        return _python(message, log, request_id) or _as_it_is(body, message, request_id)
    if runtime.startswith("nodejs"):
        return _node(message, log) or _as_it_is(body, message, request_id)
    return body


def _as_it_is(body: dict[str, Any], message: str, request_id: str) -> dict[str, Any]:
    """Errors before the handler runs have no trace of the function's."""
    missing = message.removeprefix("Worker init failed: ")
    if missing.startswith("No module named"):
        return {
            "errorMessage": f"Unable to import module: {missing}",
            "errorType": "Runtime.ImportModuleError",
            "requestId": request_id,
            "stackTrace": [],
        }
    return {"errorMessage": message, "errorType": str(body.get("errorType", "Runtime.Unknown"))}


def _python(message: str, log: str, request_id: str) -> dict[str, Any] | None:
    start = log.rfind(_LAST_PYTHON_TRACE)
    if start < 0:
        return None
    frames: list[str] = []
    lines = log[start + len(_LAST_PYTHON_TRACE) :].splitlines()
    kind = ""
    for line in lines:
        if line.startswith("  File "):
            frames.append(line + "\n")
        elif line.startswith("    ") and frames:
            if not set(line) <= _MARKS:  # AWS shows the line without marking a part of it
                frames[-1] += line + "\n"
        else:
            kind = line
            break
    found = _PYTHON_TYPE.match(kind)
    if found is None:
        return None
    mine = [_CODE_FOLDER.sub(_TASK_ROOT, frame) for frame in frames if _MINISTACK_FRAME not in frame]
    return {
        "errorMessage": message,
        "errorType": found[1].rsplit(".", 1)[-1],
        "requestId": request_id,
        "stackTrace": mine,
    }


def _node(message: str, log: str) -> dict[str, Any] | None:
    first = message.splitlines()[0] if message else ""
    heads = [match for match in _NODE_TYPE.finditer(log) if first in log[match.start() :].splitlines()[0]]
    if not heads:
        return None
    trace = [_CODE_FOLDER.sub(_TASK_ROOT, line) for line in log[heads[-1].start() :].splitlines()]
    return {"errorType": heads[-1][1], "errorMessage": message, "trace": trace}
