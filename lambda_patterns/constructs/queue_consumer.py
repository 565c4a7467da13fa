"""A source queue, the function that reads it, and everything that must fit between the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jsii
from aws_cdk import Duration, IStableNumberProducer, Lazy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_patterns.constructs.acknowledgements import acknowledge
from lambda_patterns.constructs.alarms import alarm_from
from lambda_patterns.constructs.function_options import check_limit, is_token, seconds
from lambda_patterns.constructs.own_resource import own_resource
from lambda_patterns.constructs.qualifiers import function_of
from lambda_patterns.constructs.queue_source import read_queue
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import limits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sns as sns


_LAST_STOP = "this queue is where failures end: its depth is watched, and `lambda-patterns failures` reads it"
_KEPT = (
    "it reads a queue: what fails goes to the queue's own dead-letter queue, and Lambda uses that of a "
    "function for asynchronous invocations alone"
)


@dataclass(frozen=True, slots=True)
class HiddenFor:
    """A visibility timeout other than six times the function's timeout plus the window.

    Args:
        timeout: how long messages are hidden, at least the function's timeout.
        reason: why another time is right here; it is recorded in the template.
    """

    timeout: Duration
    reason: str


class QueueConsumer(Construct):
    """A queue that feeds a function: hidden long enough, reported item by item, kept when it fails.

    The visibility timeout is six times the timeout that the function has in the end, plus the window, also
    where the timeout is changed after this construct was made. Behind the queue stands a dead-letter queue
    that keeps messages for 14 days, with an alarm on its depth: what SQS moves there is no send, so an alarm
    on arrivals would not see it.

    The handler has to return ``{"batchItemFailures": [{"itemIdentifier": messageId}]}`` for what failed, as
    Powertools' ``process_partial_response`` does. One that raises fails its whole batch, as without it; one
    that returns nothing has handled all.

    Args:
        function: the function or alias that reads the queue.
        queue: a queue that is there already; its own settings hold, and no other is made. Default: a new one.
        fifo: make the new queue, and the one behind it, FIFO. Default False.
        batch_size: messages at a time: 1-10, with a window 1-10,000, of a FIFO queue 1-10. Default 10.
        batching_window: how long to wait for a full batch, 0-300 s; not of a FIFO queue. Default: not at all.
        max_concurrency: how many of the function run at most for this queue, 2-1,000; all its queues together
            within its reservation. Default: what is left of the reservation, so that no message is received
            by a function that may not run; without one, no limit.
        hidden_for: another visibility timeout, with its reason. Default: see above.
        max_receives: how often a message is tried. Default 5: with fewer, messages that were throttled end
            in the dead-letter queue untried.
        dead_letter_queue: a queue of yours behind the new one. Default: one is made.
        filters: `lambda_.FilterCriteria.filter(...)`: messages that match none are deleted unread.
        encryption_key: a customer key for the new queues. Default: SQS's own.
        alarm_topic: who is told of a dead letter, and of a backlog.
        backlog_age: the age of the oldest message above which the queue counts as backed up. Default 15
            minutes. Messages received three times or more are not counted by SQS.

    Attributes:
        queue: the source queue.
        dead_letter_queue: the queue behind it; None where a queue was given.
        alarms: the alarms by what they watch: "Backlog", and "DeadLetters" where there is such a queue.
        alarm_topic: who is told, as given.

    Raises:
        ArgumentError: settings that SQS or Lambda refuse together.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """

    def __init__(  # noqa: PLR0913  # each is one setting of the queue or of the mapping
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: lambda_.Function | lambda_.Alias,
        queue: sqs.IQueue | None = None,
        fifo: bool = False,
        batch_size: int = 10,
        batching_window: Duration | None = None,
        max_concurrency: int | None = None,
        hidden_for: HiddenFor | None = None,
        max_receives: int = 5,
        dead_letter_queue: sqs.IQueue | None = None,
        filters: Sequence[Mapping[str, Any]] = (),
        encryption_key: kms.IKey | None = None,
        alarm_topic: sns.ITopic | None = None,
        backlog_age: Duration = Duration.minutes(15),  # noqa: B008  # a frozen value
    ) -> None:
        inner = _reader(function)
        ordered = queue.fifo if queue is not None else fifo
        window = 0.0 if batching_window is None else seconds(batching_window, "batching_window")
        _check_batch(batch_size, window, ordered=ordered)
        check_limit(limits.RECEIVE_COUNT, max_receives, "max_receives")
        concurrency = _concurrency(inner, _taken(inner, function), max_concurrency)
        _check_queue(queue, dead_letter_queue, hidden_for, fifo=fifo)
        _check_hidden(hidden_for, inner, made=queue is None)
        oldest = seconds(backlog_age, "backlog_age")
        super().__init__(scope, construct_id)
        self.dead_letter_queue: sqs.IQueue | None = None
        if queue is None:
            self.dead_letter_queue = dead_letter_queue or self._dead_letter_queue(encryption_key, fifo=fifo)
            queue = self._source_queue(encryption_key, max_receives, fifo=fifo)
            self._hide(queue, inner, window, hidden_for)
        self.queue: sqs.IQueue = queue
        read_queue(
            function,
            queue,
            batch_size=batch_size,
            max_batching_window=batching_window,
            max_concurrency=concurrency,
            filters=list(filters) or None,
        )
        if inner.dead_letter_queue is None and inner.dead_letter_topic is None:
            acknowledge(inner, {"compliance/LambdaDLQ": _KEPT, "Serverless-LambdaDLQ": _KEPT})
        self.alarm_topic = alarm_topic
        self.alarms = self._watch(oldest)
        if alarm_topic is not None:
            for alarm in self.alarms.values():
                alarm.add_alarm_action(actions.SnsAction(alarm_topic))

    def _dead_letter_queue(self, key: kms.IKey | None, *, fifo: bool) -> sqs.Queue:
        made = sqs.Queue(
            self,
            "DeadLetterQueue",
            fifo=True if fifo else None,
            encryption=_encryption(key),
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        own_resource(made, sqs.CfnQueue).add_metadata("LambdaPatterns", {"HoldsFailures": True})
        acknowledge(made, {"AwsSolutions-SQS3": _LAST_STOP, "Serverless-SQSRedrivePolicy": _LAST_STOP})
        return made

    def _source_queue(self, key: kms.IKey | None, receives: int, *, fifo: bool) -> sqs.Queue:
        assert self.dead_letter_queue is not None  # noqa: S101  # narrows: made before
        return sqs.Queue(
            self,
            "Queue",
            fifo=True if fifo else None,
            encryption=_encryption(key),
            encryption_master_key=key,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letter_queue, max_receive_count=receives),
        )

    def _hide(
        self, queue: sqs.IQueue, function: lambda_.Function, window: float, stated: HiddenFor | None
    ) -> None:
        resource = own_resource(queue, sqs.CfnQueue)
        if stated is None:
            resource.visibility_timeout = Lazy.number(_SixTimeouts(function, window))
            return
        resource.visibility_timeout = stated.timeout.to_seconds()
        acknowledged = [{"Rule": "visibility-under-six-timeouts", "Reason": stated.reason}]
        resource.add_metadata("LambdaPatterns", {"Acknowledge": acknowledged})

    def _watch(self, oldest: float) -> dict[str, cloudwatch.Alarm]:
        minute = Duration.minutes(1)
        metrics = {
            "Backlog": (
                self.queue.metric_approximate_age_of_oldest_message(statistic="Maximum", period=minute),
                oldest,
                "Messages wait too long: the function is throttled, too slow, or fails",
            )
        }
        if self.dead_letter_queue is not None:
            metrics["DeadLetters"] = (
                self.dead_letter_queue.metric_approximate_number_of_messages_visible(
                    statistic="Maximum", period=minute
                ),
                1,
                "A message was given up: see `lambda-patterns failures list`",
            )
        return {
            name: alarm_from(self, name, metric, threshold, description)
            for name, (metric, threshold, description) in metrics.items()
        }


@jsii.implements(IStableNumberProducer)
class _SixTimeouts:
    """Six times the timeout that the function has when the template is written, plus the window."""

    def __init__(self, function: lambda_.Function, window: float) -> None:
        self._function = function
        self._window = window

    def produce(self) -> float:
        """Give the seconds: aws_cdk calls this."""
        resource = self._function.node.default_child
        stated = resource.timeout if isinstance(resource, lambda_.CfnFunction) else None
        timeout = limits.DEFAULT_TIMEOUT if stated is None else stated
        if is_token(timeout):
            timeout = limits.TIMEOUT.high
        return min(limits.VISIBILITY_FACTOR * timeout + self._window, limits.VISIBILITY_TIMEOUT.high)


def _encryption(key: kms.IKey | None) -> sqs.QueueEncryption:
    return sqs.QueueEncryption.SQS_MANAGED if key is None else sqs.QueueEncryption.KMS


def _check_batch(batch_size: int, window: float, *, ordered: bool) -> None:
    if ordered:
        check_limit(limits.FIFO_BATCH_SIZE, batch_size, "batch_size")
        if window:
            raise ArgumentError(
                f"batching_window: a FIFO queue has none: leave it out ({limits.SQS_SOURCE_PAGE})"
            )
        return
    most = limits.BATCH_SIZE if window else limits.BATCH_SIZE_WITHOUT_WINDOW
    check_limit(most, batch_size, "batch_size")
    check_limit(limits.BATCH_WINDOW, window, "batching_window")


def _reader(function: lambda_.IFunction) -> lambda_.Function:
    """The function whose settings the queue has to fit."""
    inner = function_of(function)
    if inner is None:
        raise ArgumentError(
            "function: of an imported function neither its timeout is known nor may its role be given what "
            f"reading takes: make the consumer where the function is made ({limits.SQS_SOURCE_PAGE})"
        )
    return inner


def _concurrency(function: lambda_.Function, taken: float, asked: int | None) -> int | None:
    """The mapping's maximum concurrency, held against the function's reservation."""
    if asked is not None:
        check_limit(limits.MAXIMUM_CONCURRENCY, asked, "max_concurrency")
    resource = function.node.default_child
    reserved = resource.reserved_concurrent_executions if isinstance(resource, lambda_.CfnFunction) else None
    if reserved is None or is_token(reserved) or reserved == 0:  # 0 switches it off, for a while
        return asked
    left = reserved - taken
    others = f" beside the {taken:g} of its other queues" if taken else ""
    if asked is None:
        if taken and limits.MAXIMUM_CONCURRENCY.problem(left) is not None:
            raise ArgumentError(
                f"max_concurrency: {left:g} of the {reserved:g} reserved for the function are left{others}, "
                f"and a queue takes 2 at least: say max_concurrency= for each ({limits.SQS_SCALING_PAGE})"
            )
        return int(left) if limits.MAXIMUM_CONCURRENCY.problem(left) is None else None
    if asked > left:
        raise ArgumentError(
            f"max_concurrency: {asked}{others} is more than the {reserved:g} reserved for the function: what "
            f"is received beyond them is throttled, and counts as a receive ({limits.SQS_SCALING_PAGE})"
        )
    return asked


def _taken(*readers: lambda_.Function | lambda_.Alias) -> float:
    """How many of a function the queues that it or its alias reads already may run at most, together."""
    total = 0.0
    for child in {child.node.path: child for reader in readers for child in reader.node.children}.values():
        mapping = child.node.default_child
        if isinstance(mapping, lambda_.CfnEventSourceMapping):
            scaling = mapping.scaling_config
            most = getattr(scaling, "maximum_concurrency", None)
            total += 0 if most is None or is_token(most) else most
    return total


def _check_queue(
    queue: sqs.IQueue | None, behind: sqs.IQueue | None, hidden_for: HiddenFor | None, *, fifo: bool
) -> None:
    if queue is not None and (behind is not None or hidden_for is not None or fifo):
        raise ArgumentError(
            "queue: dead_letter_queue, hidden_for and fifo are settings of a new queue: set them where this "
            "one is made"
        )
    if behind is not None and behind.fifo != fifo:
        kinds = ("FIFO", "standard") if behind.fifo else ("standard", "FIFO")
        raise ArgumentError(
            f"dead_letter_queue: it is {kinds[0]}, the queue is {kinds[1]}: the two have to be of one type "
            f"({limits.QUEUE_DLQ_PAGE})"
        )


def _check_hidden(hidden_for: HiddenFor | None, function: lambda_.Function, *, made: bool) -> None:
    timeout = limits.DEFAULT_TIMEOUT if function.timeout is None else function.timeout.to_seconds()
    if hidden_for is None:
        if made and is_token(timeout):
            raise ArgumentError(
                "hidden_for: the timeout of the function is known at deployment only, where nothing computes "
                f"six times of it: say for how long messages are hidden ({limits.SQS_SOURCE_PAGE})"
            )
        return
    hidden = seconds(hidden_for.timeout, "hidden_for")
    check_limit(limits.VISIBILITY_TIMEOUT, hidden, "hidden_for")
    if not hidden_for.reason.strip():
        raise ArgumentError("hidden_for: say the reason why another time is right here")
    if not is_token(timeout) and not is_token(hidden) and hidden < timeout:
        raise ArgumentError(
            f"hidden_for: {hidden:g} s are less than the {timeout:g} s that the function may run: messages "
            f"would show again while they are processed, and Lambda refuses that ({limits.SQS_SOURCE_PAGE})"
        )
