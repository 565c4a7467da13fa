"""What a solver keeps of one question changes no answer to another."""

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worlds import graph_of, make

from lambda_patterns.model.network import graph as g
from lambda_patterns.model.network.prefixes import ANY, Prefix, parse
from lambda_patterns.model.network.solver import Internet, Service, Solver
from lambda_patterns.model.network.trace import Verdict

ALL = g.GroupRule("-1", 0, 65535, ANY[4])
TARGETS = (Internet(), Service("s3"), Service("secretsmanager"), "D")


@given(seed=st.integers(0, 2**32), unknowns=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_functions_of_the_same_subnets_and_other_groups_get_answers_of_their_own(
    seed: int, unknowns: bool
) -> None:
    graph = graph_of(make(Random(seed), unknowns=unknowns))  # noqa: S311  # a seed draws it again
    function = graph.hosts["F"]
    for number, groups in enumerate((("G0",), ("G1",), ("G0", "G1"), ())):
        placed = (one._replace(groups=g.Attached(frozenset(groups))) for one in function.interfaces)
        graph.hosts[f"F{number}"] = function._replace(name=f"F{number}", interfaces=tuple(placed))
    asked_all = Solver(graph)
    for target in TARGETS:
        for source in ("F", "F0", "F1", "F2", "F3"):
            alone = Solver(graph).trace(source, target, 443)
            assert asked_all.trace(source, target, 443) == alone


def test_a_nat_instance_that_lets_in_one_group_is_asked_for_each_group() -> None:
    every = g.AclEntry(100, "-1", 0, 65535, ANY[4], allow=True)
    routes = {
        "private": g.Route(ANY[4], g.TargetKind.INTERFACE, "Nat"),
        "public": g.Route(ANY[4], g.TargetKind.INTERNET_GATEWAY, "Gateway"),
    }
    subnets = {
        name: g.Subnet(name, "Vpc", name, "Acl", prefixes=(_block(f"10.0.{index}.0/24"),))
        for index, name in enumerate(routes)
    }
    let_in = g.GroupRule("tcp", 443, 443, g.GroupPeer("Let"))
    groups = {
        "Let": g.SecurityGroup("Let", "Vpc", egress=(ALL,)),
        "Other": g.SecurityGroup("Other", "Vpc", egress=(ALL,)),
        "OfNat": g.SecurityGroup("OfNat", "Vpc", ingress=(let_in,), egress=(ALL,)),
    }
    of_nat = g.Attached(frozenset({"OfNat"}))
    solver = Solver(
        g.Graph(
            vpcs={"Vpc": g.Vpc("Vpc", (_block("10.0.0.0/16"),))},
            subnets=subnets,
            tables={name: g.RouteTable(name, (route,)) for name, route in routes.items()},
            acls={"Acl": g.Acl("Acl", (every,), (every,))},
            groups=groups,
            gateways={"Gateway": "Vpc"},
            forwarders={"Nat": g.Interface("Nat", "public", of_nat, public=True, check=False)},
            hosts={name: _function(name) for name in ("Let", "Other")},
        )
    )
    assert solver.trace("Let", Internet(4), 443).verdict is Verdict.REACHED
    other = solver.trace("Other", Internet(4), 443)
    assert other.verdict is Verdict.BLOCKED
    assert other.reason is not None
    assert other.reason.component == "OfNat"


def _function(group: str) -> g.Host:
    interface = g.Interface(group, "private", g.Attached(frozenset({group})))
    return g.Host(group, g.HostKind.FUNCTION, "Vpc", (interface,))


def _block(text: str) -> Prefix:
    found = parse(text)
    assert found is not None
    return found
