"""The statements that let a role read a secret, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_secretsmanager as secretsmanager
    from constructs import IConstruct


def read_statements(
    scope: IConstruct, secret: secretsmanager.ISecret, key: kms.IKey | None
) -> list[iam.PolicyStatement]:
    """Give what reads `secret`; with `key` (the customer key it is encrypted with), what decrypts it too.

    The key's own policy is left alone: it trusts its account's policies unless told otherwise, and a
    statement in it that names a role of another stack would make a dependency cycle.
    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-iam-setup.html
    """
    statements = [
        iam.PolicyStatement(
            actions=["secretsmanager:GetSecretValue"],
            resources=[secret.secret_full_arn or f"{secret.secret_arn}-??????"],
        )
    ]
    if key is not None:
        service = f"secretsmanager.{Stack.of(scope).region}.amazonaws.com"
        statements.append(
            iam.PolicyStatement(
                actions=["kms:Decrypt"],
                resources=[key.key_arn],
                conditions={"StringEquals": {"kms:ViaService": service}},
            )
        )
    return statements
