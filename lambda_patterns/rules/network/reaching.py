"""What a function needs and does not reach, under the name of what stops it; and what it must not reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.model.network import Internet, Service, Verdict
from lambda_patterns.model.network.build import short_name
from lambda_patterns.model.network.prefixes import Prefix
from lambda_patterns.model.policies import Decision
from lambda_patterns.rules.network.placement import GROUPS, SUBNETS
from lambda_patterns.rules.network.reach import (
    FUNCTION,
    INTERFACE_ENDPOINT,
    INTERNET,
    LAMBDA_INTERNET,
    LAMBDA_VPC,
    because,
    cause,
    failures,
    placed,
)
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.needs import Need
    from lambda_patterns.model.network.graph import Endpoint, Host
    from lambda_patterns.model.template import Resource
    from lambda_patterns.rules.network.reach import Failed

_ENDPOINT = "AWS::EC2::VPCEndpoint"
_GATEWAYS = "https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html"
_ACLS = "https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports"


def _there(deployment: Deployment, failed: Failed, *, gateway: bool) -> Iterator[tuple[Resource, Endpoint]]:
    """Give the endpoints for the service in the function's VPC."""
    for resource, endpoint in deployment.network.endpoints_for(failed.name, failed.function.host.vpc):
        if resource.certain and (endpoint.host is None) is gateway:
            yield resource, endpoint


def _without_dns(deployment: Deployment, failed: Failed) -> list[tuple[Resource, Endpoint]]:
    found = _there(deployment, failed, gateway=False)
    return [pair for pair in found if pair[1].private_dns is False]


def _unrouted(deployment: Deployment, failed: Failed) -> list[tuple[Resource, Endpoint]]:
    return list(_there(deployment, failed, gateway=True))


def _internet(deployment: Deployment) -> Iterator[Found]:
    for failed in failures(deployment):
        if failed.name == INTERNET and not cause(failed):
            yield Found(failed.function.resource, SUBNETS, failed.said, subject=INTERNET)


def _service(deployment: Deployment) -> Iterator[Found]:
    for failed in failures(deployment):
        if failed.name == INTERNET or cause(failed):
            continue
        if _without_dns(deployment, failed) or _unrouted(deployment, failed):
            continue
        need = next(n for n in deployment.needs.of(failed.function.resource) if n.name == failed.name)
        fix = (
            f'add the endpoint: `Endpoints("{failed.name}", ...)` of LambdaNetwork, or an'
            f" AWS::EC2::VPCEndpoint with ServiceName com.amazonaws.<region>.{failed.name}; or NAT; or, if"
            f' the code never calls it, `function.allow_unreachable("{failed.name}", reason=...)`'
        )
        said = (
            f"{failed.said}; it needs it because its {_source(need.reasons[0].resource)}"
            f" {need.reasons[0].what}"
        )
        yield Found(failed.function.resource, SUBNETS, said, fix, subject=failed.name)


def _source(resource: Resource) -> str:
    if resource.type.startswith("AWS::IAM::"):
        return f"role ({resource.id})"
    return "own configuration"


def _egress(deployment: Deployment) -> Iterator[Found]:
    for failed in failures(deployment):
        if cause(failed) == "egress":
            yield Found(failed.function.resource, GROUPS, failed.said, subject=failed.name)


def _acl(deployment: Deployment) -> Iterator[Found]:
    for failed in failures(deployment):
        if cause(failed) == "acl":
            yield from acl_found(
                deployment, failed.function.resource, failed.title, failed.reason.component, failed.said
            )
    for function, host in placed(deployment):
        for peer in deployment.needs.peers(function):
            yield from _peer_acl(deployment, function, host, peer.resource)


def _peer_acl(deployment: Deployment, function: Resource, host: Host, peer: Resource) -> Iterator[Found]:
    network = deployment.network
    port = network.port_of(peer)
    target = network.host(peer)
    if port is None or target is None or target.vpc != host.vpc:
        return
    trace = network.trace(function, peer, port)
    path = trace.deciding
    if trace.verdict is Verdict.BLOCKED and path and path.reason and path.reason.kind == "network ACL":
        said = f"{function.id} does not reach {peer.id} on port {port}: {because(path.reason)}"
        yield from acl_found(deployment, function, peer.id, path.reason.component, said)


def acl_found(
    deployment: Deployment, function: Resource, target: str, component: str, said: str
) -> Iterator[Found]:
    """Place a finding on the network ACL, or, for a default one, on its VPC."""
    resource = deployment.network.resource(component) or deployment.network.resource(
        component.rpartition(".")[0]
    )
    if resource is not None:
        yield Found(resource, (), said, subject=f"{function.id} {target}")


