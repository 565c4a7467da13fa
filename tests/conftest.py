"""Node in reach of every test before aws_cdk is first imported, which starts it."""

import os

from lambda_patterns.local.node import node_environment

os.environ.update(node_environment())
