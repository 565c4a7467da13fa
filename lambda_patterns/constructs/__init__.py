"""The constructs: right by default, connected by one call. The only layer that builds with aws_cdk."""

from lambda_patterns.constructs.function import VpcFunction
from lambda_patterns.constructs.network import LambdaNetwork
from lambda_patterns.constructs.on_failure_queue import OnFailureQueue
from lambda_patterns.constructs.plain_function import PlainFunction
from lambda_patterns.constructs.ways_out import (
    EgressOnlyGateway,
    Endpoints,
    Isolated,
    NatGateways,
    NatInstances,
    WayOut,
)

__all__ = [
    "EgressOnlyGateway",
    "Endpoints",
    "Isolated",
    "LambdaNetwork",
    "NatGateways",
    "NatInstances",
    "OnFailureQueue",
    "PlainFunction",
    "VpcFunction",
    "WayOut",
]
