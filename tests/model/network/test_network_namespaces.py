"""The solver against real packets through Linux namespaces, where the machine allows it."""

from random import Random

import pytest
from namespaces import address, missing, outcomes
from questions import machine_passed, paths
from worlds import make

REASON = missing()


@pytest.mark.skipif(bool(REASON), reason=REASON or "it can")
@pytest.mark.parametrize("seed", [1, 2, 13, 21, 34])
def test_real_packets_go_as_the_proof_says(seed: int) -> None:
    world = make(Random(seed))  # noqa: S311  # a seed draws the same network again
    proved = paths(world, address)
    for subnet, target, there, verdict in outcomes(world):
        found = proved[subnet, target, there]
        assert found == verdict or (found == "unknown" and machine_passed(world)), (
            subnet,
            target,
            there,
            world,
        )
