"""The secrets that a proxy logs in with: one for each user, and who may read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam
from aws_cdk import aws_rds as rds

from lambda_patterns.constructs.database_reasons import acknowledge_secret, acknowledge_unrotated
from lambda_patterns.constructs.secret_access import read_statements

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_secretsmanager as secretsmanager
    from constructs import Construct

    from lambda_patterns.constructs.database_users import DatabaseUser


class DatabaseSecrets:
    """Makes the secrets of one database, encrypted with its key, and lets them be read."""

    def __init__(self, scope: Construct, encryption_key: kms.IKey | None, *, rotated: bool) -> None:
        self._scope = scope
        self._encryption_key = encryption_key
        self._rotated = rotated

    def new(self, construct_id: str, username: str) -> rds.DatabaseSecret:
        """Make a secret with a new password."""
        secret = rds.DatabaseSecret(
            self._scope, construct_id, username=username, encryption_key=self._encryption_key
        )
        if self._encryption_key is None:
            acknowledge_secret(secret)
        if not self._rotated:
            acknowledge_unrotated(secret)
        return secret

    def of_user(
        self, user: DatabaseUser, database: secretsmanager.ISecretAttachmentTarget
    ) -> secretsmanager.ISecret:
        """Give the user's own secret, or make one."""
        if user.secret is not None:
            return user.secret
        # the attachment adds host, port and engine, which the rotation function reads
        return self.new(f"Secret-{user.name}", user.name).attach(database)

    def let_read(self, grantee: iam.Role | lambda_.Function, secret: secretsmanager.ISecret) -> None:
        """Let a role or function read a secret and use its key, in its own stack."""
        add = grantee.add_to_policy if isinstance(grantee, iam.Role) else grantee.add_to_role_policy
        for statement in read_statements(grantee, secret, secret.encryption_key or self._encryption_key):
            add(statement)


def authentication(secrets: Iterable[secretsmanager.ISecret]) -> list[rds.CfnDBProxy.AuthFormatProperty]:
    """Write what a proxy logs in with: secrets, while its own clients come with IAM tokens."""
    return [
        rds.CfnDBProxy.AuthFormatProperty(
            auth_scheme="SECRETS", iam_auth="REQUIRED", secret_arn=secret.secret_arn
        )
        for secret in secrets
    ]
