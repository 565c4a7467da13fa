"""On which port a peer of a function listens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2

from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts.engines import PROXY_PORTS
from lambda_patterns.facts.limit import Limit

if TYPE_CHECKING:
    from constructs import IConstruct

PORT = Limit(
    "port",
    1,
    65_535,
    "TCP port",
    "TCP knows no other ports",
    "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
)


def peer_port(peer: ec2.IConnectable, port: ec2.Port | int | None) -> ec2.Port:
    """Give the port to open towards `peer`.

    Raises:
        ArgumentError: `port` is none that TCP has, the peer has no default port, or no security group of it
            is known, so that no rule could be made.
    """
    if isinstance(port, int):
        PORT.check(port, "port")
        port = ec2.Port.tcp(port)
    connections = getattr(peer, "connections", None)
    if not isinstance(connections, ec2.Connections) or not connections.security_groups:
        raise ArgumentError(
            f"peer: no security group is known of {_name(peer)}: import it with its groups, or pass "
            "ec2.Connections(security_groups=[...], default_port=...)"
        )
    found = port or connections.default_port or _proxy_port(peer)
    if found is None:
        raise ArgumentError(
            f"port: {_name(peer)} has no default port: pass the one that it listens on, allow_to(peer, 443)"
        )
    return found


def _proxy_port(peer: object) -> ec2.Port | None:
    """A proxy has no default port in aws_cdk; its engine family decides which it listens on."""
    resource = getattr(getattr(peer, "node", None), "default_child", None)
    number = PROXY_PORTS.get(getattr(resource, "engine_family", ""))
    return None if number is None else ec2.Port.tcp(number)


def _name(peer: IConstruct | ec2.IConnectable) -> str:
    node = getattr(peer, "node", None)
    return f"the peer {node.path}" if node is not None else "the peer"
