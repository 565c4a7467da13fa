"""The keys of encrypted queues, topics and buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

KEY = "AWS::KMS::Key"


def key_value(resource: Resource) -> Value:
    """The key that encrypts a queue, topic or bucket, as it is written; None where there is none."""
    if resource.type == "AWS::S3::Bucket":
        rule = resource.get("BucketEncryption", "ServerSideEncryptionConfiguration", 0)
        default = rule.get("ServerSideEncryptionByDefault") if isinstance(rule, dict) else None
        return default.get("KMSMasterKeyID") if isinstance(default, dict) else None
    return resource.get("KmsMasterKeyId")


def customer_key(deployment: Deployment, resource: Resource) -> Resource | None:
    """Find the customer key of a queue, topic or bucket, where the key is in the deployment."""
    value = key_value(resource)
    named = deployment.resource_of(value)
    if named is None and isinstance(value, str):
        aliases = deployment.of_type("AWS::KMS::Alias")
        named = next((alias for alias in aliases if alias.get("AliasName") == value), None)
    if named is not None and named.type == "AWS::KMS::Alias":
        named = named.resource("TargetKeyId")
    return named if named is not None and named.type == KEY else None


def managed_by_aws(resource: Resource) -> str | None:
    """Name the AWS-managed key of a queue or topic ("alias/aws/sqs"); None where it has another or none."""
    value = key_value(resource)
    if not isinstance(value, str):
        return None
    name = value.rpartition(":")[2]
    return name if name.startswith("alias/aws/") else None
