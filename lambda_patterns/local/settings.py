"""What an embedded AWS is started with."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass

from lambda_patterns.errors import ArgumentError

ACCOUNT = "000000000000"
HOST = "127.0.0.1"
_PORT_RANGE = range(65536)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How an embedded AWS behaves.

    Attributes:
        port: the port on 127.0.0.1, 0-65535. 0, the default, takes a free one: several run side by side.
        region: the region of requests that name none. Default us-east-1, whose endpoints every service has.
        retry_seconds: seconds before the first retry of an asynchronous invocation; the second waits twice as
            long. Default 1, where AWS waits 60, so that a failure record arrives in seconds.
        clock_seconds: seconds between two looks at queues and alarms, above 0. Default 1.
    """

    port: int = 0
    region: str = "us-east-1"
    retry_seconds: float = 1.0
    clock_seconds: float = 1.0

    def __post_init__(self) -> None:
        if self.port not in _PORT_RANGE:
            raise ArgumentError(f"port is {self.port}: allowed are 1-65535, or 0 for a free one")
        if not 0 <= self.retry_seconds < math.inf:
            raise ArgumentError(f"retry_seconds is {self.retry_seconds}: a wait is 0 seconds or more")
        if not 0 < self.clock_seconds < math.inf:
            raise ArgumentError(
                f"clock_seconds is {self.clock_seconds}: the clock needs more than 0 seconds a step"
            )

    def to_json(self) -> str:
        """Write the settings for the child process."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))
