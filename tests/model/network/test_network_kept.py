"""What a solver keeps of one question changes no answer to another."""

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worlds import graph_of, make

from lambda_patterns.model.network.graph import Attached
from lambda_patterns.model.network.solver import Internet, Service, Solver

TARGETS = (Internet(), Service("s3"), Service("secretsmanager"), "D")


@given(seed=st.integers(0, 2**32), unknowns=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_functions_of_the_same_subnets_and_other_groups_get_answers_of_their_own(
    seed: int, unknowns: bool
) -> None:
    graph = graph_of(make(Random(seed), unknowns=unknowns))  # noqa: S311  # a seed draws it again
    function = graph.hosts["F"]
    for number, groups in enumerate((("G0",), ("G1",), ("G0", "G1"), ())):
        placed = (one._replace(groups=Attached(frozenset(groups))) for one in function.interfaces)
        graph.hosts[f"F{number}"] = function._replace(name=f"F{number}", interfaces=tuple(placed))
    asked_all = Solver(graph)
    for target in TARGETS:
        for source in ("F", "F0", "F1", "F2", "F3"):
            alone = Solver(graph).trace(source, target, 443)
            assert asked_all.trace(source, target, 443) == alone
