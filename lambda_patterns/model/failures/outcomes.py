"""What catches the outcome of a function's asynchronous invocations, and of its streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from lambda_patterns.model.failures.invocations import FUNCTION, canonical, invoked
from lambda_patterns.model.texts import arn_segments
from lambda_patterns.model.values import Text, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

INVOKE_CONFIG = "AWS::Lambda::EventInvokeConfig"
MAPPING = "AWS::Lambda::EventSourceMapping"
Kind = Literal["on-failure destination", "on-success destination", "dead-letter queue"]


class Outcome(NamedTuple):
    """One destination or dead-letter queue of a function.

    Args:
        kind: which of the three.
        function: the function whose execution role writes to it.
        qualifier: what it holds for (see `Invoked`); "" for every qualifier. None: not known.
        at: the resource that sets it: the function, its EventInvokeConfig, or an event source mapping.
        path: the property there.
        value: what is named, as followed.
        target: the queue, topic, function, bus or bucket, where it is in the deployment.
    """

    kind: Kind
    function: Resource
    qualifier: str | Resource | None
    at: Resource
    path: tuple[str | int, ...]
    value: Value
    target: Resource | None

    @property
    def catches(self) -> bool:
        """Whether it keeps failures."""
        return self.kind != "on-success destination"

    @property
    def of_stream(self) -> bool:
        """Whether it is for what a stream could not deliver, not for asynchronous invocations."""
        return self.at.type == MAPPING

    @property
    def fifo(self) -> bool | None:
        """Whether it is a FIFO queue or topic; None where that is not known."""
        return is_fifo(self.value, self.target)


def is_fifo(value: Value, resource: Resource | None) -> bool | None:
    """Say whether a queue or topic is FIFO, by its resource or by its ARN; None where that is not known."""
    if resource is not None:
        fifo = resource.boolean(
            "FifoQueue" if resource.type == "AWS::SQS::Queue" else "FifoTopic", default=False
        )
        return None if isinstance(fifo, Unknown) else bool(fifo)
    segments = arn_segments(value)
    if segments is None:
        return None
    end = segments[5].parts[-1] if isinstance(segments[5], Text) else segments[5]
    return end.endswith(".fifo") if isinstance(end, str) else None


def outcomes(deployment: Deployment) -> Iterator[Outcome]:
    """Yield every destination and dead-letter queue of the deployment's functions."""
    for function in deployment.of_type(FUNCTION):
        path: tuple[str, ...] = ("DeadLetterConfig", "TargetArn")
        value = function.get(*path)
        if value is not None:
            target = deployment.resource_of(value)
            yield Outcome("dead-letter queue", function, "", function, path, value, target)
    for config in deployment.of_type(INVOKE_CONFIG):
        named = invoked(deployment, config.get("FunctionName"))
        if named is not None:
            # FunctionName may carry the qualifier itself, where it names an alias
            qualifier = canonical(config.get("Qualifier"))
            yield from _destinations(deployment, config, named.function, qualifier)
    for mapping in deployment.of_type(MAPPING):
        named = invoked(deployment, mapping.get("FunctionName"))
        if named is not None:
            yield from _destinations(deployment, mapping, named.function, named.qualifier)


def _destinations(
    deployment: Deployment, config: Resource, function: Resource, qualifier: str | Resource | None
) -> Iterator[Outcome]:
    kinds: tuple[tuple[str, Kind], ...] = (
        ("OnFailure", "on-failure destination"),
        ("OnSuccess", "on-success destination"),
    )
    for name, kind in kinds:
        path = ("DestinationConfig", name, "Destination")
        value = config.get(*path)
        if value is not None:
            yield Outcome(kind, function, qualifier, config, path, value, deployment.resource_of(value))
