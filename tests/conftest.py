"""Node in reach of every test before aws_cdk is first imported, which starts it; how Hypothesis searches."""

import os

from hypothesis import settings

from lambda_patterns.local.node import node_environment

os.environ.update(node_environment())

# On a developer's machine every run tries other examples; in CI the same ones, so that what fails there is
# the change that is judged. No deadline: a machine may be busy.
settings.register_profile("search", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "search")
