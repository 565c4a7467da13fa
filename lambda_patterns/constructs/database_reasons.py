"""Why cdk-nag's findings on a database, its secrets and its proxy are right as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.constructs.acknowledgements import INLINE_POLICY, acknowledge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import IConstruct

_STATEMENTS = "this log holds every statement with its data, customers' among it, and it is off in the engine"
_AUDIT = (
    "this log is written only with an audit plugin or parameter, which is for the owner to set with its "
    "filter"
)
# Log types that are not exported, with the reason.
_NOT_EXPORTED = {"general": _STATEMENTS, "audit": _AUDIT}


def acknowledge_database(database: IConstruct, exported: Sequence[str]) -> None:
    """Acknowledge what a new instance or cluster is found for."""
    reasons = {
        "AwsSolutions-RDS11": "a port keeps nobody out: the group lets in the proxy and the rotation alone",
        "compliance/RDSInBackupPlan": "RDS's own backups cover a week, with recovery to any second of it; a "
        "plan of AWS Backup is for the owner of the account to decide",
        "AwsSolutions-RDS14": "backups recover to any second into a new cluster; backtracking rewinds data "
        "of all in place, and bills every change: options={'backtrack_window': ...} turns it on",
        "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
        "AmazonRDSEnhancedMonitoringRole]": "it lets RDS write its own metrics into its own log group, and "
        "is the policy that RDS asks for",
    }
    for log, reason in _NOT_EXPORTED.items():
        if log not in exported:
            reasons[f"compliance/RDSLoggingEnabled[LogExport::{log}]"] = reason
    acknowledge(database, reasons)


def acknowledge_secret(secret: IConstruct) -> None:
    """Acknowledge that a secret is encrypted with the account's own key."""
    acknowledge(
        secret,
        {
            "compliance/SecretsManagerUsingKMSKey": "the account's own key for Secrets Manager encrypts it; "
            "who must hold the key gives encryption_key="
        },
    )


def acknowledge_unrotated(secret: IConstruct) -> None:
    """Acknowledge that this construct was told not to rotate a secret."""
    reason = "rotation=None: something else changes this password, or nothing may"
    acknowledge(secret, {"AwsSolutions-SMG4": reason, "compliance/SecretsManagerRotationEnabled": reason})


def acknowledge_policies(*owners: IConstruct) -> None:
    """Acknowledge that a role's permissions are its own and not a managed policy's."""
    for owner in owners:
        acknowledge(owner, INLINE_POLICY)


def acknowledge_provider(provider: IConstruct, function_resource: str) -> None:
    """Acknowledge what aws_cdk's custom resource framework is found for."""
    framework = "it is aws_cdk's own framework: it runs at deployments alone, for milliseconds, and calls"
    waited_for = "CloudFormation waits for its answer, and fails the deployment without one"
    acknowledge(
        provider,
        {
            **INLINE_POLICY,
            "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
            "AWSLambdaBasicExecutionRole]": f"{framework} one function: the policy lets it write its log",
            f"AwsSolutions-IAM5[Resource::<{function_resource}.Arn>:*]": f"{framework} this one function, "
            "whose versions the star stands for",
            "AwsSolutions-L1": f"{framework} no newer runtime than aws_cdk has tested",
            "compliance/CloudWatchLogGroupEncrypted": f"{framework} one function: CloudWatch Logs encrypts "
            "the little it logs with a key of its own",
            "compliance/LambdaInsideVPC": f"{framework} nothing in the VPC",
            "compliance/LambdaConcurrency": f"{framework} one function, once for each deployment",
            "compliance/LambdaDLQ": waited_for,
            "Serverless-LambdaDLQ": waited_for,
            "Serverless-LambdaLatestVersion": f"{framework} no newer runtime than aws_cdk has tested",
            "Serverless-LambdaDefaultMemorySize": f"{framework} one function: 128 MB do",
            "Serverless-LambdaTracing": f"{framework} one function, whose own trace shows the work",
        },
    )
