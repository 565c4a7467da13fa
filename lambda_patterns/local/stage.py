"""Deployed stacks that are called and made to fail, until the record and the alarm are there."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lambda_patterns.errors import LambdaPatternsError

if TYPE_CHECKING:
    from lambda_patterns.local.connection import Connection
    from lambda_patterns.local.scenes import Call, Failure

_RECORD_SECONDS = 60.0
_ALARM_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """One stack: what it is now, and of how many resources."""

    name: str
    status: str
    resources: int


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a called function answered; `error` is "Unhandled" where it failed."""

    call: Call
    payload: Any
    error: str | None
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A failed event that was kept: its record, where it lies, and the alarm that noticed it."""

    failure: Failure
    record: dict[str, Any]
    queue: str
    seconds: float
    alarm: str | None
    alarm_seconds: float


class Stage:
    """Works on the stacks that are deployed to an embedded AWS."""

    def __init__(self, aws: Connection) -> None:
        self._formation = aws.client("cloudformation")
        self._lambda = aws.client("lambda")
        self._sqs = aws.client("sqs")
        self._cloudwatch = aws.client("cloudwatch")

    def stacks(self) -> dict[str, str]:
        """Give name -> status of every stack that is there."""
        pages = self._formation.get_paginator("describe_stacks").paginate()
        return {stack["StackName"]: stack["StackStatus"] for page in pages for stack in page["Stacks"]}

    def deployed(self, name: str) -> Deployed:
        """Describe one stack."""
        return Deployed(name=name, status=self.stacks()[name], resources=len(self._resources(name)))

    def call(self, call: Call) -> Answer:
        """Call a function and wait for its answer."""
        name, start = self.find(call.stack, call.function, "AWS::Lambda::Function"), time.monotonic()
        answer = self._lambda.invoke(FunctionName=name, Payload=json.dumps(call.event))
        return Answer(
            call=call,
            payload=json.loads(answer["Payload"].read()),
            error=answer.get("FunctionError"),
            seconds=time.monotonic() - start,
        )

    def fail(self, failure: Failure) -> Kept:
        """Send an event that fails, and wait until its record is in the queue and an alarm has noticed.

        Raises:
            LambdaPatternsError: no record arrives.
        """
        function = self.find(failure.stack, failure.function, "AWS::Lambda::Function")
        url = self.find(failure.stack, failure.queue, "AWS::SQS::Queue")
        start = time.monotonic()
        sent = self._lambda.invoke(
            FunctionName=function,
            Qualifier=failure.qualifier,
            InvocationType="Event",
            Payload=json.dumps(failure.event),
        )
        request_id = sent["ResponseMetadata"]["RequestId"]
        record = self._record(url, request_id, start + _RECORD_SECONDS)
        arrived = time.monotonic()
        alarm = self._alarm(url.rsplit("/", 1)[1], arrived + _ALARM_SECONDS)
        return Kept(
            failure=failure,
            record=record,
            queue=url.rsplit("/", 1)[1],
            seconds=arrived - start,
            alarm=alarm,
            alarm_seconds=time.monotonic() - arrived,
        )

    def _record(self, url: str, request_id: str, deadline: float) -> dict[str, Any]:
        """Look into the queue, without taking a message, until the record of `request_id` is there."""
        while time.monotonic() < deadline:
            found = self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
            for message in found.get("Messages", []):
                record: dict[str, Any] = json.loads(message["Body"])
                if record.get("requestContext", {}).get("requestId") == request_id:
                    return record
            time.sleep(0.1)
        raise LambdaPatternsError(
            f"no failure record of invocation {request_id} reached {url} within {_RECORD_SECONDS:.0f} s"
        )

    def _alarm(self, queue: str, deadline: float) -> str | None:
        """Wait until an alarm on the queue goes off, if it has any."""
        while (states := self.alarms_on(queue)) and time.monotonic() < deadline:
            if found := next((name for name, state in states.items() if state == "ALARM"), None):
                return found
            time.sleep(0.1)
        return None

    def alarms_on(self, queue: str) -> dict[str, str]:
        """Give name -> state of every alarm on a metric of the queue."""
        dimension = {"Name": "QueueName", "Value": queue}
        pages = self._cloudwatch.get_paginator("describe_alarms").paginate()
        alarms = (alarm for page in pages for alarm in page["MetricAlarms"])
        return {a["AlarmName"]: a["StateValue"] for a in alarms if dimension in a.get("Dimensions", [])}

    def find(self, stack: str, role: str, kind: str) -> str:
        """Give the physical id of the one resource of `kind` whose logical id begins with `role`."""
        found = [
            resource["PhysicalResourceId"]
            for resource in self._resources(stack)
            if resource["ResourceType"] == kind and resource["LogicalResourceId"].startswith(role)
        ]
        if len(found) != 1:
            raise LambdaPatternsError(
                f"stack {stack} has {len(found)} resources of type {kind} whose id begins with {role}: "
                "the scenes must name exactly one"
            )
        name: str = found[0]
        return name

    def _resources(self, stack: str) -> list[dict[str, Any]]:
        pages = self._formation.get_paginator("list_stack_resources").paginate(StackName=stack)
        return [resource for page in pages for resource in page["StackResourceSummaries"]]
