"""From an interface to public addresses: by which gateway, through which translation, and the answers back.

Source: https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html and
https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html

Not modelled: whether a NAT instance's operating system forwards; NAT64; the addresses of AWS services (they
are taken as public addresses at large); a regional NAT gateway's network ACLs (it has no subnet).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.model.network.graph import NatMode, TargetKind
from lambda_patterns.model.network.ground import Start, Walk, blocks, called, inside, known, same, why
from lambda_patterns.model.network.groups import Far
from lambda_patterns.model.network.prefixes import ANY, Prefix, not_public, split
from lambda_patterns.model.network.routes import KIND as ROUTES
from lambda_patterns.model.network.routes import choose, say
from lambda_patterns.model.network.trace import Hop, Path, Reason, Verdict, unanimous
from lambda_patterns.model.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.network.graph import Interface, NatGateway, Route, RouteTable, Subnet
    from lambda_patterns.model.network.ground import Ground, Packet
    from lambda_patterns.model.network.routes import Taken

_AT_LARGE = {4: 8, 6: 16}  # a block at least this long speaks of particular addresses, not of the internet
_IPV6 = 6
NAT_INSTANCE = "NAT instance"


class _Leaving(NamedTuple):
    """A packet on its way out: from `start`, to `far`, after `passed` translations."""

    walk: Walk
    start: Start
    far: Far
    packet: Packet
    service: str | None
    passed: tuple[str, ...] = ()


class Outward:
    """Answers for connections to public addresses, of the internet at large or of a service."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._graph = ground.graph
        self._paths: dict[tuple[object, ...], Path] = {}
        self._taken: dict[tuple[str, Prefix], Taken | None] = {}
        self._open: dict[tuple[object, ...], tuple[Walk, str | None]] = {}
        self._mentions: dict[tuple[object, ...], frozenset[Prefix]] = {}
        self._by_groups: dict[frozenset[str], frozenset[Prefix]] = {}
        self._split: dict[tuple[int, frozenset[Prefix]], list[tuple[Prefix, bool]]] = {}

    def path(self, start: Start, version: int, packet: Packet, service: str | None = None) -> Path:
        """Judge the connection to public addresses; a service's gateway endpoint takes it if there is one."""
        near = start.interface
        key = (
            near.subnet, near.groups, near.public, near.address, near.versions,
            start.every_port, start.function, version, packet, service,
        )  # fmt: skip
        if key not in self._paths:
            path = self._at_large(start, version, packet, service)
            if path.verdict is Verdict.UNKNOWN and near.address is None and version in near.versions:
                path = self._refine(path, start, version, packet, service)
            self._paths[key] = path
        return self._paths[key]

    def _refine(self, path: Path, start: Start, version: int, packet: Packet, service: str | None) -> Path:
        """Look again, address by address of the subnet, where its block was too wide for a verdict."""
        parts = self._ground.parts(self._ground.address(start.interface, version))
        if len(parts) == 1:
            return path
        starts = (start._replace(interface=start.interface._replace(address=part)) for part in parts)
        walked = [self._at_large(one, version, packet, service) for one in starts]
        verdict = unanimous(part.verdict for part in walked)
        return path if verdict is Verdict.UNKNOWN else walked[0]

    def _at_large(self, start: Start, version: int, packet: Packet, service: str | None) -> Path:
        near = start.interface
        if version not in near.versions:
            said = f"it has no IPv{version} address"
            block = Reason("ENI_ADDRESS_RESTRICTION", called(near), "network interface", said)
            return Path(known(near.subnet), None, Verdict.BLOCKED, blocks=(block,))
        parts = self._parts(version, self._mentioned(near))
        at_large = [address for address, large in parts if large] or [address for address, _ in parts]
        walked = [self._walk(start, address, packet, service) for address in at_large]
        verdict = unanimous(path.verdict for path in walked)
        if verdict is Verdict.REACHED:
            return walked[0]
        others = (address for address, _ in parts if address not in at_large)
        if verdict is Verdict.BLOCKED and all(
            self._walk(start, address, packet, service).verdict is Verdict.BLOCKED for address in others
        ):
            return walked[0]
        open_ = next((path for path in walked if path.verdict is Verdict.UNKNOWN), None)
        if open_ is not None:
            return open_
        stopped = next(path for path in walked if path.verdict is Verdict.BLOCKED)
        doubts = tuple(
            reason._replace(
                code=None, sentence=f"only some public addresses are let through: {reason.sentence}"
            )
            for reason in stopped.blocks
        )
        return stopped._replace(verdict=Verdict.UNKNOWN, blocks=(), doubts=doubts)

    def _parts(self, version: int, mentioned: frozenset[Prefix]) -> list[tuple[Prefix, bool]]:
        """Give an address for each part of the internet that rules tell apart, and whether it is at large."""
        if (version, mentioned) not in self._split:
            elsewhere = not_public()
            self._split[version, mentioned] = [
                (address, part.length < _AT_LARGE[version])
                for address, part in split(ANY[version], {*mentioned, *elsewhere})
                if not any(block.covers(address) for block in elsewhere)
            ]
        return self._split[version, mentioned]

    def _mentioned(self, near: Interface) -> frozenset[Prefix]:
        """Give the blocks that the rules on the way out tell apart."""
        subnet = self._ground.subnet(near)
        table = self._ground.table(subnet)
        key = table.name if table else None, subnet.acl if subnet else None
        if key not in self._mentions:
            self._mentions[key] = frozenset(self._every_mention(subnet, table))
        own, beyond = self._of_groups(near), self._mentions[key]
        return beyond if own <= beyond else own | beyond

    def _of_groups(self, interface: Interface) -> frozenset[Prefix]:
        names = interface.groups.names
        if names not in self._by_groups:
            rules = (rule for name in names for rule in self._graph.groups[name].egress)
            self._by_groups[names] = frozenset(blocks(rule.peer for rule in rules))
        return self._by_groups[names]

    def _every_mention(self, subnet: Subnet | None, table: RouteTable | None) -> Iterator[Prefix]:
        yield from self._by_subnet(subnet, table)
        passed: dict[Interface, None] = {}
        for route in table.routes if table else ():
            if route.kind is TargetKind.INTERFACE and route.target in self._graph.forwarders:
                passed[self._graph.forwarders[route.target]] = None
            if route.kind is TargetKind.NAT_GATEWAY and route.target in self._graph.nats:
                passed[inside(self._graph.nats[route.target])] = None
        for interface in passed:
            yield from self._of_groups(interface)
            behind = self._ground.subnet(interface)
            yield from self._by_subnet(behind, self._ground.table(behind))

    def _by_subnet(self, subnet: Subnet | None, table: RouteTable | None) -> Iterator[Prefix]:
        yield from blocks(route.destination for route in (table.routes if table else ()))
        if subnet is not None and isinstance(subnet.acl, str):
            acl = self._graph.acls[subnet.acl]
            yield from blocks(entry.prefix for entry in (*acl.ingress, *acl.egress))

    def _walk(self, start: Start, address: Prefix, packet: Packet, service: str | None) -> Path:
        walk = Walk()
        far = Far(address, service or "the internet")
        walk.take(self._ground.groups.judge(start.interface.groups, "egress", packet.traffic, far))
        beyond, to = self._beyond(start, far, packet, service)
        walk.join(beyond)
        return walk.end(start.interface.subnet, to)

    def _beyond(self, start: Start, far: Far, packet: Packet, service: str | None) -> tuple[Walk, str | None]:
        """Walk on from the interface's groups. A way that is open is the same for all groups, and kept.

        Only what stops the traffic says whose it is; only a NAT instance asks for the groups of what it
        serves.
        """
        near = start.interface
        key = (
            near.subnet, near.public, near.address, start.every_port, start.function,
            far.address, packet, service,
        )  # fmt: skip
        if key in self._open:
            return self._open[key]
        walk = Walk()
        to = self._from_groups(_Leaving(walk, start, far, packet, service))
        if not walk.blocks and not walk.doubts and all(hop.kind != NAT_INSTANCE for hop in walk.hops):
            self._open[key] = walk, to
        return walk, to

    def _leave(self, leaving: _Leaving) -> str | None:
        """Walk out of the interface's subnet; give what carries the traffic out of the VPC."""
        groups = leaving.start.interface.groups
        leaving.walk.take(self._ground.groups.judge(groups, "egress", leaving.packet.traffic, leaving.far))
        return self._from_groups(leaving)

    def _from_groups(self, leaving: _Leaving) -> str | None:
        near, ground = leaving.start.interface, self._ground
        subnet = ground.subnet(near)
        if subnet is None:
            leaving.walk.take(
                Reason(None, called(near), "subnet", f"its subnet is not known: {why(near.subnet)}")
            )
            return None
        leaving.walk.take(ground.border(near, "egress", leaving.packet.forth, leaving.far))
        to = self._by_route(leaving, subnet)
        leaving.walk.take(ground.answers(near, "ingress", leaving.packet, leaving.far, leaving.start))
        return to

    def _by_route(self, leaving: _Leaving, subnet: Subnet) -> str | None:
        walk, far, service = leaving.walk, leaving.far, leaving.service
        table = self._ground.table(subnet)
        if table is None:
            walk.take(Reason(None, subnet.name, ROUTES, f"its routes are not known: {why(subnet.table)}"))
            return None
        if service is not None and far.address.version != _IPV6:
            for name in sorted(table.endpoints):
                if self._graph.endpoints[name].service == service:
                    walk.take(Hop(table.name, ROUTES, f"prefix list of {service} to gateway endpoint {name}"))
                    return name
            for name in sorted(table.maybe):
                if self._graph.endpoints[name].service == service:
                    said = f"whether gateway endpoint {name} is in it is not known"
                    walk.take(Reason(None, table.name, ROUTES, said))
                    return None
        if (table.name, far.address) not in self._taken:
            self._taken[table.name, far.address] = choose(table, far.address)
        taken = self._taken[table.name, far.address]
        if taken is None:
            walk.take(Reason("NO_ROUTE_TO_DESTINATION", table.name, ROUTES, f"no route leads to {far.said}"))
            return None
        if taken.rivals or not isinstance(taken.route.destination, Prefix):
            routes = "; ".join(dict.fromkeys(say(route) for route in (taken.route, *taken.rivals)))
            walk.take(
                Reason(None, table.name, ROUTES, f"which route leads to {far.said} is not known: {routes}")
            )
            return None
        walk.take(Hop(table.name, ROUTES, say(taken.route)))
        return self._through(leaving, subnet, taken.route)

    def _through(self, leaving: _Leaving, subnet: Subnet, route: Route) -> str | None:
        walk, kind, name = leaving.walk, route.kind, route.target
        if name in leaving.passed:
            said = f"traffic to {leaving.far.said} goes round in a circle"
            walk.take(Reason("NO_ROUTE_TO_DESTINATION", name, kind, said))
        elif kind is TargetKind.INTERNET_GATEWAY:
            walk.take(self._attachment(name, kind, subnet))
            walk.take(self._public_address(leaving, name))
            return name
        elif kind is TargetKind.EGRESS_ONLY:
            walk.take(self._attachment(name, kind, subnet))
            return name
        elif kind is TargetKind.NAT_GATEWAY and name in self._graph.nats:
            return self._nat_gateway(leaving, subnet, self._graph.nats[name])
        elif kind is TargetKind.INTERFACE and name in self._graph.forwarders:
            return self._nat_instance(leaving, name)
        elif kind is TargetKind.PEERING and name in self._graph.peerings:
            said = f"a peering connection carries only traffic between its two VPCs: {say(route)}"
            walk.take(Reason("PCX_REQUIRES_ADDRESS_IN_VPC_CIDR", name, kind, said))
        else:
            walk.take(Reason(None, name, kind, f"what lies behind {kind} {name} cannot be judged"))
        return None

    def _attachment(self, name: str, kind: TargetKind, subnet: Subnet) -> Hop | Reason:
        attached = self._graph.gateways.get(name, Unknown(f"{name} is not in the template"))
        if attached is None:
            return Reason("BAD_STATE_ATTACHMENT", name, kind, f"{name} is attached to no VPC")
        if same(attached, subnet.vpc):
            return Hop(name, kind, f"attached to {known(attached) or 'the same VPC'}")
        if isinstance(attached, Unknown) or isinstance(subnet.vpc, Unknown):
            said = f"whether {name} is attached to the VPC of {subnet.name} is not known"
            return Reason(None, name, kind, said)
        said = f"{name} is attached to {attached}, not to {subnet.vpc}"
        return Reason("BAD_STATE_ATTACHMENT", name, kind, said)

    def _public_address(self, leaving: _Leaving, gateway: str) -> Reason | None:
        near, kind = leaving.start.interface, TargetKind.INTERNET_GATEWAY
        if leaving.far.address.version == _IPV6:
            if not leaving.start.function:
                return None
            said = "AWS documents a function's IPv6 traffic with an egress-only internet gateway alone"
            return Reason(None, gateway, kind, said)
        if near.public:
            return None
        if near.public is None:
            return Reason(None, gateway, kind, f"whether {called(near)} has a public address is not known")
        subject = (
            "a function never has a public address"
            if leaving.start.function
            else (f"{called(near)} has no public address")
        )
        said = f"{subject}, and an internet gateway forwards only what has one"
        return Reason("IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS", gateway, kind, said)

    def _nat_gateway(self, leaving: _Leaving, subnet: Subnet, nat: NatGateway) -> str | None:
        walk, kind, name = leaving.walk, TargetKind.NAT_GATEWAY, nat.name
        if leaving.far.address.version == _IPV6:
            said = f"{name} carries no IPv6 traffic to the IPv6 internet"
            walk.take(Reason("PROTOCOL_RESTRICTION", name, kind, said))
            return None
        if isinstance(nat.vpc, str) and isinstance(subnet.vpc, str) and nat.vpc != subnet.vpc:
            said = f"{name} is in {nat.vpc}, and serves only its own VPC"
            walk.take(Reason("NGW_REQUIRES_SOURCE_IN_VPC", name, kind, said))
            return None
        if isinstance(nat.mode, Unknown):
            walk.take(
                Reason(None, name, kind, f"whether {name} is a public one is not known: {nat.mode.why}")
            )
            return None
        if nat.mode is NatMode.REGIONAL:
            walk.take(self.regional(nat))
            return name
        behind = inside(nat)
        self._ground.cross(walk, leaving.start, behind, leaving.packet, leaving.far.address.version)
        walk.take(Hop(name, kind, f"{nat.mode}, in {known(nat.subnet) or 'an unknown subnet'}"))
        onward = leaving._replace(
            start=Start(behind, every_port=True), service=None, passed=(*leaving.passed, name)
        )
        self._leave(onward)
        return name

    def regional(self, nat: NatGateway) -> Hop | Reason:
        """Judge whether the VPC of a regional NAT gateway has the internet gateway that it needs."""
        kind = TargetKind.NAT_GATEWAY
        gateways = self._graph.gateways
        for gateway, attached in gateways.items():
            if same(attached, nat.vpc):
                return Hop(nat.name, kind, f"regional, to {gateway}")
        if isinstance(nat.vpc, Unknown) or any(isinstance(vpc, Unknown) for vpc in gateways.values()):
            said = "whether its VPC has an internet gateway is not known"
            return Reason(None, nat.name, kind, said)
        said = f"{nat.vpc} has no internet gateway, which a regional NAT gateway needs too"
        return Reason("NO_ROUTE_TO_DESTINATION", nat.name, kind, said)

    def _nat_instance(self, leaving: _Leaving, name: str) -> str | None:
        walk, kind, behind = leaving.walk, NAT_INSTANCE, self._graph.forwarders[name]
        self._ground.cross(walk, leaving.start, behind, leaving.packet, leaving.far.address.version)
        near = leaving.start.interface
        back = Far(self._ground.address(near, leaving.far.address.version), called(near), near.groups)
        if behind.check is False:
            walk.take(Hop(name, kind, "source/destination check off"))
        else:
            state = "is on" if behind.check else "may be on"
            said = f"{name} drops what is not for itself: its source/destination check {state}"
            walk.take(Reason("ENI_SOURCE_DEST_CHECK_RESTRICTION" if behind.check else None, name, kind, said))
        walk.take(self._ground.groups.judge(behind.groups, "ingress", leaving.packet.traffic, back))
        onward = leaving._replace(
            start=Start(behind, every_port=False), service=None, passed=(*leaving.passed, name)
        )
        self._leave(onward)
        return name
