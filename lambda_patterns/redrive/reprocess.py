"""The handler of the deployed reprocessor: ``lambda_patterns.redrive.reprocess.handler``.

Lambda hands it the messages of a failure queue; it replays them and reports one by one what has to stay.
Invoked by hand, with ``{"limit": 100, "function": "orders", "where": "tenant == 'eu'"}`` or any part of that,
it goes through the queue itself, while its mapping is switched off. Settings: `reprocessor.Settings`.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import (
    AsyncBatchProcessor,
    EventType,
    SqsFifoPartialProcessor,
    async_process_partial_response,
    process_partial_response,
)
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError

from lambda_patterns.errors import ArgumentError
from lambda_patterns.redrive.aws import Aws
from lambda_patterns.redrive.delivery import Delivery, Rate, open_queue
from lambda_patterns.redrive.filters import Filter, expression
from lambda_patterns.redrive.message import Message
from lambda_patterns.redrive.queue import Queue
from lambda_patterns.redrive.replay import Run, replay
from lambda_patterns.redrive.reprocessor import Done, NotNowError, Reprocessor, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.idempotency import BasePersistenceLayer
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from lambda_patterns.redrive.pump import Pump

_HANDS = 10
# What is kept of an event's outcome: SQS can deliver a message again for as long as it keeps it.
_REMEMBERED_SECONDS = 14 * 86_400
_MARGIN_SECONDS = 5
_CHOICES = {"limit", "function", "error", "condition", "where", "contains"}

logger = Logger(service="failure-reprocessor")
metrics = Metrics(namespace="LambdaPatterns", service="failure-reprocessor")


@metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Reprocess the messages that Lambda hands over, or go through the queue when invoked by hand.

    Returns:
        ``{"batchItemFailures": [{"itemIdentifier": <message id>}]}``, or the report of a run.
    """
    worker = Worker(Settings.read(os.environ), _aws())
    if "Records" in event:
        return worker.batch(event, context)
    return worker.by_hand(event, context)


@cache
def _aws() -> Aws:
    settings = Settings.read(os.environ)
    # Inside the embedded AWS, the SDK's own variable says where that is.
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    return Aws(connections=_HANDS + 2, longest_wait=settings.longest_wait_seconds, endpoint_url=endpoint)


class Worker:
    """One invocation's work.

    Args:
        settings: the function's settings.
        aws: the clients.
        store: remembers which events have run; None: the table that the settings name, if any.
    """

    def __init__(self, settings: Settings, aws: Aws, store: BasePersistenceLayer | None = None) -> None:
        self._settings = settings
        self._aws = aws
        self._rate = Rate(settings.rate_per_second)
        self._delivery = Delivery(aws, wait=True)
        if store is None and settings.idempotency_table:
            store = DynamoDBPersistenceLayer(table_name=settings.idempotency_table)
        self._store = store
        self._counting = threading.Lock()
        self._counts: Counter[Done] = Counter()

    def batch(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Reprocess one batch; a FIFO queue's in order, another's all at a time."""
        queue = open_queue(self._aws, event["Records"][0]["eventSourceARN"])
        quarantine = Queue(self._aws.sqs, self._settings.quarantine_queue_url)
        plan = self._settings.plan()
        reprocessor = Reprocessor(queue, quarantine, self._delivery, plan, self._settings.backoff_seconds)

        def one(record: SQSRecord) -> None:
            self._one(reprocessor, Message.from_event(record.raw_event), context)

        answer = (
            self._in_order(event, one, context) if queue.is_ordered else self._together(event, one, context)
        )
        for done, number in self._counts.items():
            metrics.add_metric(name=done.value, unit=MetricUnit.Count, value=number)
        return answer

    @staticmethod
    def _in_order(
        event: dict[str, Any], one: Callable[[SQSRecord], None], context: LambdaContext
    ) -> dict[str, Any]:
        processor = SqsFifoPartialProcessor(skip_group_on_error=True)
        processor.raise_on_entire_batch_failure = False
        return dict(process_partial_response(event, one, processor, context))

    @staticmethod
    def _together(
        event: dict[str, Any], one: Callable[[SQSRecord], None], context: LambdaContext
    ) -> dict[str, Any]:
        with ThreadPoolExecutor(_HANDS) as pool:

            async def beside_others(record: SQSRecord) -> None:
                await asyncio.get_running_loop().run_in_executor(pool, one, record)

            processor = AsyncBatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
            return dict(async_process_partial_response(event, beside_others, processor, context))

    def _one(self, reprocessor: Reprocessor, message: Message, context: LambdaContext) -> None:
        self._rate.wait()
        needed = self._settings.longest_wait_seconds + _MARGIN_SECONDS
        if context.get_remaining_time_in_millis() < needed * 1000:
            raise NotNowError(f"less than {needed} s are left of this invocation")
        try:
            done = self._once(lambda: reprocessor.process(message), message, context)
        except NotNowError as error:
            logger.warning("left in the queue", message_id=message.id, reason=str(error))
            raise
        logger.info(done.value, message_id=message.id, attempts=message.ledger.attempts + 1)
        with self._counting:
            self._counts[done] += 1

    def _once(self, work: Callable[[], Done], message: Message, context: LambdaContext) -> Done:
        """Do the work unless it was done before: SQS delivers at least once, a replay should run once."""
        if self._store is None:
            return work()
        config = IdempotencyConfig(expires_after_seconds=_REMEMBERED_SECONDS, lambda_context=context)

        @idempotent_function(data_keyword_argument="key", persistence_store=self._store, config=config)  # type: ignore[untyped-decorator]  # Powertools leaves it untyped
        def remembered(*, key: str) -> str:
            del key
            return work().value

        # A further attempt is another piece of work than the one before.
        key = f"{message.ledger.key or message.id}/{message.ledger.attempts}"
        try:
            return Done(remembered(key=key))
        except IdempotencyAlreadyInProgressError as error:
            raise NotNowError("the same message is being replayed by another copy") from error

    def by_hand(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Go through the queue as far as the time allows."""
        if unknown := sorted(event.keys() - _CHOICES):
            raise ArgumentError(f"{', '.join(unknown)}: not known; known are {', '.join(sorted(_CHOICES))}")
        if not self._settings.failure_queue_url:
            raise ArgumentError("LAMBDA_PATTERNS_FAILURE_QUEUE_URL is not set: it names the queue")
        queue = Queue(self._aws.sqs, self._settings.failure_queue_url)
        where = event.get("where")
        chosen = Filter(
            function=event.get("function"),
            error=event.get("error"),
            condition=event.get("condition"),
            contains=event.get("contains"),
            where=expression(where) if where else None,
        )
        needed = (self._settings.longest_wait_seconds + _MARGIN_SECONDS) * 1000
        pumps: list[Pump] = []

        def told(_number: int) -> None:
            if context.get_remaining_time_in_millis() < needed:
                for pump in pumps:
                    pump.stop("the invocation's time is over")

        run = Run(chosen, most=event.get("limit"), hands=_HANDS, told=told, control=pumps.append)
        report = replay(queue, self._settings.plan(), Delivery(self._aws, wait=True, rate=self._rate), run)
        metrics.add_metric(name=Done.REPLAYED.value, unit=MetricUnit.Count, value=report.accepted.total())
        return report.plain()
