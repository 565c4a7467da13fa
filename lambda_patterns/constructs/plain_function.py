"""A function outside any VPC of yours."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, Unpack

from lambda_patterns.constructs.base_function import BaseFunction
from lambda_patterns.errors import ArgumentError

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2
    from constructs import Construct

    from lambda_patterns.constructs.function_options import FunctionOptions

_OUTSIDE = (
    "it is meant to stand outside a VPC: it reaches the internet and AWS's public endpoints, and needs "
    "nothing that has a private address"
)


class PlainFunction(BaseFunction):
    """A `lambda_.Function` outside any VPC of yours, with the library's defaults.

    **It reaches** the internet, and every AWS service by its public endpoint, with no NAT gateway, endpoint
    or security group, and for nothing. **It does not reach** what has only a private address: RDS and Aurora,
    RDS Proxy, ElastiCache, internal load balancers. Its addresses are AWS's and change: who must let in a
    fixed address needs a `VpcFunction` behind NAT. What it may call is its role's permissions alone.

    Prefer it until something private is needed.

    Args:
        options: see `FunctionOptions`.

    Raises:
        ArgumentError: a value that Lambda refuses; raised before anything is synthesized.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        **options: Unpack[FunctionOptions],
    ) -> None:
        super().__init__(scope, construct_id, statements=[], placement={}, options=options)

    def _reasons(self) -> dict[str, str]:
        return {"compliance/LambdaInsideVPC": _OUTSIDE}

    def allow_to(self, peer: ec2.IConnectable, port: ec2.Port | int | None = None) -> NoReturn:
        """Refuse: what has security groups has a private address, which this function does not reach.

        Raises:
            ArgumentError: always.
        """
        del peer, port
        raise ArgumentError(
            "peer: a function outside the VPC reaches nothing that has a private address: make it "
            "VpcFunction(..., network=...) (https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html)"
        )
