"""What AWS charges, by Region: dated, each price with its source, and unknown where no source was found.

The table is `prices.json`. It is small on purpose: two Regions, the items that a function in a VPC brings
along, on-demand, in USD without tax. Whoever knows better overrides it (`PriceSheet(region, overrides)`).
A price that is not in the table is unknown; nothing stands in for it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypedDict

from lambda_patterns.errors import LambdaPatternsError

HOURS = 730
"""Hours in a month, as AWS's own calculators count them. Source: https://calculator.aws"""
SECONDS = HOURS * 3600

FREE_REQUESTS = 1_000_000
"""Lambda requests a month that cost nothing. Source: https://aws.amazon.com/lambda/pricing/"""
FREE_GB_SECONDS = 400_000
"""Lambda GB-s a month that cost nothing, both architectures together, provisioned concurrency excluded.
Source: https://aws.amazon.com/lambda/pricing/"""
FREE_SQS_REQUESTS = 1_000_000
"""SQS requests a month that cost nothing, all queues together. Source: https://aws.amazon.com/sqs/pricing/"""
DURATION_TIERS: Mapping[str, tuple[float, float]] = {"x86": (6e9, 15e9), "arm": (7.5e9, 18.75e9)}
"""The GB-s of a month at which the second and the third price of duration begin, by architecture.
Source: https://aws.amazon.com/lambda/pricing/"""
MESSAGE_CHUNK = 64 * 1024
"""Bytes of an SQS or SNS message that count as one request; 1 MiB is 16.
Source: https://aws.amazon.com/sqs/pricing/"""
PROXY_LEAST_VCPUS = 2
"""vCPUs that a proxy of provisioned instances is charged for at least.
Source: https://aws.amazon.com/rds/proxy/pricing/"""
PROXY_LEAST_ACUS = 8
"""Capacity units that a proxy of serverless instances is charged for at least.
Source: https://aws.amazon.com/rds/proxy/pricing/"""
PROVISIONED_STEP = 300
"""Seconds to which the time of provisioned concurrency is rounded up.
Source: https://aws.amazon.com/lambda/pricing/"""


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit of an item costs in one Region.

    Args:
        item: its name in the table ("nat-gateway-hour").
        value: USD per `unit`, without tax.
        unit: what the price is for ("hour", "1,000,000 requests").
        source: the address of the page or file that says so.
        as_of: the day, month or year for which the source says so ("2026-10-01").
    """

    item: str
    value: float
    unit: str
    source: str
    as_of: str

    @property
    def each(self) -> float:
        """USD for a single one of what is counted: 0.20 for 1,000,000 requests is 0.0000002."""
        number, _, _ = self.unit.partition(" ")
        return self.value / float(number.replace(",", "")) if number[0].isdigit() else self.value


def is_item(name: str) -> bool:
    """Whether `name` is an item: one of the table, or the hour of any instance type."""
    return (
        name in _table()["items"] or re.fullmatch(r"instance-[a-z0-9-]+\.[a-z0-9-]+-hour", name) is not None
    )


class _Source(TypedDict):
    address: str
    as_of: str


class _Usd(TypedDict):
    value: float
    source: str


class _Item(TypedDict):
    unit: str
    what: str
    usd: dict[str, _Usd]


class _Table(TypedDict):
    sources: dict[str, _Source]
    items: dict[str, _Item]


@cache
def _table() -> _Table:
    table: _Table = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return table


def unit_of(item: str) -> str:
    """What the price of an item is for ("hour", "1,000,000 requests")."""
    known = _table()["items"].get(item)
    return known["unit"] if known else "hour"


def items() -> Mapping[str, tuple[str, str]]:
    """Every item of the table: name -> (unit, what it is)."""
    return {name: (item["unit"], item["what"]) for name, item in _table()["items"].items()}


def regions() -> tuple[str, ...]:
    """The Regions that the table has prices for, sorted."""
    return tuple(sorted({region for item in _table()["items"].values() for region in item["usd"]}))


class PriceSheet:
    """The prices of one Region.

    Args:
        region: the Region ("ap-northeast-2").
        overrides: USD per unit of an item, by item; they win over the table. Default: none.
        source: where the overrides come from, as reports name it. Default: "given by the caller".

    Raises:
        LambdaPatternsError: the table has no price for the Region, and there are no overrides.
    """

    def __init__(
        self,
        region: str,
        overrides: Mapping[str, float] | None = None,
        *,
        source: str = "given by the caller",
    ) -> None:
        if not overrides and region not in regions():
            raise LambdaPatternsError(
                f"region {region!r} has no prices: the table knows {', '.join(regions())}; "
                "give yours with --prices FILE"
            )
        self.region = region
        self._overrides = dict(overrides or {})
        self._source = source

    def price(self, item: str) -> Price | None:
        """The price of `item`, or None where no source was found for this Region.

        Raises:
            KeyError: there is no such item.
        """
        if not is_item(item):
            raise KeyError(item)
        known = _table()["items"].get(item)
        if item in self._overrides:
            return Price(item, self._overrides[item], unit_of(item), self._source, "")
        found = known["usd"].get(self.region) if known else None
        if known is None or found is None:
            return None
        source = _table()["sources"][found["source"]]
        return Price(item, found["value"], known["unit"], source["address"], source["as_of"])
