"""What functions ask of subnets: two zones, and none of them public."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_patterns.constructs.function_options import is_token
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import limits

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2

_TWO_ZONES = "https://docs.aws.amazon.com/lambda/latest/operatorguide/networking-vpc.html"
_PUBLIC = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html"

_FEWEST = 2

# aws_cdk's name for the error that a subnet, imported by its id alone, does not say its zone.
_ZONE_UNKNOWN = "CannotReferenceSubnetSAvailability"


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
        _check_count(len(selection.subnets))
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
