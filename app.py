"""The example application, for `cdk synth` and `cdk deploy`.

Synthesizing needs no account, and the network once: for the packages that two lock files name.
"""

from __future__ import annotations

import sys

import cdk_nag
from aws_cdk import App, Validations

from lambda_patterns.constructs.validation import LambdaPatterns, synthesize
from lambda_patterns.errors import LambdaPatternsError
from stacks.database import DatabaseStack
from stacks.edge import EdgeStack
from stacks.network_paths import EndpointsStack, IsolatedStack, NatGatewayStack, NatInstanceStack
from stacks.on_failure import OnFailureStack
from stacks.order_events import OrderEventsStack
from stacks.ready_function import ReadyFunctionStack
from stacks.triggers import TriggersStack

PLUGINS = (
    cdk_nag.AwsSolutionsChecks,
    cdk_nag.HIPAASecurityChecks,
    cdk_nag.NIST80053R5Checks,
    cdk_nag.PCIDSS321Checks,
    cdk_nag.ServerlessChecks,
    LambdaPatterns,
)


def build(app: App) -> App:
    """Put every example stack into `app`, under every check."""
    NatGatewayStack(app, "NatGateway")
    NatInstanceStack(app, "NatInstance")
    EndpointsStack(app, "Endpoints")
    IsolatedStack(app, "Isolated")
    OnFailureStack(app, "OnFailure")
    OrderEventsStack(app, "OrderEvents")
    DatabaseStack(app, "Database")
    ReadyFunctionStack(app, "ReadyFunction")
    TriggersStack(app, "Triggers")
    EdgeStack(app, "Edge")
    Validations.of(app).add_plugins(*(plugin() for plugin in PLUGINS))
    return app


if __name__ == "__main__":
    try:
        synthesize(build(App()))
    except LambdaPatternsError as error:
        print(f"app.py: {error}", file=sys.stderr)  # noqa: T201  # `cdk` shows what an app says there
        sys.exit(2)
