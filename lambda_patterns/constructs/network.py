"""A network for functions: two zones or more, private subnets, and exactly one way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from lambda_patterns.constructs.acknowledgements import INLINE_POLICY, LOG_GROUP_KEY, acknowledge
from lambda_patterns.constructs.endpoints import (
    check_endpoints,
    create_endpoints,
    endpoint_id,
    prefix_list_peer,
)
from lambda_patterns.constructs.nat_instances import create_provider, finish_instances
from lambda_patterns.constructs.subnets import check_cidr, check_subnets
from lambda_patterns.constructs.ways_out import (
    EgressOnlyGateway,
    Endpoints,
    Isolated,
    NatGateways,
    NatInstances,
    WayOut,
)
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts.limit import Limit
from lambda_patterns.facts.services import is_gateway

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_iam as iam

ZONES = Limit(
    "zones",
    2,
    6,
    "zones",
    "functions in one zone stop when it is lost, and no Region has more than six",
    "https://docs.aws.amazon.com/lambda/latest/operatorguide/networking-vpc.html",
)

# aws_cdk's own default, which it needs no call to be told.
_CIDR = "10.0.0.0/16"

_PUBLIC_ROUTE = {
    "compliance/VPCNoUnrestrictedRouteToIGW": "this subnet holds the NAT device and nothing else; functions "
    "stand in private subnets, which have no route to an internet gateway"
}

_IPV6_ADDRESSES = {
    "compliance/VPCSubnetAutoAssignPublicIpDisabled": "the addresses are IPv6, and the only way out for them "
    "is an egress-only gateway, which lets nobody in"
}


class LambdaNetwork(Construct):
    """A VPC for functions, with one way out of it; `from_vpc` takes one that exists.

    The default security group is emptied at deployment by aws_cdk's own custom resource, flow logs of all
    traffic go to CloudWatch Logs, and no subnet hands out public addresses.

    Args:
        internet: the way out: `NatGateways`, `NatInstances`, `Endpoints`, `Isolated` or `EgressOnlyGateway`.
            No default: it decides what functions reach and what the network costs, from nothing to hundreds
            of dollars a month.
        zones: how many availability zones, 2-6, or their names. Default 2, the fewest that survive the loss
            of one; every further zone adds its NAT gateway or endpoint interfaces to the bill. No account is
            asked for zones unless the stack's environment is set: then aws_cdk looks them up once, and keeps
            them in cdk.context.json.
        cidr: the VPC's IPv4 addresses. Default "10.0.0.0/16", room for what comes later; choose one that
            nothing else of yours uses if networks may ever be joined.
        flow_log_group: where flow logs go. Default: a group of its own that keeps them for one month.

    Attributes:
        vpc: the VPC.
        subnets: where functions are placed, and what else should share their way out.
        internet: the way out, as given; None for an imported VPC.
        leads_out: whether the subnets lead to the internet; None where that is not known.

    Raises:
        ArgumentError: fewer than two zones, no way out, or addresses that a VPC cannot have.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html
    """

    vpc: ec2.IVpc
    subnets: ec2.SubnetSelection
    internet: WayOut | None
    leads_out: bool | None
    ipv6: bool
    _endpoints: dict[str, ec2.IConnectable | None]

    def __init__(  # noqa: PLR0913  # each is one setting of a network
        self,
        scope: Construct,
        construct_id: str,
        *,
        internet: WayOut,
        zones: int | Sequence[str] = 2,
        cidr: str = _CIDR,
        flow_log_group: logs.ILogGroup | None = None,
    ) -> None:
        ZONES.check(zones if isinstance(zones, int) else len(set(zones)), "zones")
        if not isinstance(internet, WayOut):
            raise ArgumentError(
                f"internet: {internet!r} is no way out: give NatGateways(), NatInstances(), Endpoints(...), "
                "Isolated(...) or EgressOnlyGateway(...)"
            )
        in_each = 2 if _has_public(internet) else 1
        check_cidr(cidr, in_each * (zones if isinstance(zones, int) else len(zones)))
        super().__init__(scope, construct_id)
        self.internet = internet
        self.ipv6 = isinstance(internet, EgressOnlyGateway)
        self.leads_out = self.ipv6 or not isinstance(internet, Endpoints)
        self.subnets = ec2.SubnetSelection(
            subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS
            if self.leads_out
            else ec2.SubnetType.PRIVATE_ISOLATED
        )
        own = internet if isinstance(internet, Endpoints) else Endpoints("s3", "dynamodb")
        gateways = [name for name in own.services if is_gateway(name) and name not in own.policies]
        self.vpc = self._create_vpc(internet, zones, cidr, flow_log_group, gateways)
        self._endpoints = {name: prefix_list_peer(own.prefix_lists.get(name)) for name in gateways}
        self.add_endpoints(*own.services, policies=own.policies, prefix_lists=own.prefix_lists)

    def _create_vpc(
        self,
        internet: WayOut,
        zones: int | Sequence[str],
        cidr: str,
        flow_log_group: logs.ILogGroup | None,
        gateways: Sequence[str],
    ) -> ec2.Vpc:
        if flow_log_group is None:
            flow_log_group = logs.LogGroup(self, "FlowLogs", retention=logs.RetentionDays.ONE_MONTH)
            acknowledge(flow_log_group, LOG_GROUP_KEY)
        public = _has_public(internet)
        assert self.subnets.subnet_type is not None  # noqa: S101  # narrows: it was chosen by type
        private_subnets = ec2.SubnetConfiguration(name="Function", subnet_type=self.subnets.subnet_type)
        public_subnets = ec2.SubnetConfiguration(
            name="Public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=28, map_public_ip_on_launch=False
        )
        provider, count = _nat(internet)
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=None if cidr == _CIDR else ec2.IpAddresses.cidr(cidr),
            max_azs=zones if isinstance(zones, int) else None,
            availability_zones=None if isinstance(zones, int) else list(zones),
            ip_protocol=ec2.IpProtocol.DUAL_STACK if self.ipv6 else None,
            create_internet_gateway=not isinstance(internet, Endpoints),
            nat_gateway_provider=provider,
            nat_gateways=count,
            subnet_configuration=[public_subnets, private_subnets] if public else [private_subnets],
            gateway_endpoints={
                endpoint_id(name): ec2.GatewayVpcEndpointOptions(
                    service=ec2.GatewayVpcEndpointAwsService(name), subnets=[self.subnets]
                )
                for name in gateways
            },
            restrict_default_security_group=True,
        )
        log = vpc.add_flow_log(
            "FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(flow_log_group)
        )
        acknowledge(log, INLINE_POLICY)
        if public:
            for subnet in vpc.public_subnets:
                acknowledge(subnet, _PUBLIC_ROUTE)
        if self.ipv6:
            for subnet in vpc.private_subnets:
                acknowledge(subnet, _IPV6_ADDRESSES)
        if isinstance(provider, ec2.NatInstanceProviderV2):
            finish_instances(self, provider, vpc, cidr)
        return vpc

    @classmethod
    def from_vpc(  # noqa: PLR0913  # each is one setting of a network
        cls,
        scope: Construct,
        construct_id: str,
        vpc: ec2.IVpc,
        *,
        vpc_subnets: ec2.SubnetSelection | None = None,
        internet: bool | None = None,
        endpoints: Mapping[str, ec2.IConnectable | None] | None = None,
    ) -> LambdaNetwork:
        """Take a VPC that exists, with what is known of its routes and endpoints.

        What an imported VPC's routes and endpoints are cannot be read from a template. What is stated here
        is recorded on each function, and the proof of what the function reaches builds on it.

        Args:
            scope: the construct that this one belongs to.
            construct_id: its id.
            vpc: the VPC, imported or made elsewhere in the app.
            vpc_subnets: where functions are placed. Default: aws_cdk's choice, the private subnets.
            internet: whether those subnets' default routes lead to the internet through NAT. False: nothing
                leads out, and nothing may, as `Isolated` declares it. Default None: not known.
            endpoints: the endpoints that exist, by the service's short name: the endpoint or its security
                group where it is known, so that 443 is opened in it; None for a gateway endpoint, and for
                one whose group lets functions in already. None of these is ever made a second time.

        Raises:
            ArgumentError: fewer than two subnets, all in one zone, or a public one.
        """
        return _ImportedNetwork(
            scope,
            construct_id,
            vpc=vpc,
            vpc_subnets=vpc_subnets,
            internet=internet,
            endpoints=endpoints or {},
        )

    @property
    def isolated(self) -> bool:
        """Whether it is declared that nothing may lead out."""
        return isinstance(self.internet, Isolated)

    @property
    def services(self) -> tuple[str, ...]:
        """The services that have an endpoint here, sorted."""
        return tuple(sorted(self._endpoints))

    @property
    def stated_routes(self) -> dict[str, object] | None:
        """What was stated of an imported VPC: ``{"Internet": true|false, "Endpoints": ["sqs"]}``."""
        return None

    def add_endpoints(
        self,
        *services: str,
        policies: Mapping[str, Sequence[iam.PolicyStatement]] | None = None,
        prefix_lists: Mapping[str, str] | None = None,
    ) -> None:
        """Add endpoints for services that have none yet; arguments as of `Endpoints`.

        Raises:
            ArgumentError: AWS offers no endpoint for the service, or a policy or prefix list names a service
                that gets no endpoint here.
        """
        check_endpoints(services, policies=policies or {}, prefix_lists=prefix_lists or {})
        wanted = [service for service in dict.fromkeys(services) if service not in self._endpoints]
        self._endpoints |= create_endpoints(
            self,
            self.vpc,
            self.subnets,
            wanted,
            policies=policies or {},
            prefix_lists=prefix_lists or {},
        )

    def let_out(self, function: ec2.IConnectable, needs: Sequence[str]) -> None:
        """Open a function's group to what it needs, on 443, and the groups of the endpoints to the function.

        Both rules stand in the function's stack.

        Args:
            function: whoever sends.
            needs: "internet" or short names of services.
        """
        groups = [self._endpoints.get(need) for need in needs]
        connections = function.connections
        https = ec2.Port.HTTPS
        for need, group in zip(needs, groups, strict=True):
            if group is not None:
                connections.allow_to(group, https, f"443 to the endpoint of {need}")
        if None in groups:
            anywhere = ec2.Peer.any_ipv6() if self.ipv6 else ec2.Peer.any_ipv4()
            connections.allow_to(anywhere, https, "443 to wherever the routes lead")


class _ImportedNetwork(LambdaNetwork):
    def __init__(  # noqa: PLR0913  # each is one setting of a network
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        vpc_subnets: ec2.SubnetSelection | None,
        internet: bool | None,
        endpoints: Mapping[str, ec2.IConnectable | None],
    ) -> None:
        check_subnets(vpc, vpc_subnets)
        Construct.__init__(self, scope, construct_id)
        self.vpc = vpc
        self.subnets = vpc_subnets or ec2.SubnetSelection()
        self.internet = None
        self.leads_out = internet
        self.ipv6 = False
        self._endpoints = dict(endpoints)

    @property
    def isolated(self) -> bool:
        return self.leads_out is False

    @property
    def stated_routes(self) -> dict[str, object] | None:
        stated: dict[str, object] = {"Endpoints": list(self.services)}
        return stated if self.leads_out is None else {"Internet": self.leads_out, **stated}


def _has_public(internet: WayOut) -> bool:
    """Whether the way out has subnets of its own that are public."""
    return isinstance(internet, NatInstances) or (
        isinstance(internet, NatGateways) and internet.sharing != "regional"
    )


def _nat(internet: WayOut) -> tuple[ec2.NatProvider | None, int | None]:
    """The NAT provider, and how many devices: None is one per zone."""
    match internet:
        case NatGateways(sharing="regional"):
            return ec2.NatProvider.regional_gateway(), None
        case NatGateways(sharing=sharing):
            return None, 1 if sharing == "one" else None
        case NatInstances(per_zone=per_zone):
            return create_provider(internet), None if per_zone else 1
    return None, 0
