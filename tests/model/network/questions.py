"""What is asked of a random network, and when the solver and an oracle agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worlds import World, graph_of

from lambda_patterns.model.network.solver import Internet, Service, Solver

if TYPE_CHECKING:
    from lambda_patterns.model.network.trace import Trace

QUESTIONS = [
    ("F", "D", 5432),
    ("F", "internet", 443),
    ("F", "service:s3", 443),
    ("F", "service:secretsmanager", 443),
    ("D", "internet", 443),
    ("D", "service:secretsmanager", 443),
]


def solved(world: World, source: str, target: str, port: int) -> Trace:
    """Ask the solver."""
    asked: str | Internet | Service = Internet() if target == "internet" else target
    if target.startswith("service:"):
        asked = Service(target.removeprefix("service:"))
    return Solver(graph_of(world)).trace(source, asked, port)


def agrees(world: World, source: str, found: str, expected: str, *, unknowns: bool) -> bool:
    """Tell whether a verdict is right.

    It must be the oracle's. "unknown" is also right where something is unknown, or where a client on the way
    takes some ports, not known which (a database, a NAT instance), where the oracle tries them all.
    """
    if found == expected:
        return True
    machines = any(target == "X0" for routes in world["tables"].values() for _, target in routes)
    return found == "unknown" and (unknowns or machines or source != "F")
