"""A construct costs no more calls into aws_cdk than the same resources by hand, plus 5 %."""

import pytest

from bench.jsii_calls import BUDGET, measure

pytestmark = pytest.mark.cdk


def test_every_construct_keeps_the_budget_of_calls() -> None:
    figures = measure()
    assert set(figures) == {"LambdaNetwork(NatGateways)", "LambdaNetwork(Endpoints)", "VpcFunction"}
    assert {name: calls for name, (calls, by_hand) in figures.items() if calls > BUDGET * by_hand} == {}
