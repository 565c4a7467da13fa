"""The execution role of a function: what Lambda itself needs in the function's name, and not a word more.

AWS's own policy for VPC functions, AWSLambdaVPCAccessExecutionRole, lets the code of a function write to
every log group of the account and delete any network interface. Here the logs are the function's own group,
and the network interfaces are Lambda's alone: a deny stands against calls of them that come out of the code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_iam as iam

from lambda_patterns.constructs.acknowledgements import INLINE_POLICY, acknowledge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

Statement = dict[str, Any]

# The actions of AWSLambdaVPCAccessExecutionRole, version 3.
# Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaVPCAccessExecutionRole.html
NETWORK_INTERFACE_ACTIONS = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]


def log_statement(log_group_arn: str) -> Statement:
    """Write to one log group, which exists before the function does."""
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    return {"Effect": "Allow", "Action": actions, "Resource": log_group_arn}


def tracing_statement() -> Statement:
    """Send traces; X-Ray knows no narrower resource."""
    actions = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    return {"Effect": "Allow", "Action": actions, "Resource": "*"}


def network_interface_statements() -> list[Statement]:
    """Let Lambda attach the function to the VPC, and nobody else in its name.

    `lambda:SourceFunctionArn` is present in calls that a function's code makes, and absent where Lambda
    itself makes network interfaces. AWS's page on VPCs compares it with the function's ARN; that it is
    present at all says the same of a role that functions alone assume, and needs no reference from the role
    back to the function.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
    """
    return [
        {"Effect": "Allow", "Action": NETWORK_INTERFACE_ACTIONS, "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": NETWORK_INTERFACE_ACTIONS,
            "Resource": "*",
            "Condition": {"Null": {"lambda:SourceFunctionArn": "false"}},
        },
    ]


def create_role(scope: Construct, role_id: str, statements: Sequence[Statement]) -> iam.Role:
    """Create a role that Lambda assumes and that may do what `statements` say."""
    role = iam.Role(
        scope,
        role_id,
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={
            "Execution": iam.PolicyDocument.from_json(
                {"Version": "2012-10-17", "Statement": list(statements)}
            )
        },
    )
    acknowledge(role, INLINE_POLICY)
    own = role.node.default_child
    assert own is not None  # noqa: S101  # narrows: a role always has its resource
    reason = (
        "X-Ray and the network interfaces of Lambda know no narrower resource; what is granted to the "
        "function stands in another policy"
    )
    acknowledge(own, {"AwsSolutions-IAM5[Resource::*]": reason, "Serverless-LambdaStarPermissions": reason})
    return role


def add_statements(role: iam.IRole, statements: Sequence[Statement]) -> None:
    """Add what Lambda needs to a role that exists."""
    for statement in statements:
        role.add_to_principal_policy(iam.PolicyStatement.from_json(statement))
