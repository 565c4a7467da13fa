"""What a workload says about each resource: the quantities of a month, each with its range."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from lambda_patterns.facts.limit import Limit

_SOURCE = "https://aws.amazon.com/lambda/pricing/"
_MANY = 1_000_000_000_000


def _amount(name: str, unit: str, default: float | None = 0.0, high: float = _MANY) -> Any:  # noqa: ANN401  # dataclasses.field has no type
    """A field for a quantity from 0 to `high`; fractions are averages."""
    limit = Limit(name, 0, high, unit, "it is a quantity of one month", _SOURCE, whole=False)
    return field(default=default, metadata={"limit": limit})


@dataclass(frozen=True, slots=True)
class FunctionLoad:
    """One function's month.

    Args:
        invocations: how often it is invoked. Default 0.
        duration_ms: how long one invocation runs, on average, 0-5,400,000 ms. Default 0.
        cold_starts: the share of invocations that start an environment, 0-1. Default 0.
        init_ms: how long one start initializes; it is billed since 2025-08-01. Default 0.
        log_kb: what one invocation logs. Default 0: only the application knows it.
        log_stored_gb: the GB that its log group keeps, as CloudWatch bills them (compressed). Default 0.
        provisioned: the provisioned concurrency of the month's average. Default: what the template says.
        provisioned_hours: the hours of the month in which it is configured, 0-730. Default 730: always.
        provisioned_share: the share of invocations that provisioned environments serve, 0-1. Default 1.

    Source: https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase
    """

    invocations: float = _amount("invocations", "a month")
    duration_ms: float = _amount("duration_ms", "milliseconds", high=5_400_000)
    cold_starts: float = _amount("cold_starts", "of the invocations", high=1)
    init_ms: float = _amount("init_ms", "milliseconds", high=900_000)
    log_kb: float = _amount("log_kb", "KB an invocation", high=1_000_000)
    log_stored_gb: float = _amount("log_stored_gb", "GB", high=1_000_000_000)
    provisioned: float | None = _amount("provisioned", "environments", default=None, high=1_000_000)
    provisioned_hours: float = _amount("provisioned_hours", "h", default=730, high=730)
    provisioned_share: float = _amount("provisioned_share", "of the invocations", default=1, high=1)


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """One queue's month.

    Args:
        messages: how many are sent. Default 0.
        size_kb: the size of one; each 64 KB count as one request. Default 1.
        requests_per_message: requests each message takes. Default 3: send, receive, delete, unbatched.
        empty_receives: polls that find nothing. Default 0: how many a consumer makes is not documented.
    """

    messages: float = _amount("messages", "a month")
    size_kb: float = _amount("size_kb", "KB", default=1, high=1024)
    requests_per_message: float = _amount("requests_per_message", "requests", default=3, high=100)
    empty_receives: float = _amount("empty_receives", "a month")


@dataclass(frozen=True, slots=True)
class TopicLoad:
    """One topic's month.

    Args:
        messages: how many are published. Default 0.
        size_kb: the size of one; each 64 KB count as one request. Default 1.
        http_deliveries: deliveries over HTTP/S. Default 0. Those to Lambda and SQS cost nothing.
        email_deliveries: deliveries by e-mail. Default 0.
    """

    messages: float = _amount("messages", "a month")
    size_kb: float = _amount("size_kb", "KB", default=1, high=1024)
    http_deliveries: float = _amount("http_deliveries", "a month")
    email_deliveries: float = _amount("email_deliveries", "a month")


@dataclass(frozen=True, slots=True)
class TrafficLoad:
    """The GB that pass a NAT gateway or an interface endpoint in a month, both directions. Default 0."""

    gb: float = _amount("gb", "GB a month", high=1_000_000_000)


@dataclass(frozen=True, slots=True)
class SecretLoad:
    """The calls that read a secret in a month. Default 0: extensions and libraries cache it."""

    calls: float = _amount("calls", "a month")


@dataclass(frozen=True, slots=True)
class KeyLoad:
    """The requests that use a key in a month. Default 0."""

    requests: float = _amount("requests", "a month")


@dataclass(frozen=True, slots=True)
class ProxyLoad:
    """The capacity units of a proxy's serverless instances, averaged. Default: the cluster's least."""

    acus: float | None = _amount("acus", "ACU", default=None, high=4096)


Load = FunctionLoad | QueueLoad | TopicLoad | TrafficLoad | SecretLoad | KeyLoad | ProxyLoad

# section of the file -> (the load of one resource, the resource types that it may name)
SECTIONS: dict[str, tuple[type[Load], tuple[str, ...]]] = {
    "functions": (FunctionLoad, ("AWS::Lambda::Function", "AWS::Serverless::Function")),
    "queues": (QueueLoad, ("AWS::SQS::Queue",)),
    "topics": (TopicLoad, ("AWS::SNS::Topic",)),
    "nat_gateways": (TrafficLoad, ("AWS::EC2::NatGateway",)),
    "endpoints": (TrafficLoad, ("AWS::EC2::VPCEndpoint",)),
    "secrets": (SecretLoad, ("AWS::SecretsManager::Secret",)),
    "keys": (KeyLoad, ("AWS::KMS::Key",)),
    "proxies": (ProxyLoad, ("AWS::RDS::DBProxy",)),
}


def limits(load: type[Load]) -> dict[str, Limit]:
    """The quantities of a load: name -> the range in which it makes sense."""
    return {each.name: each.metadata["limit"] for each in fields(load)}
