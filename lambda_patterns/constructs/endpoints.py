"""VPC endpoints by the short name of their service, each closed to all but those who need it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2

from lambda_patterns.errors import ArgumentError, nearest
from lambda_patterns.facts import services as facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_iam as iam
    from constructs import Construct

INTERNET = "internet"
"""The need that no endpoint meets."""


def create_endpoints(  # noqa: PLR0913  # two more say what each endpoint is given
    scope: Construct,
    vpc: ec2.IVpc,
    subnets: ec2.SubnetSelection,
    services: Sequence[str],
    *,
    policies: Mapping[str, Sequence[iam.PolicyStatement]],
    prefix_lists: Mapping[str, str],
) -> dict[str, ec2.IConnectable | None]:
    """Create an endpoint for each of `services`.

    Returns:
        For each service what a function's group has to be opened to: the endpoint, its prefix list, or None
        where the prefix list's id is not known.
    """
    reached: dict[str, ec2.IConnectable | None] = {}
    for service in services:
        endpoint: ec2.GatewayVpcEndpoint | ec2.InterfaceVpcEndpoint
        if facts.is_gateway(service):
            endpoint = vpc.add_gateway_endpoint(
                endpoint_id(service), service=ec2.GatewayVpcEndpointAwsService(service), subnets=[subnets]
            )
            reached[service] = prefix_list_peer(prefix_lists.get(service))
        else:
            endpoint = reached[service] = _interface(scope, vpc, subnets, service)
        for statement in policies.get(service, ()):
            endpoint.add_to_policy(statement)
    return reached


def check_endpoints(
    services: Sequence[str], *, policies: Mapping[str, object], prefix_lists: Mapping[str, object]
) -> None:
    """Raise `ArgumentError` for services that can have no endpoint, and for what is given to none of them."""
    for argument, named in (("policies", policies), ("prefix_lists", prefix_lists)):
        if strangers := sorted(set(named) - set(services)):
            raise ArgumentError(
                f"{argument}: {', '.join(strangers)} gets no endpoint here: name it as a service too"
            )
    for service in services:
        check_service(service, "services")


def check_name(name: str, argument: str) -> None:
    """Raise `ArgumentError` for a name that is nearly, but not quite, that of a service.

    A name that the facts do not know is passed on: AWS adds services faster than any list.
    """
    if facts.by_name(name) is not None:
        return
    if near := nearest(name, (service.name for service in facts.SERVICES), cutoff=0.9):
        raise ArgumentError(f"{argument}: no service is called {name!r}: did you mean {near!r}?")


def check_service(name: str, argument: str) -> None:
    """Raise `ArgumentError` for a service that has no endpoint, or a name that is nearly one."""
    check_name(name, argument)
    service = facts.by_name(name)
    if service is not None and service.endpoint is facts.Endpoint.NONE:
        raise ArgumentError(
            f"{argument}: AWS offers no VPC endpoint for {service.title} ({name}): it needs a way to the "
            f"internet ({service.source})"
        )


def prefix_list_peer(prefix_list_id: str | None) -> ec2.IPeer | None:
    """Give what to open a group to for a gateway endpoint; None where its prefix list is not known."""
    return ec2.Peer.prefix_list(prefix_list_id) if prefix_list_id else None


def _interface(
    scope: Construct, vpc: ec2.IVpc, subnets: ec2.SubnetSelection, service: str
) -> ec2.InterfaceVpcEndpoint:
    group = ec2.SecurityGroup(
        scope,
        f"{endpoint_id(service)}Group",
        vpc=vpc,
        allow_all_outbound=False,
        description=f"The endpoint of {service}: 443 from the functions that need it",
    )
    return vpc.add_interface_endpoint(
        endpoint_id(service),
        service=ec2.InterfaceVpcEndpointAwsService(service),
        subnets=subnets,
        security_groups=[group],
        open=False,
        private_dns_enabled=True,
    )


def endpoint_id(service: str) -> str:
    """Give the id of a service's endpoint: "execute-api" has ExecuteApiEndpoint."""
    return "".join(part.capitalize() for part in re.split(r"[^a-z0-9]+", service.lower())) + "Endpoint"
