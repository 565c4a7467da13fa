"""What a function needs and does not reach, under the name of what stops it; and what it must not reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.model.network import Internet, Verdict
from lambda_patterns.model.network.prefixes import Prefix
from lambda_patterns.rules.network.endpoints import unrouted, without_dns
from lambda_patterns.rules.network.placement import GROUPS, SUBNETS
from lambda_patterns.rules.network.reach import (
    FUNCTION,
    INTERNET,
    LAMBDA_INTERNET,
    LAMBDA_VPC,
    because,
    cause,
    failures,
    placed,
    unfiltered,
)
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.network.graph import Host
    from lambda_patterns.model.template import Resource
    from lambda_patterns.rules.network.reach import Failed

_LET_OUT = "{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}"
_ACLS = "https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports"


def _internet(deployment: Deployment) -> Iterator[Found]:
    for failed in failures(deployment):
        if failed.name == INTERNET and not cause(failed):
            yield Found(failed.function.resource, SUBNETS, failed.said, subject=INTERNET)


def _service(deployment: Deployment) -> Iterator[Found]:
    for failed in failures(deployment):
        if failed.name == INTERNET or cause(failed):
            continue
        if without_dns(deployment, failed) or unrouted(deployment, failed):
            continue
        fix = (
            f'add the endpoint: `Endpoints("{failed.name}", ...)` of LambdaNetwork, or an'
            f" AWS::EC2::VPCEndpoint with ServiceName com.amazonaws.<region>.{failed.name}; or NAT; or,"
            f" {_unless_called(failed)}"
        )
        said = _with_reason(deployment, failed)
        yield Found(failed.function.resource, SUBNETS, said, fix, subject=failed.name)


def _unless_called(failed: Failed) -> str:
    return f'if the code never calls it, `function.allow_unreachable("{failed.name}", reason=...)`'


def _with_reason(deployment: Deployment, failed: Failed) -> str:
    need = next(n for n in deployment.needs.of(failed.function.resource) if n.name == failed.name)
    reason = need.reasons[0]
    return f"{failed.said}; it needs it because its {_source(reason.resource)} {reason.what}"


def _source(resource: Resource) -> str:
    if resource.type.startswith("AWS::IAM::"):
        return f"role ({resource.id})"
    return "own configuration"


def _egress(deployment: Deployment) -> Iterator[Found]:
    for failed in failures(deployment):
        if cause(failed) != "egress":
            continue
        if failed.name == INTERNET:
            yield Found(failed.function.resource, GROUPS, failed.said, subject=INTERNET)
            continue
        fix = (
            f'declare the need: `VpcFunction(needs=["{failed.name}"])` opens the group, and asks its network'
            f" for a way there; or add {_LET_OUT} to SecurityGroupEgress; or, {_unless_called(failed)}"
        )
        said = _with_reason(deployment, failed)
        yield Found(failed.function.resource, GROUPS, said, fix, subject=failed.name)


def _acl(deployment: Deployment) -> Iterator[Found]:
    for failed in failures(deployment):
        if cause(failed) == "acl":
            yield from acl_found(
                deployment, failed.function.resource, failed.title, failed.reason.component, failed.said
            )
    for function, _ in placed(deployment):
        for peer in deployment.needs.peers(function):
            yield from _peer_acl(deployment, function, peer.resource)


def _peer_acl(deployment: Deployment, function: Resource, peer: Resource) -> Iterator[Found]:
    network = deployment.network
    port = network.port_of(peer)
    if port is None or network.host(peer) is None:
        return
    trace = network.trace(function, peer, port)
    path = trace.deciding
    if trace.verdict is not Verdict.BLOCKED or path is None or path.reason is None:
        return
    if path.reason.kind == "network ACL" and not unfiltered(path):
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
            f"{_LET_OUT} to SecurityGroupEgress"
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
)
