"""VPC endpoints that do not serve the functions that need them, and what two of them cannot do together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.model.network import Service
from lambda_patterns.model.network.build import short_name
from lambda_patterns.model.network.build_rules import key
from lambda_patterns.model.policies import Decision
from lambda_patterns.rules.network.reach import (
    INTERFACE_ENDPOINT,
    INTERNET,
    cause,
    failures,
    placed,
)
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.needs import Need
    from lambda_patterns.model.network import Path
    from lambda_patterns.model.network.graph import Endpoint, Host
    from lambda_patterns.model.template import Resource
    from lambda_patterns.rules.network.reach import Failed

_ENDPOINT = "AWS::EC2::VPCEndpoint"
_GATEWAYS = "https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html"


def _there(deployment: Deployment, failed: Failed, *, gateway: bool) -> Iterator[tuple[Resource, Endpoint]]:
    """Give the endpoints for the service in the function's VPC."""
    for resource, endpoint in deployment.network.endpoints_for(failed.name, failed.function.host.vpc):
        if resource.certain and (endpoint.host is None) is gateway:
            yield resource, endpoint


def without_dns(deployment: Deployment, failed: Failed) -> list[tuple[Resource, Endpoint]]:
    """Give the interface endpoints that would serve a need, were the service's name theirs."""
    found = _there(deployment, failed, gateway=False)
    return [pair for pair in found if pair[1].private_dns is False]


def unrouted(deployment: Deployment, failed: Failed) -> list[tuple[Resource, Endpoint]]:
    """Give the gateway endpoints that would serve a need, were they in the route tables."""
    return list(_there(deployment, failed, gateway=True))


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
        for resource, _ in without_dns(deployment, failed):
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
        if failed.name == INTERNET or cause(failed) or without_dns(deployment, failed):
            continue
        for resource, _ in unrouted(deployment, failed):
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


def _duplicated(deployment: Deployment) -> Iterator[Found]:
    seen: dict[tuple[str, str], Resource] = {}
    for resource in deployment.of_type(_ENDPOINT):
        service = short_name(resource.get("ServiceName"))
        endpoint = deployment.network.graph.endpoints.get(deployment.network.name(resource))
        if endpoint is None or endpoint.host is None or not resource.certain or service is None:
            continue
        vpc = key(endpoint.vpc)
        if resource.boolean("PrivateDnsEnabled") is not True or vpc is None:
            continue
        first = seen.setdefault((vpc, service), resource)
        if first is not resource:
            said = f"{first.id} and {resource.id} both have private DNS for {service} in {vpc}"
            yield Found(resource, ("ServiceName",), said)


def _policy(deployment: Deployment) -> Iterator[Found]:
    network, permissions = deployment.network, deployment.permissions
    for function, _ in placed(deployment):
        role = permissions.role_of(function)
        if role is None:
            continue
        for need in deployment.needs.of(function):
            if need.name == INTERNET:
                continue
            for resource in _used(deployment, network.trace(function, Service(need.name)).paths):
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


def _used(deployment: Deployment, paths: tuple[Path, ...]) -> Iterator[Resource]:
    """Give the endpoints that carry a function's traffic to a service."""
    found = {hop.component for path in paths for hop in path.hops if hop.kind == "interface endpoint"}
    found |= {path.to for path in paths if path.to}
    for name in sorted(found & deployment.network.graph.endpoints.keys()):
        resource = deployment.network.resource(name)
        if resource is not None:
            yield resource


RULES = (
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
