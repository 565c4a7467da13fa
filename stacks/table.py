"""A table of the examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb

from lambda_patterns.constructs.acknowledgements import acknowledge

if TYPE_CHECKING:
    from constructs import Construct

_BACKUP = "point-in-time recovery covers 35 days; a plan of backups is for the owner of the account to decide"


def recoverable_table(
    scope: Construct, construct_id: str, *, key: str = "id", expires: str | None = None
) -> dynamodb.Table:
    """Create a table that is paid by the request, recovers to any second, and outlives its stack.

    Args:
        scope: the stack.
        construct_id: its id there.
        key: the attribute, a text, by which items are found.
        expires: the attribute, in epoch seconds, after which an item is deleted. Default: none is.
    """
    table = dynamodb.Table(
        scope,
        construct_id,
        partition_key=dynamodb.Attribute(name=key, type=dynamodb.AttributeType.STRING),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        time_to_live_attribute=expires,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        removal_policy=RemovalPolicy.RETAIN,
    )
    acknowledge(table, {"compliance/DynamoDBInBackupPlan": _BACKUP})
    return table
