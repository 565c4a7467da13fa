"""Replaying, quarantining and purging what a store holds; each is one step of a `Pump`."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Protocol

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.redrive.pump import Passed, Pump, Verdicts
from lambda_patterns.redrive.records import FailureRecord, parse
from lambda_patterns.redrive.targets import Parcel, Refusal, Target, route

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lambda_patterns.redrive.delivery import Outcome
    from lambda_patterns.redrive.filters import Filter
    from lambda_patterns.redrive.message import Message
    from lambda_patterns.redrive.sources import Sources
    from lambda_patterns.redrive.store import Store

MOST_ATTEMPTS = 5
_MOST_EXAMPLES = 20
_FAILURES_IN_A_ROW = 50


class Aside(Protocol):
    """What takes messages that are set aside."""

    @property
    def name(self) -> str:
        """What people call it."""

    def set_aside(self, messages: Sequence[Message]) -> list[tuple[Message, str | None]]:
        """Keep messages; give each with None, or with why it was not taken."""


class Deliverer(Protocol):
    """What a replay needs of a `Delivery`."""

    def deliver(self, parcels: Sequence[tuple[Message, Parcel]], *, in_order: bool = False) -> list[Outcome]:
        """Hand parcels over, in their order; give the outcome of each, in the same order."""


@dataclass(slots=True)
class Report:
    """What one run did, in numbers; every message received is in exactly one of them.

    Args:
        accepted: events taken over, by target.
        refused: messages not sent, by reason; they stay where they were.
        failed: events sent and not accepted, by reason; they stay where they were.
        skipped: messages that were not chosen, or were over the number asked for.
        examples: the ids of some refused or failed messages, with the reason.
        passed: what became of the messages in their store.
        reached: whether the run ended because as many as were asked for were done with.
    """

    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    skipped: int = 0
    examples: list[tuple[str, str]] = field(default_factory=list)
    passed: Passed = field(default_factory=Passed)
    reached: bool = False

    @property
    def is_clean(self) -> bool:
        """Whether all that was chosen was come by, is where it should be, and deleted here."""
        passed = self.passed
        left = self.refused or self.failed or passed.undeleted or passed.unreleased or passed.unseen
        return not left and (passed.stopped is None or self.reached)

    def plain(self) -> dict[str, object]:
        """Give it as values that JSON knows."""
        return {
            "accepted": dict(self.accepted),
            "refused": dict(self.refused),
            "failed": dict(self.failed),
            "skipped": self.skipped,
            "examples": [{"id": message, "why": why} for message, why in self.examples],
            **asdict(self.passed),
        }


class _Step:
    """The choosing and counting that every operation shares; made once per run, called by several threads."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.report = Report()
        self.ended: str | None = None
        self._left = run.most
        self._lock = threading.Lock()

    def choose(self, batch: Sequence[Message]) -> list[tuple[Message, FailureRecord]]:
        """Give the messages that are wanted, as far as the number asked for still allows."""
        records = [(message, parse(message)) for message in batch]
        wanted = [(m, r) for m, r in records if self.run.chosen.takes(m, r)]
        with self._lock:
            if self._left is not None:
                wanted = wanted[: self._left]
                self._left -= len(wanted)
                if not self._left:
                    self.ended = f"{self.run.most:,} were asked for"
                    self.report.reached = True
            self.report.skipped += len(batch) - len(wanted)
        return wanted

    def count(
        self,
        *,
        accepted: Sequence[str] = (),
        refused: Sequence[tuple[Message, str]] = (),
        failed: Sequence[tuple[Message, str]] = (),
    ) -> None:
        """Add outcomes to the report and tell whoever watches."""
        with self._lock:
            self.report.accepted.update(accepted)
            self.report.refused.update(why for _, why in refused)
            self.report.failed.update(why for _, why in failed)
            room = _MOST_EXAMPLES - len(self.report.examples)
            self.report.examples += [(m.id, why) for m, why in (*refused, *failed)][:room]
        if self.run.told:
            self.run.told(len(accepted) + len(refused) + len(failed))


def _run(store: Store, step: _Step, work: Callable[[list[Message]], Verdicts]) -> Report:
    def working(batch: list[Message]) -> Verdicts:
        verdicts = work(batch)
        if step.ended:
            pump.stop(step.ended)
        return verdicts

    pump = Pump(store, working, hands=step.run.hands)
    if step.run.control:
        step.run.control(pump)
    step.report.passed = pump.passed
    pump.run()
    return step.report


