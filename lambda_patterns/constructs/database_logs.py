"""The log groups that a database writes its own logs to, with a retention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Names, RemovalPolicy
from aws_cdk import aws_logs as logs

from lambda_patterns.constructs.acknowledgements import LOG_GROUP_KEY, acknowledge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_rds as rds
    from constructs import Construct


def log_groups(
    scope: Construct, kind: str, retention: logs.RetentionDays, arguments: dict[str, Any]
) -> list[logs.LogGroup]:
    """Make the log groups that RDS would make by itself without a retention, and name the database for them.

    RDS writes to a group that it finds under the name of the database, so that must be known before. With
    a name CloudFormation refuses to replace the database, by an empty one as it would.
    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html

    Args:
        scope: the construct of the database.
        kind: "instance" or "cluster".
        retention: how long the groups keep what they get.
        arguments: the database's arguments, which get its name.
    """
    if "cloudwatch_logs_retention" in arguments:
        return []
    name = Names.unique_resource_name(scope, max_length=60, separator="-").lower()
    identifier = arguments.setdefault(f"{kind}_identifier", name)
    made: list[logs.LogGroup] = []
    for log in arguments["cloudwatch_logs_exports"]:
        group = logs.LogGroup(
            scope,
            f"Logs-{log}",
            log_group_name=f"/aws/rds/{kind}/{identifier}/{log}",
            retention=retention,
            # it keeps its name, which a stack made again would need
            removal_policy=RemovalPolicy.DESTROY,
        )
        acknowledge(group, LOG_GROUP_KEY)
        made.append(group)
    return made


def wait_for(
    database: rds.DatabaseInstance | rds.DatabaseCluster, log_groups: Sequence[logs.LogGroup]
) -> None:
    """Have the database alone, and not its roles and groups, wait for its log groups."""
    own = database.node.default_child
    assert own is not None  # noqa: S101  # narrows: an L2 has its resource
    own.node.add_dependency(*log_groups)
