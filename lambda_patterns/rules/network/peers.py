"""Functions and what they connect to in a VPC: databases, proxies, caches, load balancers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.model.network import Verdict
from lambda_patterns.rules.network.placement import GROUPS
from lambda_patterns.rules.network.reach import FUNCTION, LAMBDA_VPC, because, unfiltered
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.network import Path
    from lambda_patterns.model.template import Resource

_PROXY = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.html"
_PEERING = "https://docs.aws.amazon.com/vpc/latest/peering/what-is-vpc-peering.html"


def _used(deployment: Deployment) -> Iterator[tuple[Resource, Resource]]:
    """Give who connects to what: functions to their peers, proxies to their databases."""
    for function in deployment.of_type(FUNCTION):
        for peer in deployment.needs.peers(function):
            if deployment.network.host(peer.resource) is not None:
                yield function, peer.resource
    for group in deployment.of_type("AWS::RDS::DBProxyTargetGroup"):
        proxy = deployment.resource_of(group.get("DBProxyName"), "AWS::RDS::DBProxy")
        if proxy is None:
            continue
        for path, kind in (
            ("DBClusterIdentifiers", "AWS::RDS::DBCluster"),
            ("DBInstanceIdentifiers", "AWS::RDS::DBInstance"),
        ):
            targets = group.list(path)
            for value in targets if isinstance(targets, list) else ():
                database = deployment.resource_of(value, kind)
                if database is not None and deployment.network.host(database) is not None:
                    yield proxy, database


def _blocked(deployment: Deployment) -> Iterator[tuple[Resource, Resource, int, Path]]:
    for source, peer in _used(deployment):
        port = deployment.network.port_of(peer)
        if port is None or deployment.network.host(source) is None:
            continue
        trace = deployment.network.trace(source, peer, port)
        path = trace.deciding
        if trace.verdict is Verdict.BLOCKED and path is not None:
            yield source, peer, port, path


def _closed(deployment: Deployment) -> Iterator[Found]:
    for source, peer, port, path in _blocked(deployment):
        first = path.blocks[0]
        if first.kind != "security group" or (_apart(deployment, source, peer) and unfiltered(path)):
            continue
        stopped = [block for block in path.blocks if block.kind == "security group"]
        said = f"{source.id} does not reach {peer.id} on port {port}: " + "; ".join(map(because, stopped))
        other = _other_port(deployment, source, peer, port)
        if other:
            said += f"; its group lets in port {other} instead"
        ways = {block.direction for block in stopped}
        yield Found(peer, (), said, _mend(source, peer, port, ways), subject=source.id)


def _mend(source: Resource, peer: Resource, port: int, ways: set[str]) -> str:
    lines = []
    if "egress" in ways:
        lines.append(f"an AWS::EC2::SecurityGroupEgress of {source.id}'s group to {peer.id}'s")
    if "ingress" in ways:
        lines.append(f"an AWS::EC2::SecurityGroupIngress of {peer.id}'s group from {source.id}'s")
    return (
        f"use `function.allow_to(peer)` or `database.connect(function)`, or add {' and '.join(lines)}, tcp"
        f" {port}"
    )


def _other_port(deployment: Deployment, source: Resource, peer: Resource, port: int) -> int | None:
    """Find a port that the peer's groups let in from the source's, where it is not the one it listens on."""
    graph = deployment.network.graph
    here, there = deployment.network.host(source), deployment.network.host(peer)
    groups = {name for interface in (here.interfaces if here else ()) for name in interface.groups.names}
    for interface in there.interfaces if there else ():
        for name in interface.groups.names:
            for rule in graph.groups[name].ingress:
                if getattr(rule.peer, "group", None) in groups and rule.low not in (None, port):
                    return rule.low
    return None


def _apart(deployment: Deployment, source: Resource, peer: Resource) -> bool:
    """Tell whether they are known to be in different VPCs."""
    here, there = deployment.network.host(source), deployment.network.host(peer)
    vpcs = [host.vpc if host else None for host in (here, there)]
    return all(isinstance(vpc, str) for vpc in vpcs) and vpcs[0] != vpcs[1]


def _not_connected(deployment: Deployment) -> Iterator[Found]:
    for source, peer, port, path in _blocked(deployment):
        reason = unfiltered(path)
        if reason is not None and _apart(deployment, source, peer) and not _public(deployment, peer):
            said = (
                f"{source.id} and {peer.id} are in different VPCs, and port {port} is not reached:"
                f" {because(reason)}"
            )
            yield Found(source, (*GROUPS[:1],) if source.type == FUNCTION else (), said, subject=peer.id)


def _public(deployment: Deployment, peer: Resource) -> bool:
    host = deployment.network.host(peer)
    return host is not None and any(interface.public is not False for interface in host.interfaces)


def _outside(deployment: Deployment) -> Iterator[Found]:
    for source, peer, port, path in _blocked(deployment):
        host = deployment.network.host(source)
        if source.type == FUNCTION and host is not None and host.vpc is None:
            said = (
                f"{source.id} is outside a VPC and uses {peer.id} on port {port}: {because(path.blocks[0])}"
            )
            yield Found(source, ("VpcConfig",), said, subject=peer.id)


RULES = (
    Rule(
        name="peer-closed",
        topic="network",
        severity=Severity.ERROR,
        forbids=(
            "a database, proxy, cache or load balancer that a function or proxy uses, where a rule of one of"
            " the two groups is missing, or for another port than the one it listens on"
        ),
        why=(
            "both groups must allow a connection: the client's to let it out, the other's to let it in; a"
            " proxy listens on its engine family's port, whatever the database's port is"
        ),
        fix="use `function.allow_to(peer)` or `database.connect(function)`, which write both rules",
        exceptions=(
            "one group for both with a rule for itself",
            "rules by the VPC's or subnets' block",
            "a group without egress rules of its own, which lets everything out",
            "groups that are not in the template",
        ),
        source=LAMBDA_VPC,
        check=_closed,
    ),
    Rule(
        name="function-outside-vpc",
        topic="network",
        severity=Severity.ERROR,
        forbids="a function outside a VPC that uses a private resource",
        why="a function reaches private addresses only from inside their VPC",
        fix="use `VpcFunction(network=...)`, or give VpcConfig with private subnets of that VPC",
        exceptions=(
            "a database with a public address, or of which that is not known",
            "the RDS Data API",
            "an OpenSearch domain outside a VPC",
        ),
        source=_PROXY,
        check=_outside,
    ),
    Rule(
        name="vpcs-not-connected",
        topic="network",
        severity=Severity.ERROR,
        forbids=(
            "a function and the database or proxy that it uses in different VPCs without a route between them"
        ),
        why=(
            "VPCs are separate networks: private addresses are reached across them by peering or a transit"
            " gateway"
        ),
        fix=(
            "place both in one VPC (`VpcFunction(network=...)`), or add a peering connection and routes both"
            " ways"
        ),
        exceptions=(
            "a peering connection with routes both ways",
            "a route to a transit gateway or to a peering outside of the template",
            "a database with a public address",
        ),
        source=_PEERING,
        check=_not_connected,
    ),
)
