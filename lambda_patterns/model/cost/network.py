"""What a VPC charges: NAT gateways and instances, interface endpoints, public addresses.

Not modelled: data out to the internet (the same on every way out), data between zones, VPC peering, transit
gateways, load balancers, and Auto Scaling groups.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.facts.prices import HOURS, is_item
from lambda_patterns.model.cost.line import Line, charge, name_of
from lambda_patterns.model.cost.loads import TrafficLoad
from lambda_patterns.model.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lambda_patterns.facts.prices import PriceSheet
    from lambda_patterns.model.cost.loads import Load
    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource

_OF_THE_IMAGE = "the size of a volume is its image's, where the template gives none (VolumeSize)"


def network_lines(
    sheet: PriceSheet, deployment: Deployment, loads: Mapping[Resource, Load]
) -> Iterator[Line]:
    """The lines of everything in the deployment's VPCs that costs by the hour or the GB."""
    for gateway in deployment.of_type("AWS::EC2::NatGateway"):
        yield from _nat_gateway(sheet, deployment, gateway, _gb(loads, gateway))
    for endpoint in deployment.of_type("AWS::EC2::VPCEndpoint"):
        if endpoint.get("VpcEndpointType", default="Gateway") == "Interface":
            yield from _endpoint(sheet, endpoint, _gb(loads, endpoint))
    for address in deployment.of_type("AWS::EC2::EIP"):
        yield charge(sheet, address, "public address", "public-ipv4-hour", HOURS, floor=True)
    for instance in deployment.of_type("AWS::EC2::Instance"):
        yield from _instance(sheet, deployment, instance)


def _nat_gateway(sheet: PriceSheet, deployment: Deployment, gateway: Resource, gb: float) -> Iterator[Line]:
    if gateway.get("AvailabilityMode") == "regional":
        zones, why = _zones(deployment, gateway.resource("VpcId"))
        hours = None if zones is None else zones * HOURS
        yield charge(sheet, gateway, "zones", "regional-nat-gateway-hour", hours, floor=True, why=why)
        addresses = None if hours is None or gateway.get("AvailabilityZoneAddresses") else hours
        if addresses is not None or hours is None:
            yield charge(
                sheet, gateway, "public addresses", "public-ipv4-hour", addresses, floor=True, why=why
            )
    else:
        yield charge(sheet, gateway, "hours", "nat-gateway-hour", HOURS, floor=True)
        given = gateway.get("AllocationId")
        if (
            gateway.get("ConnectivityType") != "private"
            and gateway.resource("AllocationId") is None
            and given
        ):
            yield charge(sheet, gateway, "public address", "public-ipv4-hour", HOURS, floor=True)
    yield charge(sheet, gateway, "data", "nat-gateway-gb", gb)


def _endpoint(sheet: PriceSheet, endpoint: Resource, gb: float) -> Iterator[Line]:
    subnets = endpoint.list("SubnetIds")
    hours = None if isinstance(subnets, Unknown) else len(subnets) * HOURS
    why = subnets.why if isinstance(subnets, Unknown) else None
    yield charge(sheet, endpoint, "zones", "interface-endpoint-hour", hours, floor=True, why=why)
    yield charge(sheet, endpoint, "data", "interface-endpoint-gb", gb)


def _instance(sheet: PriceSheet, deployment: Deployment, instance: Resource) -> Iterator[Line]:
    kind = instance.get("InstanceType")
    item = f"instance-{kind}-hour"
    if isinstance(kind, str) and is_item(item):
        yield charge(sheet, instance, "hours", item, HOURS, floor=True)
    else:
        why = kind.why if isinstance(kind, Unknown) else "its type is decided at deployment"
        yield Line(
            instance.template,
            name_of(instance),
            "hours",
            "instance-hour",
            HOURS,
            "hour",
            None,
            floor=True,
            why=why,
        )
    if _has_public_address(instance) and not _has_elastic_address(deployment, instance):
        yield charge(sheet, instance, "public address", "public-ipv4-hour", HOURS, floor=True)
    yield from _volumes(sheet, instance)


def _volumes(sheet: PriceSheet, instance: Resource) -> Iterator[Line]:
    """The volumes of an instance; what it is not told comes from its image, the root volume at least."""
    listed = instance.list("BlockDeviceMappings")
    if isinstance(listed, Unknown) or not listed:
        why = listed.why if isinstance(listed, Unknown) else _OF_THE_IMAGE
        yield charge(sheet, instance, "volume", "ebs-gp3-gb-month", None, floor=True, why=why)
        return
    for number in range(len(listed)):
        if instance.get("BlockDeviceMappings", number, "Ebs") is None:
            continue
        size = instance.number("BlockDeviceMappings", number, "Ebs", "VolumeSize")
        why = size.why if isinstance(size, Unknown) else _OF_THE_IMAGE
        known = size if isinstance(size, int | float) else None
        yield charge(sheet, instance, "volume", "ebs-gp3-gb-month", known, floor=True, why=why)


def _has_public_address(instance: Resource) -> bool:
    said = instance.get("NetworkInterfaces", 0, "AssociatePublicIpAddress")
    if isinstance(said, bool):
        return said
    subnet = instance.resource("NetworkInterfaces", 0, "SubnetId") or instance.resource("SubnetId")
    return subnet is not None and subnet.get("MapPublicIpOnLaunch") is True


def _has_elastic_address(deployment: Deployment, instance: Resource) -> bool:
    """Whether an address of the template, charged by itself, takes the place of the instance's own."""
    addresses = deployment.of_type("AWS::EC2::EIP", "AWS::EC2::EIPAssociation")
    return any(address.resource("InstanceId") is instance for address in addresses)


def _zones(deployment: Deployment, vpc: Resource | None) -> tuple[int | None, str | None]:
    """How many zones the subnets of a VPC lie in; a regional NAT gateway has a foot in each that has work."""
    if vpc is None:
        return None, "the zones of a VPC that is not in the template"
    subnets = [each for each in deployment.of_type("AWS::EC2::Subnet") if each.resource("VpcId") is vpc]
    zones = {repr(each.get("AvailabilityZone")) for each in subnets}
    return (len(zones), None) if zones else (None, "the zones of a VPC without subnets")


def _gb(loads: Mapping[Resource, Load], resource: Resource) -> float:
    load = loads.get(resource)
    return load.gb if isinstance(load, TrafficLoad) else 0.0
