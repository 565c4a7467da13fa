"""Asynchronous invocation: a queue per event, retries, age, and what is told of the end.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lambda_patterns.local.behaviour import destinations, metrics, permissions
from lambda_patterns.local.behaviour.invocation import REQUEST_ID, execute, qualifier_of
from lambda_patterns.local.behaviour.records import Attempt, Condition, Invocation, Outcome
from lambda_patterns.local.ministack import module

lam = module("services.lambda_svc")
responses = module("core.responses")
log = logging.getLogger(__name__)

# what AWS waits before the second and the third attempt, in seconds; our waits are scaled from these
_AWS_FIRST_WAIT = 60.0
_FIRST_THROTTLE_WAIT, _LONGEST_THROTTLE_WAIT = 1.0, 300.0
_DEFAULT_RETRIES = 2
_DEFAULT_AGE = 21600


class FunctionNotFoundError(Exception):
    """There is no such function, version or alias."""


@dataclass(frozen=True, kw_only=True)
class _Policy:
    """What is configured for the qualifier that was invoked."""

    retries: int
    age: int
    on_success: str | None
    on_failure: str | None
    dead_letter: str | None


class _Speed:
    """How long a wait takes here that takes a minute on AWS."""

    first_wait = 1.0


def install(retry_seconds: float) -> None:
    """Let asynchronous invocations go through `submit`, waiting `retry_seconds` for AWS's minute."""
    _Speed.first_wait = retry_seconds

    def invoke_async(function: dict[str, Any], event: object) -> None:
        config = function.get("config") or function
        submit(config["FunctionArn"], event, request_id=REQUEST_ID.get())

    lam.invoke_async_with_retry = invoke_async


def submit(function: str, event: object, *, request_id: str | None = None) -> None:
    """Accept an event for a function, given by ARN with or without a qualifier; it is run in the background.

    Raises:
        FunctionNotFoundError: nothing of that name and qualifier exists.
    """
    record, config, name = lam._get_func_record_for_ref(function)
    if not record or not config:
        raise FunctionNotFoundError(function)
    qualifier = qualifier_of(function) or "$LATEST"
    base = lam._functions[name]
    invocation = Invocation(
        request_id=request_id or responses.new_uuid(),
        function_arn=f"{base['config']['FunctionArn']}:{qualifier}",
        event=event,
    )
    metrics.record("AsyncEventsReceived", 1, function=name, qualifier=qualifier)
    runner = _Runner(invocation, _run_record(record, config, base, qualifier), _policy(base, qualifier))
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(runner.run,), daemon=True, name=f"async-{name}").start()


def check_invocable(function: str, service: str, source_arn: str) -> None:
    """Make sure that a function lets `service` invoke it for `source_arn`.

    Raises:
        FunctionNotFoundError: nothing of that name and qualifier exists.
        UndeliverableError: the function's policy does not let it.
    """
    record, _config, name = lam._get_func_record_for_ref(function)
    if not record:
        raise FunctionNotFoundError(function)
    if not permissions.function_admits(lam._functions[name], function, service, source_arn):
        raise destinations.UndeliverableError(f"the policy of {function} does not let {source_arn} invoke it")


def _run_record(
    record: dict[str, Any], config: dict[str, Any], base: dict[str, Any], qualifier: str
) -> dict[str, Any]:
    """The function's context shows the ARN that was invoked; the reservation is the whole function's."""
    arn = base["config"]["FunctionArn"]
    shown = arn if qualifier == "$LATEST" else f"{arn}:{qualifier}"
    return {**record, "concurrency": base.get("concurrency"), "config": {**config, "FunctionArn": shown}}


def _policy(base: dict[str, Any], qualifier: str) -> _Policy:
    configs = base.get("event_invoke_configs") or {}
    chosen = configs.get(qualifier)
    if chosen is None and qualifier == "$LATEST":
        chosen = configs.get("") or base.get("event_invoke_config")
    chosen = chosen or {}
    targets = chosen.get("DestinationConfig") or {}
    retries, age = chosen.get("MaximumRetryAttempts"), chosen.get("MaximumEventAgeInSeconds")
    return _Policy(
        retries=_DEFAULT_RETRIES if retries is None else int(retries),
        age=_DEFAULT_AGE if age is None else int(age),
        on_success=(targets.get("OnSuccess") or {}).get("Destination"),
        on_failure=(targets.get("OnFailure") or {}).get("Destination"),
        dead_letter=(base["config"].get("DeadLetterConfig") or {}).get("TargetArn"),
    )


