"""What the deployed reprocessor does with a message: run it, put it back for later, or set it aside."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from lambda_patterns.errors import ArgumentError
from lambda_patterns.redrive.handing_over import REPROCESSOR_VARIABLE
from lambda_patterns.redrive.records import parse
from lambda_patterns.redrive.replay import Plan
from lambda_patterns.redrive.sources import KnownSources
from lambda_patterns.redrive.targets import FunctionTarget, QueueTarget, Refusal, target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_patterns.redrive.message import Message
    from lambda_patterns.redrive.queue import Queue
    from lambda_patterns.redrive.replay import Deliverer

_LONGEST_DELAY = 900
# Each attempt is a hop of the message through its own queue: Lambda breaks a chain after about 16 of them.
_MOST_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """The reprocessor's settings, each an environment variable with the prefix ``LAMBDA_PATTERNS_``.

    Args:
        quarantine_queue_url: the queue for what cannot be replayed (QUARANTINE_QUEUE_URL, required).
        most_attempts: replays before quarantine, 1-10 (MOST_ATTEMPTS). Default 3, as Lambda itself tries; the
            highest is 10, because Lambda stops a chain of about 16 hops.
        backoff_seconds: the delay before the second attempt, doubled for each further one and 900 at most
            (BACKOFF_SECONDS, 0-900). Default 60: Lambda's own first retry waits a minute.
        rate_per_second: events a second, in each running copy of the function (RATE_PER_SECOND). Default: no
            limit but the mapping's maximum concurrency.
        longest_wait_seconds: how long to wait for a function (LONGEST_WAIT_SECONDS, 1-890). Default 60.
        target: the ARN of the function or queue that gets what does not say where it came from: dead letters
            of a function, messages of a source queue (TARGET). Default: such messages go to quarantine.
        idempotency_table: a DynamoDB table with the key "id" (IDEMPOTENCY_TABLE), so that an event that SQS
            delivers twice runs once. Default: none, at least once.
        failure_queue_url: the queue to read when the function is invoked by hand (FAILURE_QUEUE_URL).
    """

    quarantine_queue_url: str
    most_attempts: int = 3
    backoff_seconds: int = 60
    rate_per_second: float | None = None
    longest_wait_seconds: int = 60
    target: str | None = None
    idempotency_table: str | None = None
    failure_queue_url: str | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings.

        Raises:
            ArgumentError: one is missing, is no number, or is out of its range.
        """
        if not (quarantine := environment.get(REPROCESSOR_VARIABLE)):
            raise ArgumentError(
                f"{REPROCESSOR_VARIABLE} is not set: it names the queue that takes what fails"
            )
        rate = environment.get("LAMBDA_PATTERNS_RATE_PER_SECOND")
        return cls(
            quarantine_queue_url=quarantine,
            most_attempts=_whole(environment, "MOST_ATTEMPTS", 3, 1, _MOST_ATTEMPTS),
            backoff_seconds=_whole(environment, "BACKOFF_SECONDS", 60, 0, _LONGEST_DELAY),
            rate_per_second=_positive("RATE_PER_SECOND", rate) if rate else None,
            longest_wait_seconds=_whole(environment, "LONGEST_WAIT_SECONDS", 60, 1, 890),
            target=environment.get("LAMBDA_PATTERNS_TARGET") or None,
            idempotency_table=environment.get("LAMBDA_PATTERNS_IDEMPOTENCY_TABLE") or None,
            failure_queue_url=environment.get("LAMBDA_PATTERNS_FAILURE_QUEUE_URL") or None,
        )

    def plan(self) -> Plan:
        """Say where each failure goes.

        Raises:
            ArgumentError: the target is neither a function nor a queue.
        """
        where = target(self.target) if self.target else None
        if isinstance(where, FunctionTarget):
            return Plan(KnownSources(known_functions=(where.qualified,)), most_attempts=self.most_attempts)
        if isinstance(where, QueueTarget):
            return Plan(KnownSources(known_queues=(where.queue,)), most_attempts=self.most_attempts)
        if where is not None:
            raise ArgumentError(f"LAMBDA_PATTERNS_TARGET is {where}: give a function or a queue")
        return Plan(KnownSources(), most_attempts=self.most_attempts)


class Done(StrEnum):
    """What became of a message; each is a metric's name."""

    REPLAYED = "Replayed"
    FAILED_AGAIN = "FailedAgain"
    QUARANTINED = "Quarantined"


class NotNowError(Exception):
    """The message stays in the queue as it is, and comes again when its visibility timeout is over."""


@dataclass(frozen=True, slots=True)
class Reprocessor:
    """Replays messages of one failure queue, one at a time; shared by threads.

    A message ends in one of four ways, and leaves its queue only once the next place has it: its function
    succeeded; it was written anew, to come again later with one more attempt counted; it is in quarantine; or
    it stays (`NotNowError`), where the queue's own redrive policy is the last resort.

    Args:
        queue: the failure queue.
        quarantine: the queue for what cannot be replayed.
        delivery: hands events over, waiting for functions.
        plan: where each failure goes.
        backoff_seconds: the delay before the second attempt.
    """

    queue: Queue
    quarantine: Queue
    delivery: Deliverer
    plan: Plan
    backoff_seconds: int

    def process(self, message: Message) -> Done:
        """Replay one message.

        Raises:
            NotNowError: it could be neither replayed, nor written anew, nor set aside.
        """
        found = self.plan.judge(message, parse(message))
        if isinstance(found, Refusal):
            return self._set_aside(message.noted(key=message.id, reason=found.why))
        (outcome,) = self.delivery.deliver([(message, found)])
        if outcome.why is None:
            return Done.REPLAYED
        if outcome.passes:
            raise NotNowError(outcome.why)
        if "RecursiveInvocationException" in outcome.why:
            return self._set_aside(message.noted(key=message.id, failed=True, reason=outcome.why))
        return self._failed(message, outcome.why)

    def _failed(self, message: Message, why: str) -> Done:
        noted = message.noted(key=message.id, failed=True, reason=why)
        if self.queue.is_ordered or not message.has_room:
            # Writing it anew would put it behind its group, or lose the count: here SQS's own count serves.
            if message.receives >= self.plan.most_attempts:
                return self._set_aside(noted)
            raise NotNowError(why)
        if noted.ledger.attempts >= self.plan.most_attempts:
            return self._set_aside(noted)
        delay = min(self.backoff_seconds * 2 ** (noted.ledger.attempts - 1), _LONGEST_DELAY)
        ((_, refused),) = self.queue.send([noted], delay=delay)
        if refused is not None:
            raise NotNowError(f"{why}; it could not be written anew either: {refused}")
        return Done.FAILED_AGAIN

    def _set_aside(self, message: Message) -> Done:
        ((_, refused),) = self.quarantine.send([message])
        if refused is not None:
            raise NotNowError(f"{message.ledger.reason}; {self.quarantine.name} did not take it: {refused}")
        return Done.QUARANTINED


def _whole(environment: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environment.get(f"LAMBDA_PATTERNS_{name}") or str(default)
    if not text.isdecimal() or not low <= int(text) <= high:
        raise ArgumentError(f"LAMBDA_PATTERNS_{name} is {text!r}, allowed are whole numbers {low}-{high}")
    return int(text)


def _positive(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ArgumentError(f"LAMBDA_PATTERNS_{name} is {text!r}, allowed are numbers above 0")
    return value
