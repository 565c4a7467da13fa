"""What has network interfaces: functions, proxies, databases, caches, load balancers, instances and the like.

Not modelled: Lambda Managed Instances (their network is their capacity provider's); launch templates; tasks
and pods; interfaces that services make on demand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.facts.engines import PROXY_PORTS
from lambda_patterns.model.coercions import as_list
from lambda_patterns.model.network.build_rules import key, listening, port
from lambda_patterns.model.network.graph import Attached, Graph, Host, HostKind, Interface, Stated, TargetKind
from lambda_patterns.model.network.identity import block
from lambda_patterns.model.values import Unknown, plain

if TYPE_CHECKING:
    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.network.identity import Identity
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

Path = tuple[str | int, ...]


class Shape(NamedTuple):
    """How a resource type writes its place in a VPC.

    Args:
        kind: what it is.
        subnets: the property that lists its subnets, or names its subnet group.
        groups: the property that lists its security groups.
        port: the port it listens on where none is given; None where its engine decides.
        public: whether it may have public addresses.
    """

    kind: HostKind
    subnets: Path
    groups: Path
    port: int | None = None
    public: bool = False


_DATABASE = HostKind.DATABASE
SHAPES = {
    "AWS::Lambda::Function": Shape(
        HostKind.FUNCTION, ("VpcConfig", "SubnetIds"), ("VpcConfig", "SecurityGroupIds")
    ),
    "AWS::RDS::DBInstance": Shape(_DATABASE, ("DBSubnetGroupName",), ("VPCSecurityGroups",), public=True),
    "AWS::RDS::DBCluster": Shape(_DATABASE, ("DBSubnetGroupName",), ("VpcSecurityGroupIds",), public=True),
    "AWS::RDS::DBProxy": Shape(HostKind.PROXY, ("VpcSubnetIds",), ("VpcSecurityGroupIds",)),
    "AWS::RDS::DBProxyEndpoint": Shape(HostKind.PROXY, ("VpcSubnetIds",), ("VpcSecurityGroupIds",)),
    "AWS::DocDB::DBCluster": Shape(_DATABASE, ("DBSubnetGroupName",), ("VpcSecurityGroupIds",), 27017),
    "AWS::Neptune::DBCluster": Shape(_DATABASE, ("DBSubnetGroupName",), ("VpcSecurityGroupIds",), 8182),
    "AWS::Redshift::Cluster": Shape(
        _DATABASE, ("ClusterSubnetGroupName",), ("VpcSecurityGroupIds",), 5439, public=True
    ),
    "AWS::ElastiCache::CacheCluster": Shape(
        HostKind.CACHE, ("CacheSubnetGroupName",), ("VpcSecurityGroupIds",), 6379
    ),
    "AWS::ElastiCache::ReplicationGroup": Shape(
        HostKind.CACHE, ("CacheSubnetGroupName",), ("SecurityGroupIds",), 6379
    ),
    "AWS::ElastiCache::ServerlessCache": Shape(HostKind.CACHE, ("SubnetIds",), ("SecurityGroupIds",), 6379),
    "AWS::MemoryDB::Cluster": Shape(HostKind.CACHE, ("SubnetGroupName",), ("SecurityGroupIds",), 6379),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Shape(
        HostKind.LOAD_BALANCER, ("Subnets",), ("SecurityGroups",), public=True
    ),
    "AWS::EC2::Instance": Shape(HostKind.INSTANCE, ("SubnetId",), ("SecurityGroupIds",), public=True),
    "AWS::OpenSearchService::Domain": Shape(
        HostKind.OTHER, ("VPCOptions", "SubnetIds"), ("VPCOptions", "SecurityGroupIds"), 443
    ),
    "AWS::MSK::Cluster": Shape(
        HostKind.OTHER, ("BrokerNodeGroupInfo", "ClientSubnets"), ("BrokerNodeGroupInfo", "SecurityGroups")
    ),
}
"""Type -> how it writes its place. Whoever is not here has no address that can be proved anything about."""

_SUBNET_GROUPS = (
    "AWS::RDS::DBSubnetGroup", "AWS::DocDB::DBSubnetGroup", "AWS::Neptune::DBSubnetGroup",
    "AWS::ElastiCache::SubnetGroup", "AWS::MemoryDB::SubnetGroup", "AWS::Redshift::ClusterSubnetGroup",
)  # fmt: skip
_GROUP_NAMES = ("DBSubnetGroupName", "CacheSubnetGroupName", "SubnetGroupName")
_WITHOUT_VPC = frozenset({"AWS::Lambda::Function", "AWS::OpenSearchService::Domain"})
_ONE_OF = frozenset({_DATABASE, HostKind.CACHE})
_MEMCACHED_PORT = 11211


class Hosts:
    """Reads the deployment's hosts, given the rest of the graph."""

    def __init__(self, deployment: Deployment, identity: Identity, graph: Graph) -> None:
        self._deployment = deployment
        self._identity = identity
        self._graph = graph
        self._subnet_groups = {
            name: resource
            for resource in deployment.of_type(*_SUBNET_GROUPS)
            for written in _GROUP_NAMES
            if (name := plain(resource.get(written)))
        }

    def all(self) -> dict[str, Host]:
        """Read every host."""
        found: dict[str, Host] = {}
        for resource in self._deployment.of_type(*SHAPES):
            host = self._host(resource, SHAPES[resource.type])
            found[host.name] = host
        return found

    def attached(self, listed: list[Value] | Unknown, vpc: str | Unknown | None) -> Attached:
        """Read an interface's security groups; none at all is the VPC's default group."""
        if isinstance(listed, Unknown):
            group = key(listed)
            known = frozenset({group}) if group in self._graph.groups else frozenset()
            return Attached(frozenset(name for name in known if name), listed.why)
        if not listed:
            name = f"{vpc}.DefaultSecurityGroup" if isinstance(vpc, str) else ""
            if name in self._graph.groups:
                return Attached(frozenset({name}))
            return Attached(unknown="it has the default group of a VPC that is not in the template")
        names: set[str] = set()
        unknown: str | None = None
        for value in listed:
            named = self._identity.of(value)
            group = key(named)
            if group in self._graph.groups:
                names.add(group or "")
            if group not in self._graph.groups or isinstance(self._graph.groups[group or ""].vpc, Unknown):
                inside = isinstance(named, str) and named in self._identity.resources
                if not inside:
                    unknown = named.why if isinstance(named, Unknown) else f"{named} is not in the template"
        return Attached(frozenset(names), unknown)

    def _host(self, resource: Resource, shape: Shape) -> Host:
        name = self._identity.name(resource)
        cluster = (
            resource.resource("DBClusterIdentifier") if resource.type == "AWS::RDS::DBInstance" else None
        )
        placed = cluster if cluster is not None and cluster.type == "AWS::RDS::DBCluster" else resource
        groups = shape.groups if placed is resource else SHAPES[placed.type].groups
        subnets = self._subnets(placed, shape)
        listed = placed.list(*groups)
        if not subnets and resource.type in _WITHOUT_VPC and not isinstance(listed, Unknown):
            managed = resource.get("CapacityProviderConfig") is not None
            elsewhere = Unknown(f"{name} is in its capacity provider's network") if managed else None
            return Host(name, shape.kind, elsewhere, (), stated=_stated(resource))
        vpc = self._vpc(subnets, listed)
        attached = self.attached(listed, vpc)
        if resource.get("Type") == "network" and listed == []:
            attached = Attached(open=True)
        if resource.type == "AWS::EC2::Instance":
            return self._instance(resource, shape, vpc, attached)
        dual = resource.boolean("VpcConfig", "Ipv6AllowedForDualStack", default=False) is not False
        interfaces = []
        for subnet in subnets or [Unknown(f"the subnets of {name} are not known")]:
            at = self._graph.subnets.get(subnet) if isinstance(subnet, str) else None
            versions = at.versions if at and dual and shape.kind is HostKind.FUNCTION else frozenset({4})
            public = self._public(resource, placed, subnet) if shape.public else False
            interfaces.append(Interface(name, subnet, attached, public=public, versions=versions))
        return Host(
            name,
            shape.kind,
            vpc,
            tuple(interfaces),
            every=shape.kind not in _ONE_OF,
            ports=self._ports(resource, shape),
            stated=_stated(resource),
        )

    def _instance(self, resource: Resource, shape: Shape, vpc: str | Unknown, attached: Attached) -> Host:
        name = self._identity.name(resource)
        interface = self.machine(resource, attached)
        subnet = interface.subnet
        if isinstance(subnet, str) and subnet in self._graph.subnets:
            vpc = self._graph.subnets[subnet].vpc
        return Host(name, shape.kind, vpc, (interface,), stated=None)

    def machine(self, resource: Resource, attached: Attached) -> Interface:
        """Read the first interface of an instance, or a network interface that stands alone."""
        name = self._identity.name(resource)
        first = resource.get("NetworkInterfaces", 0)
        own = first if isinstance(first, dict) else {}
        if own.get("NetworkInterfaceId") is not None:
            return self._taken(name, own.get("NetworkInterfaceId"))
        subnet = self._identity.of(resource.get("SubnetId", default=own.get("SubnetId")))
        groups = own.get("GroupSet", resource.get("GroupSet"))
        at = self._graph.subnets.get(subnet) if isinstance(subnet, str) else None
        if groups is not None:
            attached = self.attached(as_list(groups), at.vpc if at else None)
        elif resource.get("LaunchTemplate") is not None and not attached.names:
            attached = Attached(unknown=f"the launch template of {name}")
        check = resource.boolean("SourceDestCheck", default=True)
        address = block(resource.get("PrivateIpAddress"))
        return Interface(
            name,
            subnet,
            attached,
            address=None if isinstance(address, Unknown) else address,
            public=self._public_machine(resource, own, subnet),
            versions=at.versions if at else frozenset({4}),
            check=None if isinstance(check, Unknown) else check,
        )

    def _taken(self, name: str, value: Value) -> Interface:
        """Read the network interface that an instance takes at start."""
        card = self._deployment.resource_of(value)
        if card is None or card.type != "AWS::EC2::NetworkInterface":
            elsewhere = Unknown(f"the network interface of {name} is not in the template")
            return Interface(name, elsewhere, Attached(unknown=elsewhere.why), public=None, check=None)
        subnet = self._identity.of(card.get("SubnetId"))
        at = self._graph.subnets.get(subnet) if isinstance(subnet, str) else None
        attached = self.attached(card.list("GroupSet"), at.vpc if at else None)
        return self.machine(card, attached)._replace(owner=name)

    def _public_machine(
        self, resource: Resource, own: dict[str, Value], subnet: str | Unknown
    ) -> bool | None:
        refers = "InstanceId" if resource.type == "AWS::EC2::Instance" else "NetworkInterfaceId"
        for kind in ("AWS::EC2::EIP", "AWS::EC2::EIPAssociation"):
            if self._deployment.referrers(resource, kind, refers):
                return True
        if resource.type != "AWS::EC2::Instance":
            return None
        associated = own.get("AssociatePublicIpAddress")
        given = plain(associated)
        if given is not None:
            return given.lower() == "true"
        if associated is not None or own.get("NetworkInterfaceId") is not None:
            return None
        named = self._identity.resources.get(subnet) if isinstance(subnet, str) else None
        if named is None:
            return None
        mapped = named.boolean("MapPublicIpOnLaunch", default=False)
        return None if isinstance(mapped, Unknown) else mapped

    def _subnets(self, resource: Resource, shape: Shape) -> list[str | Unknown]:
        value = resource.get(*shape.subnets)
        if value is None and resource.get("SubnetMappings") is not None:
            mappings = resource.list("SubnetMappings")
            if isinstance(mappings, Unknown):
                return [mappings]
            return [self._identity.of(one.get("SubnetId")) for one in mappings if isinstance(one, dict)]
        if shape.subnets[-1] in (*_GROUP_NAMES, "ClusterSubnetGroupName"):
            group = self._deployment.resource_of(value)
            if group is None and isinstance(value, str):
                group = self._subnet_groups.get(value)
            if group is None:
                why = value.why if isinstance(value, Unknown) else "its subnet group is not in the template"
                return [Unknown(why if value is not None else "it is in the account's default VPC")]
            return self._identity.listed(group.list("SubnetIds")) or [Unknown("its subnet group is empty")]
        return self._identity.listed(as_list(value))

    def _vpc(self, subnets: list[str | Unknown], groups: list[Value] | Unknown) -> str | Unknown:
        """Find the VPC by the subnets, or else by the security groups."""
        for subnet in subnets:
            if isinstance(subnet, str) and subnet in self._graph.subnets:
                return self._graph.subnets[subnet].vpc
        for value in groups if isinstance(groups, list) else ():
            group = key(self._identity.of(value))
            if group in self._graph.groups:
                vpc = self._graph.groups[group or ""].vpc
                if isinstance(vpc, str) or vpc.name:
                    return vpc
        return next(
            (one for one in subnets if isinstance(one, Unknown)),
            Unknown("its subnets are not in the template"),
        )

    def _public(self, resource: Resource, placed: Resource, subnet: str | Unknown) -> bool | None:
        """Tell whether a database or load balancer has a public address in a subnet."""
        if resource.type == "AWS::ElasticLoadBalancingV2::LoadBalancer":
            scheme = plain(resource.get("Scheme", default="internet-facing"))
            return None if scheme is None else scheme != "internal"
        members = [resource]
        if resource.type == "AWS::RDS::DBCluster":
            members = list(self._deployment.referrers(placed, "AWS::RDS::DBInstance", "DBClusterIdentifier"))
        answers = {self._accessible(member, subnet) for member in members or [resource]}
        return True if True in answers else None if None in answers else False

    def _accessible(self, resource: Resource, subnet: str | Unknown) -> bool | None:
        given = resource.boolean("PubliclyAccessible")
        if isinstance(given, bool):
            return given
        at = self._graph.subnets.get(subnet) if isinstance(subnet, str) else None
        table = self._graph.tables.get(at.table) if at and isinstance(at.table, str) else None
        if (
            given is None and table is not None
        ):  # the default is public only where an internet gateway is near
            leads = {route.kind for route in table.routes}
            return None if leads & {TargetKind.INTERNET_GATEWAY, TargetKind.OTHER} else False
        return None

    def _ports(self, resource: Resource, shape: Shape) -> frozenset[int] | None:
        if shape.kind is not HostKind.LOAD_BALANCER:
            return None
        listeners = self._deployment.referrers(
            resource, "AWS::ElasticLoadBalancingV2::Listener", "LoadBalancerArn"
        )
        ports = [port(listener.get("Port")) for listener in listeners]
        known = [one for one in ports if one is not None]
        return frozenset(known) if listeners and len(known) == len(ports) else None


