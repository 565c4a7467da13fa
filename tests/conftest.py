"""Before aws_cdk is first imported, which starts Node: Node in reach; how Hypothesis searches."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings

from lambda_patterns.local.node import node_environment

os.environ.update(node_environment())

# Every app without a folder of its own synthesizes into a temporary one, which aws_cdk never removes.
if "PYTEST_XDIST_WORKER" not in os.environ:
    tempfile.gettempdir()  # pytest's own folders stay where they are looked for
    os.environ["TMPDIR"] = tempfile.mkdtemp(prefix="tests-")
    Path(os.environ["TMPDIR"]).chmod(0o755)  # for root's databases, which run as another user
    atexit.register(shutil.rmtree, os.environ["TMPDIR"], ignore_errors=True)

# On a developer's machine every run tries other examples; in CI the same ones, so that what fails there is
# the change that is judged. No deadline: a machine may be busy.
settings.register_profile("search", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "search")
