"""The ways out of a VPC, priced side by side: NAT gateway, NAT instance, endpoints, isolation.

S3 and DynamoDB go through their gateway endpoints on every path, because these cost nothing.

Not modelled: data out to the internet (the same on every path), data between zones (0.01 USD a GB and
direction where one NAT serves several zones), a NAT instance's volume, IPv6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_patterns.facts.prices import HOURS
from lambda_patterns.facts.services import Endpoint, by_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_patterns.facts.prices import PriceSheet
    from lambda_patterns.model.cost.path_load import PathLoad

_HOME_REGION = "us-east-1"
"""Where the endpoints of services that have one API for the whole partition are. Source: see `Endpoint`."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way out of the VPC, for one month of one workload.

    Args:
        name: "nat-gateway-per-zone", "nat-gateway", "regional-nat-gateway", "nat-instance-per-zone",
            "nat-instance", "endpoints" or "isolated".
        floor: USD a month with no traffic, or None if a price is not known.
        per_gb: USD a GB that passes it, or None if a price is not known.
        gb: the GB of the workload that pass it.
        refused: why this path cannot carry the workload, or None if it can.
        note: what to know before choosing it.
        unknown: the items without a price.
    """

    name: str
    floor: float | None
    per_gb: float | None
    gb: float
    refused: str | None = None
    note: str = ""
    unknown: tuple[str, ...] = ()

    @property
    def monthly(self) -> float | None:
        """USD a month, or None if a price is not known."""
        return None if self.floor is None or self.per_gb is None else self.floor + self.per_gb * self.gb


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Where one way becomes dearer than the other.

    Args:
        endpoints: the number of interface endpoints from which they cost more than a NAT gateway in each
            zone, for the workload's GB; None if a price is not known.
        gb_beside_nat: the GB a month from which one interface endpoint pays for itself beside a NAT gateway.
        gb_against_nat: the GB a month from which the workload's endpoints cost less than a NAT gateway in
            each zone, 0 where they always do; None if a price is not known.
    """

    endpoints: float | None
    gb_beside_nat: float | None
    gb_against_nat: float | None


def compare(load: PathLoad, sheet: PriceSheet) -> tuple[Way, ...]:
    """Price every way out of the VPC for `load`, those that cannot carry it included, with the reason."""
    zones = load.zones
    address = ("public-ipv4-hour", HOURS)
    gateway = ("nat-gateway-hour", HOURS)
    instance = (f"instance-{load.instance}-hour", HOURS)
    regional = [("regional-nat-gateway-hour", HOURS * zones), (address[0], HOURS * zones)]
    shared = "one zone's failure takes the others' way out" if zones > 1 else ""
    upkeep = "yours to patch and to watch, without its volume"
    services = load.interface_services
    internet = None if load.internet_gb is None else "it does not reach the internet"
    closed = ", ".join(sorted(name for name in load.services if _has_no_endpoint(name, sheet.region)))
    reaches = ", ".join(sorted(services))
    return (
        _way(sheet, "nat-gateway-per-zone", [gateway, address] * zones, "nat-gateway-gb", load.gb),
        _way(sheet, "nat-gateway", [gateway, address], "nat-gateway-gb", load.gb, note=shared),
        _way(
            sheet, "regional-nat-gateway", regional, "nat-gateway-gb", load.gb, note="needs no public subnet"
        ),
        _way(sheet, "nat-instance-per-zone", [instance, address] * zones, None, load.gb, note=upkeep),
        _way(
            sheet,
            "nat-instance",
            [instance, address],
            None,
            load.gb,
            note="; ".join(filter(None, (upkeep, shared))),
        ),
        _way(
            sheet,
            "endpoints",
            [("interface-endpoint-hour", HOURS * zones * len(services))],
            "interface-endpoint-gb",
            load.gb,
            refused=internet or (f"no endpoint leads to {closed} in {sheet.region}" if closed else None),
        ),
        _way(
            sheet,
            "isolated",
            [],
            None,
            0.0,
            refused=internet or (f"it does not reach {reaches}" if reaches else None),
        ),
    )


def break_even(load: PathLoad, sheet: PriceSheet) -> BreakEven:
    """Where endpoints and NAT gateways change places."""
    paths = {path.name: path for path in compare(load, sheet)}
    nat, endpoints = paths["nat-gateway-per-zone"], paths["endpoints"]
    hour, data = sheet.price("interface-endpoint-hour"), sheet.price("interface-endpoint-gb")
    if hour is None or data is None or nat.floor is None or nat.per_gb is None or endpoints.floor is None:
        return BreakEven(None, None, None)
    one = hour.value * HOURS * load.zones
    cheaper = nat.per_gb - data.value
    dearer_floor = endpoints.floor - nat.floor
    return BreakEven(
        endpoints=(nat.floor + cheaper * load.gb) / one,
        gb_beside_nat=one / cheaper if cheaper > 0 else None,
        gb_against_nat=max(0.0, dearer_floor / cheaper) if cheaper > 0 else None,
    )


def _has_no_endpoint(name: str, region: str) -> bool:
    service = by_name(name)
    if service is None:
        return False
    return service.endpoint is Endpoint.NONE or (service.endpoint is Endpoint.HOME and region != _HOME_REGION)


def _way(  # noqa: PLR0913  # the fields of a way, less what it computes
    sheet: PriceSheet,
    name: str,
    hours: Iterable[tuple[str, float]],
    data: str | None,
    gb: float,
    *,
    refused: str | None = None,
    note: str = "",
) -> Way:
    floor, unknown = 0.0, []
    for item, quantity in hours:
        price = sheet.price(item)
        if price is None and quantity:
            unknown.append(item)
        elif price is not None:
            floor += price.value * quantity
    per_gb = 0.0
    if data is not None:
        if (price := sheet.price(data)) is None:
            unknown.append(data)
        else:
            per_gb = price.value
    return Way(
        name,
        None if set(unknown) - {data} else floor,
        None if data in unknown else per_gb,
        gb,
        refused,
        note,
        tuple(dict.fromkeys(unknown)),
    )
