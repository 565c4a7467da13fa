"""Apps in a folder of the test's own, with the flags of cdk.json."""

from pathlib import Path

import pytest
from aws_cdk import App, Stack

from lambda_patterns.constructs import LambdaNetwork, NatGateways
from lambda_patterns.testing import context_of

CONTEXT = context_of(Path(__file__).parents[2] / "cdk.json")


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(outdir=str(tmp_path), context=CONTEXT, analytics_reporting=False)


@pytest.fixture
def stack(app: App) -> Stack:
    return Stack(app, "Stack")


@pytest.fixture
def network(stack: Stack) -> LambdaNetwork:
    return LambdaNetwork(stack, "Network", internet=NatGateways())
