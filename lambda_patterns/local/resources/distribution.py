"""Distributions are served, but for Lambda@Edge at viewer events, which nothing calls here: that is said."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from lambda_patterns.local.behaviour import edge
from lambda_patterns.local.ministack import module
from lambda_patterns.local.resources import recorded

if TYPE_CHECKING:
    from lambda_patterns.local.resources.handler import Created, Properties

provisioners = module("services.cloudformation.provisioners")

KIND = "AWS::CloudFront::Distribution LambdaFunctionAssociations at viewer events"
_TYPE = "AWS::CloudFront::Distribution"
# distribution id -> (stack, logical id)
_known: dict[str, tuple[str, str]] = {}


def install() -> None:
    """List each distribution with Lambda@Edge functions at viewer events among what is recorded only."""
    handler = provisioners._RESOURCE_HANDLERS[_TYPE]
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    @functools.wraps(create)
    def created(logical_id: str, properties: Properties, stack: str) -> Created:
        made: Created = create(logical_id, properties, stack)
        _known[made[0]] = (stack, logical_id)
        _say(stack, logical_id, properties)
        return made

    @functools.wraps(update)
    def updated(identity: str, old: Properties, new: Properties, stack: str, logical_id: str = "") -> Created:
        name = _known.get(identity, (stack, logical_id))[1]
        changed: Created = update(identity, old, new, stack, name)
        _say(stack, name, new)
        return changed

    @functools.wraps(delete)
    def deleted(identity: str, properties: Properties) -> None:
        delete(identity, properties)
        if identity in _known:
            recorded.forget(KIND, *_known.pop(identity))

    handler.update(create=created, update=updated, delete=deleted)


def forget_all() -> None:
    """Start from nothing, as the server does on reset."""
    _known.clear()


def _say(stack: str, logical_id: str, properties: Properties) -> None:
    config = properties.get("DistributionConfig") or {}
    behaviors = [config.get("DefaultCacheBehavior") or {}, *(config.get("CacheBehaviors") or [])]
    called = [each for behavior in behaviors for each in behavior.get("LambdaFunctionAssociations") or ()]
    if any(each.get("EventType") not in edge.EVENTS for each in called):
        recorded.record(KIND, stack, logical_id)
    else:
        recorded.forget(KIND, stack, logical_id)