def _closed(deployment: Deployment) -> Iterator[Found]:
    for failed in failures(deployment):
        if cause(failed) != "endpoint":
            continue
        for resource, endpoint in _there(deployment, failed, gateway=False):
            if endpoint.private_dns:
                yield Found(resource, ("SecurityGroupIds",), failed.said, subject=failed.function.resource.id)


def _private_dns(deployment: Deployment) -> Iterator[Found]:
    for failed in failures(deployment):
        if failed.name == INTERNET or cause(failed):
            continue
        for resource, _ in _without_dns(deployment, failed):
            off = resource.boolean("PrivateDnsEnabled") is not True
            what = (
                f"{resource.id} has private DNS off"
                if off
                else f"{resource.id} has private DNS on, but its VPC has DNS support or DNS host names off"
            )
            said = (
                f"{what}, so that {failed.function.resource.id} does not find it by the name of"
                f" {failed.title}"
            )
            yield Found(resource, ("PrivateDnsEnabled",), said, subject=failed.function.resource.id)


def _not_routed(deployment: Deployment) -> Iterator[Found]:
    for failed in failures(deployment):
        if failed.name == INTERNET or cause(failed) or _without_dns(deployment, failed):
            continue
        for resource, _ in _unrouted(deployment, failed):
            said = f"{resource.id} is not in the route tables of {failed.subnets}, so that {failed.said}"
            yield Found(resource, ("RouteTableIds",), said, subject=failed.function.resource.id)


def _missing_zone(deployment: Deployment) -> Iterator[Found]:
    graph = deployment.network.graph
    for function, host in placed(deployment):
        zones = _zones(deployment, host)
        if zones is None:
            continue
        for need in deployment.needs.of(function):
            for resource, endpoint in deployment.network.endpoints_for(need.name, host.vpc):
                if endpoint.host is None or not endpoint.private_dns:
                    continue
                served = _zones(deployment, graph.hosts[endpoint.host])
                if served is not None and zones - served:
                    missing = ", ".join(sorted(zones - served))
                    said = f"{resource.id} has no interface in {missing}, where {function.id} runs too"
                    yield Found(resource, ("SubnetIds",), said, subject=function.id)


def _zones(deployment: Deployment, host: Host) -> set[str] | None:
    """Give the zones of a host's subnets; None where one of them is not known."""
    found: set[str] = set()
    for interface in host.interfaces:
        subnet = (
            deployment.network.graph.subnets.get(interface.subnet)
            if isinstance(interface.subnet, str)
            else None
        )
        if subnet is None or subnet.zone is None:
            return None
        found.add(subnet.zone)
    return found


def _isolation(deployment: Deployment) -> Iterator[Found]:
    for function in deployment.of_type(FUNCTION):
        host = deployment.network.host(function)
        if host is not None and host.vpc is None and deployment.needs.isolated(function):
            said = f"{function.id} is declared isolated, and is in no VPC: Lambda's network has the internet"
            yield Found(function, ("VpcConfig",), said)
    for function, host in placed(deployment):
        if not deployment.needs.isolated(function):
            continue
        for port in _open_ports(deployment, host):
            trace = deployment.network.trace(function, Internet(), port)
            path = next((path for path in trace.paths if path.verdict is Verdict.REACHED), None)
            if path is not None:
                by = " -> ".join(
                    hop.component for hop in path.hops if hop.kind not in ("network ACL", "security group")
                )
                said = f"{function.id} is declared isolated, and reaches the internet on port {port} by {by}"
                yield Found(function, SUBNETS, said)
                break


def _open_ports(deployment: Deployment, host: Host) -> list[int]:
    ports = {443}
    for interface in host.interfaces:
        for name in interface.groups.names:
            for rule in deployment.network.graph.groups[name].egress:
                if isinstance(rule.peer, Prefix) and rule.low and rule.protocol == "tcp":
                    ports.add(rule.low)
    return sorted(ports)


def _duplicated(deployment: Deployment) -> Iterator[Found]:
    seen: dict[tuple[str, str], Resource] = {}
    for resource in deployment.of_type(_ENDPOINT):
        service = short_name(resource.get("ServiceName"))
        endpoint = deployment.network.graph.endpoints.get(deployment.network.name(resource))
        if endpoint is None or endpoint.host is None or not resource.certain or service is None:
            continue
        if resource.boolean("PrivateDnsEnabled") is not True or not isinstance(endpoint.vpc, str):
            continue
        first = seen.setdefault((endpoint.vpc, service), resource)
        if first is not resource:
            said = f"{first.id} and {resource.id} both have private DNS for {service} in {endpoint.vpc}"
            yield Found(resource, ("ServiceName",), said)


