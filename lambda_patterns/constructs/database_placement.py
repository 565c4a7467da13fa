"""Where a proxy and a rotation stand in a VPC, and how the rotation gets to what it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aws_cdk import Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_secretsmanager as secretsmanager

from lambda_patterns.constructs.closed_group import closed_group
from lambda_patterns.constructs.function_options import is_token
from lambda_patterns.constructs.network import LambdaNetwork
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import engines
from lambda_patterns.facts.limit import Limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from lambda_patterns.constructs.database_sources import Source

ROTATION_PERIOD = Limit(
    "rotation period",
    4,
    24_000,
    "h",
    "Secrets Manager rotates every 4 hours at most, every 1,000 days at least",
    "https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html",
)
_FEWEST = 2
_SERVICE = "secretsmanager"
_PREREQUISITES_PAGE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-network-prereqs.html"
_ROTATION_NETWORK_PAGE = (
    "https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-function-network-access.html"
)


def selected(vpc: ec2.IVpc, selection: ec2.SubnetSelection | None) -> ec2.SelectedSubnets:
    """Give the subnets chosen; by default the isolated ones if there are any, else the private ones."""
    if selection is None:
        kind = ec2.SubnetType.PRIVATE_ISOLATED if vpc.isolated_subnets else ec2.SubnetType.PRIVATE_WITH_EGRESS
        return vpc.select_subnets(subnet_type=kind)
    return vpc.select_subnets(**selection._values)  # noqa: SLF001  # jsii gives structs no other way


def checked_subnets(vpc: ec2.IVpc, selection: ec2.SubnetSelection | None) -> ec2.SelectedSubnets:
    """Give a proxy's subnets, or raise ArgumentError for one zone alone or a public subnet.

    What deployment or a lookup has still to decide is not judged.
    """
    chosen = selected(vpc, selection)
    ids, zones = chosen.subnet_ids, set(chosen.availability_zones)
    if chosen.is_pending_lookup or any(item.startswith("#{Token[") for item in ids):
        return chosen
    if chosen.has_public:
        raise ArgumentError(
            "vpc_subnets: a public subnet is chosen, allowed are isolated and private ones: a proxy is never "
            f"reached from the internet, and nothing here needs a way to it ({engines.PROXY_PAGE})"
        )
    if len(ids) < _FEWEST or (len(zones) < _FEWEST and not is_token(next(iter(zones)))):
        raise ArgumentError(
            f"vpc_subnets: {len(ids)} in {len(zones)} zone, needed are two or more in two zones: RDS "
            f"refuses a proxy in fewer ({_PREREQUISITES_PAGE})"
        )
    return chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """The rotation of passwords by AWS's own rotation function, placed in the VPC.

    Args:
        automatically_after: 4 hours to 1,000 days. Default 30 days, as AWS's own schedules.
        endpoint: with a VPC that is no `LambdaNetwork`, the interface endpoint of Secrets Manager (or its
            group) that the rotation function goes through. Default: none, and it goes out through the NAT
            gateway of its subnets.
        vpc_subnets: the rotation function's subnets. Default: those of the proxy.

    Source:
        https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-function-network-access.html
    """

    automatically_after: Duration = field(default_factory=lambda: Duration.days(30))
    endpoint: ec2.IConnectable | None = None
    vpc_subnets: ec2.SubnetSelection | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a proxy stands: the network or VPC as given, its VPC, and the subnets chosen in it."""

    network: LambdaNetwork | ec2.IVpc
    vpc: ec2.IVpc
    subnets: ec2.SelectedSubnets

    @property
    def selection(self) -> ec2.SubnetSelection:
        """The subnets as aws_cdk's constructs take them."""
        return ec2.SubnetSelection(subnets=self.subnets.subnets)


def place(network: LambdaNetwork | ec2.IVpc, selection: ec2.SubnetSelection | None) -> Place:
    """Choose and judge a proxy's subnets: those given, or a `LambdaNetwork`'s own."""
    if isinstance(network, LambdaNetwork):
        chosen = network.subnets if selection is None else selection
        return Place(network=network, vpc=network.vpc, subnets=checked_subnets(network.vpc, chosen))
    return Place(network=network, vpc=network, subnets=checked_subnets(network, selection))


