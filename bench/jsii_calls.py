"""Calls from Python into aws_cdk: the constructs beside the same resources written by hand.

Every call crosses into another process, so their number is what synthesis costs in Python. Budget: at most
5 % more than by hand. Both sides deploy equal templates and acknowledge the same findings; by hand means
aws_cdk's L2 constructs used as its documentation shows, and L1 only where L2 has no word for it.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import jsii
from aws_cdk import Acknowledgment, App, Duration, Stack, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from rich.console import Console
from rich.table import Table

from lambda_patterns.constructs import Endpoints, LambdaNetwork, NatGateways, VpcFunction
from lambda_patterns.constructs.acknowledgements import COMPLIANCE_PACKS
from lambda_patterns.constructs.execution_role import NETWORK_INTERFACE_ACTIONS
from lambda_patterns.testing import synthesize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from constructs import IConstruct

BUDGET = 1.05
_CALLS = ("create", "get", "set", "sget", "sset", "invoke", "sinvoke")


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the name of every call into aws_cdk."""
    provider = jsii.kernel.provider
    calls: list[str] = []

    def counting(name: str) -> Callable[..., Any]:
        original = getattr(provider, name)

        def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # passes on what it is given
            calls.append(name)
            return original(*args, **kwargs)

        return call

    for name in _CALLS:
        setattr(provider, name, counting(name))
    try:
        yield calls
    finally:
        for name in _CALLS:
            delattr(provider, name)


def _packs(rule: str, reason: str) -> list[Acknowledgment]:
    return [Acknowledgment(id=f"{pack}-{rule}", reason=reason) for pack in COMPLIANCE_PACKS]


def _acknowledge(construct: IConstruct, *acknowledgments: Acknowledgment) -> None:
    Validations.of(construct).acknowledge(*acknowledgments)


def nat_by_hand(stack: Stack) -> ec2.Vpc:
    """A VPC with a NAT gateway in each zone, and the free endpoints."""
    private = ec2.SubnetConfiguration(name="Function", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
    public = ec2.SubnetConfiguration(
        name="Public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=28, map_public_ip_on_launch=False
    )
    vpc = _vpc_by_hand(stack, [public, private], create_internet_gateway=True)
    for subnet in vpc.public_subnets:
        _acknowledge(subnet, *_packs("VPCNoUnrestrictedRouteToIGW", "it holds the NAT gateway alone"))
    subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
    vpc.add_gateway_endpoint("S3Endpoint", service=ec2.GatewayVpcEndpointAwsService.S3, subnets=[subnets])
    vpc.add_gateway_endpoint(
        "DynamodbEndpoint", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB, subnets=[subnets]
    )
    return vpc


def endpoints_by_hand(stack: Stack) -> tuple[ec2.Vpc, ec2.InterfaceVpcEndpoint]:
    """A VPC with endpoints alone: Secrets Manager, SQS and S3."""
    private = ec2.SubnetConfiguration(name="Function", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    vpc = _vpc_by_hand(stack, [private], create_internet_gateway=False)
    subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    made = []
    for title, service in (
        ("Secretsmanager", ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER),
        ("Sqs", ec2.InterfaceVpcEndpointAwsService.SQS),
    ):
        group = ec2.SecurityGroup(
            stack,
            f"Network{title}EndpointGroup",
            vpc=vpc,
            allow_all_outbound=False,
            description=f"The endpoint of {title.lower()}: 443 from the functions that need it",
        )
        made.append(
            vpc.add_interface_endpoint(
                f"{title}Endpoint",
                service=service,
                subnets=subnets,
                security_groups=[group],
                open=False,
                private_dns_enabled=True,
            )
        )
    vpc.add_gateway_endpoint("S3Endpoint", service=ec2.GatewayVpcEndpointAwsService.S3, subnets=[subnets])
    return vpc, made[0]


def _vpc_by_hand(
    stack: Stack, subnets: list[ec2.SubnetConfiguration], *, create_internet_gateway: bool
) -> ec2.Vpc:
    group = logs.LogGroup(stack, "NetworkFlowLogs", retention=logs.RetentionDays.ONE_MONTH)
    _acknowledge(group, *_packs("CloudWatchLogGroupEncrypted", "CloudWatch's own key"))
    vpc = ec2.Vpc(
        stack,
        "NetworkVpc",
        max_azs=2,
        create_internet_gateway=create_internet_gateway,
        subnet_configuration=subnets,
        restrict_default_security_group=True,
    )
    log = vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(group))
    _acknowledge(log, *_packs("IAMNoInlinePolicy", "a policy of one role alone"))
    return vpc


def function_by_hand(stack: Stack, vpc: ec2.Vpc, endpoint: ec2.InterfaceVpcEndpoint) -> None:
    """A function that needs Secrets Manager and S3, with a role of its own."""
    group = logs.LogGroup(stack, "FetchLogs", retention=logs.RetentionDays.THREE_MONTHS)
    _acknowledge(group, *_packs("CloudWatchLogGroupEncrypted", "CloudWatch's own key"))
    role = iam.Role(
        stack,
        "FetchRole",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={
            "Execution": iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[group.log_group_arn]
                    ),
                    iam.PolicyStatement(actions=NETWORK_INTERFACE_ACTIONS, resources=["*"]),
                    iam.PolicyStatement(
                        effect=iam.Effect.DENY,
                        actions=NETWORK_INTERFACE_ACTIONS,
                        resources=["*"],
                        conditions={"Null": {"lambda:SourceFunctionArn": "false"}},
                    ),
                    iam.PolicyStatement(
                        actions=["xray:PutTelemetryRecords", "xray:PutTraceSegments"], resources=["*"]
                    ),
                ]
            )
        },
    )
    _acknowledge(role, *_packs("IAMNoInlinePolicy", "a policy of one role alone"))
    own = role.node.default_child
    assert own is not None
    _acknowledge(
        own,
        Acknowledgment(id="AwsSolutions-IAM5[Resource::*]", reason="no narrower resource"),
        Acknowledgment(id="Serverless-LambdaStarPermissions", reason="no narrower resource"),
    )
    function = lambda_.Function(
        stack,
        "Fetch",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_14,
        architecture=lambda_.Architecture.ARM_64,
        memory_size=1024,
        timeout=Duration.seconds(60),
        role=role,
        log_group=group,
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        allow_all_outbound=False,
    )
    resource = function.node.default_child
    assert isinstance(resource, lambda_.CfnFunction)
    resource.tracing_config = lambda_.CfnFunction.TracingConfigProperty(mode="Active")
    resource.add_metadata("LambdaPatterns", {"Needs": ["secretsmanager", "s3"]})
    _acknowledge(function, *_packs("LambdaConcurrency", "the account's pool bounds it"))
    function.connections.allow_to(
        ec2.Peer.ipv4("127.0.0.1/32"), ec2.Port.all_traffic(), "Ends the rule that lets everything out"
    )
    function.connections.allow_to(endpoint, ec2.Port.HTTPS, "443 to the endpoint of secretsmanager")
    function.connections.allow_to(ec2.Peer.any_ipv4(), ec2.Port.HTTPS, "443 to wherever the routes lead")


