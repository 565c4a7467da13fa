"""NAT gateways and NAT instances: whether they lead out, whom they let in, and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.facts import services
from lambda_patterns.model.network import Service, Verdict
from lambda_patterns.model.network.graph import HostKind, NatMode, TargetKind
from lambda_patterns.model.network.prefixes import ANY, Prefix
from lambda_patterns.rules.network.placement import SUBNETS
from lambda_patterns.rules.network.reach import (
    INTERNET,
    LAMBDA_INTERNET,
    because,
    failures,
    placed,
    unfiltered,
)
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.network import Path, Reason
    from lambda_patterns.model.network.graph import Host, Interface, NatGateway, Route, RouteTable
    from lambda_patterns.model.template import Resource

_GATEWAY = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html"
_BASICS = "https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html"
_INSTANCE = "https://docs.aws.amazon.com/vpc/latest/userguide/VPC_NAT_Instance.html"
_QUIET = frozenset(
    {HostKind.FUNCTION, HostKind.DATABASE, HostKind.PROXY, HostKind.CACHE, HostKind.ENDPOINT}
)  # what opens no connections of its own to the internet


def _default_routes(deployment: Deployment, kind: TargetKind) -> Iterator[tuple[RouteTable, Route]]:
    for table in deployment.network.graph.tables.values():
        for route in table.routes:
            if route.kind is kind and route.destination == ANY[4]:
                yield table, route


def _without_internet(deployment: Deployment) -> Iterator[Found]:
    graph = deployment.network.graph
    for name, nat in graph.nats.items():
        resource = deployment.network.resource(name)
        if (
            resource is None
            or nat.mode not in (NatMode.PUBLIC, NatMode.REGIONAL)
            or nat.vpc not in graph.vpcs
        ):
            continue
        reason = _stopped(deployment, nat)
        if reason is not None:
            path = () if nat.mode is NatMode.REGIONAL else ("SubnetId",)
            yield Found(resource, path, f"{name} does not reach the internet: {because(reason)}")


def _stopped(deployment: Deployment, nat: NatGateway) -> Reason | None:
    """Give what stops a NAT gateway's own traffic, other than a network ACL."""
    if nat.mode is NatMode.REGIONAL:
        return deployment.network.regional(nat.name)
    return unfiltered(deployment.network.way_out(nat.name))


def _instances(deployment: Deployment) -> Iterator[tuple[Resource, Interface]]:
    """Give the instances that default routes lead to."""
    seen: set[str] = set()
    for _, route in _default_routes(deployment, TargetKind.INTERFACE):
        resource = deployment.network.resource(route.target)
        interface = deployment.network.graph.forwarders.get(route.target)
        if resource is not None and interface is not None and route.target not in seen:
            seen.add(route.target)
            yield resource, interface


def _broken(deployment: Deployment) -> Iterator[Found]:
    for resource, interface in _instances(deployment):
        if interface.check is True:
            said = f"{resource.id} is what a default route leads to, and its source/destination check is on"
            yield Found(resource, ("SourceDestCheck",), said)
        if interface.public is False:
            said = f"{resource.id} is what a default route leads to, and has no public address"
            yield Found(resource, (), said, subject="address")
        blocks = deployment.network.way_out(interface.owner).blocks
        reason = next((block for block in blocks if block.kind == "security group"), None)
        reason = reason or _refused(deployment, interface)
        if reason is not None:
            yield Found(
                resource, ("SecurityGroupIds",), f"{resource.id} is a NAT instance: {because(reason)}"
            )


def _refused(deployment: Deployment, interface: Interface) -> Reason | None:
    """Give what the instance's groups do not let in of what functions send through it."""
    groups = interface.groups.names
    if groups and all(not deployment.network.graph.groups[name].ingress for name in groups):
        if interface.groups.unknown is None:
            return deployment.network.nothing_enters(interface)
        return None
    for failed in failures(deployment):
        for block in failed.path.blocks:
            if block.kind == "security group" and block.direction == "ingress" and block.component in groups:
                return block
    return None


def _open(deployment: Deployment) -> Iterator[Found]:
    for resource, interface in _instances(deployment):
        if interface.public is False:
            continue
        for name in sorted(interface.groups.names):
            for rule in deployment.network.graph.groups[name].ingress:
                if isinstance(rule.peer, Prefix) and rule.peer.length == 0:
                    group = deployment.network.resource(name) or resource
                    said = f"{name}, the group of NAT instance {resource.id}, lets in {rule.peer}"
                    yield Found(group, (), said, subject=f"{resource.id} {rule.peer}")
                    break


