"""What the templates prove of the network, which the embedded AWS itself only records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_patterns.model.assembly import read
from lambda_patterns.model.deployment import Settings
from lambda_patterns.model.needs import FUNCTION, INTERNET
from lambda_patterns.model.network import Internet, Service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.network import Network, Trace
    from lambda_patterns.model.template import Resource


# what every way has; the rest tells one way from another
_USUAL = frozenset({"network ACL", "network interface", "route table", "security group", "subnet"})


@dataclass(frozen=True, kw_only=True)
class Proved:
    """Whether one function reaches one target; `how` names the way, or what stops it."""

    function: str
    target: str
    verdict: str
    how: str
    needed: bool


def prove(assembly: Path, region: str) -> list[Proved]:
    """Trace every function of a VPC to what its code needs, and to the internet.

    Args:
        assembly: the folder that was synthesized.
        region: where stacks go that do not say it.
    """
    deployment = next(read(assembly).deployments(Settings(region=region)))
    functions = [found for found in deployment.of_type(FUNCTION) if found.get("VpcConfig") is not None]
    return [proved for function in functions for proved in _of(deployment, function)]


def _of(deployment: Deployment, function: Resource) -> Iterator[Proved]:
    network, needs = deployment.network, deployment.needs
    needed = {need.name for need in needs.of(function)}
    targets: list[tuple[str, Internet | Service | Resource]] = [
        (name, Internet() if name == INTERNET else Service(name)) for name in sorted(needed | {INTERNET})
    ]
    for peer in needs.peers(function):
        port = network.port_of(peer.resource)
        if network.host(peer.resource) is not None and port is not None:
            targets.append((f"{_name(peer.resource)}:{port}", peer.resource))
    for name, target in targets:
        trace = network.trace(function, target)
        yield Proved(
            function=_name(function),
            target=name,
            verdict=trace.verdict.value,
            how=_how(network, trace),
            needed=name != INTERNET or name in needed,
        )


def _how(network: Network, trace: Trace) -> str:
    """Say what blocks it or is not known, or else which components besides the usual ones carry it."""
    if trace.reason is not None:
        return trace.reason.sentence
    path = trace.deciding
    if path is None:
        return ""
    telling = dict.fromkeys(hop.kind for hop in path.hops if hop.kind not in _USUAL)
    last = network.resource(path.to) if path.to is not None else None
    if last is not None and last.type == "AWS::EC2::VPCEndpoint":
        telling = telling or {"gateway endpoint": None}
    return "through " + ", ".join(telling) if telling else "inside the VPC"


def _name(resource: Resource) -> str:
    return (resource.construct_path or resource.id).removesuffix("/Resource")
