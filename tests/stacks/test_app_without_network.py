"""The first synthesis downloads wheels; where it cannot, the app ends in one line."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.cdk
ROOT = Path(__file__).parents[2]


def test_without_network_and_cache_the_app_ends_in_one_line_and_no_traceback(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = f"http://127.0.0.1:{listener.getsockname()[1]}/simple"
    environment = {
        **os.environ,
        "LAMBDA_PATTERNS_CACHE": str(tmp_path / "cache"),
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        "UV_DEFAULT_INDEX": nobody,
        "UV_HTTP_RETRIES": "0",
        "CDK_OUTDIR": str(tmp_path / "out"),
    }
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 2, done.stderr
    (said,) = done.stderr.splitlines()
    lock = ROOT / "functions" / "query_orders" / "requirements.txt"
    assert said.startswith(f"app.py: {lock} cannot be installed for Python 3.14 on aarch64-manylinux_2_34: ")
    assert "run it once where the package index is reached" in said
