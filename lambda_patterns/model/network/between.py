"""From one interface to another: security groups, network ACLs and routes, there and back.

Source: https://docs.aws.amazon.com/vpc/latest/reachability/how-reachability-analyzer-works.html

Not modelled: IPv6 between hosts (names of databases, proxies, caches and endpoints resolve to IPv4 first);
DNS resolution across a peering connection; peering connections that are not yet accepted; NAT instances on
the way to another VPC (whether they translate is not in the template).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.model.network.graph import HostKind, NatMode, TargetKind
from lambda_patterns.model.network.ground import MANY_PARTS, Start, Walk, called, inside, known, same, why
from lambda_patterns.model.network.groups import Far
from lambda_patterns.model.network.prefixes import Prefix
from lambda_patterns.model.network.routes import KIND as ROUTES
from lambda_patterns.model.network.routes import choose, middlebox, say
from lambda_patterns.model.network.trace import Hop, Path, Reason, Verdict, unanimous, weakest
from lambda_patterns.model.values import Unknown

if TYPE_CHECKING:
    from lambda_patterns.model.network.graph import Host, Interface, NatGateway, Route, RouteTable, Subnet
    from lambda_patterns.model.network.ground import Ground, Packet


class Connection(NamedTuple):
    """A connection from `start` in `vpc` to the interface `end` of `target`, after `passed` translations."""

    start: Start
    vpc: str | Unknown | None
    target: Host
    end: Interface
    packet: Packet
    passed: tuple[str, ...] = ()


class _Leg(NamedTuple):
    """The way of packets, or of `answers`, from a subnet of the first VPC to an address in the second."""

    vpcs: tuple[str, str]
    subnet: Subnet | None
    address: Prefix
    answers: bool = False


class Between:
    """Answers for connections inside a VPC and across peering connections."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._paths: dict[tuple[object, ...], Path] = {}
        self._peered = {frozenset(peering.ends) for peering in ground.graph.peerings.values()}

    def paths(
        self, start: Start, vpc: str | Unknown | None, target: Host, packet: Packet
    ) -> tuple[Verdict, tuple[Path, ...]]:
        """Judge the connection to each interface of `target`, and what they come to together."""
        if target.kind is HostKind.FUNCTION:
            said = f"nothing can connect to {target.name}, a function"
            block = Reason("NO_POSSIBLE_DESTINATION", target.name, target.kind, said)
            path = Path(known(start.interface.subnet), None, Verdict.BLOCKED, blocks=(block,))
            return path.verdict, (path,)
        if not target.interfaces:
            doubt = Reason(None, target.name, target.kind, "where its addresses are is not known")
            path = Path(known(start.interface.subnet), None, Verdict.UNKNOWN, doubts=(doubt,))
            return path.verdict, (path,)
        paths = tuple(self._path(Connection(start, vpc, target, end, packet)) for end in target.interfaces)
        verdicts = [path.verdict for path in paths]
        return (weakest if target.every else unanimous)(verdicts), paths

    def _path(self, asked: Connection) -> Path:
        near, end = asked.start.interface, asked.end
        key = (
            near.subnet, near.groups, near.address, asked.start.every_port, asked.vpc,
            asked.target.name, end.subnet, end.groups, asked.packet,
        )  # fmt: skip
        if key not in self._paths:
            addresses = (self._ground.address(near), self._ground.address(end))
            walk = self._refined(asked, *addresses)
            to = f"{asked.target.name} in {known(end.subnet) or 'a subnet that is not known'}"
            self._paths[key] = walk.end(near.subnet, to)
        return self._paths[key]

    def _refined(self, asked: Connection, near: Prefix, far: Prefix) -> Walk:
        """Walk, and look again, address by address, where blocks are too wide for a verdict."""
        whole = self._walk(asked, near, far)
        if whole.verdict is not Verdict.UNKNOWN:
            return whole
        nears, fars = self._ground.parts(near), self._ground.parts(far)
        if not 1 < len(nears) * len(fars) <= MANY_PARTS:
            return whole
        parts = [self._walk(asked, one, other) for one in nears for other in fars]
        verdict = unanimous(part.verdict for part in parts)
        if verdict is not Verdict.UNKNOWN:
            return next(part for part in parts if part.verdict is verdict)
        reason = next((part.blocks[0] for part in parts if part.blocks), None)
        if reason is not None:
            said = f"some addresses of its subnet are let through, others not: {reason.sentence}"
            whole.doubts.insert(0, reason._replace(code=None, sentence=said))
        return whole

    def _walk(self, asked: Connection, near_address: Prefix, end_address: Prefix) -> Walk:
        ground, packet, target = self._ground, asked.packet, asked.target
        near, end = asked.start.interface, asked.end
        here, there = ground.subnet(near), ground.subnet(end)
        apart = here is None or there is None or here.name != there.name
        far = Far(end_address, target.name, end.groups, groups_seen=self._seen(asked))
        walk = Walk()
        walk.take(ground.groups.judge(near.groups, "egress", packet.traffic, far))
        if apart:
            walk.take(ground.border(near, "egress", packet.forth, far))
        nat = self._route(walk, asked, (here, there), (near_address, end_address))
        if nat is None:
            self._arrive(walk, asked, near_address, apart=apart)
        else:
            self._translated(walk, asked, nat, end_address)
        if apart:
            walk.take(ground.answers(near, "ingress", packet, far, asked.start))
        return walk

    def _seen(self, asked: Connection) -> bool | None:
        """Tell whether rules of one end that name groups see those of the other."""
        vpcs = asked.vpc, asked.target.vpc
        return True if same(*vpcs) or frozenset(vpcs) in self._peered else None

    def _arrive(self, walk: Walk, asked: Connection, near_address: Prefix, *, apart: bool) -> None:
        """Enter the target's subnet and interface, and let its answers out."""
        ground, packet, target = self._ground, asked.packet, asked.target
        near, end = asked.start.interface, asked.end
        back = Far(near_address, called(near), near.groups, groups_seen=self._seen(asked))
        if apart:
            walk.take(ground.border(end, "ingress", packet.forth, back))
        walk.take(ground.groups.judge(end.groups, "ingress", packet.traffic, back))
        if target.ports is not None and packet.port not in target.ports:
            heard = ", ".join(str(port) for port in sorted(target.ports)) or "no port"
            said = f"{target.name} listens on {heard}, not on {packet.port}"
            walk.take(Reason("ELBV2_LISTENERS_MISMATCH", target.name, target.kind, said))
        walk.take(Hop(target.name, target.kind, f"port {packet.port}"))
        if apart:
            walk.take(ground.answers(end, "egress", packet, back, asked.start))

    def _translated(self, walk: Walk, asked: Connection, nat: NatGateway, end_address: Prefix) -> None:
        """Go on from a NAT gateway's address, which is all that the target sees."""
        behind, kind = inside(nat), TargetKind.NAT_GATEWAY
        self._ground.cross(walk, asked.start, behind, asked.packet)
        walk.take(
            Hop(nat.name, kind, f"on from its own address, in {known(nat.subnet) or 'an unknown subnet'}")
        )
        start = Start(behind, every_port=True)
        onward = asked._replace(start=start, passed=(*asked.passed, nat.name))
        walk.join(self._refined(onward, self._ground.address(behind), end_address))

    def _route(
        self,
        walk: Walk,
        asked: Connection,
        subnets: tuple[Subnet | None, Subnet | None],
        addresses: tuple[Prefix, Prefix],
    ) -> NatGateway | None:
        """Take the routes there and back; give the NAT gateway whose own routes decide instead."""
        vpc, other = asked.vpc, asked.target.vpc
        here, there = subnets
        near, far = addresses
        if same(vpc, other):
            own = self._ground.graph.vpcs.get(vpc) if isinstance(vpc, str) else None
            local = own.prefixes if own else ()
            for subnet, address in ((here, far), (there, near)):
                if subnet is None or here is there:
                    continue
                table = self._ground.table(subnet)
                if table is None:
                    said = f"the routes of {subnet.name} are not known: {why(subnet.table)}"
                    walk.take(Reason(None, subnet.name, ROUTES, said))
                else:
                    walk.take(middlebox(table, address, local))
            if here is not None and isinstance(here.table, str):
                walk.take(Hop(here.table, ROUTES, "local"))
        elif isinstance(vpc, str) and isinstance(other, str):
            nat = self._across(walk, asked, _Leg((vpc, other), here, far))
            if nat is not None:
                return nat
            self._across(walk, asked, _Leg((other, vpc), there, near, answers=True))
        else:
            unknown = next((end.why for end in (vpc, other) if isinstance(end, Unknown)), "it has no VPC")
            said = f"whether {asked.target.name} is in the same VPC is not known: {unknown}"
            walk.take(Reason(None, asked.target.name, asked.target.kind, said))
        return None

    def _across(self, walk: Walk, asked: Connection, leg: _Leg) -> NatGateway | None:
        """Take the route of a leg; give the NAT gateway that it leads to, whose own routes decide instead."""
        vpcs, address = leg.vpcs, leg.address
        table = self._ground.table(leg.subnet)
        if table is None:
            said = f"the route from {vpcs[0]} to {vpcs[1]}, another VPC, is not known"
            walk.take(Reason(None, asked.target.name, asked.target.kind, said))
            return None
        taken = choose(table, address)
        if taken is None:
            said = f"no route leads from {vpcs[0]} to {vpcs[1]}, another VPC"
            walk.take(Reason("NO_ROUTE_TO_DESTINATION", table.name, ROUTES, said))
            return None
        routes = (taken.route, *taken.rivals)
        leads = [
            _lost(table, route)
            if leg.answers and self._nat(route)
            else self._behind(table, route, vpcs, address, asked.passed)
            for route in routes
        ]
        nat = self._nat(taken.route)
        if nat is not None and leads == [None]:
            walk.take(Hop(table.name, ROUTES, say(taken.route)))
            return nat
        stopped = [
            outcome or _cannot(table, taken.route) for outcome in leads if not isinstance(outcome, Hop)
        ]
        every = len(stopped) == len(leads) and all(reason.code for reason in stopped)
        if not every or any(_may_lead(other) for other in table.routes):
            stopped = [reason._replace(code=None) for reason in stopped]
        walk.take(stopped[0] if stopped else leads[0])
        return None

    def _behind(  # noqa: PLR0911  # a route may lead to that many things
        self, table: RouteTable, route: Route, vpcs: tuple[str, str], address: Prefix, passed: tuple[str, ...]
    ) -> Hop | Reason | None:
        """Judge whether a route leads into the second VPC; None: it may, by what translates or forwards."""
        graph = self._ground.graph
        if not isinstance(route.destination, Prefix):
            return None
        if route.kind is TargetKind.PEERING and route.target in graph.peerings:
            ends = graph.peerings[route.target].ends
            if set(ends) == set(vpcs):
                return Hop(table.name, ROUTES, say(route))
            code = "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR" if all(isinstance(end, str) for end in ends) else None
            said = f"{route.target} does not lead to {vpcs[1]}, as far as known: {say(route)}"
            return Reason(code, table.name, ROUTES, said)
        said = f"no route leads from {vpcs[0]} to {vpcs[1]}, only this one: {say(route)}"
        outside = Reason("NO_ROUTE_TO_DESTINATION", table.name, ROUTES, said)
        gateways = (TargetKind.INTERNET_GATEWAY, TargetKind.EGRESS_ONLY)
        nat = self._nat(route)
        if nat is not None and isinstance(nat.vpc, str) and nat.vpc != vpcs[0]:
            said = f"{nat.name} is in {nat.vpc}, and serves only its own VPC"
            return Reason("NGW_REQUIRES_SOURCE_IN_VPC", nat.name, TargetKind.NAT_GATEWAY, said)
        regional = nat is not None and nat.mode is NatMode.REGIONAL
        if route.kind in gateways or regional or route.target in passed:
            return outside
        beyond = self._ground.table(self._forwarded_in(route, nat))
        taken = choose(beyond, address) if beyond else None
        if beyond is None or (taken and taken.rivals):
            return None
        further = (
            self._behind(beyond, taken.route, vpcs, address, (*passed, route.target)) if taken else outside
        )
        return outside if isinstance(further, Reason) and further.code else None

    def _nat(self, route: Route) -> NatGateway | None:
        return self._ground.graph.nats.get(route.target) if route.kind is TargetKind.NAT_GATEWAY else None

    def _forwarded_in(self, route: Route, nat: NatGateway | None) -> Subnet | None:
        """Give the subnet of the NAT gateway or instance that a route leads to."""
        graph = self._ground.graph
        if nat is not None:
            return graph.subnets.get(nat.subnet) if isinstance(nat.subnet, str) else None
        if route.kind is TargetKind.INTERFACE and route.target in graph.forwarders:
            return self._ground.subnet(graph.forwarders[route.target])
        return None


def _may_lead(route: Route) -> bool:
    """Tell whether a route may be one between VPCs, for addresses that are not known."""
    to_internet = route.kind in (TargetKind.INTERNET_GATEWAY, TargetKind.EGRESS_ONLY)
    return not isinstance(route.destination, Prefix) and not to_internet


def _cannot(table: RouteTable, route: Route) -> Reason:
    said = f"what lies behind this route cannot be judged: {say(route)}"
    return Reason(None, table.name, ROUTES, said)


def _lost(table: RouteTable, route: Route) -> Reason:
    said = f"answers do not pass a NAT gateway that the connection did not come through: {say(route)}"
    return Reason("NO_ROUTE_TO_DESTINATION", table.name, ROUTES, said)
