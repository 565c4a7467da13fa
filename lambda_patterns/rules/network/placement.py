"""Where a function is placed: zones, subnets, security groups, and the role that its interfaces need."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from lambda_patterns.facts.limits import NETWORK_INTERFACES
from lambda_patterns.model.matching import matches_action
from lambda_patterns.model.network.graph import GroupPeer, HostKind, TargetKind
from lambda_patterns.model.network.groups import describe
from lambda_patterns.model.network.prefixes import ANY
from lambda_patterns.model.policies import Decision
from lambda_patterns.model.values import Reference, Unknown, Zone, same
from lambda_patterns.rules.network.reach import LAMBDA_INTERNET, LAMBDA_VPC, placed
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.permissions import Permissions
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

SUBNETS = ("VpcConfig", "SubnetIds")
GROUPS = ("VpcConfig", "SecurityGroupIds")
_ACTIONS = ("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface")
_RULES = frozenset(
    {"AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroup"}
)


def _zone(deployment: Deployment, subnet: str | Unknown) -> Value:
    resource = deployment.network.resource(subnet) if isinstance(subnet, str) else None
    if resource is None:
        return None
    found = resource.get("AvailabilityZone", default=resource.get("AvailabilityZoneId"))
    return found if isinstance(found, str | Zone) else None


def _one_zone(deployment: Deployment) -> Iterator[Found]:
    for function, host in placed(deployment):
        if isinstance(function.list(*SUBNETS), Unknown):
            continue
        subnets = [interface.subnet for interface in host.interfaces]
        distinct = set(subnets)
        if len(distinct) == 1 and len(subnets) == len(function.list(*SUBNETS)):  # type: ignore[arg-type]  # checked above
            named = next(iter(distinct))
            said = (
                f"only subnet {named if isinstance(named, str) else '(given at deployment)'}, two are needed"
            )
            yield Found(function, SUBNETS, said)
            continue
        zones = [_zone(deployment, subnet) for subnet in distinct]
        if None not in zones and all(same(zones[0], zone) for zone in zones):
            names = ", ".join(sorted(str(subnet) for subnet in distinct))
            where = zones[0] if isinstance(zones[0], str) else "one zone of the Region"
            yield Found(function, SUBNETS, f"{names} are all in {where}, two zones are needed")


def _own_group(deployment: Deployment) -> Iterator[Found]:
    for function, _ in placed(deployment):
        listed = function.list(*GROUPS)
        if listed == []:
            yield Found(function, GROUPS, "no security group is given, so that it has the VPC's default one")
        for index, value in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(value, Reference) and value.attribute == "DefaultSecurityGroup":
                said = f"the default security group of {value.resource.id} is given"
                yield Found(function, (*GROUPS, index), said)


def _role(deployment: Deployment) -> Iterator[Found]:
    permissions = deployment.permissions
    missing: dict[Resource, list[str]] = {}
    for function, _ in placed(deployment):
        role = permissions.role_of(function)
        if role is None or not permissions.policies(role).complete:
            continue
        if role not in missing:
            missing[role] = _missing(permissions, role)
        if missing[role]:
            yield Found(function, ("Role",), f"{role.id} may not do {', '.join(missing[role])}")


def _missing(permissions: Permissions, role: Resource) -> list[str]:
    """Give what Lambda must do in a VPC in the role's name, and may not."""
    grants = permissions.grants(role)
    return [
        action
        for action in _ACTIONS
        if not any(
            grant.but_actions
            or any(matches_action(pattern, action) is not False for pattern in grant.actions)
            for grant in grants
        )
        or permissions.may(role, action, "*") is Decision.DENIED
    ]


def _public_subnet(deployment: Deployment) -> Iterator[Found]:
    graph = deployment.network.graph
    public = {
        table.name: [
            route.target
            for route in table.routes
            if route.destination == ANY[4] and route.kind is TargetKind.INTERNET_GATEWAY
        ]
        for table in graph.tables.values()
    }
    for function, host in placed(deployment):
        for index, interface in enumerate(host.interfaces):
            subnet = graph.subnets.get(interface.subnet) if isinstance(interface.subnet, str) else None
            for gateway in public.get(subnet.table, ()) if subnet and isinstance(subnet.table, str) else ():
                said = f"{interface.subnet} routes 0.0.0.0/0 to internet gateway {gateway}"
                yield Found(function, (*SUBNETS, index), said)


def _ingress(deployment: Deployment) -> Iterator[Found]:
    graph = deployment.network.graph
    shared = {
        name
        for host in graph.hosts.values()
        if host.kind is not HostKind.FUNCTION
        for interface in host.interfaces
        for name in interface.groups.names
    } | {name for interface in graph.forwarders.values() for name in interface.groups.names}
    for function, host in placed(deployment):
        names = {name for interface in host.interfaces for name in interface.groups.names} - shared
        for name in sorted(names):
            group = deployment.network.resource(name)
            from_others = [rule for rule in graph.groups[name].ingress if rule.peer != GroupPeer(name)]
            if group is None or group.type != "AWS::EC2::SecurityGroup" or not from_others:
                continue
            if not _used_elsewhere(deployment, group):
                first = describe(from_others[0], "ingress")
                said = f"{name} has {first}, and nothing connects to a function"
                yield Found(function, GROUPS, said, subject=name)


