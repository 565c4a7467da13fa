"""The solver against an oracle that sends every packet of every address, on random networks."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import verdict
from questions import QUESTIONS, agrees, solved
from worlds import make

slow = [HealthCheck.too_slow]


@pytest.mark.parametrize(("source", "target", "port"), QUESTIONS)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None, suppress_health_check=slow)
def test_the_verdict_is_that_of_every_single_packet(source: str, target: str, port: int, seed: int) -> None:
    world = make(Random(seed))  # noqa: S311  # a seed draws the same network again
    found, expected = solved(world, source, target, port), verdict(world, source, target, port)
    assert agrees(world, source, found.verdict, expected, unknowns=False), (expected, found, world)


@pytest.mark.parametrize(("source", "target", "port"), QUESTIONS)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=15, deadline=None, suppress_health_check=slow)
def test_what_is_not_known_never_makes_a_verdict_that_one_outcome_contradicts(
    source: str, target: str, port: int, seed: int
) -> None:
    world = make(Random(seed), unknowns=True)  # noqa: S311  # as above
    found, expected = solved(world, source, target, port), verdict(world, source, target, port)
    assert agrees(world, source, found.verdict, expected, unknowns=True), (expected, found, world)
