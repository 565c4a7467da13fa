"""A bucket of the examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnElement, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from lambda_patterns.constructs.acknowledgements import acknowledge

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

_REPLICATION = "what it holds can be made again; a second Region is for what cannot"
_OWN_KEY = (
    "S3 encrypts every object; nobody outside the account reads it, so a customer key would shut out nobody"
)
_ACCESS_LOG = (
    "one function writes here and CloudTrail can record that; a bucket of access logs would be read by nobody"
)


def private_bucket(scope: Construct, construct_id: str) -> s3.Bucket:
    """Create a bucket that is private, encrypted, versioned, and spoken to over TLS alone."""
    bucket = s3.Bucket(
        scope,
        construct_id,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        versioned=True,
    )
    acknowledge(
        bucket,
        {
            "AwsSolutions-S1": _ACCESS_LOG,
            "compliance/S3BucketLoggingEnabled": _ACCESS_LOG,
            "compliance/S3BucketReplicationEnabled": _REPLICATION,
            "compliance/S3DefaultEncryptionKMS": _OWN_KEY,
        },
    )
    return bucket


def let_write(function: lambda_.Function, bucket: s3.Bucket, prefix: str) -> None:
    """Let `function` write objects below `prefix` ("orders/"), and nothing else."""
    _let(
        function, "s3:PutObject", bucket, f"{prefix}*", "the objects below this prefix are the function's own"
    )


def let_read(function: lambda_.Function, bucket: s3.Bucket, suffix: str) -> None:
    """Let `function` read objects whose keys end in `suffix` (".json"), and nothing else."""
    _let(
        function, "s3:GetObject", bucket, f"*{suffix}", "these objects are what the function is there to read"
    )


def _let(function: lambda_.Function, action: str, bucket: s3.Bucket, keys: str, why: str) -> None:
    function.add_to_role_policy(
        iam.PolicyStatement(actions=[action], resources=[bucket.arn_for_objects(keys)])
    )
    assert function.role is not None  # noqa: S101  # narrows: only an imported function lacks its role
    resource = bucket.node.default_child
    assert isinstance(resource, CfnElement)  # noqa: S101  # narrows: a bucket has its resource
    name = Stack.of(bucket).get_logical_id(resource)
    acknowledge(
        function.role,
        {f"AwsSolutions-IAM5[Resource::<{name}.Arn>/{keys}]": f"{why}, and their names come with its events"},
    )