def _function(stack: Stack, network: LambdaNetwork) -> None:
    VpcFunction(
        stack,
        "Fetch",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        handler="index.handler",
        network=network,
        needs=["secretsmanager", "s3"],
        memory_size=1024,
        timeout=Duration.seconds(60),
    )


def _pair(folder: str) -> tuple[Stack, Stack]:
    """Give an empty stack for each side."""
    ours, hand = (Stack(App(outdir=tempfile.mkdtemp(dir=folder)), "Stack") for _ in range(2))
    return ours, hand


def _same(stack: Stack) -> str:
    """A template without what differs by the depth of its tree: slashes of paths, hashes of logical ids."""
    text = json.dumps(synthesize(stack), sort_keys=True).replace("/", "")
    resources = json.loads(re.sub(r'(?<=\w)[0-9A-F]{8}(?:[0-9A-F]{3}|443[0-9A-F]{8})?(?=")', "", text))[
        "Resources"
    ]
    return json.dumps(resources, sort_keys=True, indent=1)


def measure() -> dict[str, tuple[int, int]]:
    """Count the calls of each construct and by hand: ``{"VpcFunction": (30, 33), ...}``."""
    with tempfile.TemporaryDirectory(prefix="jsii-calls-") as folder:
        return {**_measure_nat(folder), **_measure_function(folder)}


def _measure_nat(folder: str) -> dict[str, tuple[int, int]]:
    ours, hand = _pair(folder)
    with counted() as calls:
        LambdaNetwork(ours, "Network", internet=NatGateways())
    with counted() as calls_by_hand:
        nat_by_hand(hand)
    assert _same(ours) == _same(hand), "the two NAT networks are not the same"
    return {"LambdaNetwork(NatGateways)": (len(calls), len(calls_by_hand))}


def _measure_function(folder: str) -> dict[str, tuple[int, int]]:
    ours, hand = _pair(folder)
    with counted() as network_calls:
        network = LambdaNetwork(ours, "Network", internet=Endpoints("secretsmanager", "sqs", "s3"))
    with counted() as network_by_hand:
        vpc, endpoint = endpoints_by_hand(hand)
    with counted() as calls:
        _function(ours, network)
    with counted() as calls_by_hand:
        function_by_hand(hand, vpc, endpoint)
    assert _same(ours) == _same(hand), "the two functions and their networks are not the same"
    return {
        "LambdaNetwork(Endpoints)": (len(network_calls), len(network_by_hand)),
        "VpcFunction": (len(calls), len(calls_by_hand)),
    }


def main() -> int:
    """Print the table; 1 if a construct is over budget."""
    table = Table("construct", "calls", "by hand", "ratio", "budget", title="calls into aws_cdk")
    figures = measure()
    for name, (calls, by_hand) in figures.items():
        table.add_row(name, str(calls), str(by_hand), f"{calls / by_hand:.2f}", f"{BUDGET:.2f}")
    Console().print(table)
    return int(any(calls > BUDGET * by_hand for calls, by_hand in figures.values()))


if __name__ == "__main__":
    sys.exit(main())
