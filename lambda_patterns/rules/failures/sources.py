"""Queues that feed functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.facts import limits
from lambda_patterns.model.failures import Redrive
from lambda_patterns.model.values import Unknown
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.failures import Source


def _visibility(deployment: Deployment) -> Iterator[tuple[Source, float, float, float]]:
    """Yield each source with its visibility timeout, the function's timeout and the batch window, in s."""
    for source in deployment.failures.sources:
        hidden = source.queue.number("VisibilityTimeout", default=limits.DEFAULT_VISIBILITY_TIMEOUT)
        timeout, window = source.timeout, source.window
        if (
            isinstance(hidden, int | float)
            and isinstance(timeout, int | float)
            and isinstance(window, int | float)
        ):
            yield source, hidden, timeout, window


def _fix(timeout: float, window: float) -> str:
    wanted = limits.VISIBILITY_FACTOR * timeout + window
    if wanted > limits.VISIBILITY_TIMEOUT.high:
        return "shorten the function's timeout"
    return f"set VisibilityTimeout (visibility_timeout=) to {wanted:,} s"


def _reader(source: Source) -> str:
    return source.invoked.function.id if source.invoked is not None else "the function"


def _under_timeout(deployment: Deployment) -> Iterator[Found]:
    for source, hidden, timeout, window in _visibility(deployment):
        if hidden < timeout:
            name = _reader(source)
            what = f"messages are hidden for {hidden:,} s, {name} may run for {timeout:,} s"
            yield Found(source.queue, ("VisibilityTimeout",), what, _fix(timeout, window), subject=name)


def _under_six_timeouts(deployment: Deployment) -> Iterator[Found]:
    for source, hidden, timeout, window in _visibility(deployment):
        wanted = limits.VISIBILITY_FACTOR * timeout + window
        if timeout <= hidden < wanted:
            name = _reader(source)
            batch = f" plus a window of {window:,} s" if window else ""
            what = (
                f"messages are hidden for {hidden:,} s, recommended are {wanted:,} s: "
                f"six times the {timeout:,} s of {name}{batch}"
            )
            yield Found(source.queue, ("VisibilityTimeout",), what, _fix(timeout, window), subject=name)


def _without_dlq(deployment: Deployment) -> Iterator[Found]:
    failures = deployment.failures
    for source in failures.sources:
        if failures.redrive_of(source.queue) is None and source.queue not in failures.holders:
            name = source.invoked.function.id if source.invoked is not None else source.mapping.id
            yield Found(
                source.queue,
                ("RedrivePolicy",),
                f"{source.queue.id} feeds {name}, without a dead-letter queue",
            )


def _few_receives(deployment: Deployment) -> Iterator[Found]:
    failures = deployment.failures
    for queue in dict.fromkeys(source.queue for source in failures.sources):
        redrive = failures.redrive_of(queue)
        receives = redrive.receives if isinstance(redrive, Redrive) else None
        if isinstance(receives, int | float) and receives < limits.RECOMMENDED_RECEIVES:
            times = "receive" if receives == 1 else "receives"
            what = f"{queue.id} gives up after {receives:,} {times}, recommended are at least 5"
            yield Found(queue, ("RedrivePolicy", "maxReceiveCount"), what)


def _whole_batches(deployment: Deployment) -> Iterator[Found]:
    for source in deployment.failures.sources:
        types = source.mapping.list("FunctionResponseTypes")
        size = source.mapping.number("BatchSize", default=limits.DEFAULT_QUEUE_BATCH_SIZE)
        if isinstance(types, Unknown) or isinstance(size, Unknown) or size == 1:
            continue
        if not any(isinstance(kind, Unknown) or kind == "ReportBatchItemFailures" for kind in types):
            name = _reader(source)
            what = (
                f"{name} reads batches of up to {size:,} messages of {source.queue.id}, which fail as a whole"
            )
            yield Found(source.mapping, ("FunctionResponseTypes",), what)


RULES = (
    Rule(
        name="visibility-under-timeout",
        topic="failures",
        severity=Severity.ERROR,
        forbids="a source queue that hides messages for less time than the function may run",
        why="Lambda refuses the mapping: a message would show again while it is still being processed",
        fix="set VisibilityTimeout (visibility_timeout=) to at least six times the function's timeout",
        source=limits.SQS_SOURCE_PAGE,
        check=_under_timeout,
        exceptions=("a function or queue outside the templates", "a timeout that is a parameter"),
    ),
    Rule(
        name="visibility-under-six-timeouts",
        topic="failures",
        severity=Severity.WARNING,
        forbids="a source queue that hides messages for less than six times that plus the batch window",
        why="while the function is throttled its messages wait, show again and are processed twice",
        fix="set VisibilityTimeout (visibility_timeout=) to six times the function's timeout plus the window",
        source=limits.SQS_SOURCE_PAGE,
        check=_under_six_timeouts,
        exceptions=("exactly six times", "a function or queue outside the templates"),
    ),
    Rule(
        name="source-queue-without-dlq",
        topic="failures",
        severity=Severity.WARNING,
        forbids="a queue that feeds a function, without a dead-letter queue",
        why="a message that always fails is tried until its retention ends and is then lost without a trace",
        fix="give the queue a RedrivePolicy (dead_letter_queue=) with at least 5 receives",
        source=limits.SQS_SOURCE_PAGE,
        check=_without_dlq,
        exceptions=("a queue that holds failures itself and is read to process them again",),
    ),
    Rule(
        name="few-receives",
        topic="failures",
        severity=Severity.WARNING,
        forbids="a source queue that gives up before 5 receives",
        why="a throttled function counts as a receive too, so sound messages end in the dead-letter queue",
        fix="set maxReceiveCount (max_receive_count=) to at least 5",
        source=limits.SQS_SOURCE_PAGE,
        check=_few_receives,
        exceptions=("a queue that no function reads through an event source mapping",),
    ),
    Rule(
        name="batch-fails-whole",
        topic="failures",
        severity=Severity.WARNING,
        forbids="a function that reads a queue without reporting failed items one by one",
        why="one message that fails makes all of its batch visible again: the others are processed twice",
        fix="set FunctionResponseTypes (report_batch_item_failures=) and return the ids of what failed",
        source=limits.SQS_ERRORS_PAGE,
        check=_whole_batches,
        exceptions=("batches of one message",),
    ),
)
