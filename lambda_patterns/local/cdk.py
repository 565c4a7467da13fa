"""The unmodified `cdk` command, pointed at an embedded AWS."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local.node import cdk_command, node_binary, node_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.local.connection import Connection

_SHOWN_LINES = 15
_TELLING = re.compile(r"FAILED|[Ff]ailed|Error|\berror\b|❌")


class Cdk:
    """Runs `cdk` on one application, into a folder of its own.

    Args:
        aws: where it deploys to.
        project: the folder with `cdk.json`.
        folder: where the cloud assembly and cdk's own files go; two applications, or two copies of one, need
            two folders.
    """

    def __init__(self, aws: Connection, project: Path, folder: Path) -> None:
        self._aws, self._project, self._folder = aws, project, folder
        self._command = cdk_command(project)

    @property
    def assembly(self) -> Path:
        """The folder with the synthesized templates and assets."""
        return self._folder / "cdk.out"

    @property
    def log(self) -> Path:
        """Everything that cdk has said."""
        return self._folder / "cdk.log"

    def stacks(self) -> list[str]:
        """Name the synthesized stacks, as they are deployed."""
        artifacts = json.loads((self.assembly / "manifest.json").read_text())["artifacts"]
        return [
            artifact.get("properties", {}).get("stackName", name)
            for name, artifact in artifacts.items()
            if artifact["type"] == "aws:cloudformation:stack"
        ]

    def synthesize(self) -> None:
        """Run the application once."""
        with self.running("synth", "--quiet", "--output", str(self.assembly)):
            pass

    def bootstrap(self) -> None:
        """Make the bucket and roles that every deployment uses, without running the application again."""
        with self.running("bootstrap", "--app", str(self.assembly)):
            pass

    @contextlib.contextmanager
    def deploying(self, *stacks: str, concurrency: int = 4) -> Iterator[subprocess.Popen[bytes]]:
        """Deploy stacks (all, if none is named) while the block runs; wait for the end after it."""
        with self.running(
            "deploy",
            *(stacks or ("--all",)),
            *("--app", str(self.assembly)),
            *("--require-approval", "never"),
            *("--concurrency", str(concurrency)),
        ) as process:
            yield process

    @contextlib.contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a cdk command while the block runs, then wait for it.

        Raises:
            LambdaPatternsError: it fails; the message ends in the last lines that it said.
        """
        with self.log.open("ab") as log:
            start = log.tell()
            process = subprocess.Popen(  # noqa: S603  # the cdk command of the project
                [self._command, "--no-notices", *arguments],
                cwd=self._project,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._aws.adopt(process.pid)
        try:
            yield process
            code = process.wait()
        except BaseException:
            _end(process)
            raise
        finally:
            self._aws.release(process.pid)
        if code:
            raise LambdaPatternsError(
                f"cdk {arguments[0]} failed with exit code {code}; it said:\n{self._last_lines(start)}"
            )

    def _environment(self) -> dict[str, str]:
        environment = self._aws.environment(node_environment())
        return environment | {
            "CDK_HOME": str(self._folder / "home"),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CDK_DISABLE_VERSION_CHECK": "true",
            "CI": "true",
            "NO_COLOR": "1",
            # `python3 app.py` in cdk.json means this interpreter; its folder may have a script named node
            "PATH": os.pathsep.join(
                (str(node_binary().parent), str(Path(sys.executable).parent), environment["PATH"])
            ),
        }

    def _last_lines(self, start: int) -> str:
        """What failed if cdk says so, else the end of what it said."""
        said = self.log.read_bytes()[start:].decode(errors="replace").splitlines()
        said = [line for line in said if line.strip()]
        telling = [line for line in said if _TELLING.search(line)]
        return "\n".join((telling or said)[-_SHOWN_LINES:])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Take cdk down with the application that it runs."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
