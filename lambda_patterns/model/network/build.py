"""From a deployment to the graph: VPCs, subnets, routes, gateways, endpoints and peerings.

What a property names by parameter or by physical id stays unknown; what may exist (its condition could not be
decided) is never relied on.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_EC2.html

Not modelled: the main route table of a VPC in the template beyond its local routes (no property reaches it);
IPAM pools; prefix lists of AWS (their addresses are not in the template); edge associations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.facts import services
from lambda_patterns.model.network.build_hosts import Hosts
from lambda_patterns.model.network.build_rules import Rules
from lambda_patterns.model.network.graph import (
    EVERY_SERVICE,
    Endpoint,
    Graph,
    Host,
    HostKind,
    Interface,
    NatGateway,
    NatMode,
    Peering,
    Route,
    RouteTable,
    Subnet,
    TargetKind,
    Vpc,
)
from lambda_patterns.model.network.identity import block, zone
from lambda_patterns.model.network.prefixes import Prefix
from lambda_patterns.model.values import Reference, Text, Unknown, plain

if TYPE_CHECKING:
    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.network.graph import Acl
    from lambda_patterns.model.network.identity import Identity
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

# property of a route -> what it leads to, and the words for what is never judged
_TARGETS = {
    "NatGatewayId": TargetKind.NAT_GATEWAY,
    "EgressOnlyInternetGatewayId": TargetKind.EGRESS_ONLY,
    "InstanceId": TargetKind.INTERFACE,
    "NetworkInterfaceId": TargetKind.INTERFACE,
    "VpcPeeringConnectionId": TargetKind.PEERING,
    "VpcEndpointId": TargetKind.APPLIANCE,
}
_NEVER_JUDGED = {
    "TransitGatewayId": "transit gateway",
    "CarrierGatewayId": "carrier gateway",
    "LocalGatewayId": "local gateway",
    "CoreNetworkArn": "core network",
}


def build(deployment: Deployment, identity: Identity) -> Graph:
    """Build the graph of a deployment's network."""
    return _Build(deployment, identity).graph()


def short_name(value: Value) -> str | None:
    """Read a service's short name from an endpoint's service name, whatever the Region in it.

    "secretsmanager" for com.amazonaws.eu-west-1.secretsmanager; the whole name where it is a service of
    somebody's own; None where it is not known.
    """
    if isinstance(value, Text) and isinstance(value.parts[-1], str):
        tail = value.parts[-1]
        return tail[1:] if tail.startswith(".") and isinstance(value.parts[0], str) else None
    if not isinstance(value, str):
        return None
    parts = value.removeprefix("cn.").split(".", 3)
    return parts[3] if parts[:2] == ["com", "amazonaws"] and len(parts) == 4 else value  # noqa: PLR2004  # com.amazonaws.<region>.<service>


