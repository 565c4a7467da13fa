"""An embedded AWS that outlives the command that started it, found again by a file of the user's."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local.connection import Connection
from lambda_patterns.local.process import ServerProcess, answers, stop_group
from lambda_patterns.local.settings import HOST, Settings


@dataclass(frozen=True, kw_only=True)
class Running:
    """One that runs: what its file says."""

    pid: int
    port: int
    folder: str
    region: str
    started: float

    @property
    def endpoint(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """The file that its output goes to."""
        return Path(self.folder) / "log.txt"

    def connection(self) -> Connection:
        """Give what clients are made from."""
        return Connection(self.endpoint, self.region)

    def alive(self) -> bool:
        """Whether the process is there and is still ours: ids of processes are used again."""
        try:
            return any(self.folder in argument for argument in psutil.Process(self.pid).cmdline())
        except psutil.Error:
            return False


def start(settings: Settings) -> Running:
    """Start one that goes on running.

    Raises:
        LambdaPatternsError: one runs on the port already, or it cannot start.
    """
    there = _read(settings.port) if settings.port else None
    if there is not None and there.alive():
        raise LambdaPatternsError(
            f"an embedded AWS runs on port {there.port} already (process {there.pid}): use it, "
            f"end it with 'lambda-patterns local stop --port {there.port}', or start another with --port"
        )
    _make_folder()
    server = ServerProcess.start(settings, watched=False)
    running = Running(
        pid=server.pid,
        port=server.port,
        folder=str(server.folder),
        region=settings.region,
        started=time.time(),
    )
    file = _file(server.port)
    file.write_text(json.dumps(dataclasses.asdict(running)))
    return running


def every() -> list[Running]:
    """Give all that run, by port; files of those that are gone are removed."""
    found: list[Running] = []
    for file in sorted(_folder().glob("*.json")):
        running = _read(int(file.stem))
        if running is not None and running.alive():
            found.append(running)
        else:
            _forget(int(file.stem), running)
    return found


def one(port: int | None) -> Running:
    """Give the one on `port`, or the only one.

    Raises:
        LambdaPatternsError: there is none, or there are several and no port says which.
    """
    found = [running for running in every() if port in {None, running.port}]
    if not found:
        where = "" if port is None else f" on port {port}"
        raise LambdaPatternsError(
            f"no embedded AWS runs{where}: start one with 'lambda-patterns local start'"
        )
    if len(found) > 1:
        ports = ", ".join(str(running.port) for running in found)
        raise LambdaPatternsError(f"several embedded AWS run, on ports {ports}: say which with --port")
    return found[0]


def stop(running: Running) -> None:
    """End it with everything that it started, and remove what it left."""
    stop_group(running.pid, wait=lambda: not running.alive())
    _forget(running.port, running)


def responds(running: Running) -> bool:
    """Whether it answers."""
    return answers(running.endpoint)


def _forget(port: int, running: Running | None) -> None:
    _file(port).unlink(missing_ok=True)
    if running is not None and Path(running.folder).name.startswith("lambda-patterns-aws-"):
        shutil.rmtree(running.folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        _folder().rmdir()  # goes only if it is empty


def _read(port: int) -> Running | None:
    try:
        return Running(**json.loads(_file(port).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _file(port: int) -> Path:
    return _folder() / f"{port}.json"


def _folder() -> Path:
    """In the runtime folder of the user's session, else in the temporary folder, for this user alone."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base:
        return Path(base) / "lambda-patterns"
    return Path(tempfile.gettempdir()) / f"lambda-patterns-{os.getuid()}"


def _make_folder() -> None:
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise LambdaPatternsError(
            f"{folder} belongs to another user: set XDG_RUNTIME_DIR to a folder of your own"
        )
