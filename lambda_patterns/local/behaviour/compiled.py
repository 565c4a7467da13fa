"""Compiled packages of a function that were built for Lambda, not for the interpreter that runs it here.

A package bundled for Python 3.14 on arm64 holds extension modules that this interpreter cannot load.
Where the same package is installed beside the embedded AWS, that one is used instead; where it is not,
the import fails as it would on a wrong platform, and the log says what to install.
"""

from __future__ import annotations

import functools
import importlib.util
import io
import logging
import re
import sysconfig
import zipfile
from typing import Any

from lambda_patterns.local.ministack import module

runtime = module("core.lambda_runtime")
log = logging.getLogger(__name__)

_TAGGED = re.compile(r"\.cpython-[\w-]+\.so$")


def install() -> None:
    """Let workers of Python start without what they could not load."""
    original = runtime.Worker._spawn

    def spawn(worker: Any) -> None:  # noqa: ANN401  # MiniStack has no types
        if str(worker.config.get("Runtime", "")).startswith("python"):
            worker.code_zip = loadable(worker.code_zip)
        original(worker)

    runtime.Worker._spawn = spawn


@functools.lru_cache(maxsize=32)
def loadable(package: bytes) -> bytes:
    """Give a function's package without the compiled packages that are taken from here."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        taken = {name for name in _foreign(archive.namelist()) if _is_here(name)}
        if not taken:
            return package
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as kept:
            for entry in archive.infolist():
                if entry.filename.partition("/")[0].removesuffix(".libs") not in taken:
                    kept.writestr(entry, archive.read(entry))
    return content.getvalue()


def _foreign(names: list[str]) -> set[str]:
    """Name the top-level packages whose extension modules are all for another interpreter or machine."""
    own = sysconfig.get_config_var("EXT_SUFFIX")
    tagged = [name for name in names if _TAGGED.search(name)]
    packages = {name.partition("/")[0] for name in tagged if "/" in name}
    return packages - {name.partition("/")[0] for name in tagged if name.endswith(own)}


def _is_here(package: str) -> bool:
    if importlib.util.find_spec(package) is not None:
        return True
    log.warning("%s was compiled for another Python or machine, and is not installed here", package)
    return False
