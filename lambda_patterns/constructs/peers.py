"""On which port a peer of a function listens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from aws_cdk import Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache

from lambda_patterns.constructs.network_load_balancers import (
    NetworkBalancer,
    addresses,
    balancer_of,
    listener_port,
)
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts.engines import PROXY_PORTS
from lambda_patterns.facts.limit import Limit

if TYPE_CHECKING:
    from constructs import Construct

Cache: TypeAlias = (
    elasticache.CfnCacheCluster | elasticache.CfnReplicationGroup | elasticache.CfnServerlessCache
)
"""A cache of ElastiCache, for which aws_cdk has no construct that could be connected."""

_MEMCACHED, _REDIS = 11_211, 6_379

PORT = Limit(
    "port",
    1,
    65_535,
    "TCP port",
    "TCP knows no other ports",
    "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
)


Peer: TypeAlias = ec2.IConnectable | ec2.IPeer | Cache | NetworkBalancer
"""What a function can be let to."""


def known_peers(scope: Construct, peer: Peer) -> list[ec2.IConnectable]:
    """Give `peer` as what can be connected: itself, its groups with its port, or its addresses.

    A Network Load Balancer without groups, and addresses that are given, have no second side to open.
    A serverless cache listens on two ports, the second for reads.
    Source: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/set-up.html

    Args:
        scope: where what stands for the groups is put: the function, whose stack gets the rules.
        peer: what is connected to.
    """
    balancer = balancer_of(peer)
    if balancer is not None:
        own = balancer.connections.security_groups
        if not own:
            return [ec2.Peer.ipv4(each) for each in addresses(balancer)]
        return [ec2.Connections(security_groups=own, default_port=listener_port(peer))]
    cache: Any = peer
    groups = None
    if isinstance(cache, elasticache.CfnCacheCluster):
        groups = cache.vpc_security_group_ids
    elif isinstance(cache, elasticache.CfnReplicationGroup | elasticache.CfnServerlessCache):
        groups = cache.security_group_ids
    if not groups or Token.is_unresolved(groups):
        return [cache]
    usual = _MEMCACHED if cache.engine == "memcached" else _REDIS
    if isinstance(cache, elasticache.CfnServerlessCache):
        port = ec2.Port.tcp_range(usual, usual + 1)
    else:
        port = ec2.Port.tcp(usual if cache.port is None else int(cache.port))
    made = [_group(scope, f"Cache{cache.node.addr[-8:]}{i}", id_) for i, id_ in enumerate(groups)]
    return [ec2.Connections(security_groups=made, default_port=port)]


def _group(scope: Construct, construct_id: str, group_id: str) -> ec2.ISecurityGroup:
    """Give what stands for a group in `scope`, made at the first connection."""
    found: Any = scope.node.try_find_child(construct_id)
    group: ec2.ISecurityGroup = found or ec2.SecurityGroup.from_security_group_id(
        scope, construct_id, group_id
    )
    return group


def peer_port(peer: Peer, known: ec2.IConnectable, port: ec2.Port | int | None) -> ec2.Port:
    """Give the port to open towards `peer`, which is `known` as what can be connected.

    Raises:
        ArgumentError: `port` is none that TCP has, the peer has no default port, or no security group of it
            is known, so that no rule could be made.
    """
    if isinstance(port, int):
        PORT.check(port, "port")
        port = ec2.Port.tcp(port)
    connections = getattr(known, "connections", None)
    addressed = _is_addresses(known)
    if not addressed and (not isinstance(connections, ec2.Connections) or not connections.security_groups):
        raise ArgumentError(
            f"peer: no security group is known of {_name(peer)}: import it with its groups, pass "
            "ec2.Connections(security_groups=[...], default_port=...), or the addresses of what has no "
            'group, ec2.Peer.ipv4("10.0.3.0/24")'
        )
    found = port or listener_port(peer) or getattr(connections, "default_port", None) or _proxy_port(peer)
    if found is None:
        raise ArgumentError(
            f"port: {_name(peer)} has no default port: pass the one that it listens on, allow_to(peer, 443)"
        )
    return found


def _is_addresses(peer: object) -> bool:
    """Whether a peer is a range of addresses or a prefix list: a group is one in name only."""
    return hasattr(peer, "can_inline_rule") and not hasattr(peer, "security_group_id")


def _proxy_port(peer: object) -> ec2.Port | None:
    """A proxy has no default port in aws_cdk; its engine family decides which it listens on."""
    resource = getattr(getattr(peer, "node", None), "default_child", None)
    number = PROXY_PORTS.get(getattr(resource, "engine_family", ""))
    return None if number is None else ec2.Port.tcp(number)


def _name(peer: object) -> str:
    node = getattr(peer, "node", None)
    return f"the peer {node.path}" if node is not None else "the peer"
