"""What the rules on reaching things share: each function's needs, traced, and what each failure is due to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.facts import services
from lambda_patterns.model.network import Internet, Service, Verdict
from lambda_patterns.rules.once import once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.needs import Need
    from lambda_patterns.model.network import Path, Reason, Trace
    from lambda_patterns.model.network.graph import Host
    from lambda_patterns.model.template import Resource

FUNCTION = "AWS::Lambda::Function"
INTERNET = "internet"
_URL = "AWS_ENDPOINT_URL"  # of all services, or, with its name behind, of one
LAMBDA_VPC = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html"
LAMBDA_INTERNET = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html"
INTERFACE_ENDPOINT = "https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html"


class Placed(NamedTuple):
    """A function in a VPC, and its interfaces."""

    resource: Resource
    host: Host


class Failed(NamedTuple):
    """A need that a function is known not to meet: of a service or the internet, and the way there."""

    function: Placed
    name: str
    title: str
    trace: Trace
    path: Path
    reason: Reason

    @property
    def subnets(self) -> str:
        """Name the subnets from which it fails."""
        blocked = (path.subnet for path in self.trace.paths if path.verdict is Verdict.BLOCKED)
        return ", ".join(dict.fromkeys(subnet for subnet in blocked if subnet)) or "its subnets"

    @property
    def said(self) -> str:
        """Say what is not reached, from where, and why, with Reachability Analyzer's code."""
        function = self.function.resource.id
        return f"{function} does not reach {self.title} from {self.subnets}: {because(self.reason)}"


def because(reason: Reason) -> str:
    """Write a reason with what it is about and its code."""
    return f"{reason.kind} {reason.component}: {reason.sentence} ({reason.code})"


FILTERS = frozenset({"security group", "network ACL"})


def unfiltered(path: Path) -> Reason | None:
    """Give what stops a path and is no filter: a route that is missing, a port that nothing listens on."""
    return next((block for block in path.blocks if block.kind not in FILTERS), None)


@once
def placed(deployment: Deployment) -> Iterator[Placed]:
    """Give the functions that are in a VPC, known or not."""
    for function in deployment.of_type(FUNCTION):
        host = deployment.network.host(function)
        if host is not None and host.interfaces:
            yield Placed(function, host)


@once
def failures(deployment: Deployment) -> Iterator[Failed]:
    """Give each need of each function in a VPC that is known not to be met."""
    for function in placed(deployment):
        addressed = _addressed(deployment, function.resource)
        for need in deployment.needs.of(function.resource):
            if need.name in addressed:
                continue
            trace = deployment.network.trace(function.resource, target_of(need))
            path = trace.deciding
            if trace.verdict is Verdict.BLOCKED and path is not None and path.reason is not None:
                yield Failed(function, need.name, title_of(need), trace, path, path.reason)


def target_of(need: Need) -> Internet | Service:
    """Give what a need is traced to."""
    return Internet() if need.name == INTERNET else Service(need.name)


def title_of(need: Need) -> str:
    """Name a need for people."""
    if need.name == INTERNET:
        return "the internet"
    service = services.by_name(need.name)
    return service.title if service else need.name


def _addressed(deployment: Deployment, function: Resource) -> set[str]:
    """Give the services that the code calls by another address: an endpoint's own, or a URL for the SDK."""
    network = deployment.network
    variables = function.get("Environment", "Variables")
    names = {name.upper() for name in variables} if isinstance(variables, dict) else set[str]()
    given = {name.removeprefix(_URL) for name in names if name.startswith(_URL)}
    found = {
        need.name
        for need in deployment.needs.of(function)
        if "" in given
        or any(one.strip("_").replace("_", "").lower() == need.name.replace("-", "") for one in given)
    }
    for logical_id in _attributes(function.raw.get("Properties", {}).get("Environment")):
        named = deployment.find(logical_id, function.template)
        endpoint = network.graph.endpoints.get(network.name(named)) if named is not None else None
        if endpoint is not None and endpoint.service is not None:
            found.add(endpoint.service)
    return found


def _attributes(raw: object) -> Iterator[str]:
    """Give the logical ids whose attributes are written anywhere in it."""
    if isinstance(raw, dict):
        named = raw.get("Fn::GetAtt")
        if named is not None:
            yield named.partition(".")[0] if isinstance(named, str) else str(named[0])
            return
        for value in raw.values():
            yield from _attributes(value)
    elif isinstance(raw, list):
        for value in raw:
            yield from _attributes(value)


def cause(failed: Failed) -> str:
    """Name what stops a need: "egress" of its groups, "endpoint" (its group), "acl", or "" for the rest."""
    reason = failed.reason
    if reason.kind == "network ACL":
        return "acl"
    if reason.kind == "security group":
        groups = {name for interface in failed.function.host.interfaces for name in interface.groups.names}
        if reason.direction == "egress" and not failed.path.hops and reason.component in groups:
            return "egress"
        if reason.direction == "ingress" and not _translated(failed.path):
            return "endpoint"
    return ""


def _translated(path: Path) -> bool:
    return any(hop.kind in ("NAT gateway", "NAT instance") for hop in path.hops) or path.to is None
