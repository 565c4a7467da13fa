"""What runs a function here, and what is refused because it would only be mocked."""

from __future__ import annotations

import functools
import platform
import re
import subprocess

from lambda_patterns.local.node import node_binary

_VERSION = re.compile(r"(\d+)(?:\.(\d+))?")


class RuntimeRefusedError(ValueError):
    """The runtime cannot run here; a ValueError fails the resource in CloudFormation."""


def refuse(runtime: str | None, *, image: bool = False) -> None:
    """Raise for a function that this machine cannot really run.

    Raises:
        RuntimeRefusedError: a container image, or a runtime that is not Python, Node or `provided`.
    """
    if image:
        raise RuntimeRefusedError(
            "the embedded AWS runs no container images, for that needs Docker: "
            "deploy this function as a zip file, or leave its stack out here"
        )
    if runtime is None or runtime.startswith(("python", "nodejs", "provided")):
        return
    raise RuntimeRefusedError(
        f"the embedded AWS cannot run {runtime}: it has Python, Node.js and provided.* (a binary named "
        "bootstrap) alone and would answer with a mock otherwise; leave this function's stack out here"
    )


def substitution(runtime: str) -> str | None:
    """Say what runs `runtime`, as "python3.13 runs on Python 3.11"; None where it is that very version."""
    wanted = _VERSION.search(runtime)
    if wanted is None:
        return None
    if runtime.startswith("python"):
        have = ".".join(platform.python_version_tuple()[:2])
        return None if wanted[0] == have else f"{runtime} runs on Python {have}"
    if runtime.startswith("nodejs"):
        have = _node_version()
        return None if wanted[1] == have else f"{runtime} runs on Node.js {have}"
    return None


@functools.cache
def _node_version() -> str:
    shown = subprocess.run([node_binary(), "--version"], capture_output=True, text=True, check=True)  # noqa: S603  # the binary that functions run on
    return shown.stdout.strip().lstrip("v").split(".")[0]
