"""The ways out of a `LambdaNetwork`: exactly one of these is its `internet`."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from lambda_patterns.constructs.endpoints import check_endpoints
from lambda_patterns.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_iam as iam


@dataclass(frozen=True, slots=True)
class NatGateways:
    """To the whole internet over IPv4, through NAT gateways: managed, and paid by the hour and the gigabyte.

    S3 and DynamoDB take gateway endpoints beside it: those are free, a NAT gateway's gigabytes are not.

    Args:
        sharing: "per-zone" (default: the loss of a zone takes no other zone's way out with it), "one" (the
            cheapest; if its zone is lost, every function loses the internet), or "regional" (one gateway
            that AWS spreads over the zones in use; it needs no public subnet, and takes up to 60 minutes to
            reach a zone that is new to it).

    Source: https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html
    """

    sharing: Literal["one", "per-zone", "regional"] = "per-zone"

    def __post_init__(self) -> None:
        """Refuse a sharing that does not exist."""
        if self.sharing not in {"one", "per-zone", "regional"}:
            raise ArgumentError(
                f"sharing: {self.sharing!r} is none: allowed are 'one', 'per-zone' and 'regional'"
            )


@dataclass(frozen=True, slots=True)
class NatInstances:
    """To the whole internet over IPv4, through EC2 instances of one's own that translate addresses.

    For small loads at a tenth of a gateway's price. **What happens when it dies:** nothing takes over. Every
    function behind it loses the internet until the instance is up again: EC2 restarts it by itself when the
    host fails, not when the system on it hangs, and replacing it by a deployment takes minutes. With
    `per_zone` only that zone's functions lose it. Patching is yours: a new image comes with a deployment
    that replaces the instance. What must not go down belongs behind `NatGateways`.

    The instances run the current Amazon Linux 2023 (resolved at deployment from AWS's public parameter),
    with the source/destination check off, metadata by IMDSv2 only, an encrypted disk, and a group that lets
    in nothing but the VPC's own addresses. Each has an Elastic IP: what it calls sees one address, which
    stays when the instance is replaced.

    Args:
        instance_type: any type with enough network for the load, "t4g.nano" (default: the cheapest current
            one) to "c7gn.16xlarge".
        per_zone: one instance in every zone. Default False: one for all, the choice for whom price decides.

    Source: https://docs.aws.amazon.com/vpc/latest/userguide/work-with-nat-instances.html
    """

    instance_type: str = "t4g.nano"
    per_zone: bool = False


@dataclass(frozen=True, slots=True, init=False)
class Endpoints:
    """To the AWS services that are named, and nothing else: VPC endpoints, and no route to the internet.

    S3 and DynamoDB get gateway endpoints (free); every other service an interface endpoint with private DNS
    in each zone (paid by the hour and zone), whose group lets in 443 from the functions that need the
    service and from nobody else.

    Args:
        services: short names as in ``com.amazonaws.<region>.<name>``: "secretsmanager", "sqs", "s3".
        policies: per service the statements of the endpoint's policy. Default: none, and AWS's own policy
            lets everything through that the caller's role allows.
        prefix_lists: per gateway service the id of its AWS-managed prefix list in this Region
            ("pl-63a5400a"), to which functions are then held. Default: none. CloudFormation cannot look the
            id up, so a function that needs the service may send 443 anywhere, and the routes alone decide
            where that leads: to the endpoint, since there is no other.

    Source: https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html
    """

    services: tuple[str, ...]
    policies: Mapping[str, Sequence[iam.PolicyStatement]] = field(hash=False)
    prefix_lists: Mapping[str, str] = field(hash=False)

    def __init__(
        self,
        *services: str,
        policies: Mapping[str, Sequence[iam.PolicyStatement]] | None = None,
        prefix_lists: Mapping[str, str] | None = None,
    ) -> None:
        check_endpoints(services, policies=policies or {}, prefix_lists=prefix_lists or {})
        object.__setattr__(self, "services", services)
        object.__setattr__(self, "policies", MappingProxyType(dict(policies or {})))
        object.__setattr__(self, "prefix_lists", MappingProxyType(dict(prefix_lists or {})))


class Isolated(Endpoints):
    """As `Endpoints`, and declared: nothing may ever lead out.

    Each function in the network records the declaration in the template, and the rule `isolation-broken`
    holds every route, peering and gateway of the deployment against it, now and after later changes.
    """

    __slots__ = ()


class EgressOnlyGateway(Endpoints):
    """To the internet over IPv6 only, through an egress-only internet gateway: free, closed to the world.

    The network has both protocols; there is no way out over IPv4. A caller has to use IPv6 addresses: for
    AWS's services set ``AWS_USE_DUALSTACK_ENDPOINT=true`` in the function's environment, and name here the
    services that its Region offers over IPv4 alone, which then get endpoints.

    Source: https://docs.aws.amazon.com/vpc/latest/userguide/egress-only-internet-gateway.html
    """

    __slots__ = ()


WayOut = NatGateways | NatInstances | Endpoints
"""One way out; `Isolated` and `EgressOnlyGateway` are kinds of `Endpoints`."""
