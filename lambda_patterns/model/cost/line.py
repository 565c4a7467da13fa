"""One line of a bill, and the sums over lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_patterns.facts.prices import unit_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_patterns.facts.prices import PriceSheet
    from lambda_patterns.model.template import Resource

ACCOUNT = "(account)"
"""Where the lines stand that belong to no single resource: free tiers, volume tiers, savings plans."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one quantity of one item costs in a month.

    Args:
        stack: the template's name, or `ACCOUNT`.
        resource: the construct path or logical id, or the name of an account-wide line.
        what: what is counted ("duration", "hours").
        item: the item of the price table.
        quantity: how much of it in a month, or None if it is not known.
        unit: the unit of `quantity` ("GB-s", "hour", "requests").
        monthly: USD a month without tax, or None if it is not known.
        floor: whether it costs the same with no traffic at all.
        why: why `monthly` is not known, or None if it is known.
        source: where the price comes from, with its date.
    """

    stack: str
    resource: str
    what: str
    item: str
    quantity: float | None
    unit: str
    monthly: float | None
    floor: bool = False
    why: str | None = None
    source: str = ""


def name_of(resource: Resource) -> str:
    """The name people know a resource by: its construct path without the trailing "/Resource", or its id."""
    path = resource.construct_path
    return path.removesuffix("/Resource") if path else resource.id


def charge(  # noqa: PLR0913  # the fields of a line, less what it computes
    sheet: PriceSheet,
    resource: Resource | str,
    what: str,
    item: str,
    quantity: float | None,
    *,
    floor: bool = False,
    why: str | None = None,
    credit: bool = False,
) -> Line:
    """Price one quantity of `item`.

    Args:
        sheet: the prices of the Region.
        resource: what is charged, or the name of an account-wide line.
        what: what is counted.
        item: the item of the price table.
        quantity: how much in a month, counted singly (requests, not millions), or None if it is not known.
        floor: whether it costs the same with no traffic.
        why: why `quantity` is None.
        credit: whether it lowers the bill.
    """
    stack, name = (ACCOUNT, resource) if isinstance(resource, str) else (resource.template, name_of(resource))
    price = sheet.price(item)
    unit = unit_of(item).split(" ", 1)[-1]
    if quantity == 0:
        return Line(stack, name, what, item, 0, unit, 0.0, floor=floor)
    if price is None and quantity is not None:
        why = f"no source for the price of {item} in {sheet.region}"
    if price is None or quantity is None:
        return Line(stack, name, what, item, quantity, unit, None, floor=floor, why=why)
    source = f"{price.source}, {price.as_of}".removesuffix(", ")
    amount = quantity * price.each * (-1 if credit else 1)
    return Line(stack, name, what, item, quantity, unit, amount, floor=floor, source=source)


def total(lines: Iterable[Line]) -> float:
    """The sum of what is known, USD a month."""
    return sum(line.monthly or 0.0 for line in lines)
