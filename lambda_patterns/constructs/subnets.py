"""What functions ask of subnets: two zones, and none of them public."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

from lambda_patterns.constructs.function_options import is_token
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import limits

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2

_TWO_ZONES = "https://docs.aws.amazon.com/lambda/latest/operatorguide/networking-vpc.html"
_PUBLIC = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html"

_FEWEST = 2
_SIZES = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"
_LARGEST, _SMALLEST = 16, 28  # prefix lengths, of a VPC and of a subnet alike

# aws_cdk's name for the error that a subnet, imported by its id alone, does not say its zone.
_ZONE_UNKNOWN = "CannotReferenceSubnetSAvailability"


def check_cidr(cidr: str, subnets: int) -> None:
    """Raise `ArgumentError` unless a VPC can have these addresses, and that many subnets in them."""
    if is_token(cidr):
        return
    try:
        network = IPv4Network(cidr, strict=False)
    except ValueError as error:
        raise ArgumentError(f"cidr: {error}: give IPv4 addresses such as 10.0.0.0/16 ({_SIZES})") from None
    if not _LARGEST <= network.prefixlen <= _SMALLEST:
        raise ArgumentError(
            f"cidr: {cidr} is /{network.prefixlen}, allowed are /{_LARGEST} to /{_SMALLEST} ({_SIZES})"
        )
    room = 2 ** (_SMALLEST - network.prefixlen)
    if room < subnets:
        raise ArgumentError(
            f"cidr: {cidr} has room for {room} of the smallest subnets, /{_SMALLEST}, and this network has "
            f"{subnets} ({_SIZES})"
        )


def check_subnets(vpc: ec2.IVpc, selection: ec2.SubnetSelection | None) -> None:
    """Raise `ArgumentError` unless functions can be placed in the selected subnets.

    A list that deployment decides is not counted, a zone that it decides may be any zone, and what a lookup
    has not answered yet is not judged.
    """
    try:
        chosen = vpc.select_subnets(**_arguments(selection))
    except RuntimeError as error:
        if selection is None or selection.subnets is None or _ZONE_UNKNOWN not in str(error):
            raise
        _check_count(len({subnet.subnet_id for subnet in selection.subnets}))
        return
    ids = chosen.subnet_ids
    if chosen.is_pending_lookup or any(item.startswith("#{Token[") for item in ids):
        return
    if chosen.has_public:
        raise ArgumentError(
            "vpc_subnets: a public subnet is among them, and it gives a function neither a public address "
            f"nor the internet: select private subnets ({_PUBLIC})"
        )
    count = len(set(ids))
    _check_count(count)
    zones = set(chosen.availability_zones)
    if len(zones) == 1 and not is_token(next(iter(zones))):
        raise ArgumentError(
            f"vpc_subnets: all {count} are in {next(iter(zones))}, needed are two zones: functions in one "
            f"zone stop when it is lost ({_TWO_ZONES})"
        )


def _check_count(count: int) -> None:
    if count < _FEWEST:
        raise ArgumentError(
            f"vpc_subnets: {count} subnet, needed are 2 or more in two zones: functions in one zone stop "
            f"when it is lost ({_TWO_ZONES})"
        )
    limits.SUBNETS.check(count, "vpc_subnets")


def _arguments(selection: ec2.SubnetSelection | None) -> dict[str, Any]:
    """Spread a selection over the arguments of `select_subnets`."""
    return {} if selection is None else dict(selection._values)  # noqa: SLF001  # jsii gives structs no other way
