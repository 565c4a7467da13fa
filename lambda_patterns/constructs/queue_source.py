"""The mapping between a queue and the function that reads it, item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Names
from aws_cdk import aws_lambda_event_sources as event_sources

from lambda_patterns.constructs.acknowledgements import acknowledge

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_sqs as sqs

_DESTINATION = (
    "Lambda takes no on-failure destination for a queue: what fails goes to the queue's own dead-letter queue"
)


def read_queue(function: lambda_.Function | lambda_.Alias, queue: sqs.IQueue, **settings: Any) -> None:  # noqa: ANN401  # the settings stay aws_cdk's
    """Let a function read a queue and report failed items one by one.

    Args:
        function: the function or alias.
        queue: the queue.
        settings: as of `event_sources.SqsEventSource`.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    source = event_sources.SqsEventSource(queue, report_batch_item_failures=True, **settings)
    function.add_event_source(source)
    mapping = function.node.find_child(f"SqsEventSource:{Names.node_unique_id(queue.node)}")
    acknowledge(mapping, {"Serverless-LambdaEventSourceMappingDestination": _DESTINATION})
