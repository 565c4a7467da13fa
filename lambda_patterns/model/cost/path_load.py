"""What the functions of a VPC reach, for the comparison of the ways out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.facts.limit import Limit
from lambda_patterns.facts.prices import is_item
from lambda_patterns.facts.services import is_gateway
from lambda_patterns.model.cost.reading import mapping, number, only

if TYPE_CHECKING:
    from collections.abc import Mapping

ZONES = Limit(
    "zones", 1, 6, "zones", "no Region has more", "https://docs.aws.amazon.com/global-infrastructure/"
)
GB = Limit("data", 0, 1_000_000_000, "GB a month", "it is a quantity of one month", "", whole=False)


@dataclass(frozen=True, slots=True)
class PathLoad:
    """One VPC's month.

    Args:
        services: the AWS services that the functions call, by endpoint short name
            ("secretsmanager", "s3"), with the GB of a month, both directions.
        internet_gb: the GB of a month to and from the internet, or None: they do not need it.
        zones: the zones that the functions run in. Default 2, the fewest that survive the loss of one.
        instance: the type of a NAT instance. Default t4g.micro: the smallest whose price is known in every
            Region of the table.
    """

    services: Mapping[str, float] = field(default_factory=dict)
    internet_gb: float | None = None
    zones: int = 2
    instance: str = "t4g.micro"

    def __post_init__(self) -> None:
        if not is_item(f"instance-{self.instance}-hour"):
            raise LambdaPatternsError(f"instance is {self.instance!r}, allowed is a type like 't4g.micro'")

    @property
    def interface_services(self) -> Mapping[str, float]:
        """The services that need an interface endpoint each."""
        return {name: gb for name, gb in self.services.items() if not is_gateway(name)}

    @property
    def gb(self) -> float:
        """The GB that a NAT would carry; S3 and DynamoDB go through their gateway endpoints on every path."""
        return sum(self.interface_services.values()) + (self.internet_gb or 0)


def parse_paths(data: object, where: str) -> PathLoad:
    """Make a load of the `paths` of a workload file.

    Raises:
        LambdaPatternsError: something in it makes no sense; the message names the place.
    """
    given = mapping(data, where)
    only(given, ("services", "internet_gb", "zones", "instance"), where)
    services = {
        name: number(gb, GB, f"{where}.services.{name}")
        for name, gb in mapping(given.get("services", {}), f"{where}.services").items()
    }
    if "" in services:
        raise LambdaPatternsError(f"{where}.services: a service has no name: write its endpoint's, like sqs")
    internet = given.get("internet_gb")
    zones = given.get("zones", 2)
    if problem := ZONES.problem(zones):
        raise LambdaPatternsError(f"{where}: {problem}: {ZONES.why}")
    internet_gb = None if internet is None else number(internet, GB, f"{where}.internet_gb")
    try:
        return PathLoad(services, internet_gb, zones, given.get("instance", "t4g.micro"))
    except (LambdaPatternsError, TypeError) as error:
        raise LambdaPatternsError(f"{where}: {error}") from error
