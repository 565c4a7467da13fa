"""Route tables: which route takes a packet, by longest prefix.

A route whose destination is not known is taken as less specific than any known one that matches: it makes
nothing uncertain that a known route decides.
Source: https://docs.aws.amazon.com/vpc/latest/userguide/RouteTables.html

Not modelled: two routes for the same destination (deployment refuses them); edge associations of gateways.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.model.network.graph import TargetKind
from lambda_patterns.model.network.prefixes import Prefix
from lambda_patterns.model.network.trace import Reason

if TYPE_CHECKING:
    from lambda_patterns.model.network.graph import Route, RouteTable

KIND = "route table"
# The only targets that a route more specific than the local one may have.
_MIDDLEBOXES = (TargetKind.INTERFACE, TargetKind.NAT_GATEWAY, TargetKind.APPLIANCE)


class Taken(NamedTuple):
    """The route that a packet takes; `rivals` are those that may take it instead."""

    route: Route
    rivals: tuple[Route, ...] = ()


def say(route: Route) -> str:
    """Write a route as "0.0.0.0/0 to NAT gateway Nat"."""
    destination = route.destination if isinstance(route.destination, Prefix) else route.destination.why
    return f"{destination} to {route.kind} {route.target}"


def choose(table: RouteTable, address: Prefix) -> Taken | None:
    """Choose the route for `address` outside the VPC; None: no route can match."""
    sure: Route | None = None
    partial: list[Route] = []
    unknown: list[Route] = []
    for route in table.routes:
        if not isinstance(route.destination, Prefix):
            unknown.append(route)
            continue
        covers = route.destination.covers(address)
        if covers is None:
            partial.append(route)
        elif covers and (sure is None or route.destination.length > _length(sure)):
            sure = route
    rivals = partial if sure else [*partial, *unknown]
    if sure is None:
        return Taken(rivals[0], tuple(rivals)) if rivals else None
    differing = tuple(other for other in rivals if (other.kind, other.target) != (sure.kind, sure.target))
    return Taken(sure, differing)


def _length(route: Route) -> int:
    return route.destination.length if isinstance(route.destination, Prefix) else -1


def middlebox(table: RouteTable, address: Prefix, local: tuple[Prefix, ...]) -> Reason | None:
    """Name a route more specific than the VPC's local one that may take traffic inside the VPC away."""
    for route in table.routes:
        destination = route.destination
        if route.kind not in _MIDDLEBOXES or not isinstance(destination, Prefix) or not destination.length:
            continue
        if destination.covers(address) is False:
            continue
        shadowed = [block for block in local if block.version == destination.version]
        if not shadowed or any(block.covers(destination) and block != destination for block in shadowed):
            said = f"traffic inside the VPC is sent through {route.kind} {route.target}: {say(route)}"
            return Reason(None, table.name, KIND, said)
    return None
