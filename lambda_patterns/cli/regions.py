"""The name of a Region, as options take it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lambda_patterns.errors import ArgumentError

if TYPE_CHECKING:
    import click

_NAME = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d")


def region_name(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Take the name of any Region, known here or not; refuse what cannot be one."""
    if value is not None and not _NAME.fullmatch(value):
        raise ArgumentError(f"--region is {value!r}, no Region's name (us-east-1, ap-northeast-2)")
    return value