class _Way(NamedTuple):
    zone: str
    nat: str


def _shared(deployment: Deployment) -> Iterator[Found]:
    graph = deployment.network.graph
    ways = {
        table.name: _Way(zone, route.target)
        for table, route in _default_routes(deployment, TargetKind.NAT_GATEWAY)
        if (nat := graph.nats.get(route.target))
        and nat.mode is NatMode.PUBLIC
        and (at := graph.subnets.get(str(nat.subnet)))
        and (zone := at.zone)
    }
    for function, host in placed(deployment):
        subnets = [graph.subnets.get(str(interface.subnet)) for interface in host.interfaces]
        zones = {subnet.zone for subnet in subnets if subnet}
        taken = {ways.get(str(subnet.table)) if subnet else None for subnet in subnets}
        known = {way.zone for way in taken if way}
        if None in taken or None in zones or len(zones) < 2 or len(known) != 1:  # noqa: PLR2004  # several zones
            continue
        names = ", ".join(sorted(way.nat for way in taken if way))
        said = f"its subnets are in {len(zones)} zones, and all of them hang on {names} in {known.pop()}"
        yield Found(function, SUBNETS, said)


def _replaceable(deployment: Deployment) -> Iterator[Found]:
    graph = deployment.network.graph
    behind = _behind(deployment)
    for name, nat in graph.nats.items():
        resource = deployment.network.resource(name)
        if resource is None or nat.mode not in (NatMode.PUBLIC, NatMode.REGIONAL):
            continue
        needed = _only_services(deployment, name, behind.get(name, {}))
        if needed:
            yield _priced(resource, nat, needed)


def _behind(deployment: Deployment) -> dict[str, dict[Host, list[str]]]:
    """NAT gateway -> the hosts whose subnets' default routes lead to it, with those subnets."""
    graph = deployment.network.graph
    gateways: dict[str, set[str]] = {}
    for table, route in _default_routes(deployment, TargetKind.NAT_GATEWAY):
        gateways.setdefault(table.name, set()).add(route.target)
    found: dict[str, dict[Host, list[str]]] = {}
    for host in graph.hosts.values():
        for interface in host.interfaces:
            subnet = graph.subnets.get(str(interface.subnet))
            for name in gateways.get(str(subnet.table), ()) if subnet else ():
                found.setdefault(name, {}).setdefault(host, []).append(str(interface.subnet))
    return found


def _only_services(deployment: Deployment, nat: str, behind: dict[Host, list[str]]) -> dict[str, int]:
    """Give the services that functions need, and how many subnets take `nat` there; {} if there is more.

    A function of which nothing is known to be needed may be there for the internet.
    """
    needed: dict[str, set[str]] = {}
    for host, inside in behind.items():
        resource = deployment.network.resource(host.name)
        if host.kind not in _QUIET or resource is None:
            return {}
        if host.kind is not HostKind.FUNCTION:
            continue
        role = deployment.permissions.role_of(resource)
        needs = deployment.needs.of(resource)
        if not needs or role is None or not deployment.permissions.policies(role).complete:
            return {}
        for need in needs:
            service = services.by_name(need.name)
            if need.name == INTERNET or service is None or not service.has_endpoint:
                return {}
            paths = deployment.network.trace(resource, Service(need.name)).paths
            carried = {path.subnet for path in paths if not _by_endpoint(path, nat)}
            needed.setdefault(need.name, set()).update(one for one in inside if one in carried)
    return {service: len(subnets) for service, subnets in sorted(needed.items())}


def _by_endpoint(path: Path, nat: str) -> bool:
    """Tell whether a path is known to lead elsewhere than through the NAT gateway."""
    return path.verdict is Verdict.REACHED and all(hop.component != nat for hop in path.hops)


def _priced(resource: Resource, nat: NatGateway, needed: dict[str, int]) -> Found:
    carried = [name for name, count in needed.items() if count]
    costs = _costs(resource, nat, needed)
    if not carried:
        said = (
            f"{resource.id} carries nothing that is known to be needed, endpoints lead to {', '.join(needed)}"
        )
        return Found(resource, (), f"{said}{costs}", "remove it, or declare what needs it: `needs=[...]`")
    listed = ", ".join(f'"{name}"' for name in carried)
    fix = f"use `LambdaNetwork(internet=Endpoints({listed}))`, or an AWS::EC2::VPCEndpoint each"
    return Found(resource, (), f"{resource.id} carries only traffic to {', '.join(carried)}{costs}", fix)


