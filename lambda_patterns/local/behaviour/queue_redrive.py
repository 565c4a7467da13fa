"""SQS's own redrive: message move tasks, and the queues that a dead-letter queue serves.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
"""

from __future__ import annotations

import base64
import contextvars
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from lambda_patterns.local.ministack import module

sqs = module("services.sqs")
responses = module("core.responses")

_PER_SECOND = range(1, 501)
_TICK_SECONDS = 0.1
_LISTED = range(1, 11)


@dataclass
class MoveTask:
    """One task; its handle is shown only while it runs."""

    source: str
    destination: str | None
    per_second: int
    to_move: int
    started: float = field(default_factory=time.time)
    moved: int = 0
    status: str = "RUNNING"
    failure: str = ""
    identity: str = field(default_factory=responses.new_uuid)

    @property
    def handle(self) -> str:
        """What the caller cancels it by."""
        inner = {"taskId": self.identity, "sourceArn": self.source}
        return base64.b64encode(json.dumps(inner).encode()).decode()

    def describe(self) -> dict[str, Any]:
        """Give the entry of ListMessageMoveTasks."""
        entry: dict[str, Any] = {
            "Status": self.status,
            "SourceArn": self.source,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "StartedTimestamp": int(self.started * 1000),
            "MaxNumberOfMessagesPerSecond": self.per_second,
        }
        if self.destination:
            entry["DestinationArn"] = self.destination
        if self.failure:
            entry["FailureReason"] = self.failure
        if self.status in {"RUNNING", "CANCELLING"}:
            entry["TaskHandle"] = self.handle
        return entry


_tasks: list[MoveTask] = []


def install() -> None:
    """Give MiniStack the four actions that it does not know."""
    sqs._HANDLERS.update(
        StartMessageMoveTask=start,
        ListMessageMoveTasks=list_tasks,
        CancelMessageMoveTask=cancel,
        ListDeadLetterSourceQueues=list_sources,
    )


def forget_all() -> None:
    """Start from nothing, as the server does on reset."""
    for task in _tasks:
        task.status = "CANCELLED"
    _tasks.clear()


def start(data: dict[str, Any], _url: str) -> dict[str, Any]:
    """Do StartMessageMoveTask."""
    source, destination = data.get("SourceArn", ""), data.get("DestinationArn")
    queue = _queue(source, "SourceArn")
    if not _served_by(source):
        raise sqs._Err("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    if destination is not None:
        _queue(destination, "DestinationArn")
    per_second = int(data.get("MaxNumberOfMessagesPerSecond", _PER_SECOND[-1]))
    if per_second not in _PER_SECOND:
        raise sqs._Err(
            "InvalidParameterValue",
            f"Value {per_second} for parameter MaxNumberOfMessagesPerSecond is invalid. "
            f"Reason: Must be between {_PER_SECOND[0]} and {_PER_SECOND[-1]}, if provided.",
        )
    if any(task.source == source and task.status in {"RUNNING", "CANCELLING"} for task in _tasks):
        raise sqs._Err(
            "AWS.SimpleQueueService.UnsupportedOperation",
            "There is already a task running. "
            "Only one active task is allowed for a source queue arn at a given time.",
        )
    task = MoveTask(source, destination, per_second, to_move=len(queue["messages"]))
    _tasks.append(task)
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_run, task), daemon=True, name="move-task").start()
    return {"TaskHandle": task.handle}


def list_tasks(data: dict[str, Any], _url: str) -> dict[str, Any]:
    """Do ListMessageMoveTasks: the newest first, one unless more are asked for."""
    source, most = data.get("SourceArn", ""), int(data.get("MaxResults", 1))
    _queue(source, "SourceArn")
    if most not in _LISTED:
        raise sqs._Err(
            "InvalidParameterValue",
            f"Value {most} for parameter MaxResults is invalid. "
            f"Reason: Must be between {_LISTED[0]} and {_LISTED[-1]}, if provided.",
        )
    mine = [task.describe() for task in reversed(_tasks) if task.source == source]
    return {"Results": mine[:most]}


def cancel(data: dict[str, Any], _url: str) -> dict[str, Any]:
    """Do CancelMessageMoveTask: what is moved stays moved."""
    task = next((task for task in _tasks if task.handle == data.get("TaskHandle")), None)
    if task is None:
        raise sqs._Err("ResourceNotFoundException", "Task does not exist.", 404)
    if task.status != "RUNNING":
        raise sqs._Err("AWS.SimpleQueueService.UnsupportedOperation", "Only active tasks can be cancelled.")
    task.status = "CANCELLED"
    return {"ApproximateNumberOfMessagesMoved": task.moved}


def list_sources(data: dict[str, Any], url: str) -> dict[str, Any]:
    """Do ListDeadLetterSourceQueues."""
    queue = sqs._get_q(data.get("QueueUrl", url))
    return {"queueUrls": sorted(_served_by(queue["attributes"]["QueueArn"]))}


def _run(task: MoveTask) -> None:
    allowance = 0.0
    while task.status == "RUNNING":
        allowance += task.per_second * _TICK_SECONDS
        try:
            moved = _move(task, int(allowance))
        except LookupError as error:
            task.status, task.failure = "FAILED", str(error)
            return
        task.moved += moved
        if moved < int(allowance):
            task.status = "COMPLETED"
            return
        allowance -= moved
        time.sleep(_TICK_SECONDS)


def _move(task: MoveTask, most: int) -> int:
    """Move up to `most` visible messages, as new ones, to where each came from or to the named queue."""
    source = sqs._queue_by_arn(task.source)
    if source is None:
        raise LookupError("AWS.SimpleQueueService.NonExistentQueue")
    now, moved = time.time(), 0
    with sqs._queues_lock:
        for message in [m for m in source["messages"] if m["visible_at"] <= now][:most]:
            origin = task.destination or message.get("sys", {}).get("DeadLetterQueueSourceArn")
            target = sqs._queue_by_arn(origin or next(iter(_served_by(task.source).values())))
            if target is None:
                raise LookupError("AWS.SimpleQueueService.NonExistentQueue")
            system = {k: v for k, v in message.get("sys", {}).items() if k != "DeadLetterQueueSourceArn"}
            system["SentTimestamp"] = str(int(now * 1000))
            source["messages"].remove(message)
            target["messages"].append(
                {
                    **message,
                    "id": responses.new_uuid(),
                    "sent_at": now,
                    "visible_at": now,
                    "receive_count": 0,
                    "first_receive_at": None,
                    "receipt_handle": None,
                    "sys": system,
                }
            )
            moved += 1
    sqs.esm_wake.set()
    return moved


def _queue(arn: str, parameter: str) -> dict[str, Any]:
    queue: dict[str, Any] | None = sqs._queue_by_arn(arn)
    if queue is None:
        raise sqs._Err(
            "ResourceNotFoundException",
            f"The resource that you specified for the {parameter} parameter doesn't exist.",
            404,
        )
    return queue


def _served_by(arn: str) -> dict[str, str]:
    """Give URL -> ARN of the queues whose dead-letter queue is `arn`."""
    found: dict[str, str] = {}
    for url, queue in sqs._queues.items():
        policy = json.loads(queue["attributes"].get("RedrivePolicy") or "{}")
        if policy.get("deadLetterTargetArn") == arn:
            found[url] = queue["attributes"]["QueueArn"]
    return found
