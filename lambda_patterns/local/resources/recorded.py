"""Types with no service behind them here: recorded so that a stack deploys, and listed as such."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lambda_patterns.local.ministack import module
from lambda_patterns.local.resources.handler import Created, Handler, Properties

if TYPE_CHECKING:
    from collections.abc import Mapping

responses = module("core.responses")
log = logging.getLogger(__name__)

# type -> the attributes that GetAtt may ask for
_TYPES: Mapping[str, tuple[str, ...]] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": ("Id",),
    "AWS::ApplicationAutoScaling::ScalingPolicy": ("Arn",),
    "AWS::Budgets::Budget": (),
    "AWS::Chatbot::SlackChannelConfiguration": ("Arn",),
    "AWS::CloudWatch::AnomalyDetector": ("Id",),
    "AWS::CodeDeploy::Application": (),
    "AWS::CodeDeploy::DeploymentConfig": (),
    "AWS::CodeDeploy::DeploymentGroup": (),
    "AWS::EC2::VPCCidrBlock": ("Id", "Ipv6CidrBlock"),
    "AWS::Lambda::CodeSigningConfig": ("CodeSigningConfigArn", "CodeSigningConfigId"),
    "AWS::Logs::QueryDefinition": ("QueryDefinitionId",),
}
_VALUES = {"Ipv6CidrBlock": "2600:1f18:0:1000::/56"}  # a plausible range: subnets cut theirs from it

# (type, stack, logical id) of what is recorded now
_recorded: set[tuple[str, str, str]] = set()


def listing() -> list[dict[str, str]]:
    """Give what is recorded only, for people: `{Type, Stack, LogicalId}`."""
    return [{"Type": kind, "Stack": stack, "LogicalId": name} for kind, stack, name in sorted(_recorded)]


def forget_all() -> None:
    """Start from nothing, as the server does on reset."""
    _recorded.clear()


def record(kind: str, stack: str, logical_id: str) -> None:
    """Say of something that it is recorded only, in the log and in the listing."""
    log.warning("%s %s of %s: recorded only, nothing is behind it here", kind, logical_id, stack)
    _recorded.add((kind, stack, logical_id))


def forget(kind: str, stack: str, logical_id: str) -> None:
    """Take it off the listing, if it is there."""
    _recorded.discard((kind, stack, logical_id))


def _handler(kind: str, attributes: tuple[str, ...]) -> Handler:
    names: dict[str, tuple[str, str, str]] = {}

    def create(logical_id: str, _properties: Properties, stack: str) -> Created:
        record(kind, stack, logical_id)
        physical_id = (
            _arn(kind, stack, logical_id) if "CodeSigningConfigArn" in attributes else f"{stack}-{logical_id}"
        )
        names[physical_id] = (kind, stack, logical_id)
        return physical_id, {name: _VALUES.get(name, _arn(kind, stack, logical_id)) for name in attributes}

    def delete(physical_id: str, _properties: Properties) -> None:
        _recorded.discard(names.pop(physical_id, ("", "", "")))

    def update(physical_id: str, _old: Properties, new: Properties, stack: str) -> Created:
        logical_id = names.get(physical_id, ("", "", physical_id))[2]
        return create(logical_id, new, stack)

    return Handler(create=create, update=update, delete=delete)


def _arn(kind: str, stack: str, logical_id: str) -> str:
    service = kind.split("::")[1].lower()
    return f"arn:aws:{service}:{responses.get_region()}:{responses.get_account_id()}:{stack}-{logical_id}"


HANDLERS = {kind: _handler(kind, attributes) for kind, attributes in _TYPES.items()}