def check_stacks(database: Construct, function: Construct, vpc: ec2.IVpc) -> None:
    """Refuse stacks that would each need the other first: a network in the function's own stack."""
    if not isinstance(vpc, ec2.Vpc):
        return
    ours, theirs, networks = (_lineage(found) for found in (database, function, vpc))
    if networks[-1] == theirs[-1] != ours[-1] or (networks[0] == theirs[0] and theirs[0] not in ours):
        raise ArgumentError(
            f"connect {function.node.path}: the network is in the function's stack {theirs[0]}, which "
            f"the database's stack {ours[0]} then needs, as the function needs that one: put the "
            "network into a stack of its own or the database's "
            "(https://docs.aws.amazon.com/cdk/v2/guide/resources.html#resource-stack)"
        )


def _lineage(construct: Construct) -> list[str]:
    """Give the paths of a construct's stack and of the stacks that it is nested in, innermost first."""
    stack: Stack | None = Stack.of(construct)
    paths: list[str] = []
    while stack is not None:
        paths.append(stack.node.path)
        stack = stack.nested_stack_parent
    return paths


def rotate(
    scope: Construct,
    rotation: Rotation,
    where: Place,
    source: Source,
    secrets: Mapping[str, secretsmanager.ISecret],
) -> None:
    """Rotate `secrets` (by user), in a group that reaches the database and Secrets Manager alone."""
    ROTATION_PERIOD.check(rotation.automatically_after.to_hours(integral=False), "automatically_after")
    subnets = where.subnets if rotation.vpc_subnets is None else selected(where.vpc, rotation.vpc_subnets)
    _check_way(rotation, where, subnets)
    about = "The rotation: out to the database and to Secrets Manager"
    group = closed_group(scope, "RotationSecurityGroup", where.vpc, about)
    group.connections.allow_to(source.database, source.port, "The rotation changes passwords")
    if isinstance(where.network, LambdaNetwork):
        where.network.let_out(group, [_SERVICE])
    elif rotation.endpoint is None:
        group.connections.allow_to_any_ipv4(ec2.Port.HTTPS, "To Secrets Manager through NAT")
    else:
        group.connections.allow_to(rotation.endpoint, ec2.Port.HTTPS, "To Secrets Manager's endpoint")
    make = {
        "mariadb": secretsmanager.HostedRotation.maria_db_single_user,
        "mysql": secretsmanager.HostedRotation.mysql_single_user,
        "aurora-mysql": secretsmanager.HostedRotation.mysql_single_user,
    }.get(source.engine.name, secretsmanager.HostedRotation.postgre_sql_single_user)
    for name, secret in secrets.items():
        secretsmanager.RotationSchedule(
            scope,
            f"Rotation-{name}",
            secret=secret,
            automatically_after=rotation.automatically_after,
            # at the first deployment the users are yet to be made, and their passwords yet to be taken
            rotate_immediately_on_update=False,
            hosted_rotation=make(
                vpc=where.vpc,
                vpc_subnets=ec2.SubnetSelection(subnets=subnets.subnets),
                security_groups=[group],
            ),
        )


def _check_way(rotation: Rotation, where: Place, subnets: ec2.SelectedSubnets) -> None:
    """Raise ArgumentError where it is known that the rotation function would not reach Secrets Manager."""
    fix = "give Rotation(endpoint=...) the interface endpoint, or Rotation(vpc_subnets=...) with NAT"
    if isinstance(where.network, LambdaNetwork):
        stuck = where.network.leads_out is False and _SERVICE not in where.network.services
        fix = (
            f"add {_SERVICE!r} to the network's Endpoints, or rotation=None for secrets that nothing rotates"
        )
    else:
        isolated = {subnet.subnet_id for subnet in where.vpc.isolated_subnets}
        stuck = rotation.endpoint is None and not isolated.isdisjoint(subnets.subnet_ids)
    if stuck:
        raise ArgumentError(
            "rotation: its function would not reach Secrets Manager from its subnets, which lead "
            f"nowhere, and the passwords would never change: {fix} ({_ROTATION_NETWORK_PAGE})"
        )