class _Build:
    """One pass over the deployment's resources, type by type."""

    def __init__(self, deployment: Deployment, identity: Identity) -> None:
        self._deployment = deployment
        self._identity = identity
        self._rules = Rules(deployment, identity)

    def graph(self) -> Graph:
        groups, acls = self._rules.groups(), self._rules.acls()
        vpcs = {vpc.name: vpc for vpc in map(self._vpc, self._deployment.of_type("AWS::EC2::VPC"))}
        tables = self._tables(vpcs)
        subnets = self._subnets(vpcs, acls)
        graph = Graph(
            vpcs=vpcs,
            subnets=subnets,
            tables=tables,
            acls=acls,
            groups=groups,
            gateways=self._gateways(),
            nats=self._nats(subnets),
            peerings=self._peerings(),
            names=self._names(),
        )
        hosts = Hosts(self._deployment, self._identity, graph)
        graph.hosts.update(hosts.all())
        self._forwarders(graph, hosts)
        self._endpoints(graph, hosts)
        return graph

    def _named(self, kind: str) -> list[tuple[str, Resource]]:
        return [(self._identity.name(resource), resource) for resource in self._deployment.of_type(kind)]

    def _sure(self, resource: Resource, *path: str) -> str | Unknown:
        """Name what a property refers to, or, of a resource that only may exist, that it is not known."""
        if not resource.certain:
            return Unknown(f"whether {self._identity.name(resource)} exists")
        return self._identity.of(resource.get(*path))

    def _vpc(self, resource: Resource) -> Vpc:
        found = [block(resource.get("CidrBlock"))]
        for more in self._deployment.referrers(resource, "AWS::EC2::VPCCidrBlock", "VpcId"):
            found += [
                block(more.get(name)) for name in ("CidrBlock", "Ipv6CidrBlock") if more.get(name) is not None
            ]
        support = resource.boolean("EnableDnsSupport", default=True)
        names = resource.boolean("EnableDnsHostnames", default=False)
        answers = {support, names} if not isinstance(support, Unknown) else {None, names}
        private = (
            False if False in answers else None if not all(answer is True for answer in answers) else True
        )
        prefixes = tuple(one for one in found if isinstance(one, Prefix))
        return Vpc(self._identity.name(resource), prefixes, private)

    def _subnets(self, vpcs: dict[str, Vpc], acls: dict[str, Acl]) -> dict[str, Subnet]:
        tables = self._associated("AWS::EC2::SubnetRouteTableAssociation", "RouteTableId")
        filters = self._associated("AWS::EC2::SubnetNetworkAclAssociation", "NetworkAclId")
        found: dict[str, Subnet] = {}
        for name, resource in self._named("AWS::EC2::Subnet"):
            vpc = self._identity.of(resource.get("VpcId"))
            usual = vpc if isinstance(vpc, str) and vpc in vpcs else None
            outside = Unknown(f"the VPC of {name} is not in the template")
            acl = filters.get(name, f"{usual}.DefaultNetworkAcl" if usual else outside)
            six = resource.get("Ipv6CidrBlock") is not None or resource.get("Ipv6Native") is not None
            more = self._deployment.referrers(resource, "AWS::EC2::SubnetCidrBlock", "SubnetId")
            blocks = (block(resource.get("CidrBlock")), block(resource.get("Ipv6CidrBlock")))
            found[name] = Subnet(
                name,
                vpc,
                tables.get(name, f"{usual} (main)" if usual else outside),
                acl if isinstance(acl, Unknown) or acl in acls else Unknown(f"{acl} is not in the template"),
                zone(resource.get("AvailabilityZone", default=resource.get("AvailabilityZoneId"))),
                tuple(one for one in blocks if isinstance(one, Prefix)),
                frozenset({4, 6}) if six or more else frozenset({4}),
            )
        return found

    def _associated(self, kind: str, path: str) -> dict[str, str | Unknown]:
        found: dict[str, str | Unknown] = {}
        for resource in self._deployment.of_type(kind):
            subnet = self._identity.of(resource.get("SubnetId"))
            if isinstance(subnet, str):
                named = self._sure(resource, path)
                found[subnet] = named if subnet not in found else Unknown(f"{subnet} is associated twice")
        return found

    def _tables(self, vpcs: dict[str, Vpc]) -> dict[str, RouteTable]:
        routes: dict[str, list[Route]] = {}
        for name, resource in self._named("AWS::EC2::Route"):
            table = self._identity.of(resource.get("RouteTableId"))
            if isinstance(table, str):
                routes.setdefault(table, []).extend(self._routes(name, resource))
        for name, resource in self._named("AWS::EC2::VPNGatewayRoutePropagation"):
            learned = Unknown("what the virtual private gateway propagates")
            for table in self._identity.listed(resource.list("RouteTableIds")):
                if isinstance(table, str):
                    route = Route(learned, TargetKind.OTHER, "virtual private gateway", name)
                    routes.setdefault(table, []).append(route)
        endpoints = self._routed_endpoints()
        anywhere = frozenset(endpoints.get(None, ()))
        found = {f"{vpc} (main)": RouteTable(f"{vpc} (main)", maybe=anywhere) for vpc in vpcs}
        for name, _ in self._named("AWS::EC2::RouteTable"):
            inside = frozenset(endpoints.get(name, ()))
            found[name] = RouteTable(name, tuple(routes.get(name, ())), inside, anywhere - inside)
        return found

    def _routed_endpoints(self) -> dict[str | None, set[str]]:
        """Name the gateway endpoints in each route table; under None those that may be in any."""
        found: dict[str | None, set[str]] = {}
        for name, resource in self._named("AWS::EC2::VPCEndpoint"):
            if _kind(resource) == "Gateway":
                for table in self._identity.listed(resource.list("RouteTableIds")):
                    sure = resource.certain and isinstance(table, str)
                    found.setdefault(str(table) if sure else None, set()).add(name)
        return found

    def _routes(self, name: str, resource: Resource) -> list[Route]:
        target = self._target(resource)
        if target is None:
            return []
        kind, to = target
        destinations: list[Prefix | Unknown] = [
            block(resource.get(path))
            for path in ("DestinationCidrBlock", "DestinationIpv6CidrBlock")
            if resource.get(path) is not None
        ]
        if (listed := resource.get("DestinationPrefixListId")) is not None:
            destinations += self._rules.prefix_list(listed)
        if not resource.certain:
            destinations = [Unknown(f"whether {name} exists")]
        return [Route(one, kind, to, name) for one in destinations]

    def _target(self, resource: Resource) -> tuple[TargetKind, str] | None:
        gateway = resource.get("GatewayId")
        if gateway is not None:
            return self._gateway(gateway)
        for path, kind in _TARGETS.items():
            if (value := resource.get(path)) is not None:
                named = self._identity.of(value)
                return kind, named if isinstance(named, str) else named.why
        for path, words in _NEVER_JUDGED.items():
            if (value := resource.get(path)) is not None:
                named = self._identity.of(value)
                return TargetKind.OTHER, f"{words} {named if isinstance(named, str) else named.why}"
        return TargetKind.OTHER, "a target that is not known"

    def _gateway(self, value: Value) -> tuple[TargetKind, str] | None:
        named = self._identity.of(value)
        if isinstance(named, Unknown):
            return TargetKind.OTHER, named.why
        if named == "local":
            return None
        if isinstance(value, Reference) and value.resource.type == "AWS::EC2::VPCGatewayAttachment":
            return self._gateway(value.resource.get("InternetGatewayId"))
        of = value.resource.type if isinstance(value, Reference) else ""
        if of == "AWS::EC2::InternetGateway" or named.startswith("igw-"):
            return TargetKind.INTERNET_GATEWAY, named
        return TargetKind.OTHER, f"virtual private gateway {named}"

    def _gateways(self) -> dict[str, str | Unknown | None]:
        found: dict[str, str | Unknown | None] = {
            name: None for name, _ in self._named("AWS::EC2::InternetGateway")
        }
        for name, resource in self._named("AWS::EC2::VPCGatewayAttachment"):
            if resource.get("InternetGatewayId") is not None:
                gateway = self._identity.of(resource.get("InternetGatewayId"))
                found[gateway if isinstance(gateway, str) else f"{name}: {gateway.why}"] = self._sure(
                    resource, "VpcId"
                )
        for name, resource in self._named("AWS::EC2::EgressOnlyInternetGateway"):
            found[name] = self._sure(resource, "VpcId")
        return found

    def _nats(self, subnets: dict[str, Subnet]) -> dict[str, NatGateway]:
        found: dict[str, NatGateway] = {}
        for name, resource in self._named("AWS::EC2::NatGateway"):
            if not resource.certain:
                continue
            mode = _nat_mode(resource)
            subnet = None if mode is NatMode.REGIONAL else self._identity.of(resource.get("SubnetId"))
            vpc = self._identity.of(resource.get("VpcId"))
            if isinstance(subnet, str) and subnet in subnets:
                vpc = subnets[subnet].vpc
            found[name] = NatGateway(name, mode, vpc, subnet)
        return found

    def _peerings(self) -> dict[str, Peering]:
        return {
            name: Peering(name, (self._sure(resource, "VpcId"), self._peer(resource)))
            for name, resource in self._named("AWS::EC2::VPCPeeringConnection")
        }

    def _peer(self, resource: Resource) -> str | Unknown:
        vpc = resource.get("PeerVpcId")
        if isinstance(vpc, Reference):
            return self._sure(resource, "PeerVpcId")
        named = self._identity.of(vpc)
        return Unknown(f"{named} is not in the template") if isinstance(named, str) else named

    def _names(self) -> dict[str | Unknown, frozenset[str]]:
        """Find the services whose names private hosted zones and profiles of a VPC may resolve elsewhere."""
        found: dict[str | Unknown, set[str]] = {}
        for _, resource in self._named("AWS::Route53::HostedZone"):
            written = resource.get("Name")
            text = plain(written)
            if isinstance(written, Text):  # a Region that is not known is any
                text = "".join(part if isinstance(part, str) else "eu-west-1" for part in written.parts)
            service = services.of_host((text or "").rstrip("."))
            vpcs = resource.list("VPCs")
            for entry in [vpcs] if isinstance(vpcs, Unknown) else vpcs:
                vpc = self._identity.of(entry.get("VPCId") if isinstance(entry, dict) else entry)
                if service is not None:
                    found.setdefault(vpc, set()).add(service.name)
        for _, resource in self._named("AWS::Route53Profiles::ProfileAssociation"):
            found.setdefault(self._identity.of(resource.get("ResourceId")), set()).add(EVERY_SERVICE)
        return {vpc: frozenset(names) for vpc, names in found.items()}

    def _forwarders(self, graph: Graph, hosts: Hosts) -> None:
        targets = {
            route.target
            for table in graph.tables.values()
            for route in table.routes
            if route.kind is TargetKind.INTERFACE
        }
        for name in sorted(targets):
            resource = self._identity.resources.get(name)
            if resource is None or not resource.certain:
                continue
            if name in graph.hosts:
                graph.forwarders[name] = graph.hosts[name].interfaces[0]
            elif resource.type == "AWS::EC2::NetworkInterface":
                listed = resource.list("GroupSet")
                vpc = graph.subnets.get(str(self._identity.of(resource.get("SubnetId"))))
                attached = hosts.attached(listed, vpc.vpc if vpc else None)
                graph.forwarders[name] = hosts.machine(resource, attached)

    def _endpoints(self, graph: Graph, hosts: Hosts) -> None:
        for name, resource in self._named("AWS::EC2::VPCEndpoint"):
            vpc = self._identity.of(resource.get("VpcId"))
            service = short_name(resource.get("ServiceName"))
            kind = _kind(resource)
            if kind == "Gateway":
                graph.endpoints[name] = Endpoint(name, service, vpc, None)
            if kind not in ("Interface", None):
                continue
            subnets = self._identity.listed(resource.list("SubnetIds"))
            attached = hosts.attached(resource.list("SecurityGroupIds"), vpc)
            interfaces = tuple(
                Interface(name, subnet, attached)
                for subnet in subnets or [Unknown(f"the subnets of {name} are not known")]
            )
            graph.hosts[name] = Host(name, HostKind.ENDPOINT, vpc, interfaces, ports=frozenset({443}))
            own = private_dns(resource)
            of_vpc = graph.vpcs[vpc].private_dns if isinstance(vpc, str) and vpc in graph.vpcs else True
            sure = resource.certain and kind is not None
            both = (False if sure else None) if False in (own, of_vpc) else True if own and of_vpc else None
            graph.endpoints[name] = Endpoint(name, service, vpc, name, both if sure or not both else None)


def _kind(resource: Resource) -> str | None:
    return plain(resource.get("VpcEndpointType", default="Gateway"))


def private_dns(endpoint: Resource) -> bool | None:
    """Tell whether an interface endpoint takes over the service's own name for the VPC's functions.

    Where it is not given it is not known: AWS documents no default.
    """
    enabled = endpoint.boolean("PrivateDnsEnabled")
    only = plain(endpoint.get("DnsOptions", "PrivateDnsOnlyForInboundResolverEndpoint"))
    if enabled is True and only == "OnlyInboundResolver":
        return False
    return enabled if isinstance(enabled, bool) else None


def _nat_mode(resource: Resource) -> NatMode | Unknown:
    mode = resource.get("AvailabilityMode", default="zonal")
    kind = resource.get("ConnectivityType", default="public")
    for value in (mode, kind):
        if not isinstance(value, str):
            return value if isinstance(value, Unknown) else Unknown("its kind is decided at deployment")
    if mode == "regional":
        return NatMode.REGIONAL
    return NatMode.PRIVATE if kind == "private" else NatMode.PUBLIC
