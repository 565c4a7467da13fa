"""An independent answer to the same questions: every packet of every address, one by one, by the book.

It shares nothing with the solver. What is not known is tried in every way that it may turn out.
Sources: https://docs.aws.amazon.com/vpc/latest/userguide/ (security-group-rules, nacl-rules, RouteTables,
VPC_Internet_Gateway, nat-gateway-basics), https://docs.aws.amazon.com/vpc/latest/privatelink/.
"""

# ruff: noqa: PLR0913, PLR0917, C901  # a packet has many parts, and each may stop it

from __future__ import annotations

import copy
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network
from itertools import product
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

World = dict[str, Any]

NOT_PUBLIC = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
SOMEWHERE = ["1.1.1.1", "7.7.7.7", "8.8.8.8", "9.9.9.9", "99.1.1.1", "129.1.1.1", "150.1.1.1", "200.1.1.1"]


@lru_cache(maxsize=4096)
def _edges(block: str) -> tuple[int, int]:
    network = IPv4Network(block)
    return int(network.network_address), int(network.broadcast_address)


def _in(address: int, block: str) -> bool:
    first, last = _edges(block)
    return first <= address <= last


def _length(block: str) -> int:
    return int(block.partition("/")[2])


def worlds(world: World) -> Iterator[World]:
    """Every way in which the unknowns may turn out."""
    places = list(_unknowns(world, ()))
    for outcome in product(range(2), repeat=len(places)):
        decided = copy.deepcopy(world)
        decided["groups"]["all"] = {way: [["-1", 0, 65535, "0.0.0.0/0"]] for way in ("ingress", "egress")}
        decided["groups"]["none"] = {"ingress": [], "egress": []}
        for place, turn in zip(places, outcome, strict=True):
            at: Any = decided
            for step in place[:-1]:
                at = at[step]
            at[place[-1]] = _turned(place, turn)
        decided["client_ports"] = _client_ports(decided)
        yield decided


