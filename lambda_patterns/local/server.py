"""The child process: checks the seams, adds what MiniStack lacks, serves, and takes everything down with it.

Started by `lambda_patterns.local.process`; not meant to be run by hand.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import NoReturn

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local import ministack
from lambda_patterns.local.settings import ACCOUNT, HOST, Settings


def main() -> None:
    """Serve until SIGTERM, or until the starter is gone if `--watched`."""
    parser = argparse.ArgumentParser(prog="lambda_patterns.local.server")
    parser.add_argument("--socket", type=int, required=True, help="file descriptor of the listening socket")
    parser.add_argument("--folder", type=Path, required=True, help="the folder that is deleted at the end")
    parser.add_argument("--settings", type=Settings.from_json, required=True, help="settings as JSON")
    parser.add_argument("--watched", action="store_true", help="end when standard input closes")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    signal.signal(signal.SIGTERM, lambda *_: _end(folder))
    if arguments.watched:
        threading.Thread(target=_end_with_starter, args=(folder,), daemon=True, name="starter-watch").start()
    listener = socket.socket(fileno=arguments.socket)
    _configure(folder, listener.getsockname()[1], arguments.settings)
    serve(listener, arguments.settings)


def serve(listener: socket.socket, settings: Settings) -> None:
    """Serve on `listener`, or print what is wrong with MiniStack and end with exit code 2."""
    try:
        ministack.check()
    except LambdaPatternsError as error:
        print(error, flush=True)  # noqa: T201  # the starter reads the last line
        sys.exit(2)
    from lambda_patterns.local import serving  # noqa: PLC0415  # reads what is configured by now

    serving.serve(listener, settings)


def _configure(folder: Path, port: int, settings: Settings) -> None:
    """Set what MiniStack reads from the environment when it is imported."""
    os.environ.update(
        {
            "BIND_HOST": HOST,
            "MINISTACK_HOST": HOST,
            "GATEWAY_PORT": str(port),
            "MINISTACK_REGION": settings.region,
            "AWS_DEFAULT_REGION": settings.region,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "STATE_DIR": str(folder / "state"),
            "S3_DATA_DIR": str(folder / "s3"),
            "PERSIST_STATE": "0",
            "LOG_LEVEL": "WARNING",
            "IOT_MTLS_ENABLED": "0",
            "DOCKER_HOST": "unix:///nonexistent",  # it runs functions as processes; a daemon is never asked
        }
    )


def _end_with_starter(folder: Path) -> None:
    """Wait for the starter to close its end of the pipe, which its death does too.

    Until then it writes lines: "+<process group>" for what it starts beside us, "-<process group>" when that
    has ended. What is left of these ends with the starter.
    """
    groups: set[int] = set()
    with os.fdopen(0, "r") as pipe:
        for line in pipe:
            (groups.add if line.startswith("+") else groups.discard)(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    _end(folder)


def _end(folder: Path) -> NoReturn:
    """Leave nothing behind: delete the folder, then kill the whole process group, this process included."""
    databases = sys.modules.get("lambda_patterns.local.database.running")
    if databases is not None:
        databases.end()  # killed, a database leaves its shared memory
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)
    sys.exit(1)  # not reached: says so to the type checker


if __name__ == "__main__":
    main()
