"""The name that was probably meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Find the one of `names` that is most like `name`, or None where none is much like it."""
    from difflib import get_close_matches  # noqa: PLC0415  # 10 ms, and few names are wrong

    return next(iter(get_close_matches(name, names, n=1)), None)
