"""What may be set for asynchronous events and for event sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.facts import limits
from lambda_patterns.model.texts import arn_segments
from lambda_patterns.model.values import Text, Unknown
from lambda_patterns.rules.limits.ranges import out_of_range
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.facts.limit import Limit
    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource

MAPPING = "AWS::Lambda::EventSourceMapping"
_SERVICES = {
    "AWS::SQS::Queue": "sqs",
    "AWS::Kinesis::Stream": "kinesis",
    "AWS::Kinesis::StreamConsumer": "kinesis",
    "AWS::DynamoDB::Table": "dynamodb",
    "AWS::DynamoDB::GlobalTable": "dynamodb",
    "AWS::MSK::Cluster": "kafka",
    "AWS::MSK::ServerlessCluster": "kafka",
    "AWS::AmazonMQ::Broker": "mq",
    "AWS::DocDB::DBCluster": "rds",
}


class _Source(NamedTuple):
    """What a mapping reads: "sqs", "kinesis", "dynamodb", "kafka", "mq", "rds"; None: not known."""

    service: str | None
    fifo: bool | None


def _source(deployment: Deployment, mapping: Resource) -> _Source:
    if mapping.get("SelfManagedEventSource") is not None:
        return _Source("kafka", fifo=False)
    value = mapping.get("EventSourceArn")
    resource = deployment.resource_of(value)
    if resource is not None:
        service = _SERVICES.get(resource.type)
        fifo = resource.boolean("FifoQueue", default=False)
        return _Source(service, None if isinstance(fifo, Unknown) else bool(fifo))
    segments = arn_segments(value)
    if segments is None or not isinstance(segments[2], str):
        return _Source(None, fifo=None)
    end = segments[5].parts[-1] if isinstance(segments[5], Text) else segments[5]
    return _Source(segments[2], end.endswith(".fifo") if isinstance(end, str) else None)


def _asynchronous(deployment: Deployment) -> Iterator[Found]:
    for config in deployment.of_type("AWS::Lambda::EventInvokeConfig"):
        yield from out_of_range(limits.RETRY_ATTEMPTS, config, "MaximumRetryAttempts")
        yield from out_of_range(limits.EVENT_AGE, config, "MaximumEventAgeInSeconds")


def _event_sources(deployment: Deployment) -> Iterator[Found]:
    for mapping in deployment.of_type(MAPPING):
        source = _source(deployment, mapping)
        yield from _ranges(mapping, source)
        yield from _batches(mapping, source)
        yield from _pollers(mapping, source)
        yield from _destination(mapping, source)


def _ranges(mapping: Resource, source: _Source) -> Iterator[Found]:
    sqs = source.service == "sqs"
    simple: tuple[tuple[Limit, tuple[str, ...]], ...] = (
        (limits.FIFO_BATCH_SIZE if sqs and source.fifo else limits.BATCH_SIZE, ("BatchSize",)),
        (limits.BATCH_WINDOW, ("MaximumBatchingWindowInSeconds",)),
        (limits.MAXIMUM_CONCURRENCY, ("ScalingConfig", "MaximumConcurrency")),
        (
            limits.SQS_MINIMUM_POLLERS if sqs else limits.MINIMUM_POLLERS,
            ("ProvisionedPollerConfig", "MinimumPollers"),
        ),
        (
            limits.SQS_MAXIMUM_POLLERS if sqs else limits.MAXIMUM_POLLERS,
            ("ProvisionedPollerConfig", "MaximumPollers"),
        ),
        (limits.PARALLELIZATION_FACTOR, ("ParallelizationFactor",)),
        (limits.STREAM_RETRIES, ("MaximumRetryAttempts",)),
        (limits.TUMBLING_WINDOW, ("TumblingWindowInSeconds",)),
        (limits.RECORD_AGE, ("MaximumRecordAgeInSeconds",)),
    )
    for limit, path in simple:
        yield from out_of_range(limit, mapping, *path)
    age = mapping.number("MaximumRecordAgeInSeconds")
    if isinstance(age, int | float) and -1 < age < limits.RECORD_AGE_MINIMUM:
        what = f"record age is {age:,} s, allowed are 60-604,800 s, or -1 for no limit"
        yield Found(mapping, ("MaximumRecordAgeInSeconds",), what)


def _batches(mapping: Resource, source: _Source) -> Iterator[Found]:
    if source.service != "sqs":
        return
    size = mapping.number("BatchSize", default=limits.DEFAULT_QUEUE_BATCH_SIZE)
    window = mapping.number("MaximumBatchingWindowInSeconds", default=0)
    if isinstance(size, Unknown) or isinstance(window, Unknown) or size is None or window is None:
        return
    most = limits.BATCH_SIZE_WITHOUT_WINDOW
    if source.fifo and window > 0:
        what = f"a batch window of {window:,} s on a FIFO queue, allowed is none"
        yield Found(
            mapping,
            ("MaximumBatchingWindowInSeconds",),
            what,
            "delete MaximumBatchingWindowInSeconds (max_batching_window=)",
            "Lambda does not wait for more messages of a FIFO queue, and refuses the mapping",
        )
    elif source.fifo is False and size > most.high and window == 0:
        what = f"a batch size of {size:,} messages without a batch window, allowed are 1-10 messages"
        yield Found(
            mapping,
            ("BatchSize",),
            what,
            "set MaximumBatchingWindowInSeconds (max_batching_window=) to at least 1 s",
            most.why,
        )


def _pollers(mapping: Resource, source: _Source) -> Iterator[Found]:
    config = mapping.get("ProvisionedPollerConfig")
    scaling = mapping.get("ScalingConfig", "MaximumConcurrency")
    known = not isinstance(config, Unknown) and not isinstance(scaling, Unknown)
    if known and config is not None and scaling is not None:
        what = "maximum concurrency together with provisioned pollers, allowed is one of them"
        yield Found(
            mapping, ("ScalingConfig", "MaximumConcurrency"), what, "delete one of them", subject="both"
        )
    if scaling is not None and not isinstance(scaling, Unknown) and source.service not in {"sqs", None}:
        what = f"maximum concurrency on a {source.service} source, allowed are SQS queues"
        yield Found(
            mapping, ("ScalingConfig", "MaximumConcurrency"), what, "delete ScalingConfig", subject="kind"
        )
    if config is not None and known and source.service not in {"sqs", "kafka", None}:
        what = f"provisioned pollers on a {source.service} source, allowed are SQS and Kafka"
        yield Found(mapping, ("ProvisionedPollerConfig",), what, "delete ProvisionedPollerConfig")
    low = mapping.number("ProvisionedPollerConfig", "MinimumPollers")
    high = mapping.number("ProvisionedPollerConfig", "MaximumPollers")
    if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
        what = f"at least {low:,} pollers and at most {high:,}"
        yield Found(mapping, ("ProvisionedPollerConfig",), what, "raise MaximumPollers", subject="order")


def _destination(mapping: Resource, source: _Source) -> Iterator[Found]:
    target = mapping.get("DestinationConfig", "OnFailure", "Destination")
    if target is None or isinstance(mapping.get("DestinationConfig"), Unknown):
        return
    path = ("DestinationConfig", "OnFailure", "Destination")
    if source.service == "sqs":
        yield Found(
            mapping,
            path,
            "an on-failure destination on an SQS queue, allowed are Kinesis, DynamoDB and Kafka",
            "give the queue a RedrivePolicy (dead_letter_queue=) and delete DestinationConfig",
            "what a function cannot process stays in the queue, and the queue's own redrive policy moves it",
        )
    elif source.service in {"mq", "rds"}:
        kind = "Amazon MQ" if source.service == "mq" else "DocumentDB"
        what = f"an on-failure destination on {kind}, allowed are Kinesis, DynamoDB and Kafka"
        yield Found(mapping, path, what, "delete DestinationConfig")


RULES = (
    Rule(
        name="asynchronous-settings-out-of-range",
        topic="limits",
        severity=Severity.ERROR,
        forbids="retries outside 0-2, event age outside 60-21,600 s",
        why="Lambda refuses the configuration",
        fix="set MaximumRetryAttempts (retry_attempts=) to 0-2, the age (max_event_age=) to 60-21600 s",
        source=limits.ASYNC_PAGE,
        check=_asynchronous,
        exceptions=("0 retries",),
    ),
    Rule(
        name="event-source-settings-refused",
        topic="limits",
        severity=Severity.ERROR,
        forbids=(
            "batch size, window, concurrency or pollers out of range; a batch over 10 without a window; a "
            "window on a FIFO queue; an on-failure destination on an SQS mapping"
        ),
        why="Lambda refuses the event source mapping",
        fix="set a value within the range",
        source=limits.EVENT_SOURCE_API,
        check=_event_sources,
        exceptions=(
            "a batch over 10 of a stream, which needs no window",
            "an on-failure destination of a stream",
            "-1 for no limit of age or retries",
            "a source that is only known at deployment, which may be a stream",
        ),
    ),
)
