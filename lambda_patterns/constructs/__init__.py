"""The constructs: right by default, connected by one call. The only layer that builds with aws_cdk."""

from lambda_patterns.constructs.built_package import bootstrap_package, built_package, keep_built
from lambda_patterns.constructs.database_invoke import DatabaseInvoke
from lambda_patterns.constructs.database_placement import Rotation
from lambda_patterns.constructs.database_sources import NewCluster, NewInstance
from lambda_patterns.constructs.database_users import DatabaseUser
from lambda_patterns.constructs.edge_function import EdgeFunction, ViewerFunction
from lambda_patterns.constructs.failure_monitoring import FailureMonitoring
from lambda_patterns.constructs.failure_reprocessor import FailureReprocessor
from lambda_patterns.constructs.function import VpcFunction
from lambda_patterns.constructs.imported_database_proxy import ImportedDatabaseProxy
from lambda_patterns.constructs.network import LambdaNetwork
from lambda_patterns.constructs.on_failure_queue import OnFailureQueue
from lambda_patterns.constructs.package import Package, directory_package
from lambda_patterns.constructs.plain_function import PlainFunction
from lambda_patterns.constructs.provisioned_alias import GradualDeployment, ProvisionedAlias
from lambda_patterns.constructs.provisioned_concurrency import (
    FixedConcurrency,
    FollowedConcurrency,
    ScheduledConcurrency,
)
from lambda_patterns.constructs.proxied_database import ProxiedDatabase
from lambda_patterns.constructs.proxy_monitoring import ProxyMonitoring
from lambda_patterns.constructs.python_package import python_package
from lambda_patterns.constructs.queue_consumer import HiddenFor, QueueConsumer
from lambda_patterns.constructs.topic_subscription import HttpEndpoint, TopicSubscription
from lambda_patterns.constructs.triggers import (
    add_http_api,
    add_url,
    on_event,
    on_object,
    on_object_event,
    on_partner_event,
    on_schedule,
)
from lambda_patterns.constructs.ways_out import (
    EgressOnlyGateway,
    Endpoints,
    Isolated,
    NatGateways,
    NatInstances,
    WayOut,
)

__all__ = [
    "DatabaseInvoke",
    "DatabaseUser",
    "EdgeFunction",
    "EgressOnlyGateway",
    "Endpoints",
    "FailureMonitoring",
    "FailureReprocessor",
    "FixedConcurrency",
    "FollowedConcurrency",
    "GradualDeployment",
    "HiddenFor",
    "HttpEndpoint",
    "ImportedDatabaseProxy",
    "Isolated",
    "LambdaNetwork",
    "NatGateways",
    "NatInstances",
    "NewCluster",
    "NewInstance",
    "OnFailureQueue",
    "Package",
    "PlainFunction",
    "ProvisionedAlias",
    "ProxiedDatabase",
    "ProxyMonitoring",
    "QueueConsumer",
    "Rotation",
    "ScheduledConcurrency",
    "TopicSubscription",
    "ViewerFunction",
    "VpcFunction",
    "WayOut",
    "add_http_api",
    "add_url",
    "bootstrap_package",
    "built_package",
    "directory_package",
    "keep_built",
    "on_event",
    "on_object",
    "on_object_event",
    "on_partner_event",
    "on_schedule",
    "python_package",
]