def _costs(resource: Resource, nat: NatGateway, needed: dict[str, int]) -> str:
    """Compare the monthly prices, of us-east-1 where the Region is not known; "" where a price is not."""
    from lambda_patterns.facts.prices import HOURS, PriceSheet, regions  # noqa: PLC0415  # 4 ms, and few are priced

    known = resource.environment[0]
    region = known if isinstance(known, str) else "us-east-1"
    if region not in regions():
        return ""
    sheet = PriceSheet(region)
    item = "regional-nat-gateway-hour" if nat.mode is NatMode.REGIONAL else "nat-gateway-hour"
    per_hour, endpoint = sheet.price(item), sheet.price("interface-endpoint-hour")
    if per_hour is None or endpoint is None:
        return ""
    own = f": it costs {per_hour.each * HOURS:.2f} USD a month and its data"
    if not any(needed.values()):
        return f"{own} ({region})"
    zones = sum(count for name, count in needed.items() if not services.is_gateway(name))
    return f"{own}, endpoints in the same zones {zones * endpoint.each * HOURS:.2f} USD ({region})"


RULES = (
    Rule(
        name="nat-gateway-without-internet",
        topic="network",
        severity=Severity.ERROR,
        forbids="a public NAT gateway whose subnet has no default route to an attached internet gateway",
        why="a NAT gateway sends what it translated by its own subnet's route table",
        fix=(
            "put it in a subnet whose route table has 0.0.0.0/0 to an internet gateway attached to the VPC; "
            "`LambdaNetwork(internet=NatGateways())` does"
        ),
        exceptions=(
            "a private NAT gateway, which is no way to the internet",
            "a regional NAT gateway, which needs no subnet",
            "a subnet or route that is not in the template",
        ),
        source=_GATEWAY,
        check=_without_internet,
    ),
    Rule(
        name="nat-instance-broken",
        topic="network",
        severity=Severity.ERROR,
        forbids=(
            "a NAT instance with source/destination check on, no public address, or a group that stops"
            " traffic"
        ),
        why="an instance drops what is not for itself, and the internet gateway what has no public address",
        fix=(
            "set SourceDestCheck: false, associate an Elastic IP, and let the private subnets' blocks in; "
            "`LambdaNetwork(internet=NatInstances(...))` does"
        ),
        exceptions=(
            "an address or group that a launch template or deployment gives",
            "a network interface that an instance takes at start",
            "an instance that only single blocks are routed to",
        ),
        source=_INSTANCE,
        check=_broken,
    ),
    Rule(
        name="nat-instance-open",
        topic="network",
        severity=Severity.WARNING,
        forbids="a NAT instance that lets the world in",
        why="a NAT instance has a public address, and need let in only what it forwards for the VPC",
        fix="let in the VPC's block or the functions' groups instead of 0.0.0.0/0; `NatInstances(...)` does",
        exceptions=("the VPC's own block", "groups of the functions"),
        source=_INSTANCE,
        check=_open,
    ),
    Rule(
        name="nat-shared-across-zones",
        topic="network",
        severity=Severity.NOTE,
        forbids="subnets of one function in several zones that all hang on one zone's NAT gateway",
        why="when that zone is lost, the function has no internet in the others either",
        fix=(
            'use `NatGateways(sharing="zone")` or a regional NAT gateway, or one AWS::EC2::NatGateway in each'
            " zone"
        ),
        exceptions=(
            "a regional NAT gateway",
            "one NAT gateway in each zone",
            "zones known at deployment only",
        ),
        source=_BASICS,
        check=_shared,
    ),
    Rule(
        name="nat-replaceable",
        topic="network",
        severity=Severity.NOTE,
        forbids="a NAT gateway that only carries traffic to AWS services",
        why="endpoints carry that traffic too, without a way to the internet, and often for less",
        fix="use endpoints: `LambdaNetwork(internet=Endpoints(...))`",
        exceptions=(
            "a function that needs the internet",
            "a function whose role is not all there, or says nothing of what it needs",
            "anything else in the subnets that may use the NAT gateway",
            "a service without an endpoint",
        ),
        source=LAMBDA_INTERNET,
        check=_replaceable,
    ),
)
