"""From one interface to another: security groups, network ACLs and routes, there and back.

Source: https://docs.aws.amazon.com/vpc/latest/reachability/how-reachability-analyzer-works.html

Not modelled: IPv6 between hosts (names of databases, proxies, caches and endpoints resolve to IPv4 first);
DNS resolution across a peering connection; peering connections that are not yet accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.model.network.graph import HostKind, NatMode, TargetKind
from lambda_patterns.model.network.ground import MANY_PARTS, Walk, called, known, same, why
from lambda_patterns.model.network.groups import Far
from lambda_patterns.model.network.prefixes import Prefix
from lambda_patterns.model.network.routes import KIND as ROUTES
from lambda_patterns.model.network.routes import choose, middlebox, say
from lambda_patterns.model.network.trace import Hop, Path, Reason, Verdict, unanimous, weakest
from lambda_patterns.model.values import Unknown

if TYPE_CHECKING:
    from lambda_patterns.model.network.graph import Host, Interface, Route, RouteTable, Subnet
    from lambda_patterns.model.network.ground import Ground, Packet, Start


class Connection(NamedTuple):
    """A connection from `start` in `vpc` to one interface, `end`, of `target`."""

    start: Start
    vpc: str | Unknown | None
    target: Host
    end: Interface
    packet: Packet


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
            path = self._walk(asked, *addresses)
            self._paths[key] = (
                self._refine(path, asked, *addresses) if path.verdict is Verdict.UNKNOWN else path
            )
        return self._paths[key]

    def _refine(self, path: Path, asked: Connection, near: Prefix, far: Prefix) -> Path:
        """Look again, address by address, where blocks were too wide for a verdict."""
        nears, fars = self._ground.parts(near), self._ground.parts(far)
        if not 1 < len(nears) * len(fars) <= MANY_PARTS:
            return path
        parts = [self._walk(asked, one, other) for one in nears for other in fars]
        verdict = unanimous(part.verdict for part in parts)
        if verdict is not Verdict.UNKNOWN:
            return next(part for part in parts if part.verdict is verdict)
        reason = next((part.reason for part in parts if part.verdict is Verdict.BLOCKED), None)
        if reason is None:
            return path
        said = f"some addresses of its subnet are let through, others not: {reason.sentence}"
        return path._replace(doubts=(reason._replace(code=None, sentence=said), *path.doubts))

    def _walk(self, asked: Connection, near_address: Prefix, end_address: Prefix) -> Path:
        ground, packet, target = self._ground, asked.packet, asked.target
        near, end = asked.start.interface, asked.end
        seen = (
            True
            if same(asked.vpc, target.vpc) or frozenset((asked.vpc, target.vpc)) in self._peered
            else None
        )
        far = Far(end_address, target.name, end.groups, groups_seen=seen)
        back = Far(near_address, called(near), near.groups, groups_seen=seen)
        here, there = ground.subnet(near), ground.subnet(end)
        apart = here is None or there is None or here.name != there.name
        walk = Walk()
        walk.take(ground.groups.judge(near.groups, "egress", packet.traffic, far))
        if apart:
            walk.take(ground.border(near, "egress", packet.forth, far))
        self._route(walk, asked, (here, there), (near_address, end_address))
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
            walk.take(ground.answers(near, "ingress", packet, far, asked.start))
        return walk.end(near.subnet, f"{target.name} in {known(end.subnet) or 'a subnet that is not known'}")

    def _route(
        self,
        walk: Walk,
        asked: Connection,
        subnets: tuple[Subnet | None, Subnet | None],
        addresses: tuple[Prefix, Prefix],
    ) -> None:
        vpc, other = asked.vpc, asked.target.vpc
        here, there = subnets
        near, far = addresses
        if same(vpc, other):
            local = self._ground.graph.vpcs[vpc].prefixes if isinstance(vpc, str) else ()
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
            self._across(walk, (vpc, other), here, far, asked.target)
            self._across(walk, (other, vpc), there, near, asked.target)
        else:
            unknown = next((end.why for end in (vpc, other) if isinstance(end, Unknown)), "it has no VPC")
            said = f"whether {asked.target.name} is in the same VPC is not known: {unknown}"
            walk.take(Reason(None, asked.target.name, asked.target.kind, said))

    def _across(
        self, walk: Walk, vpcs: tuple[str, str], subnet: Subnet | None, address: Prefix, target: Host
    ) -> None:
        """Take the route from a subnet of the first VPC to an address in the second."""
        table = self._ground.table(subnet)
        if table is None:
            said = f"the route from {vpcs[0]} to {vpcs[1]}, another VPC, is not known"
            walk.take(Reason(None, target.name, target.kind, said))
            return
        taken = choose(table, address)
        if taken is None:
            said = f"no route leads from {vpcs[0]} to {vpcs[1]}, another VPC"
            walk.take(Reason("NO_ROUTE_TO_DESTINATION", table.name, ROUTES, said))
            return
        outcomes = [self._behind(table, route, vpcs, address) for route in (taken.route, *taken.rivals)]
        stopped = [outcome for outcome in outcomes if isinstance(outcome, Reason)]
        if taken.rivals and not all(reason.code for reason in stopped):
            stopped = [reason._replace(code=None) for reason in stopped]
        walk.take(stopped[0] if stopped else outcomes[0])

    def _behind(
        self,
        table: RouteTable,
        route: Route,
        vpcs: tuple[str, str],
        address: Prefix,
        passed: tuple[str, ...] = (),
    ) -> Hop | Reason:
        """Judge whether a route leads into the second VPC."""
        graph = self._ground.graph
        cannot = Reason(
            None, table.name, ROUTES, f"what lies behind this route cannot be judged: {say(route)}"
        )
        if not isinstance(route.destination, Prefix):
            return cannot
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
        if route.kind in gateways or self._regional(route) or route.target in passed:
            return outside
        beyond = self._ground.table(self._translated_in(route))
        taken = choose(beyond, address) if beyond else None
        if beyond is None or (taken and taken.rivals):
            return cannot
        further = (
            self._behind(beyond, taken.route, vpcs, address, (*passed, route.target)) if taken else outside
        )
        return outside if isinstance(further, Reason) and further.code else cannot

    def _regional(self, route: Route) -> bool:
        nat = self._ground.graph.nats.get(route.target) if route.kind is TargetKind.NAT_GATEWAY else None
        return nat is not None and nat.mode is NatMode.REGIONAL

    def _translated_in(self, route: Route) -> Subnet | None:
        """Give the subnet of the NAT gateway or instance that a route leads to."""
        graph = self._ground.graph
        if route.kind is TargetKind.NAT_GATEWAY and route.target in graph.nats:
            subnet = graph.nats[route.target].subnet
            return graph.subnets.get(subnet) if isinstance(subnet, str) else None
        if route.kind is TargetKind.INTERFACE and route.target in graph.forwarders:
            return self._ground.subnet(graph.forwarders[route.target])
        return None
