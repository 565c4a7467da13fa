"""An embedded AWS that runs somewhere on this machine, seen by its address."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local.environment import client_environment, client_variables
from lambda_patterns.local.settings import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUS_PATH = "/_lambda_patterns/status"
RESET_PATH = "/_ministack/reset"


class Connection:
    """What can be done with an embedded AWS whose address is known.

    Args:
        endpoint: where every service answers, as `http://127.0.0.1:<port>`.
        region: the region that `environment` and `client` use.
    """

    def __init__(self, endpoint: str, region: str) -> None:
        self._endpoint = endpoint
        self.region = region

    @property
    def endpoint(self) -> str:
        """Where every service answers, as `http://127.0.0.1:<port>`."""
        return self._endpoint

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
        import boto3  # noqa: PLC0415  # 0.3 s that `local status` does not need
        from botocore.config import Config  # noqa: PLC0415  # the same

        keys = self.variables()
        session: Any = boto3.session.Session(
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
            region_name=self.region,
        )
        return session.client(service, endpoint_url=self.endpoint, config=Config(proxies={}))

    def reset(self) -> None:
        """Forget every resource, as if just started."""
        self._ask(RESET_PATH, "POST")

    def status(self) -> dict[str, Any]:
        """Ask what runs, how fast, and what is not what it looks like.

        Returns:
            `{"pid", "ministack", "python", "region", "retrySeconds", "peakMemoryMiB",
            "recordedOnly": [{"Type", "Stack", "LogicalId"}],
            "otherRuntime": ["<function>: python3.14 runs on Python 3.11"],
            "databases": [{"Database", "Address"}, {"Proxy", "Address", "Pool": "pgbouncer" or "none"}]}`.
        """
        answer: dict[str, Any] = json.loads(self._ask(STATUS_PATH, "GET"))
        return answer

    def adopt(self, group: int) -> None:
        """Let a process group of this process end with it, however it ends; only `EmbeddedAws` can."""

    def release(self, group: int) -> None:
        """Take back `adopt`: the group has ended."""

    def _ask(self, path: str, method: str) -> bytes:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(self.endpoint + path, method=method)  # noqa: S310  # http on loopback
        try:
            with opener.open(request, timeout=30) as response:
                content: bytes = response.read()
                return content
        except OSError as error:
            raise LambdaPatternsError(
                f"the embedded AWS at {self.endpoint} does not answer: {error}; "
                "see whether it runs with 'lambda-patterns local status'"
            ) from error
