"""Random small networks, written as plain JSON so that each oracle reads them in its own way.

`make` draws one; `graph_of` gives it to the solver. "?" stands for what is not known before deployment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_patterns.model.network import graph as g
from lambda_patterns.model.network.prefixes import Prefix, parse
from lambda_patterns.model.values import Unknown

if TYPE_CHECKING:
    from random import Random

World = dict[str, Any]

VPCS = {"V0": "10.0.0.0/24", "V1": "10.1.0.0/24"}
ANYWHERE = "0.0.0.0/0"
PUBLIC = ["0.0.0.0/1", "128.0.0.0/1", "8.0.0.0/7", "203.0.113.0/24", "198.51.100.0/24"]
PORTS = [
    (0, 65535),
    (443, 443),
    (5432, 5432),
    (440, 450),
    (1024, 65535),
    (1024, 32767),
    (32768, 65535),
    (22, 22),
]
PROTOCOLS = ["tcp", "tcp", "tcp", "-1", "udp"]


def _block(random: Random, world: World) -> str:
    """Draw a block that means something in this network: a subnet, half of one, a VPC, public addresses."""
    kind = random.randrange(10)
    if kind < 4:  # a share of ten
        return ANYWHERE
    if kind < 6:
        return random.choice(list(VPCS.values()))
    if kind < 8:
        cidr = random.choice([subnet["cidr"] for subnet in world["subnets"].values()])
        return cidr if random.random() < 0.5 else cidr.replace("/29", "/30")
    return random.choice(PUBLIC)


def _traffic(random: Random) -> list[Any]:
    protocol = random.choice(PROTOCOLS)
    low, high = (0, 65535) if protocol == "-1" else random.choice(PORTS)
    return [protocol, low, high]


def _group_rules(random: Random, world: World, unknowns: bool) -> list[Any]:
    rules = []
    for _ in range(random.choice([0, 1, 1, 2, 3])):
        peer = random.choice(["G0", "G1"]) if random.random() < 0.3 else _block(random, world)
        if unknowns and random.random() < 0.06:
            peer = "?"
        rules.append([*_traffic(random), peer])
    if random.random() < 0.6:
        rules.append(["-1", 0, 65535, ANYWHERE])
    return rules


def _acl_entries(random: Random, world: World, unknowns: bool) -> list[Any]:
    entries = []
    for number in random.sample(range(1, 200), random.choice([0, 0, 1, 1, 2, 3])):
        allow: bool | str = random.random() < 0.7
        if unknowns and random.random() < 0.05:
            allow = "?"
        entries.append([number, *_traffic(random), _block(random, world), allow])
    if random.random() < 0.3:  # answers, or some of them, by themselves
        ports = random.choice([(1024, 32767), (32768, 65535), (1024, 65535)])
        entries.append([250, "tcp", *ports, ANYWHERE, random.random() < 0.4])
    if random.random() < 0.9:
        entries.append([300, "-1", 0, 65535, ANYWHERE, True])
    return entries


def make(random: Random, *, unknowns: bool = False) -> World:  # noqa: C901  # a network, part by part
    """Draw a network with a function F, a database D, ways out, and perhaps a second, peered VPC."""
    world: World = {"subnets": {}, "tables": {}, "acls": {}, "groups": {}, "gateways": {}}
    two = random.random() < 0.5
    vpcs = list(VPCS) if two else ["V0"]
    world["vpcs"] = {vpc: VPCS[vpc] for vpc in vpcs}
    for index in range(random.choice([2, 3, 4])):
        vpc = "V0" if index == 0 else random.choice(vpcs)
        world["subnets"][f"S{index}"] = {
            "vpc": vpc,
            "cidr": VPCS[vpc].replace(".0/24", f".{index * 8}/29"),
            "table": random.choice(["T1", "T1", "T0", None] if index == 0 else ["T0", "T0", "T1", None]),
            "acl": random.choice([None, None, None, "A0", "A1"]),
        }
    subnets = list(world["subnets"])
    world["gateways"]["I0"] = random.choice(["V0", "V0", "V0", None, "V1" if two else "V0"])
    world["nats"] = {
        "N0": [random.choice(["public", "public", "private"]), random.choice(subnets)],
        "N1": ["regional", "V0"],
    }
    if unknowns and random.random() < 0.2:
        world["nats"]["N0"][0] = "?"
    world["forwarders"] = {
        "X0": {
            "subnet": random.choice(subnets),
            "groups": [random.choice(["G0", "G1", "G2"])],
            "public": random.random() < 0.8,
            "check": random.random() < 0.2,
        }
    }
    world["peerings"] = {"P0": ["V0", "V1"]} if two else {}
    targets = ["N0", "N0", "N0", "N1", "X0", "I0", *world["peerings"], *(["?"] if unknowns else [])]
    peered = random.random() < 0.7
    for name in ("T0", "T1"):
        blocks = random.sample([ANYWHERE, ANYWHERE.replace("/0", "/1"), *PUBLIC[1:4], *VPCS.values()], 3)
        if random.random() < 0.8:
            blocks = [ANYWHERE, *blocks[1 : random.randint(1, 3)]]
        usual = ["I0"] * 6 if name == "T0" else []
        routes = {
            block: random.choice(targets + usual)
            for block in dict.fromkeys(blocks)
            if block not in VPCS.values()
        }
        for block in VPCS.values():
            if two and peered:
                routes[block] = random.choice(["P0", "P0", "P0", "I0", *(["?"] if unknowns else [])])
        world["tables"][name] = [list(route) for route in routes.items()]
    for name in ("A0", "A1"):
        world["acls"][name] = {way: _acl_entries(random, world, unknowns) for way in ("ingress", "egress")}
    for name in ("G0", "G1", "G2"):
        world["groups"][name] = {way: _group_rules(random, world, unknowns) for way in ("ingress", "egress")}
    in_first = [name for name in subnets if world["subnets"][name]["vpc"] == "V0"]
    other = random.choice([vpc for vpc in vpcs if any(s["vpc"] == vpc for s in world["subnets"].values())])
    in_other = [name for name in subnets if world["subnets"][name]["vpc"] == other]
    extra = ["?"] if unknowns and random.random() < 0.2 else []
    world["hosts"] = {
        "F": {
            "kind": "function",
            "subnets": _some(random, in_first),
            "groups": ["G0", *extra],
            "public": False,
        },
        "D": {
            "kind": "database",
            "subnets": _some(random, in_other),
            "groups": [random.choice(["G1", "G2"])],
            "public": random.random() < 0.3,
        },
    }
    world["gateway_endpoints"] = {"E0": random.sample(["T0", "T1"], random.choice([0, 1, 2]))}
    world["interface_endpoints"] = {
        "E1": {
            "vpc": "V0",
            "subnets": _some(random, in_first),
            "groups": [random.choice(["G1", "G2"])],
            "private_dns": random.random() < 0.7,
        }
    }
    if two and random.random() < 0.4:
        _by_nat(random, world)
    machine = world["subnets"][world["forwarders"]["X0"]["subnet"]]["vpc"]
    for name, routes in world["tables"].items():  # a route leads to an interface of its own VPC only
        users = {subnet["vpc"] for subnet in world["subnets"].values() if subnet["table"] == name}
        if users - {machine}:
            routes[:] = [[block, "I0" if target == "X0" else target] for block, target in routes]
    return world


def _by_nat(random: Random, world: World) -> None:
    """Let the function reach a database in the other VPC by the NAT gateway, mostly."""
    function, database = world["hosts"]["F"], world["hosts"]["D"]
    inside = [name for name, subnet in world["subnets"].items() if subnet["vpc"] == "V0"]
    outside = [name for name in world["subnets"] if name not in inside]
    apart = [name for name in inside if name not in function["subnets"]]
    world["nats"]["N0"][1] = where = random.choice(apart or inside)
    if outside:
        database["subnets"] = _some(random, outside)
    for name, subnet in world["subnets"].items():
        if random.random() < 0.8:
            subnet["table"] = "T0" if name == where or name in outside else "T1"
    for block in VPCS.values():
        for name in ("T0", "T1"):
            routes = world["tables"][name]
            if random.random() < 0.8:
                routes[:] = [route for route in routes if route[0] != block]
                routes.append([block, "P0" if name == "T0" else "N0"])


def _some(random: Random, names: list[str]) -> list[str]:
    return sorted(random.sample(names, random.randint(1, min(2, len(names)))))


def _prefix(text: str) -> Prefix:
    found = parse(text)
    assert found is not None
    return found


def _peer(peer: str) -> Prefix | g.GroupPeer | Unknown:
    if peer == "?":
        return Unknown("a parameter")
    return g.GroupPeer(peer) if peer.startswith("G") else _prefix(peer)


def _attached(groups: list[str]) -> g.Attached:
    unknown = "a parameter" if "?" in groups else None
    return g.Attached(frozenset(groups) - {"?"}, unknown)


_KINDS = {
    "I": g.TargetKind.INTERNET_GATEWAY,
    "N": g.TargetKind.NAT_GATEWAY,
    "X": g.TargetKind.INTERFACE,
    "P": g.TargetKind.PEERING,
    "?": g.TargetKind.OTHER,
}


def graph_of(world: World) -> g.Graph:
    """Give the network to the solver."""
    every = g.AclEntry(100, "-1", 0, 65535, _prefix(ANYWHERE), allow=True)
    acls = {"default": g.Acl("default", (every,), (every,))}
    for name, ways in world["acls"].items():
        made = {
            way: tuple(
                g.AclEntry(number, protocol, low, high, _prefix(block), None if allow == "?" else allow)
                for number, protocol, low, high, block, allow in ways[way]
            )
            for way in ways
        }
        acls[name] = g.Acl(name, made["ingress"], made["egress"])
    tables = {f"main-{vpc}": g.RouteTable(f"main-{vpc}") for vpc in world["vpcs"]}
    for name, routes in world["tables"].items():
        endpoints = frozenset(e for e, joined in world["gateway_endpoints"].items() if name in joined)
        made_routes = tuple(g.Route(_prefix(block), _KINDS[target[0]], target) for block, target in routes)
        tables[name] = g.RouteTable(name, made_routes, endpoints)
    subnets = {
        name: g.Subnet(
            name,
            subnet["vpc"],
            subnet["table"] or f"main-{subnet['vpc']}",
            subnet["acl"] or "default",
            prefixes=(_prefix(subnet["cidr"]),),
        )
        for name, subnet in world["subnets"].items()
    }
    nats = {}
    for name, (mode, where) in world["nats"].items():
        vpc = world["subnets"][where]["vpc"] if where in world["subnets"] else where
        known = Unknown("a parameter") if mode == "?" else g.NatMode(mode)
        nats[name] = g.NatGateway(name, known, vpc, where if where in world["subnets"] else None)
    hosts = {name: _host(world, name, host) for name, host in world["hosts"].items()}
    endpoints = {name: g.Endpoint(name, "s3", "V0", None) for name in world["gateway_endpoints"]}
    for name, endpoint in world["interface_endpoints"].items():
        hosts[name] = _host(world, name, {**endpoint, "kind": "interface endpoint", "public": False})
        endpoints[name] = g.Endpoint(name, "secretsmanager", endpoint["vpc"], name, endpoint["private_dns"])
    return g.Graph(
        vpcs={name: g.Vpc(name, (_prefix(cidr),), private_dns=True) for name, cidr in world["vpcs"].items()},
        subnets=subnets,
        tables=tables,
        acls=acls,
        groups={
            name: g.SecurityGroup(
                name,
                "V0",
                **{
                    way: tuple(g.GroupRule(p, low, high, _peer(peer)) for p, low, high, peer in ways[way])
                    for way in ways
                },
            )
            for name, ways in world["groups"].items()
        },
        gateways=dict(world["gateways"]),
        nats=nats,
        forwarders={
            name: g.Interface(name, x["subnet"], _attached(x["groups"]), public=x["public"], check=x["check"])
            for name, x in world["forwarders"].items()
        },
        peerings={name: g.Peering(name, tuple(ends)) for name, ends in world["peerings"].items()},
        endpoints=endpoints,
        hosts=hosts,
    )


def _host(world: World, name: str, host: dict[str, Any]) -> g.Host:
    kind = g.HostKind(host["kind"])
    interfaces = tuple(
        g.Interface(name, subnet, _attached(host["groups"]), public=host["public"])
        for subnet in host["subnets"]
    )
    vpc = world["subnets"][host["subnets"][0]]["vpc"]
    return g.Host(name, kind, vpc, interfaces, every=kind is not g.HostKind.DATABASE)