def _used_elsewhere(deployment: Deployment, group: Resource) -> bool:
    """Tell whether something that is no function may carry the group: it is named outside of rules."""
    known = {"AWS::Lambda::Function", *_RULES}
    return any(
        _names(resource.properties, group) for resource in deployment.resources if resource.type not in known
    )


def _names(value: Value, group: Resource) -> bool:
    if isinstance(value, Reference):
        return value.resource is group
    if isinstance(value, dict):
        return any(_names(item, group) for item in value.values())
    return isinstance(value, list) and any(_names(item, group) for item in value)


def _interfaces(deployment: Deployment) -> Iterator[Found]:
    pairs: dict[str, set[tuple[object, object]]] = defaultdict(set)
    for _, host in placed(deployment):
        for interface in host.interfaces:
            if isinstance(host.vpc, str) and isinstance(interface.subnet, str):
                pairs[host.vpc].add((interface.subnet, interface.groups))
    for name, found in pairs.items():
        vpc = deployment.network.resource(name)
        if vpc is not None and len(found) > NETWORK_INTERFACES // 2:
            said = (
                f"{len(found)} pairs of a subnet and a set of security groups, each one network interface; "
                f"the quota is {NETWORK_INTERFACES} in a VPC"
            )
            yield Found(vpc, (), said)


RULES = (
    Rule(
        name="function-in-one-zone",
        topic="network",
        severity=Severity.ERROR,
        forbids="a VPC function with fewer than two subnets, or all in one zone",
        why="a function whose subnets are in one Availability Zone stops when that zone is lost",
        fix=(
            "give subnets of two zones: `LambdaNetwork(zones=2)`, `vpc_subnets=` of two zones, or a second"
            " entry in VpcConfig.SubnetIds"
        ),
        exceptions=(
            "a list of subnets that is known at deployment only",
            "zones that a parameter names",
            "imported subnets, whose zones are not in the template",
        ),
        source="https://docs.aws.amazon.com/lambda/latest/operatorguide/networking-vpc.html",
        check=_one_zone,
    ),
    Rule(
        name="function-without-own-security-group",
        topic="network",
        severity=Severity.WARNING,
        forbids="a VPC function with no security group, or with the VPC's default one",
        why="everything else without a group shares the default one, and its members let in each other",
        fix=(
            "use `VpcFunction`, which makes a closed group of its own, or name one in"
            " VpcConfig.SecurityGroupIds"
        ),
        exceptions=("a group that several functions share", "a group that a parameter names"),
        source=LAMBDA_VPC,
        check=_own_group,
    ),
    Rule(
        name="role-without-network-interfaces",
        topic="network",
        severity=Severity.ERROR,
        forbids="an execution role that may not create, describe and delete network interfaces",
        why="Lambda makes and removes the function's network interfaces with its execution role",
        fix=(
            "use `VpcFunction`, or attach service-role/AWSLambdaVPCAccessExecutionRole to ManagedPolicyArns"
            " of the role"
        ),
        exceptions=(
            "the three actions allowed by a statement of one's own",
            "a role that is not in the template",
            "a managed policy that is not known",
        ),
        source=LAMBDA_VPC,
        check=_role,
    ),
    Rule(
        name="function-in-public-subnet",
        topic="network",
        severity=Severity.ERROR,
        forbids="a function's subnet whose default route is an internet gateway",
        why="a function never has a public address, so that an internet gateway drops all that it sends",
        fix=(
            "place it in private subnets, with a NAT gateway or endpoints:"
            " `VpcFunction(network=LambdaNetwork(...))`, or other VpcConfig.SubnetIds"
        ),
        exceptions=("a subnet that routes to NAT", "an IPv6 route to an egress-only internet gateway"),
        source=LAMBDA_INTERNET,
        check=_public_subnet,
    ),
    Rule(
        name="function-with-ingress",
        topic="network",
        severity=Severity.WARNING,
        forbids="inbound rules on a function's security group",
        why=(
            "nothing can connect to a function, so that such rules only help whoever gets the group by"
            " mistake"
        ),
        fix=(
            "remove SecurityGroupIngress; answers need no rule, and `function.allow_to(peer)` opens the"
            " peer's group"
        ),
        exceptions=(
            "a group that something else carries too",
            "a rule for the group itself, which may be shared with what is not in the template",
            "a group that is not in the template",
        ),
        source="https://docs.aws.amazon.com/lambda/latest/dg/foundation-networking.html",
        check=_ingress,
    ),
    Rule(
        name="many-network-interfaces",
        topic="network",
        severity=Severity.NOTE,
        forbids="more distinct pairs of subnet and security-group set in a VPC than half its interface quota",
        why=(
            "Lambda makes one network interface for each pair, and shares it among the functions that have it"
        ),
        fix="let functions with the same needs share a security group (`security_groups=[shared]`)",
        exceptions=("functions that share subnets and groups, however many",),
        source="https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
        check=_interfaces,
    ),
)
