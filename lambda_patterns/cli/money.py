"""Amounts and tables as the command line prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def usd(amount: float | None) -> str:
    """12.3 is "12.30", -0.004 is "-0.004", None is "unknown"."""
    if amount is None:
        return "unknown"
    return f"{amount:,.2f}" if amount == 0 or abs(amount) >= 0.01 else f"{amount:.2g}"  # noqa: PLR2004  # a cent


def count(quantity: float | None, unit: str) -> str:
    """3000000 requests is "3,000,000 requests", 0.25 GB is "0.25 GB"."""
    if quantity is None:
        return "unknown"
    return f"{quantity:,.0f} {unit}" if quantity >= 100 else f"{quantity:.4g} {unit}"  # noqa: PLR2004  # as people write


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> Iterator[str]:
    """The lines of a table of text; the columns of `right` are aligned to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, ["-" * width for width in widths], *rows):
        cells = (
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()