def _unknowns(value: Any, place: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    if value == "?":
        yield place
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _unknowns(item, (*place, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _unknowns(item, (*place, index))


def _turned(place: tuple[Any, ...], turn: int) -> Any:
    if place[0] == "groups":
        return ["0.0.0.0/0", "255.255.255.255/32"][turn]
    if place[0] == "acls":
        return [True, False][turn]
    if place[0] == "nats":
        return ["public", "private"][turn]
    if place[0] == "tables":
        return ["works", "drops"][turn]
    return ["all", "none"][turn]


def verdict(world: World, source: str, target: str, port: int) -> str:
    """Answer "reached", "blocked" or "unknown" by trying every packet in every world.

    Args:
        world: the network.
        source: "F" or "D".
        target: a host, "internet", or "service:" and its name.
        port: the TCP port that is asked for.
    """
    found = {_verdict(decided, source, target, port) for decided in worlds(world)}
    return found.pop() if len(found) == 1 else "unknown"


def _verdict(world: World, source: str, target: str, port: int) -> str:
    host = world["hosts"][source]
    answers = [_from_subnet(world, host, subnet, target, port) for subnet in host["subnets"]]
    if host["kind"] == "function":  # its code runs in any of its subnets
        return "blocked" if "blocked" in answers else "unknown" if "unknown" in answers else "reached"
    return answers[0] if len(set(answers)) == 1 else "unknown"


def _from_subnet(world: World, host: World, subnet: str, target: str, port: int) -> str:
    end = {**host, "subnet": subnet}
    if target == "internet":
        return _to_public(world, end, port, None)
    if target.startswith("service:"):
        name = target.removeprefix("service:")
        for endpoint in world["interface_endpoints"].values():
            same_vpc = world["subnets"][subnet]["vpc"] == endpoint["vpc"]
            if name == "secretsmanager" and endpoint["private_dns"] and same_vpc:
                return _to_host(world, end, {**endpoint, "kind": "interface endpoint"}, port)
        return _to_public(world, end, port, name)
    return _to_host(world, end, world["hosts"][target], port)


def _to_host(world: World, end: World, target: World, port: int) -> str:
    if target["kind"] == "function":
        return "blocked"
    answers = []
    for subnet in target["subnets"]:
        other = {**target, "subnet": subnet}
        tries = {
            outcome
            for near, far, own in product(
                _addresses(world, end), _addresses(world, other), _translated(world, end, other)
            )
            for outcome in _client(
                world, end, lambda s, n=near, f=far, o=other, w=own: _direct(world, end, n, o, f, s, port, w)
            )
        }
        answers.append(_sum_up(tries))
    if target["kind"] == "interface endpoint":  # its name resolves to any of its addresses
        return "blocked" if "blocked" in answers else "unknown" if "unknown" in answers else "reached"
    return answers[0] if len(set(answers)) == 1 else "unknown"


def _sum_up(tries: set[bool]) -> str:
    return {frozenset({True}): "reached", frozenset({False}): "blocked"}.get(frozenset(tries), "unknown")


def _client(world: World, end: World, attempt: Any) -> set[bool]:
    """Try the client's ports. A function and a NAT gateway take them all; others take some."""
    if end["kind"] == "function":
        return {all(attempt(port) for port in world["client_ports"])}
    return {attempt(port) for port in world["client_ports"]}


def _client_ports(world: World) -> set[int]:
    ports = {1024, 65535}
    for ways in world["acls"].values():
        for entry in (*ways["ingress"], *ways["egress"]):
            ports |= {
                port for edge in entry[2:4] for port in (edge - 1, edge, edge + 1) if 1024 <= port <= 65535
            }
    return ports


def _addresses(world: World, end: World) -> list[int]:
    first, last = _edges(world["subnets"][end["subnet"]]["cidr"])
    return list(range(first, last + 1))


def _group_lets(
    world: World, groups: list[str], way: str, port: int, address: int, others: list[str]
) -> bool:
    for name in groups:
        for protocol, low, high, peer in world["groups"][name][way]:
            if protocol not in ("-1", "tcp") or not low <= port <= high:
                continue
            if peer in others or ("/" in peer and _in(address, peer)):
                return True
    return False


def _acl_lets(world: World, subnet: str, way: str, port: int, address: int) -> bool:
    name = world["subnets"][subnet]["acl"]
    if name is None:
        return True
    for _, protocol, low, high, block, allow in sorted(world["acls"][name][way], key=lambda entry: entry[0]):
        if protocol in ("-1", "tcp") and (protocol == "-1" or low <= port <= high) and _in(address, block):
            return bool(allow)
    return False


def _route(world: World, subnet: str, address: int) -> str | None:
    vpc = world["subnets"][subnet]["vpc"]
    routes = [*world["tables"].get(world["subnets"][subnet]["table"], []), [world["vpcs"][vpc], "local"]]
    found = [(_length(block), target) for block, target in routes if _in(address, block)]
    return max(found)[1] if found else None


def _translated(world: World, end: World, other: World) -> list[int]:
    """Every address that a NAT gateway may have which packets of `end` to `other` pass."""
    ways = {_route(world, end["subnet"], far) for far in _addresses(world, other)}
    passed = [name for name in world["nats"] if name in ways and world["nats"][name][0] != "regional"]
    return _addresses(world, {"subnet": world["nats"][passed[0]][1]}) if passed else [0]


def _direct(  # a packet has that many parts, and each may stop it
    world: World, end: World, near: int, other: World, far: int, sport: int, port: int, own: int
) -> bool:
    """Send one packet to another interface and its answer back; a NAT gateway's address is `own`."""
    mode, where = world["nats"].get(_route(world, end["subnet"], far), ("regional", None))
    if mode != "regional" and not end.get("gateway"):
        inside = {"subnet": where, "gateway": True, "groups": [], "kind": "function"}
        return (
            world["subnets"][where]["vpc"] == world["subnets"][end["subnet"]]["vpc"]
            and _group_lets(world, end["groups"], "egress", port, far, other["groups"])
            and _acl_lets(world, end["subnet"], "egress", port, far)
            and _enter(world, end, inside, near, sport, port)
            and all(
                _direct(world, inside, own, other, far, taken, port, own) for taken in world["client_ports"]
            )
            and _acl_lets(world, end["subnet"], "ingress", sport, far)
        )
    ways = []
    for here, there, address in ((end, other, far), (other, end, near)):
        way = _route(world, here["subnet"], address)
        vpcs = [world["subnets"][side["subnet"]]["vpc"] for side in (here, there)]
        if way == "local":
            ways.append(vpcs[0] == vpcs[1])
        elif way in world["peerings"]:
            ways.append(set(world["peerings"][way]) == set(vpcs) and vpcs[0] != vpcs[1])
        else:
            ways.append(way == "works")
    if not all(ways):
        return False
    if not end.get("gateway") and not _group_lets(world, end["groups"], "egress", port, far, other["groups"]):
        return False
    if not _group_lets(world, other["groups"], "ingress", port, near, end["groups"]):
        return False
    if end["subnet"] == other["subnet"]:
        return True
    return (
        _acl_lets(world, end["subnet"], "egress", port, far)
        and _acl_lets(world, other["subnet"], "ingress", port, near)
        and _acl_lets(world, other["subnet"], "egress", sport, near)
        and _acl_lets(world, end["subnet"], "ingress", sport, far)
    )


def _public_addresses(world: World) -> tuple[list[int], list[int]]:
    """Public addresses on each side of every border that a rule draws, and those that no rule singles out."""
    rules = [*world["groups"].values(), *world["acls"].values()]
    blocks = {
        part for ways in rules for way in ways.values() for rule in way for part in rule if "/" in str(part)
    }
    blocks |= {route[0] for routes in world["tables"].values() for route in routes}
    values = {int(IPv4Address(text)) for text in SOMEWHERE}
    for block in blocks:
        first, last = _edges(block)
        values |= {value for value in (first - 1, first, last, last + 1) if 0 <= value < 2**32}
    public = [value for value in sorted(values) if not any(_in(value, block) for block in NOT_PUBLIC)]
    at_large = [v for v in public if not any(_in(v, block) and _length(block) >= 8 for block in blocks)]
    return public, at_large or public


def _to_public(world: World, end: World, port: int, service: str | None) -> str:
    public, at_large = _public_addresses(world)
    large = _outcomes(world, end, at_large, port, service)
    if large == {True}:
        return "reached"
    return "unknown" if True in large or True in _outcomes(world, end, public, port, service) else "blocked"


def _outcomes(world: World, end: World, fars: list[int], port: int, service: str | None) -> set[bool]:
    return {
        outcome
        for far in fars
        for near in _addresses(world, end)
        for outcome in _client(world, end, lambda s, n=near, f=far: _out(world, end, n, f, s, port, service))
    }


def _out(  # noqa: PLR0911  # a packet has that many parts, and each may stop it
    world: World,
    end: World,
    near: int,
    far: int,
    sport: int,
    port: int,
    service: str | None,
    depth: int = 0,
) -> bool:
    """Send one packet to a public address and its answer back."""
    subnet = end["subnet"]
    if not end.get("gateway") and not _group_lets(world, end["groups"], "egress", port, far, []):
        return False
    if not _acl_lets(world, subnet, "egress", port, far) or not _acl_lets(
        world, subnet, "ingress", sport, far
    ):
        return False
    table = world["subnets"][subnet]["table"]
    if service == "s3" and any(table in joined for joined in world["gateway_endpoints"].values()):
        return True
    target = _route(world, subnet, far)
    vpc = world["subnets"][subnet]["vpc"]
    if target is None or target in world["peerings"] or target in ("local", "drops") or depth > 3:
        return False
    if target == "works":
        return True
    if target in world["gateways"]:
        return world["gateways"][target] == vpc and end["public"]
    if target in world["nats"]:
        mode, where = world["nats"][target]
        if mode == "regional":
            return where == vpc and vpc in world["gateways"].values()
        inside = {
            "subnet": where,
            "gateway": True,
            "public": mode == "public",
            "groups": [],
            "kind": "function",
        }
        if world["subnets"][where]["vpc"] != vpc or not _enter(world, end, inside, near, sport, port):
            return False
        return _client(
            world,
            inside,
            lambda s: _out(world, inside, _addresses(world, inside)[0], far, s, port, None, depth + 1),
        ) == {True}
    machine = {**world["forwarders"][target], "kind": "instance"}
    if machine["check"] or not _enter(world, end, machine, near, sport, port):
        return False
    if not _group_lets(world, machine["groups"], "ingress", port, near, end.get("groups", [])):
        return False
    return _out(world, machine, _addresses(world, machine)[0], far, sport, port, None, depth + 1)


def _enter(world: World, end: World, inside: World, near: int, sport: int, port: int) -> bool:
    if end["subnet"] == inside["subnet"]:
        return True
    return _acl_lets(world, inside["subnet"], "ingress", port, near) and _acl_lets(
        world, inside["subnet"], "egress", sport, near
    )
