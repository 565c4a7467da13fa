"""A function in a VPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from aws_cdk import aws_ec2 as ec2

from lambda_patterns.constructs.base_function import BaseFunction
from lambda_patterns.constructs.closed_group import close
from lambda_patterns.constructs.endpoints import INTERNET, check_name, check_service
from lambda_patterns.constructs.execution_role import network_interface_statements
from lambda_patterns.constructs.network import LambdaNetwork
from lambda_patterns.constructs.network_load_balancers import let_in, ranges_behind
from lambda_patterns.constructs.peers import known_peers, peer_port
from lambda_patterns.constructs.subnets import check_subnets
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from lambda_patterns.constructs.function_options import FunctionOptions
    from lambda_patterns.constructs.peers import Peer

_INTERNET_PAGE = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html"


class VpcFunction(BaseFunction):
    """A `lambda_.Function` inside a VPC that reaches what it says it needs, and nothing else.

    It has a security group of its own that lets nothing in (nothing can connect to a function) and nothing
    out but what `internet`, `needs` and `allow_to` call for; an execution role with the permissions of
    AWSLambdaVPCAccessExecutionRole held to its own log group and denied to its own code; a log group with a
    retention; and active tracing. What it needs is recorded in the template, and the rules hold it against
    the routes.

    Args:
        network: a `LambdaNetwork`, or any VPC. Of a VPC that is not a `LambdaNetwork` nothing is known: no
            endpoint's group is opened, and 443 is let out to wherever its routes lead.
        vpc_subnets: with a VPC, where the function is placed: two private subnets or more, in two zones.
            Default: aws_cdk's choice, the private subnets.
        internet: whether the code calls the internet; 443 is opened to it. Default False: most functions
            call AWS and a database.
        needs: the AWS services that the code calls, by the short names of their endpoints
            ("secretsmanager", "sqs", "s3"). Logs, traces, event sources and destinations are no needs:
            Lambda serves them from outside the VPC. Default: none.
        security_groups: in place of the function's own group, where functions share one: each distinct set of
            groups takes network interfaces of its own, of which a VPC has 500. At most 5.
        options: see `FunctionOptions`.

    Raises:
        ArgumentError: a value that Lambda refuses, a subnet that does not serve, or a need that this network
            cannot meet; raised before anything is synthesized.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
    """

    def __init__(  # noqa: PLR0913  # each is one answer to where it stands and what it needs
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: LambdaNetwork | ec2.IVpc,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        internet: bool = False,
        needs: Sequence[str] = (),
        **options: Unpack[FunctionOptions],
    ) -> None:
        if isinstance(needs, str):
            raise ArgumentError(f"needs: {needs!r} is one text: give a list, needs=[{needs!r}]")
        wanted = [INTERNET, *needs] if internet else list(needs)
        if isinstance(network, LambdaNetwork):
            if vpc_subnets is not None:
                raise ArgumentError(
                    "vpc_subnets: a LambdaNetwork has its own subnets: leave it out, or say it in "
                    "LambdaNetwork.from_vpc(..., vpc_subnets=...)"
                )
            vpc, vpc_subnets = network.vpc, network.subnets
        else:
            vpc = network
            check_subnets(vpc, vpc_subnets)
        self._network = network
        self._subnets = vpc_subnets
        self._needs: list[str] = []
        self._check_needs(wanted)
        placement: dict[str, Any] = {"vpc": vpc, "vpc_subnets": vpc_subnets}
        if security_groups is None:
            placement["allow_all_outbound"] = False
        else:
            limits.SECURITY_GROUPS.check(len(security_groups), "security_groups")
            placement["security_groups"] = security_groups
        if isinstance(network, LambdaNetwork) and network.ipv6:
            placement["ipv6_allowed_for_dual_stack"] = True
        super().__init__(
            scope,
            construct_id,
            statements=network_interface_statements(),
            placement=placement,
            options=options,
        )
        if security_groups is None:
            close(self)
        if isinstance(network, LambdaNetwork):
            self._declare_network(network)
        if wanted:
            self.add_needs(*wanted)

    @property
    def vpc(self) -> ec2.IVpc:
        """The VPC that the function is in."""
        return self._network.vpc if isinstance(self._network, LambdaNetwork) else self._network

    def add_needs(self, *needs: str) -> None:
        """Add what the code calls: groups are opened as in the constructor, and the needs are recorded.

        Args:
            needs: short names of services, or "internet".

        Raises:
            ArgumentError: this network cannot meet a need.
        """
        self._check_needs(needs)
        added = [need for need in dict.fromkeys(needs) if need not in self._needs]
        if not added:
            return
        self._needs += added
        if isinstance(self._network, LambdaNetwork):
            self._network.let_out(self, added)
        else:
            self.connections.allow_to_any_ipv4(ec2.Port.HTTPS, "443 to wherever the routes lead")
        self._declare("Needs", value=list(self._needs))

    def allow_to(
        self,
        peer: Peer,
        port: ec2.Port | int | None = None,
        *,
        targets: Sequence[ec2.IConnectable] = (),
    ) -> None:
        """Let the function connect to a database, cache, load balancer or proxy.

        Opens the function's group to the peer's and the peer's to the function's; both rules stand in the
        function's stack, so that no wiring makes a cycle between stacks.

        Args:
            peer: anything with security groups: a database or proxy, a cluster, a listener, an ElastiCache
                cache (`CfnReplicationGroup`, `CfnServerlessCache`, `CfnCacheCluster`), or
                `ec2.Connections` around the group of something that has no construct. A Network Load
                Balancer without groups lets in everybody: the function is let out to its subnets. For what
                else has no group, give its addresses: ``ec2.Peer.ipv4("10.0.3.0/24")``.
            port: what the peer listens on. Default: the peer's own default port; for a proxy the port of
                its engine family, which is what it listens on whatever the port of its database.
            targets: with a Network Load Balancer without groups, what stands behind it. Its groups see the
                function's addresses, or the balancer's where client addresses are not preserved, and never
                the function's group: they are opened to the ranges of both's subnets, in the targets' own
                stack, on the target's default port or `port`. Default: none, for targets that are open to
                the VPC already.

        Raises:
            ArgumentError: the peer has no default port, no security group is known for it, or `targets` are
                given with a peer that has groups.

        Source:
            https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
        """
        known = known_peers(self, peer)
        opened = peer_port(peer, known[0], port)
        for each in known:
            self.connections.allow_to(each, opened)
        if targets:
            ranges = ranges_behind(peer, self.vpc, self._subnets)
            for target in targets:
                let_in(target, ranges, opened)

    def _declare_network(self, network: LambdaNetwork) -> None:
        if network.isolated:
            self._declare("Isolated", value=True)
        if network.stated_routes is not None:
            self._declare("Network", value=network.stated_routes)

    def _check_needs(self, needs: Sequence[str]) -> None:
        for need in needs:
            if need != INTERNET:
                check_name(need, "needs")
            if not isinstance(self._network, LambdaNetwork) or self._network.leads_out is not False:
                continue
            if need == INTERNET:
                raise ArgumentError(
                    "internet: nothing leads out of this network: give it internet=NatGateways(), "
                    f"NatInstances() or EgressOnlyGateway() ({_INTERNET_PAGE})"
                )
            if need not in self._network.services:
                check_service(need, "needs")
                raise ArgumentError(
                    f"needs: this network has no endpoint for {need!r} and no way to the internet: "
                    f"add {need!r} to its Endpoints, or call network.add_endpoints({need!r}) first "
                    f"({_INTERNET_PAGE})"
                )
