"""The errors that are the caller's to mend. The command line prints their one line and exits with 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class LambdaPatternsError(Exception):
    """Something the caller gave cannot be used; the message says what, where, why, and how to mend it."""


class ArgumentError(LambdaPatternsError, ValueError):
    """An argument that AWS would refuse, refused before anything is synthesized or sent."""


def nearest(name: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Find the one of `names` that was probably meant; None where none is as like it as `cutoff`, 0 to 1."""
    from difflib import get_close_matches  # noqa: PLC0415  # 10 ms, and few names are wrong

    return next(iter(get_close_matches(name, names, n=1, cutoff=cutoff)), None)
