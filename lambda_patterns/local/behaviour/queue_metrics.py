"""The metrics that AWS/SQS publishes: gauges on a clock, counters where messages pass.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any

from lambda_patterns.local.ministack import module

sqs = module("services.sqs")
cloudwatch = module("services.cloudwatch")

_NAMESPACE = "AWS/SQS"
_GAUGES = {
    "ApproximateNumberOfMessagesVisible": "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible": "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed": "ApproximateNumberOfMessagesDelayed",
}
# an unchanged gauge is written again after so many seconds: an alarm's shortest period is 10 s
_REPEAT_SECONDS = 5.0
_KEPT_SECONDS = 3 * 3600
# messages received so often are left out of the age, as AWS leaves them out
_POISONED_RECEIVES = 3

# the clock, the event loop and the pollers of event sources all count
_lock = threading.RLock()
# queue ARN -> what passed since the last look
_passed: dict[str, Counter[str]] = {}
# (queue ARN, metric) -> the last value and when it was written
_written: dict[tuple[str, str], tuple[float, float]] = {}


def install() -> None:
    """Count what MiniStack's queues receive and delete."""
    collect, delete_for_mapping = sqs._collect_msgs, sqs._delete_messages_for_esm
    delete, delete_batch = sqs._HANDLERS["DeleteMessage"], sqs._HANDLERS["DeleteMessageBatch"]

    def collect_counted(queue: dict[str, Any], *arguments: Any) -> list[dict[str, Any]]:  # noqa: ANN401  # passed on
        note_arrivals(queue)
        messages: list[dict[str, Any]] = collect(queue, *arguments)
        _count(queue, "NumberOfMessagesReceived" if messages else "NumberOfEmptyReceives", len(messages) or 1)
        return messages

    def delete_for_mapping_counted(url: str, handles: set[str]) -> None:
        delete_for_mapping(url, handles)
        _count(sqs._get_q(url), "NumberOfMessagesDeleted", len(handles))

    def delete_counted(data: dict[str, Any], url: str) -> Any:  # noqa: ANN401  # passed on
        answer = delete(data, url)
        _count(sqs._get_q(data.get("QueueUrl", url)), "NumberOfMessagesDeleted", 1)
        return answer

    def delete_batch_counted(data: dict[str, Any], url: str) -> Any:  # noqa: ANN401  # passed on
        answer = delete_batch(data, url)
        queue = sqs._get_q(data.get("QueueUrl", url))
        _count(queue, "NumberOfMessagesDeleted", len(answer.get("Successful", [])))
        return answer

    sqs._collect_msgs = collect_counted
    sqs._delete_messages_for_esm = delete_for_mapping_counted
    sqs._HANDLERS["DeleteMessage"] = delete_counted
    sqs._HANDLERS["DeleteMessageBatch"] = delete_batch_counted


def note_arrivals(queue: dict[str, Any]) -> None:
    """Mark messages that are new in `queue`; those that another queue moved here are not counted as sent."""
    arn, now = queue["attributes"]["QueueArn"], time.time()
    with _lock:
        for message in reversed(list(queue["messages"])):
            arrived = message.get("arrived")
            if arrived is not None and arrived[0] == arn:
                break  # messages are only ever added at the end
            message["arrived"] = (arn, now if arrived is not None else message.get("sent_at", now))
            if arrived is None:
                _count(queue, "NumberOfMessagesSent", 1)
                _count(queue, "SentMessageSize", len(message["body"].encode()))


def publish(queue: dict[str, Any]) -> None:
    """Write the datapoints of one queue as of now."""
    note_arrivals(queue)
    sqs._refresh_counts(queue)
    arn, now = queue["attributes"]["QueueArn"], time.time()
    for metric, attribute in _GAUGES.items():
        _write(arn, metric, float(queue["attributes"].get(attribute, 0)), now)
    _write(arn, "ApproximateAgeOfOldestMessage", oldest_age(queue["messages"], now), now, "Seconds")
    with _lock:
        passed = _passed.pop(arn, Counter())
    for metric, value in passed.items():
        if metric == "SentMessageSize":
            _record(arn, metric, value, "Bytes")
        else:
            _record(arn, metric, value)
        _written[arn, metric] = (0.0, now)
    for metric in ("NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted"):
        if (arn, metric) not in _written or now - _written[arn, metric][1] >= _REPEAT_SECONDS:
            _record(arn, metric, 0)
            _written[arn, metric] = (0.0, now)


def oldest_age(messages: list[dict[str, Any]], now: float) -> float:
    """Give the seconds that the oldest message has been in its queue, 0 for none."""
    waiting = [
        message["arrived"][1]
        for message in list(messages)
        if "arrived" in message and message.get("receive_count", 0) < _POISONED_RECEIVES
    ]
    return max(0.0, now - min(waiting)) if waiting else 0.0


def forget_old() -> None:
    """Drop the datapoints of queues that are older than three hours: they are written every few seconds."""
    limit = time.time() - _KEPT_SECONDS
    for key, points in list(cloudwatch._metrics.items()):
        if key[0] == _NAMESPACE:
            points[:] = [point for point in points if point["Timestamp"] >= limit]


def forget_all() -> None:
    """Start from nothing, as the server does on reset."""
    _passed.clear()
    _written.clear()


def _write(arn: str, metric: str, value: float, now: float, unit: str = "Count") -> None:
    last = _written.get((arn, metric))
    if last is None or last[0] != value or now - last[1] >= _REPEAT_SECONDS:
        _record(arn, metric, value, unit)
        _written[arn, metric] = (value, now)


def _record(arn: str, metric: str, value: float, unit: str = "Count") -> None:
    cloudwatch.record_metric(_NAMESPACE, metric, value, unit, {"QueueName": arn.rsplit(":", 1)[1]})


def _count(queue: dict[str, Any], metric: str, number: int) -> None:
    with _lock:
        _passed.setdefault(queue["attributes"]["QueueArn"], Counter())[metric] += number
