"""CDK's own custom resources that need the AWS SDK for JavaScript, which no function here has.

What they do is done by the API; the provider function is deployed and stays unused.
"""

from __future__ import annotations

from typing import Any

from lambda_patterns.local.api import ApiError, call
from lambda_patterns.local.resources.handler import Created, Handler, Properties

_EVERYTHING: dict[str, Any] = {"IpProtocol": "-1"}


def _default_rules(group: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give what every new default group lets in (itself) and out (all)."""
    inbound = {**_EVERYTHING, "UserIdGroupPairs": [{"GroupId": group}]}
    outbound = {**_EVERYTHING, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    return inbound, outbound


def _close_default_group(logical_id: str, properties: Properties, stack: str) -> Created:
    group = properties["DefaultSecurityGroupId"]
    for direction, rule in zip(("Ingress", "Egress"), _default_rules(group), strict=True):
        try:
            call("ec2", f"RevokeSecurityGroup{direction}", GroupId=group, IpPermissions=[rule])
        except ApiError as error:
            if error.code != "InvalidPermission.NotFound":
                raise
    return f"{stack}-{logical_id}", {}


def _reopen_default_group(_identity: str, properties: Properties) -> None:
    group = properties["DefaultSecurityGroupId"]
    for direction, rule in zip(("Ingress", "Egress"), _default_rules(group), strict=True):
        try:
            call("ec2", f"AuthorizeSecurityGroup{direction}", GroupId=group, IpPermissions=[rule])
        except ApiError as error:
            if error.code not in {"InvalidPermission.Duplicate", "InvalidGroup.NotFound"}:
                raise


def _note_bucket(logical_id: str, _properties: Properties, stack: str) -> Created:
    return f"{stack}-{logical_id}", {}


def _empty_bucket(_identity: str, properties: Properties) -> None:
    bucket = properties["BucketName"]
    while entries := _versions(bucket):
        for entry in entries:
            call("s3", "DeleteObject", Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"])


def _versions(bucket: str) -> list[dict[str, Any]]:
    """Give a page of what is in a bucket, nothing where the bucket is gone."""
    try:
        found = call("s3", "ListObjectVersions", Bucket=bucket)
    except ApiError as error:
        if error.code == "NoSuchBucket":
            return []
        raise
    return [*found.get("Versions", []), *found.get("DeleteMarkers", [])]


HANDLERS = {
    "Custom::S3AutoDeleteObjects": Handler(create=_note_bucket, delete=_empty_bucket),
    "Custom::VpcRestrictDefaultSG": Handler(create=_close_default_group, delete=_reopen_default_group),
}
