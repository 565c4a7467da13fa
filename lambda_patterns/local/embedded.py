"""The embedded AWS as a context manager: MiniStack behind our launcher, gone when the block ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local.connection import Connection
from lambda_patterns.local.process import ServerProcess
from lambda_patterns.local.settings import Settings

if TYPE_CHECKING:
    from types import TracebackType


class EmbeddedAws(Connection):
    """An AWS on this machine, in one child process, for as long as the block lasts.

    It listens on 127.0.0.1 alone, keeps everything in a folder of its own, and ends with the block, with
    Ctrl-C, and with this process, whatever ends it. Several run side by side.

    >>> with EmbeddedAws() as aws:
    ...     aws.client("sqs").create_queue(QueueName="orders")["QueueUrl"].endswith("/000000000000/orders")
    True

    Args:
        settings: port, region and speed; the default takes a free port and retries after 1 and 2 seconds.

    Raises:
        LambdaPatternsError: on entering: the port is taken, Node is missing, or MiniStack is not the one
            that we know.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        super().__init__("", self.settings.region)
        self._server: ServerProcess | None = None

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        self._server = ServerProcess.start(self.settings)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it, with everything that it started, and delete its folder."""
        self.server.stop()
        self._server = None

    @property
    def server(self) -> ServerProcess:
        """The process behind it."""
        if self._server is None:
            raise LambdaPatternsError(
                "the embedded AWS is not running: use it inside `with EmbeddedAws() as aws:`"
            )
        return self._server

    def adopt(self, group: int) -> None:
        """Let a process group of this process end with it, however it ends."""
        self.server.tell(f"+{group}")

    def release(self, group: int) -> None:
        """Take back `adopt`: the group has ended."""
        self.server.tell(f"-{group}")

    @property
    def endpoint(self) -> str:
        """Where every service answers, as `http://127.0.0.1:<port>`."""
        return self.server.endpoint
