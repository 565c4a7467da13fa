"""The tools that the measurements stand beside, in an environment of their own."""

from __future__ import annotations

import hashlib
import subprocess
import venv
from pathlib import Path

_HERE = Path(__file__).parent
_FOLDER = _HERE.parent / ".venv-bench"


def programs() -> Path:
    """Make the environment from the pinned list, once for each list; give its folder of programs."""
    wanted = _HERE / "requirements.txt"
    done, digest = _FOLDER / ".done", hashlib.sha256(wanted.read_bytes()).hexdigest()
    if not done.exists() or done.read_text() != digest:
        venv.create(_FOLDER, with_pip=True)
        pip = _FOLDER / "bin" / "pip"
        subprocess.run([pip, "install", "-q", "--require-hashes", "-r", wanted], check=True)
        done.write_text(digest)
    return _FOLDER / "bin"
