"""The alarm that the constructs set on what should not happen at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_cloudwatch as cloudwatch

if TYPE_CHECKING:
    from constructs import Construct


def alarm_from(
    scope: Construct, construct_id: str, metric: cloudwatch.IMetric, threshold: float, description: str
) -> cloudwatch.Alarm:
    """Alarm in the first period in which a metric reaches a threshold; a period without data is no fault.

    Args:
        scope: what it stands in.
        construct_id: its id there.
        metric: what is watched, with its statistic and period.
        threshold: the value from which on it alarms.
        description: what happened, for whoever is woken up.
    """
    return cloudwatch.Alarm(
        scope,
        construct_id,
        metric=metric,
        threshold=threshold,
        evaluation_periods=1,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=description,
    )
