"""The embedded AWS as a context manager: MiniStack behind our launcher, gone when the block ends."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any, Self

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local.environment import client_environment, client_variables
from lambda_patterns.local.process import ServerProcess
from lambda_patterns.local.settings import ACCOUNT, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

STATUS_PATH = "/_lambda_patterns/status"


class EmbeddedAws:
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

    @property
    def endpoint(self) -> str:
        """Where every service answers, as `http://127.0.0.1:<port>`."""
        return self.server.endpoint

    @property
    def region(self) -> str:
        """The region that `environment` and `client` use."""
        return self.settings.region

    @property
    def account(self) -> str:
        """The account that everything belongs to."""
        return ACCOUNT

    def variables(self) -> dict[str, str]:
        """Give the variables that a shell exports to use it."""
        return client_variables(self.endpoint, self.region)

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """Give `base` (default: this process's variables) for a child that uses it, and no real account."""
        return client_environment(self.endpoint, self.region, base)

    def client(self, service: str) -> Any:  # noqa: ANN401  # boto3 makes its clients at run time
        """Make a boto3 client of a service, such as "sqs", whatever profile or variable is set outside."""
        return client(service, self.endpoint, self.region)

    def reset(self) -> None:
        """Forget every resource, as if just started."""
        reset(self.endpoint)

    def status(self) -> dict[str, Any]:
        """Ask what runs and what is only recorded; see `lambda_patterns.local.status`."""
        return status(self.endpoint)


def client(service: str, endpoint: str, region: str) -> Any:  # noqa: ANN401  # boto3 makes its clients at run time
    """Make a boto3 client of `service` that talks to `endpoint` and to nothing else."""
    import boto3  # noqa: PLC0415  # 0.3 s that `local status` does not need
    from botocore.config import Config  # noqa: PLC0415

    keys = client_variables(endpoint, region)
    session: Any = boto3.session.Session(
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        region_name=region,
    )
    return session.client(service, endpoint_url=endpoint, config=Config(proxies={}))


def reset(endpoint: str) -> None:
    """Make the embedded AWS at `endpoint` forget every resource."""
    _ask(endpoint, "/_ministack/reset", method="POST")


def status(endpoint: str) -> dict[str, Any]:
    """Give what the embedded AWS at `endpoint` says of itself."""
    answer: dict[str, Any] = json.loads(_ask(endpoint, STATUS_PATH))
    return answer


def _ask(endpoint: str, path: str, method: str = "GET") -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(endpoint + path, method=method)  # noqa: S310  # http on loopback
    try:
        with opener.open(request, timeout=30) as response:
            content: bytes = response.read()
            return content
    except OSError as error:
        raise LambdaPatternsError(f"the embedded AWS at {endpoint} does not answer: {error}") from error
