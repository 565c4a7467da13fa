"""All handlers of ours, put into MiniStack's table where it has none of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.local.ministack import module
from lambda_patterns.local.resources import (
    addresses,
    alarm,
    attributes,
    custom,
    database,
    images,
    recorded,
    vpc,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_patterns.local.resources.handler import Handler

provisioners = module("services.cloudformation.provisioners")

HANDLERS: Mapping[str, Handler] = {
    **addresses.HANDLERS,
    **alarm.HANDLERS,
    **custom.HANDLERS,
    **database.HANDLERS,
    **recorded.HANDLERS,
    **vpc.HANDLERS,
}


def install() -> None:
    """Make the types known."""
    for kind, handler in HANDLERS.items():
        provisioners._RESOURCE_HANDLERS.setdefault(kind, handler.for_ministack())
    alarm.install_metric_math()
    attributes.install()
    images.install()
