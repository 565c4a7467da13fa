"""The operator's commands as a person types them, in a child process, with what they print."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from rich.markup import escape

from lambda_patterns.errors import LambdaPatternsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from lambda_patterns.local.connection import Connection

_COMMAND = "from lambda_patterns.cli import main; main()"
_AT_ONCE = 4


class Operator:
    """Somebody at a terminal that points at an embedded AWS.

    Args:
        console: where commands and their answers are shown.
        aws: the embedded AWS.
    """

    def __init__(self, console: Console, aws: Connection) -> None:
        self._console = console
        self._environment = aws.environment() | {"COLUMNS": str(console.width)}

    def run(self, *commands: Sequence[str]) -> None:
        """Run `lambda-patterns failures ...` for each of `commands`, side by side, shown in order.

        Raises:
            LambdaPatternsError: one does not end with 0.
        """
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for command, ran in zip(commands, pool.map(self._run, commands), strict=True):
                typed = " ".join(("lambda-patterns failures", *command))
                self._console.print(f"\n[bold]$ {escape(typed)}[/bold]", highlight=False, soft_wrap=True)
                said = "\n".join(line.rstrip() for line in (ran.stdout + ran.stderr).strip("\n").splitlines())
                self._console.print(escape(said), highlight=False, soft_wrap=True)
                if ran.returncode:
                    raise LambdaPatternsError(f"{typed} ended with exit code {ran.returncode}: {said[-500:]}")

    def _run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603  # this package's own command
            [sys.executable, "-c", _COMMAND, "failures", *command],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
