"""Findings of cdk-nag that a construct's design answers, acknowledged where they arise, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Acknowledgment, Validations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import IConstruct

COMPLIANCE_PACKS = ("HIPAA.Security", "NIST.800.53.R5", "PCI.DSS.321")
"""The packs that repeat a rule under their own name."""


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Acknowledge findings on `construct` and below.

    Args:
        construct: the construct nearest to the finding.
        reasons: per rule why it is right as it is. ``compliance/Rule`` stands for that rule in each of
            `COMPLIANCE_PACKS`; any other id is taken as it is ("AwsSolutions-IAM5[Resource::*]").
    """
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=name, reason=reason) for rule, reason in reasons.items() for name in _names(rule))
    )


def _names(rule: str) -> list[str]:
    prefix, _, name = rule.partition("/")
    if prefix != "compliance":
        return [rule]
    return [f"{pack}-{name}" for pack in COMPLIANCE_PACKS]


INLINE_POLICY = {
    "compliance/IAMNoInlinePolicy": "a policy of one role alone: it comes and goes with that role, and "
    "nothing else can be given it by mistake"
}
"""A policy that is part of the one role that it is for."""

LOG_GROUP_KEY = {
    "compliance/CloudWatchLogGroupEncrypted": "CloudWatch Logs encrypts every group at rest with a key of "
    "its own; where the logs need a customer key, the construct takes a group that has one"
}
"""A log group under CloudWatch's own encryption."""