def port_of(deployment: Deployment, resource: Resource) -> int | None:
    """Give the port that a resource listens on, as far as it is known; of several the lowest."""
    shape = SHAPES.get(resource.type)
    if shape is None:
        return None
    if resource.type == "AWS::RDS::DBProxyEndpoint":
        proxy = deployment.resource_of(resource.get("DBProxyName"), "AWS::RDS::DBProxy")
        return port_of(deployment, proxy) if proxy is not None else None
    if shape.kind is HostKind.PROXY:
        return PROXY_PORTS.get(plain(resource.get("EngineFamily")) or "")
    if shape.kind is HostKind.LOAD_BALANCER:
        listeners = deployment.referrers(resource, "AWS::ElasticLoadBalancingV2::Listener", "LoadBalancerArn")
        return min(
            (one for listener in listeners if (one := port(listener.get("Port"))) is not None), default=None
        )
    if resource.get("Port") is None and resource.get("DBPort") is None and shape.port is not None:
        memcached = plain(resource.get("Engine")) == "memcached"
        return _MEMCACHED_PORT if memcached else shape.port
    return listening(resource)


def _stated(resource: Resource) -> Stated | None:
    """Read what is stated of a VPC outside of the deployment: ``Network: {Internet, Endpoints}``."""
    metadata = resource.follow(resource.metadata.get("LambdaPatterns"))
    stated = metadata.get("Network") if isinstance(metadata, dict) else None
    if not isinstance(stated, dict):
        return None
    internet = plain(stated.get("Internet"))
    endpoints = stated.get("Endpoints")
    named = [plain(one) for one in endpoints] if isinstance(endpoints, list) else []
    return Stated(
        {"true": True, "false": False}.get((internet or "").lower()), frozenset(one for one in named if one)
    )
