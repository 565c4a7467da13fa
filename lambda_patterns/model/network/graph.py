"""A deployment's network as a neutral graph: small frozen values that name each other.

Names are the resources' names in their template. Whatever is not known before deployment is an `Unknown`
with its reason, or None for a yes or no.

Not modelled: what a machine's operating system does with a packet; Network Firewall, Gateway Load Balancers,
transit gateways, VPN, core networks, local and carrier gateways (routes to them are kept, named and never
judged); BGP propagation; VPC Lattice; sharing of subnets between accounts; Regions other than one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lambda_patterns.model.network.prefixes import Prefix
    from lambda_patterns.model.values import Unknown


EVERY_SERVICE = "*"
"""In `Graph.names`: any service's name may be resolved elsewhere."""


class Vpc(NamedTuple):
    """A VPC: its blocks as far as known, and whether its DNS serves private names of endpoints.

    `private_dns` is true where DNS support and DNS host names are both on, which private DNS names need.
    """

    name: str
    prefixes: tuple[Prefix, ...] = ()
    private_dns: bool | None = None


class Subnet(NamedTuple):
    """A subnet with its route table and network ACL. A version of `versions` without a prefix is unknown."""

    name: str
    vpc: str | Unknown
    table: str | Unknown
    acl: str | Unknown
    zone: str | None = None
    prefixes: tuple[Prefix, ...] = ()
    versions: frozenset[int] = frozenset({4})


class TargetKind(StrEnum):
    """What a route leads to, in AWS's words. APPLIANCE and OTHER are never judged."""

    INTERNET_GATEWAY = "internet gateway"
    EGRESS_ONLY = "egress-only internet gateway"
    NAT_GATEWAY = "NAT gateway"
    INTERFACE = "network interface"
    PEERING = "VPC peering connection"
    APPLIANCE = "Gateway Load Balancer endpoint"
    OTHER = "gateway"


class Route(NamedTuple):
    """A route: where it leads, and for which addresses. `target` names the component, even an unknown one."""

    destination: Prefix | Unknown
    kind: TargetKind
    target: str
    name: str = ""


class RouteTable(NamedTuple):
    """The routes of a table besides its local ones, and the gateway endpoints that are, or may be, in it."""

    name: str
    routes: tuple[Route, ...] = ()
    endpoints: frozenset[str] = frozenset()
    maybe: frozenset[str] = frozenset()


class GroupPeer(NamedTuple):
    """The other end is whoever carries this security group."""

    group: str


class GroupRule(NamedTuple):
    """One rule of a security group. `protocol` "-1" is every one; None in a field is not known.

    Ports are those of the destination, both included; every port is 0-65535.
    """

    protocol: str | None
    low: int | None
    high: int | None
    peer: Prefix | GroupPeer | Unknown
    origin: str = ""


class SecurityGroup(NamedTuple):
    """A security group's rules, wherever in the deployment they are written."""

    name: str
    vpc: str | Unknown
    ingress: tuple[GroupRule, ...] = ()
    egress: tuple[GroupRule, ...] = ()


class AclEntry(NamedTuple):
    """One entry of a network ACL; entries apply in the order of their numbers. None is not known."""

    number: int | None
    protocol: str | None
    low: int | None
    high: int | None
    prefix: Prefix | None
    allow: bool | None
    origin: str = ""


class Acl(NamedTuple):
    """A network ACL; what no entry matches is denied."""

    name: str
    ingress: tuple[AclEntry, ...] = ()
    egress: tuple[AclEntry, ...] = ()


class NatMode(StrEnum):
    """A public NAT gateway is in a subnet with a public address; a regional one needs no subnet."""

    PUBLIC = "public"
    PRIVATE = "private"
    REGIONAL = "regional"


class NatGateway(NamedTuple):
    """A NAT gateway. `subnet` is None for a regional one."""

    name: str
    mode: NatMode | Unknown
    vpc: str | Unknown
    subnet: str | Unknown | None


class Attached(NamedTuple):
    """The security groups of an interface. `unknown`: why there may be more; `open`: none apply at all."""

    names: frozenset[str] = frozenset()
    unknown: str | None = None
    open: bool = False


class Interface(NamedTuple):
    """A network interface. `public`: has a public IPv4 address; `versions`: of IP that it may use.

    `check`: drops what is neither from nor to its own address (source/destination check).
    """

    owner: str
    subnet: str | Unknown
    groups: Attached
    address: Prefix | None = None
    public: bool | None = False
    versions: frozenset[int] = frozenset({4})
    check: bool | None = True


class HostKind(StrEnum):
    """What a host is, in AWS's words."""

    FUNCTION = "function"
    PROXY = "proxy"
    DATABASE = "database"
    CACHE = "cache"
    LOAD_BALANCER = "load balancer"
    ENDPOINT = "interface endpoint"
    INSTANCE = "instance"
    OTHER = "resource"


class Stated(NamedTuple):
    """What is stated of a host's network where it is outside of the deployment.

    `internet`: its subnets lead to the internet by NAT. `endpoints`: services that have an endpoint there.
    """

    internet: bool | None = None
    endpoints: frozenset[str] = frozenset()


class Host(NamedTuple):
    """Something with network interfaces, or (a function outside a VPC) with none.

    Args:
        name: its name.
        kind: what it is.
        vpc: its VPC; None outside one.
        interfaces: one for each subnet.
        every: traffic uses all interfaces (functions, endpoints); otherwise one, not known which.
        ports: what it listens on; None where not known.
        stated: what is stated of its network, used where its subnets are not in the deployment.
    """

    name: str
    kind: HostKind
    vpc: str | Unknown | None
    interfaces: tuple[Interface, ...]
    every: bool = True
    ports: frozenset[int] | None = None
    stated: Stated | None = None


class Endpoint(NamedTuple):
    """A VPC endpoint. `host` names the interfaces of an interface endpoint; a gateway endpoint has none.

    `private_dns`: the service's own name resolves to it inside the VPC.
    """

    name: str
    service: str | None
    vpc: str | Unknown
    host: str | None
    private_dns: bool | None = False


class Peering(NamedTuple):
    """A VPC peering connection and the VPCs at its two ends."""

    name: str
    ends: tuple[str | Unknown, str | Unknown]


@dataclass(frozen=True, slots=True)
class Graph:
    """Everything, by name. `gateways`: internet and egress-only gateways with the VPC they are attached to.

    A gateway attached to nothing is there with None; one that is not in the deployment is not there.
    `names`: VPC -> services whose name the VPC's own private hosted zones may resolve elsewhere.
    """

    vpcs: dict[str, Vpc] = field(default_factory=dict)
    subnets: dict[str, Subnet] = field(default_factory=dict)
    tables: dict[str, RouteTable] = field(default_factory=dict)
    acls: dict[str, Acl] = field(default_factory=dict)
    groups: dict[str, SecurityGroup] = field(default_factory=dict)
    gateways: dict[str, str | Unknown | None] = field(default_factory=dict)
    nats: dict[str, NatGateway] = field(default_factory=dict)
    forwarders: dict[str, Interface] = field(default_factory=dict)
    peerings: dict[str, Peering] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    hosts: dict[str, Host] = field(default_factory=dict)
    names: dict[str | Unknown, frozenset[str]] = field(default_factory=dict)