class _Runner:
    """One event on its way: `age` counts the seconds that AWS would count, with its waits of minutes."""

    def __init__(self, invocation: Invocation, record: dict[str, Any], policy: _Policy) -> None:
        self.invocation, self.record, self.policy = invocation, record, policy
        self.age = 0.0
        self.attempts = 0
        self.last: Attempt | None = None

    def run(self) -> None:
        """Run to the end and tell it; an error of ours is logged, never lost in a thread."""
        try:
            self._tell(self._finish())
        except Exception:
            log.exception("asynchronous invocation of %s", self.invocation.function_arn)

    def _finish(self) -> Condition:
        throttle_wait = _FIRST_THROTTLE_WAIT
        while True:
            if lam._reserved_concurrency(self.record, self.record["config"]) == 0:
                return Condition.ZERO_RESERVED_CONCURRENCY
            self._count("AsyncEventAge", self.age * 1000, unit="Milliseconds")
            throttled = self._attempt()
            if throttled:
                wait, pause = throttle_wait, throttle_wait
                throttle_wait = min(throttle_wait * 2, _LONGEST_THROTTLE_WAIT)
            elif self.last is not None and self.last.error is None:
                return Condition.SUCCESS
            elif self.attempts > self.policy.retries:
                return Condition.RETRIES_EXHAUSTED
            else:
                wait = _AWS_FIRST_WAIT * self.attempts
                pause = _Speed.first_wait * self.attempts
            if self.age + wait >= self.policy.age:
                return Condition.EVENT_AGE_EXCEEDED
            time.sleep(pause)
            self.age += wait

    def _attempt(self) -> bool:
        """Run the function once. Returns whether it was throttled, which is no attempt."""
        token = REQUEST_ID.set(self.invocation.request_id)
        started = time.monotonic()
        try:
            result = execute(self.record, self.invocation.event)
        finally:
            REQUEST_ID.reset(token)
            self.age += time.monotonic() - started
        if result.get("throttle"):
            return True
        self.attempts += 1
        error = (result.get("function_error") or "Unhandled") if result.get("error") else None
        self.last = Attempt(
            executed_version=self.record["config"].get("Version", "$LATEST"),
            payload=result.get("body"),
            error=error,
        )
        return False

    def _tell(self, condition: Condition) -> None:
        outcome = Outcome(
            invocation=self.invocation,
            condition=condition,
            attempts=self.attempts,
            last=self.last,
            at=datetime.now(UTC),
        )
        if outcome.succeeded:
            self._hand_over(self.policy.on_success, outcome)
            return
        self._count("AsyncEventsDropped", 1)
        self._hand_over(self.policy.on_failure, outcome)
        if self.policy.dead_letter:
            try:
                destinations.send_dead_letter(self.policy.dead_letter, outcome, self._role)
            except destinations.UndeliverableError as error:
                log.warning("dead letter of %s is lost: %s", self.invocation.function_arn, error)
                self._count("DeadLetterErrors", 1)

    def _hand_over(self, destination: str | None, outcome: Outcome) -> None:
        if not destination:
            return
        try:
            destinations.send(destination, outcome, self._role, submit)
        except (destinations.UndeliverableError, FunctionNotFoundError) as error:
            log.warning("record of %s is lost: %s", self.invocation.function_arn, error)
            self._count("DestinationDeliveryFailures", 1)

    @property
    def _role(self) -> str:
        role: str = self.record["config"]["Role"]
        return role

    def _count(self, name: str, value: float, unit: str = "Count") -> None:
        function, qualifier = self.invocation.function_name, self.invocation.qualifier
        metrics.record(name, value, function=function, qualifier=qualifier, unit=unit)