def _policy(deployment: Deployment) -> Iterator[Found]:
    network, permissions = deployment.network, deployment.permissions
    for function, host in placed(deployment):
        role = permissions.role_of(function)
        if role is None:
            continue
        for need in deployment.needs.of(function):
            if need.name == INTERNET:
                continue
            for resource in _used(deployment, network.trace(function, Service(need.name)).paths, host):
                if permissions.policy_of(resource) is None:
                    continue
                for action in _denied(deployment, resource, role, need):
                    said = f"{resource.id} does not let {action} through, which {role.id} allows"
                    said += f" to {function.id}"
                    yield Found(resource, ("PolicyDocument",), said, subject=f"{function.id} {action}")


def _denied(deployment: Deployment, endpoint: Resource, role: Resource, need: Need) -> list[str]:
    """Give the actions of a need that an endpoint's policy denies, without what grants only bring along."""
    passes = deployment.permissions.passes
    denied: list[str] = []
    passed: list[str] = []
    for reason in need.reasons:
        if reason.action and reason.targets:
            refused = all(
                passes(endpoint, role, reason.action, one) is Decision.DENIED for one in reason.targets
            )
            (denied if refused else passed).append(reason.action)
    return [action for action in denied if not passed or not _brought_along(action, passed)]


def _brought_along(action: str, passed: list[str]) -> bool:
    """Whether a grant for actions that pass has an action besides, which the code need not call.

    Grants of aws_cdk pair GetSecretValue with DescribeSecret, SendMessage with GetQueueUrl, PutObject with
    PutObjectTagging, and so on.
    """
    verb = action.partition(":")[2]
    reads_about = verb.startswith(("Describe", "GetBucket", "List")) or verb.endswith(("Attributes", "Url"))
    return "*" in action or reads_about or any(action.startswith(one) for one in passed)


def _used(deployment: Deployment, paths: tuple[object, ...], host: Host) -> Iterator[Resource]:
    """Give the endpoints that carry a function's traffic to a service."""
    del host
    found: set[str] = set()
    for path in paths:
        to = getattr(path, "to", None)
        hops = getattr(path, "hops", ())
        names = {hop.component for hop in hops if hop.kind == "interface endpoint"} | ({to} if to else set())
        found |= {name for name in names if name in deployment.network.graph.endpoints}
    for name in sorted(found):
        resource = deployment.network.resource(name)
        if resource is not None:
            yield resource


