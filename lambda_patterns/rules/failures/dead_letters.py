"""Queues that hold failures: kept long enough, of the right type, and watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.facts import limits
from lambda_patterns.model.failures.outcomes import is_fifo
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.coercions import Number
    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.failures import Alarm, Failures
    from lambda_patterns.model.template import Resource

_METRICS_PAGE = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html"
_DAY = 86_400
_SENT = "NumberOfMessagesSent"
_VISIBLE = ("ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage")


def _retention(queue: Resource) -> Number:
    return queue.number("MessageRetentionPeriod", default=limits.DEFAULT_QUEUE_RETENTION)


def _days(seconds: float) -> str:
    if seconds % _DAY:
        return f"{seconds:,} s"
    return f"{seconds // _DAY:,} day{'' if seconds == _DAY else 's'}"


def _forgets_first(deployment: Deployment) -> Iterator[Found]:
    failures = deployment.failures
    shown = set()
    for redrive in failures.redrives:
        dlq, source = redrive.dlq, redrive.at
        if dlq is None or not redrive.moves or redrive.fifo is not False:
            continue
        kept, before = _retention(dlq), _retention(source)
        if isinstance(kept, int | float) and isinstance(before, int | float) and kept <= before:
            shown.add(dlq)
            what = f"{dlq.id} keeps messages for {_days(kept)}, its source {source.id} for {_days(before)}"
            longest = kept >= limits.QUEUE_RETENTION.high
            fix = (
                f"let {source.id} keep them for less"
                if longest
                else "keep them for 14 days (retention_period=)"
            )
            yield Found(dlq, ("MessageRetentionPeriod",), what, fix, subject=source.id)
    for queue, words in failures.holders.items():
        kept = _retention(queue)
        if queue not in shown and isinstance(kept, int | float) and kept < limits.QUEUE_RETENTION.high:
            what = f"{queue.id}, {words}, keeps messages for {_days(kept)}, recommended are 14 days"
            yield Found(queue, ("MessageRetentionPeriod",), what)


def _unwatched(deployment: Deployment) -> Iterator[Found]:
    failures = deployment.failures
    by_queue: dict[Resource | None, list[Alarm]] = {}
    for alarm in failures.alarms:
        by_queue.setdefault(alarm.queue, []).append(alarm)
    if None in by_queue:
        return
    for queue, words in failures.holders.items():
        if problem := _blind(failures, queue, by_queue.get(queue, [])):
            yield Found(queue, (), f"{queue.id}, {words}, {problem[0]}", problem[1])


def _blind(failures: Failures, queue: Resource, alarms: list[Alarm]) -> tuple[str, str] | None:
    """Say why nobody learns of an arrival, and what to do; None where somebody does."""
    if not alarms:
        return "has no alarm", "add an alarm on arrivals with an action (OnFailureQueue brings one)"
    metrics = {alarm.metric for alarm in alarms if alarm.acts}
    if not metrics:
        return (
            f"has an alarm without an action ({alarms[0].alarm.id})",
            "give the alarm an action (alarm_topic=)",
        )
    moved = queue in failures.moved_into
    drained = queue in failures.drained and queue in failures.sent_to and not moved
    shown: set[str] = set() if drained else set(_VISIBLE)
    if not moved:
        shown.add(_SENT)
    if "" in metrics or metrics & shown:
        return None
    watched = f"is watched by {', '.join(sorted(metrics))} alone"
    if metrics == {_SENT}:
        return f"{watched}, which does not count what SQS moves there", f"watch {_VISIBLE[0]}"
    if metrics & set(_VISIBLE):
        return f"{watched}, which stays at nothing while a function drains it", f"watch {_SENT}"
    return f"{watched}, which does not show arrivals", f"watch {_SENT if not moved else _VISIBLE[0]}"


def _type_mismatch(deployment: Deployment) -> Iterator[Found]:
    for redrive in deployment.failures.redrives:
        if not redrive.moves or redrive.fifo is None:
            continue
        fifo = is_fifo(None, redrive.at)
        if fifo is not None and fifo is not redrive.fifo:
            kinds = ("standard", "FIFO")
            name = redrive.dlq.id if redrive.dlq is not None else "its dead-letter queue"
            what = f"{redrive.at.id} is {kinds[fifo]}, {name} is {kinds[redrive.fifo]}"
            fix = f"make both {kinds[fifo]}"
            yield Found(redrive.at, redrive.path, what, fix)


RULES = (
    Rule(
        name="dlq-forgets-first",
        topic="failures",
        severity=Severity.WARNING,
        forbids=(
            "a dead-letter queue that keeps messages no longer than its source, or a failure queue that "
            "keeps them under 14 days"
        ),
        why="what a standard queue moves keeps its first sending time, from which its days are counted",
        fix="set MessageRetentionPeriod (retention_period=) to 14 days",
        source=limits.QUEUE_DLQ_PAGE,
        check=_forgets_first,
        exceptions=(
            "FIFO queues, whose messages start anew in the dead-letter queue, against their source",
            "a retention that is a parameter",
        ),
    ),
    Rule(
        name="dlq-unwatched",
        topic="failures",
        severity=Severity.WARNING,
        forbids="a queue that holds failures without an alarm, with an action, that notices their arrival",
        why="failures that nobody hears of are lost when their retention ends",
        fix="alarm with an action on NumberOfMessagesSent, or for what SQS moves on visible messages",
        source=_METRICS_PAGE,
        check=_unwatched,
        exceptions=(
            "an alarm that a composite alarm or a rule on alarm states passes on",
            "an alarm whose queue is only known at deployment, which may be this one",
        ),
    ),
    Rule(
        name="dlq-type-mismatch",
        topic="failures",
        severity=Severity.ERROR,
        forbids="a queue and its dead-letter queue of which one is FIFO and the other is not",
        why="SQS refuses the redrive policy: both have to be of one type",
        fix="make both FIFO, or both standard",
        source=limits.QUEUE_DLQ_PAGE,
        check=_type_mismatch,
        exceptions=("a standard dead-letter queue of a subscription to a standard topic",),
    ),
)
