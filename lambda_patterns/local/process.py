"""One child process that is the embedded AWS: started on a socket that is ours already, stopped whole."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local.node import node_environment
from lambda_patterns.local.settings import HOST

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_patterns.local.settings import Settings

HEALTH_PATH = "/_ministack/health"
_START_SECONDS = 60.0
# on a loaded machine the databases take a while to end, and killed they leave their shared memory
_STOP_SECONDS = 10.0
# what the child may know of the user's environment: never AWS variables, profiles or proxies
_INHERITED = (
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "PATH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TZ",
    "VIRTUAL_ENV",
)


class ServerProcess:
    """A running server, its folder and its port. Make one with `start`."""

    def __init__(self, child: subprocess.Popen[bytes], folder: Path, port: int) -> None:
        self._child = child
        self.folder = folder
        self.port = port

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its process group."""
        return self._child.pid

    @property
    def endpoint(self) -> str:
        """Where its HTTP interface answers."""
        return f"http://{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """The file that its output goes to; gone after `stop`."""
        return self.folder / "log.txt"

    @classmethod
    def start(cls, settings: Settings, *, watched: bool = True) -> ServerProcess:
        """Start a server and wait until it answers.

        Args:
            settings: how it behaves.
            watched: whether it ends by itself when this process is gone, however that happens. A server that
                outlives its starter (`lambda-patterns local start`) is not watched.

        Raises:
            LambdaPatternsError: the port is taken, a seam is missing, or it does not answer.
        """
        listener = _listen(settings.port)
        folder = Path(tempfile.mkdtemp(prefix="lambda-patterns-aws-"))
        port: int = listener.getsockname()[1]
        try:
            with listener, (folder / "log.txt").open("wb") as log:
                child = subprocess.Popen(  # noqa: S603  # our own module, in this interpreter
                    [
                        *(sys.executable, "-m", "lambda_patterns.local.server"),
                        *("--socket", str(listener.fileno()), "--folder", str(folder)),
                        *("--settings", settings.to_json()),
                        *(("--watched",) if watched else ()),
                    ],
                    env=child_environment(folder),
                    cwd=folder,
                    pass_fds=(listener.fileno(),),
                    stdin=subprocess.PIPE if watched else subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        server = cls(child, folder, port)
        try:
            server._wait()
        except BaseException:
            server.stop()
            raise
        return server

    def stop(self) -> None:
        """End the server and everything that it started, and delete its folder. Safe to call again."""
        stop_group(self.pid, wait=self._ended)
        if self._child.stdin is not None:
            with contextlib.suppress(OSError):
                self._child.stdin.close()
        self._child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def tell(self, line: str) -> None:
        """Write a line to the server's watch, if it is watched."""
        if self._child.stdin is not None:
            with contextlib.suppress(OSError):  # a server that has ended watches nothing
                self._child.stdin.write(line.encode() + b"\n")
                self._child.stdin.flush()

    def _ended(self) -> bool:
        return self._child.poll() is not None

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not answers(self.endpoint):
            if self._ended():
                raise LambdaPatternsError(self._said())
            if time.monotonic() > deadline:
                raise LambdaPatternsError(
                    f"the embedded AWS does not answer on {self.endpoint} after {_START_SECONDS:.0f} s: "
                    + self._said()
                )
            time.sleep(0.02)

    def _said(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return (
            lines[-1]
            if lines
            else f"the embedded AWS ended with exit code {self._child.returncode} and no word"
        )


def answers(endpoint: str, timeout: float = 2.0) -> bool:
    """Ask an embedded AWS for its health."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with contextlib.suppress(OSError), opener.open(endpoint + HEALTH_PATH, timeout=timeout) as response:
        return bool(response.status == 200)  # noqa: PLR2004  # HTTP OK
    return False


def stop_group(group: int, *, wait: Callable[[], bool]) -> None:
    """Ask a process group to end and kill what is left of it; `wait` says whether its leader ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(group, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while not wait() and time.monotonic() < deadline:
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _listen(port: int) -> socket.socket:
    """Take the port before the child is started: no one can take it in between."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        why = (
            "is taken by another program"
            if error.errno == errno.EADDRINUSE
            else "may not be opened by this user"
        )
        raise LambdaPatternsError(
            f"port {port} on {HOST} {why}: give another one, or 0 to use a free one"
        ) from error
    return listener


def child_environment(folder: Path) -> dict[str, str]:
    """Give the server's variables: Node in reach, a home of its own, nothing of AWS."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return node_environment(inherited) | {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PYTHONUNBUFFERED": "1",
    }