RULES = (
    Rule(
        name="internet-unreachable",
        topic="network",
        severity=Severity.ERROR,
        forbids="a function declared to need the internet that does not reach it from every subnet",
        why=(
            "a function in a VPC has no internet of its own: its subnets must lead to it by NAT, or IPv6"
            " egress"
        ),
        fix=(
            "give the network a way out: `LambdaNetwork(internet=NatGateways())`, or an AWS::EC2::Route of "
            "0.0.0.0/0 to a NAT gateway in a public subnet"
        ),
        exceptions=(
            "a need that IPv6 and an egress-only internet gateway meet",
            "a regional NAT gateway, which needs no public subnet",
            "routes to what is not in the template or cannot be judged (transit gateway, appliance, peering)",
            "a function outside a VPC",
        ),
        source=LAMBDA_INTERNET,
        check=_internet,
    ),
    Rule(
        name="service-unreachable",
        topic="network",
        severity=Severity.ERROR,
        forbids="a function that does not reach an AWS service that it needs from every subnet",
        why=(
            "a function in a VPC reaches AWS services by an endpoint in that VPC or by NAT, and by nothing"
            " else"
        ),
        fix=(
            "add the endpoint: `Endpoints(...)` of LambdaNetwork, or an AWS::EC2::VPCEndpoint for the service"
        ),
        exceptions=(
            "a service that the internet path reaches",
            "what is declared unreachable on purpose (`function.allow_unreachable`)",
            "what Lambda does in the role's name: logs, destinations, polling of event sources",
            "a network that is not in the template",
        ),
        source=LAMBDA_INTERNET,
        check=_service,
    ),
    Rule(
        name="egress-blocked",
        topic="network",
        severity=Severity.ERROR,
        forbids="security groups of the function that do not let out what it needs",
        why="traffic leaves a function only where a rule of one of its security groups allows it",
        fix=(
            "declare the need (`VpcFunction(needs=[...])` or `internet=True` opens the group), or add "
            "{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0} to SecurityGroupEgress"
        ),
        exceptions=(
            "a group without egress rules of its own, to which AWS adds one that lets everything out",
            "a second group that lets it out",
            "a group or prefix list that is not in the template",
        ),
        source=LAMBDA_VPC,
        check=_egress,
    ),
    Rule(
        name="network-acl-blocks",
        topic="network",
        severity=Severity.ERROR,
        forbids="network ACLs that stop what a function needs, or its answers, at either end",
        why=(
            "network ACLs are stateless: answers need an entry of their own, and functions and NAT gateways"
            " take ports 1024-65535"
        ),
        fix=(
            "add the missing AWS::EC2::NetworkAclEntry: for answers {Protocol: 6, PortRange: {From: 1024, To:"
            " 65535}, RuleAction: allow}; `LambdaNetwork` leaves the default ACL, which allows all"
        ),
        exceptions=(
            "the default ACL",
            "entries whose blocks, numbers or actions are known at deployment only",
            "a denial of single public blocks before all others are allowed",
        ),
        source=_ACLS,
        check=_acl,
    ),
    Rule(
        name="endpoint-closed",
        topic="network",
        severity=Severity.ERROR,
        forbids="an interface endpoint that a function needs and whose group does not let 443 in from it",
        why=(
            "with private DNS the service's name leads to the endpoint alone, even where NAT would reach the"
            " service"
        ),
        fix=(
            "use `Endpoints(...)`, which opens 443 to the functions that need it, or add an "
            "AWS::EC2::SecurityGroupIngress for port 443 from the function's group to the endpoint's"
        ),
        exceptions=(
            "443 let in from the VPC's block or from the function's subnets",
            "a group that is not in the template",
        ),
        source=INTERFACE_ENDPOINT,
        check=_closed,
    ),
    Rule(
        name="endpoint-without-private-dns",
        topic="network",
        severity=Severity.ERROR,
        forbids=(
            "an interface endpoint that a function needs without private DNS, or in a VPC without DNS names"
        ),
        why=(
            "without private DNS the service's name resolves to public addresses, which nothing here leads to"
        ),
        fix=(
            "set PrivateDnsEnabled: true on the endpoint, and EnableDnsSupport and EnableDnsHostnames: true"
            " on the VPC; `LambdaNetwork` does"
        ),
        exceptions=(
            "a service that NAT reaches too",
            "a function that is given the endpoint's own DNS name",
            "a private hosted zone for the service's name",
        ),
        source=INTERFACE_ENDPOINT,
        check=_private_dns,
    ),
    Rule(
        name="gateway-endpoint-not-routed",
        topic="network",
        severity=Severity.ERROR,
        forbids=(
            "a gateway endpoint that a function needs and that is missing from a route table of its subnets"
        ),
        why="a gateway endpoint works only for the subnets whose route tables list it",
        fix="add the route table to RouteTableIds of the endpoint; `LambdaNetwork` adds every one",
        exceptions=(
            "a subnet from which NAT reaches the service",
            "route tables that are known at deployment only",
        ),
        source=_GATEWAYS,
        check=_not_routed,
    ),
    Rule(
        name="endpoint-missing-zone",
        topic="network",
        severity=Severity.WARNING,
        forbids=(
            "an interface endpoint that a function needs without an interface in one of the function's zones"
        ),
        why="traffic then crosses zones, is charged for, and stops with the other zone",
        fix="add a subnet of that zone to SubnetIds of the endpoint; `Endpoints(...)` takes every zone",
        exceptions=(
            "zones that are known at deployment only",
            "a service that the zone does not offer (acknowledge it)",
        ),
        source=INTERFACE_ENDPOINT,
        check=_missing_zone,
    ),
    Rule(
        name="isolation-broken",
        topic="network",
        severity=Severity.ERROR,
        forbids="a function declared isolated that has a way to the internet",
        why="isolation was declared (`Isolated: true`), and routes and groups together lead out",
        fix="take the route out, or use `LambdaNetwork(internet=Isolated(...))`, which has none",
        exceptions=(
            "a route out that the function's groups do not let it use",
            "endpoints for AWS services",
            "routes that cannot be judged",
        ),
        source=LAMBDA_INTERNET,
        check=_isolation,
    ),
    Rule(
        name="endpoint-duplicated",
        topic="network",
        severity=Severity.ERROR,
        forbids="two endpoints with private DNS for one service in one VPC",
        why="a VPC takes one private hosted zone for a service's name: the second endpoint fails to deploy",
        fix=(
            "keep one, or set PrivateDnsEnabled: false on the other; "
            "`LambdaNetwork.from_vpc(endpoints=...)` names those that exist"
        ),
        exceptions=(
            "a gateway endpoint beside an interface endpoint",
            "a second one without private DNS",
            "endpoints of which conditions allow only one",
        ),
        source=INTERFACE_ENDPOINT,
        check=_duplicated,
    ),
    Rule(
        name="endpoint-policy-denies",
        topic="network",
        severity=Severity.ERROR,
        forbids="an endpoint policy that denies what the function's role allows on that service",
        why="a request through an endpoint must be allowed by the endpoint's policy too",
        fix="allow the action in PolicyDocument of the endpoint: `Endpoints(..., policies={...})`",
        exceptions=(
            "no policy, which allows everything",
            "a policy for the very actions and resources that the role has",
            "what a grant brings along with actions that the policy allows (DescribeSecret)",
            "conditions and resources that are known at deployment only",
        ),
        source="https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html",
        check=_policy,
    ),
)
