"""Network Load Balancers as peers: with security groups or, as many are, without any."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from aws_cdk import Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from lambda_patterns.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterable

NetworkBalancer: TypeAlias = elbv2.NetworkLoadBalancer | elbv2.NetworkListener
"""A Network Load Balancer of this app, or a listener of it, which says the port."""

_GROUPS_PAGE = (
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html"
)


def balancer_of(peer: object) -> elbv2.NetworkLoadBalancer | None:
    """Give the Network Load Balancer that a peer is, or is a listener of; None for all else."""
    found = peer.load_balancer if isinstance(peer, elbv2.NetworkListener) else peer
    return found if isinstance(found, elbv2.NetworkLoadBalancer) else None


def listener_port(peer: object) -> ec2.Port | None:
    """Give the port of a listener; None for what is none, or has a port that deployment decides."""
    listener = peer.node.default_child if isinstance(peer, elbv2.NetworkListener) else None
    number = listener.port if isinstance(listener, elbv2.CfnListener) else None
    return None if number is None or Token.is_unresolved(number) else ec2.Port.tcp(int(number))


def addresses(balancer: elbv2.NetworkLoadBalancer) -> list[str]:
    """Give the address ranges of the balancer's subnets, or that of its VPC where those are not known.

    Raises:
        ArgumentError: the VPC is not known either.
    """
    vpc = balancer.vpc
    if vpc is None:
        raise ArgumentError(
            f"peer: {balancer.node.path} has no security group, and its VPC is not known: pass its "
            f'addresses, allow_to(ec2.Peer.ipv4("10.0.3.0/24"), 443) ({_GROUPS_PAGE})'
        )
    resource = balancer.node.default_child
    named = (resource.subnets if isinstance(resource, elbv2.CfnLoadBalancer) else None) or []
    every = (*vpc.public_subnets, *vpc.private_subnets, *vpc.isolated_subnets)
    return subnet_ranges(vpc, [subnet for subnet in every if subnet.subnet_id in named])


def subnet_ranges(vpc: ec2.IVpc, subnets: Iterable[ec2.ISubnet]) -> list[str]:
    """Give the address ranges of subnets, or that of their VPC where one of them does not say its own."""
    try:
        ranges = [subnet.ipv4_cidr_block for subnet in subnets]
    except RuntimeError:  # what is imported by its id alone raises
        ranges = []
    return ranges or [vpc.vpc_cidr_block]


def ranges_behind(peer: object, vpc: ec2.IVpc, subnets: ec2.SubnetSelection | None) -> list[str]:
    """Give the addresses that the targets of a balancer without groups see: its clients' and its own.

    Args:
        peer: the balancer, or a listener of it.
        vpc: the client's VPC.
        subnets: the client's subnets. Default: aws_cdk's choice.

    Raises:
        ArgumentError: the peer is none, or has groups, which the targets' groups can name.
    """
    balancer = balancer_of(peer)
    if balancer is None or balancer.connections.security_groups:
        raise ArgumentError(
            "targets: they see the addresses of clients behind a Network Load Balancer without groups alone: "
            f"leave them out, and let the peer's own groups in ({_GROUPS_PAGE})"
        )
    chosen = vpc.select_subnets() if subnets is None else vpc.select_subnets(**subnets._values)  # noqa: SLF001  # jsii gives structs no other way
    return list(dict.fromkeys([*subnet_ranges(vpc, chosen.subnets), *addresses(balancer)]))


def let_in(target: ec2.IConnectable, ranges: Iterable[str], port: ec2.Port) -> None:
    """Open what stands behind a balancer without groups to the addresses that it sees."""
    opened = target.connections.default_port or port
    for each in ranges:
        target.connections.allow_from(ec2.Peer.ipv4(each), opened, "Through a load balancer without groups")
