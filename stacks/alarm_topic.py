"""Where the examples' alarms go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

if TYPE_CHECKING:
    from constructs import Construct


def alarm_topic(scope: Construct, construct_id: str) -> sns.Topic:
    """Create an encrypted topic that CloudWatch can publish to.

    The key is a customer key: the policy of AWS's own key for SNS lets CloudWatch alarms not in.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
    """
    key = kms.Key(scope, f"{construct_id}Key", enable_key_rotation=True)
    key.grant(iam.ServicePrincipal("cloudwatch.amazonaws.com"), "kms:Decrypt", "kms:GenerateDataKey")
    return sns.Topic(scope, construct_id, master_key=key, enforce_ssl=True)
