"""What is asked of a random network, and when the solver and an oracle agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worlds import World, graph_of

from lambda_patterns.model.network.prefixes import parse
from lambda_patterns.model.network.solver import Internet, Service, Solver

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_patterns.model.network.trace import Trace

QUESTIONS = [
    ("F", "D", 5432),
    ("F", "internet", 443),
    ("F", "service:s3", 443),
    ("F", "service:secretsmanager", 443),
    ("D", "internet", 443),
    ("D", "service:secretsmanager", 443),
]


def paths(world: World, at: Callable[[World, str, str], str]) -> dict[tuple[str, str, str], str]:
    """Give the solver's verdict on each path of F, whose interfaces have the addresses that `at` gives.

    The keys are (source subnet, target, target subnet, or "" for the internet).
    """
    graph = graph_of(world)
    for name, host in graph.hosts.items():
        if name in ("F", "D"):
            placed = [
                one._replace(address=parse(at(world, name, str(one.subnet)))) for one in host.interfaces
            ]
            graph.hosts[name] = host._replace(interfaces=tuple(placed))
    machine = graph.forwarders["X0"]
    graph.forwarders["X0"] = machine._replace(address=parse(at(world, "X0", str(machine.subnet))))
    solver = Solver(graph)
    found = {}
    for path in solver.trace("F", "D", 5432).paths:
        found[str(path.subnet), "D", str(path.to).removeprefix("D in ")] = path.verdict.value
    for path in solver.trace("F", Internet(4), 443).paths:
        found[str(path.subnet), "internet", ""] = path.verdict.value
    return found


def machine_passed(world: World) -> bool:
    """Tell whether a route leads to the NAT instance, of whose client ports nothing is known."""
    return any(target == "X0" for routes in world["tables"].values() for _, target in routes)


def solved(world: World, source: str, target: str, port: int) -> Trace:
    """Ask the solver."""
    asked: str | Internet | Service = Internet() if target == "internet" else target
    if target.startswith("service:"):
        asked = Service(target.removeprefix("service:"))
    return Solver(graph_of(world)).trace(source, asked, port)


def agrees(world: World, source: str, found: str, expected: str, *, unknowns: bool) -> bool:
    """Tell whether a verdict is right.

    It must be the oracle's. "unknown" is also right where something is unknown, and where a client on the
    way takes some ports, not known which (a database, a NAT instance), where the oracle tries them all.
    """
    if found == expected:
        return True
    return found == "unknown" and (unknowns or machine_passed(world) or source != "F")