@dataclass(frozen=True, slots=True)
class Run:
    """How to go through a store.

    Args:
        chosen: which failures.
        most: at most so many of them. Default: all.
        hands: threads. Default 16: an asynchronous invocation takes about 20-50 ms, so that one thread makes
            20-50 a second, and 16 pass the 500 a second of AWS's own move task.
        told: is called with how many more messages are done with, from any thread.
        control: is given the running pump, so that a signal can stop it.
    """

    chosen: Filter
    most: int | None = None
    hands: int = 16
    told: Callable[[int], None] | None = None
    control: Callable[[Pump], None] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Where each failure goes.

    Args:
        sources: who writes to the store.
        to: where everything goes instead of where it came from.
        most_attempts: refuse what has been replayed so many times and came back. Only what a queue brings
            back, or a function that was waited for, can be counted. Default 5: fewer than the 16 hops after
            which Lambda itself breaks a loop.
    """

    sources: Sources
    to: Target | None = None
    most_attempts: int = MOST_ATTEMPTS

    def judge(self, message: Message, record: FailureRecord) -> Parcel | Refusal:
        """Decide where one failure goes, or why it stays."""
        if (attempts := message.ledger.attempts) >= self.most_attempts:
            return Refusal(f"replayed {attempts} times already, the limit is {self.most_attempts}")
        try:
            return route(message, record, self.sources, self.to)
        except LambdaPatternsError as error:
            # Who wrote this one could not be found out; that is no reason to leave the others.
            return Refusal(str(error))


def replay(store: Store, plan: Plan, delivery: Deliverer | None, run: Run) -> Report:
    """Send failed events to where they failed, or elsewhere, and delete each one that was accepted.

    At most ``hands * 10`` messages are in flight at a time: that many can be repeated if the process dies
    between an acceptance and its deletion. Nothing is lost: what was not deleted is visible again after
    `pump.HIDE_SECONDS`. What arrives during the run is left for the next one, so that a run ends even if
    everything fails again at once.

    Args:
        store: where the failures are.
        plan: where each of them goes.
        delivery: how they are sent; None for a dry run, in which nothing is sent and nothing deleted.
        run: which of them, and how.

    Raises:
        LambdaPatternsError: the store could not be read any longer.
    """
    step = _Step(run)
    streak = _Streak()

    def work(batch: list[Message]) -> Verdicts:
        judged = [(message, plan.judge(message, record)) for message, record in step.choose(batch)]
        parcels = [(message, found) for message, found in judged if isinstance(found, Parcel)]
        step.count(refused=[(m, found.why) for m, found in judged if isinstance(found, Refusal)])
        if delivery is None:
            step.count(accepted=[str(parcel.target) for _, parcel in parcels])
            return Verdicts()
        outcomes = delivery.deliver(parcels, in_order=store.is_ordered)
        step.count(
            accepted=[str(p.target) for (_, p), o in zip(parcels, outcomes, strict=True) if o.why is None],
            failed=[(o.message, o.why) for o in outcomes if o.why is not None],
        )
        if why := streak.broken(outcomes):
            step.ended = why
        return Verdicts(
            delete=[o.message for o in outcomes if o.why is None],
            rewrite=[o.message.noted(key=o.message.id, failed=True, reason=o.why) for o in outcomes if o.ran],
        )

    return _run(store, step, work)


class _Streak:
    """Notices when nothing but passing trouble comes back: going on would only wear out the receives."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._length = 0

    def broken(self, outcomes: Sequence[Outcome]) -> str | None:
        with self._lock:
            for outcome in outcomes:
                self._length = self._length + 1 if outcome.passes else 0
                if self._length >= _FAILURES_IN_A_ROW:
                    return f"the last {self._length} events were not accepted: {outcome.why}"
        return None


def quarantine(store: Store, aside: Aside, run: Run, *, reason: str) -> Report:
    """Set chosen messages aside, as they are, noting why.

    Args:
        store: where the failures are.
        aside: what takes them: a queue, or the bucket itself under another prefix.
        run: which of them, and how.
        reason: why, written beside each message.
    """
    step = _Step(run)

    def work(batch: list[Message]) -> Verdicts:
        noted = {m.id: m for m, _ in step.choose(batch)}
        copies = [m.noted(key=m.id, reason=reason) for m in noted.values()]
        sent = aside.set_aside(copies)
        taken = [noted[copy.id] for copy, why in sent if why is None]
        failed = [(noted[copy.id], why) for copy, why in sent if why is not None]
        step.count(accepted=[aside.name] * len(taken), failed=failed)
        return Verdicts(delete=taken)

    return _run(store, step, work)


def purge(store: Store, run: Run) -> Report:
    """Delete chosen messages for good."""
    return go_through(store, run, lambda gone: Verdicts(delete=gone), "deleted")


def look(store: Store, run: Run, seen: Callable[[Message, FailureRecord], None]) -> Report:
    """Show chosen messages and leave all of them as they were.

    Args:
        store: where the failures are.
        run: which of them, and how.
        seen: is called with each one, one at a time.
    """

    def work(wanted: list[Message]) -> Verdicts:
        for message in wanted:
            seen(message, parse(message))
        return Verdicts()

    return go_through(store, run, work, "seen")


def go_through(store: Store, run: Run, work: Callable[[list[Message]], Verdicts], done: str) -> Report:
    """Give the chosen messages to `work`, up to ten at a time and one call at a time.

    Args:
        store: where the failures are.
        run: which of them, and how.
        work: decides what happens to them.
        done: the word under which the report counts them.
    """
    step = _Step(run)
    turn = threading.Lock()

    def working(batch: list[Message]) -> Verdicts:
        wanted = [message for message, _ in step.choose(batch)]
        with turn:
            verdicts = work(wanted)
        step.count(accepted=[done] * len(wanted))
        return verdicts

    return _run(store, step, working)
