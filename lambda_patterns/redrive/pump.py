"""Going once through all that a store holds, with several hands, without losing or hiding anything.

What is being worked on is hidden from everybody else, kept hidden while it takes, and visible again at the
end, however the end comes. A message is deleted only when the step that looked at it says so.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lambda_patterns.redrive import aws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lambda_patterns.redrive.message import Message
    from lambda_patterns.redrive.store import Store

HIDE_SECONDS = 300
MOST_HELD = 100_000
_EMPTY_RECEIVES = 2
_OTHERS_ANSWER_SECONDS = 0.1
_NO_OVERLAP = 2


@dataclass(slots=True)
class Verdicts:
    """What a step decided about the messages it was given. What is in neither list is kept as it was.

    Args:
        delete: done with, to be deleted now: somebody else has accepted each of them.
        rewrite: to be written anew with these ledgers, and the old copies deleted, when the run ends.
    """

    delete: list[Message] = field(default_factory=list)
    rewrite: list[Message] = field(default_factory=list)


@dataclass(slots=True)
class Passed:
    """What became of the messages of one run.

    Args:
        received: messages taken out, each counted once.
        deleted: of those, deleted.
        released: made visible again as they were.
        rewritten: written anew because another look would have moved them on, or to note an attempt.
        arrived: put in after the run began, and left for the next one.
        undeleted: accepted elsewhere and not deleted: these will come a second time.
        unreleased: still hidden when the run ended; visible again within `HIDE_SECONDS`.
        at_edge: left at their last receive, because they could not be written anew.
        unseen: about how many an ordered store did not show: those behind others of their group.
        stopped: why the run ended before the store was empty; None if it did not.
    """

    received: int = 0
    deleted: int = 0
    released: int = 0
    rewritten: int = 0
    arrived: int = 0
    undeleted: int = 0
    unreleased: int = 0
    at_edge: int = 0
    unseen: int = 0
    stopped: str | None = None


class Pump:
    """One run through a store.

    Args:
        store: what to go through.
        step: is given up to ten messages at a time, in its own thread, and says what to do with them.
        hands: threads. An ordered store is always gone through by one.
        hide: seconds for which a message is hidden at a time; extended while the run lasts. A process that is
            killed leaves its messages hidden for at most that long.
    """

    def __init__(
        self,
        store: Store,
        step: Callable[[list[Message]], Verdicts],
        *,
        hands: int = 1,
        hide: int = HIDE_SECONDS,
    ) -> None:
        self._store = store
        self._step = step
        self._hands = 1 if store.is_ordered else hands
        self._hide = hide
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._over = threading.Event()
        self._ours: dict[str, tuple[Message, float]] = {}
        self._rewrite: dict[str, Message] = {}
        self._error: Exception | None = None
        self._began = 0
        self._empty = 0
        self.passed = Passed()

    def stop(self, why: str) -> None:
        """End the run after what is in hand; the first reason given is kept."""
        with self._lock:
            self.passed.stopped = self.passed.stopped or why
        self._stop.set()

    def run(self) -> Passed:
        """Go through the store.

        Returns:
            What became of the messages.

        Raises:
            LambdaPatternsError: the store could not be read or written; what was in hand is visible again.
            Exception: what the step raised; likewise.
        """
        self._began = self._store.now()
        keeper = threading.Thread(target=self._keep_hidden, name="keep-hidden", daemon=True)
        keeper.start()
        try:
            if self._hands == 1:
                self._work()
            else:
                self._work_together()
        except BaseException:
            self.stop("interrupted")
            raise
        finally:
            self._stop.set()
            self._over.set()
            keeper.join()
            self._finish()
        if self._error is not None:
            if isinstance(self._error, ClientError | BotoCoreError):
                raise aws.refusal(self._error, self._store.name) from self._error
            raise self._error
        return self.passed

    def _work_together(self) -> None:
        with ThreadPoolExecutor(self._hands, thread_name_prefix="hand") as pool:
            futures = [pool.submit(self._work) for _ in range(self._hands)]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                # A signal: the hands end after what they hold, and the pool waits for them.
                self._stop.set()
                raise

    def _work(self) -> None:
        try:
            while not self._stop.is_set() and self._empty < _EMPTY_RECEIVES:
                if batch := self._take():
                    self._settle(self._step(batch))
                elif self._hands > 1:
                    self._stop.wait(_OTHERS_ANSWER_SECONDS)
        except Exception as error:  # noqa: BLE001  # raised by `run`, once everything is released
            with self._lock:
                self._error = self._error or error
            self.stop("an error")

    def _take(self) -> list[Message]:
        """Receive what this run has to look at: what arrived after it began is only kept, for the end."""
        try:
            received = self._store.receive(self._hide)
        except ClientError as error:
            if aws.code(error) == "OverLimit":
                self.stop("SQS lets no more messages be in flight on one queue")
                return []
            raise
        deadline = time.monotonic() + self._hide
        fresh: list[Message] = []
        with self._lock:
            for message in received:
                again = message.id in self._ours  # SQS delivers at least once
                self._ours[message.id] = (message, deadline)
                if again:
                    continue
                if message.sent is not None and message.sent > self._began:
                    self.passed.arrived += 1
                else:
                    self.passed.received += 1
                    fresh.append(message)
            full = len(self._ours) >= MOST_HELD
            # Counted over all hands: a receive that waits asks every server of SQS before it gives nothing.
            self._empty = 0 if fresh else self._empty + 1
        if full:
            self.stop(f"{MOST_HELD:,} messages are held: SQS allows about 120,000 in flight on one queue")
        return fresh

    def _settle(self, verdicts: Verdicts) -> None:
        left = self._store.delete(verdicts.delete) if verdicts.delete else []
        with self._lock:
            for message in verdicts.delete:
                self._ours.pop(message.id, None)
            self.passed.deleted += len(verdicts.delete) - len(left)
            self.passed.undeleted += len(left)
            self._rewrite.update({message.id: message for message in verdicts.rewrite})

    def _keep_hidden(self) -> None:
        while not self._over.wait(min(self._hide / 3, 20)):
            soon = time.monotonic() + self._hide / 2
            with self._lock:
                due = [message for message, deadline in self._ours.values() if deadline < soon]
            if not due:
                continue
            try:
                self._store.extend(due, self._hide)
            except (BotoCoreError, ClientError):
                continue  # tried again at the next turn; if it stays so, somebody else sees them sooner
            deadline = time.monotonic() + self._hide
            with self._lock:
                for message in due:
                    if message.id in self._ours:
                        self._ours[message.id] = (message, deadline)

    def _finish(self) -> None:
        """Give back all that is still ours: anew where it must be, as it is otherwise."""
        if self._store.is_ordered and self._ours and self.passed.stopped is None:
            # SQS shows ten of a group at most, and the next ones when those are done with.
            self.passed.unseen = max((self._store.size or 0) - self.passed.received, 0)
        ours = [message for message, _ in self._ours.values()]
        anew: list[Message] = []
        for message in ours:
            if noted := self._rewrite.get(message.id):
                anew.append(noted)
            elif self._is_at_edge(message) and not self._store.is_ordered:
                # One more receive, by anybody, would move it on to the next queue: our look must not do that.
                anew.append(message.noted())
        rewritten = {message.id for message in anew}
        for batch, finish in (
            (anew, self._write_anew),
            ([message for message in ours if message.id not in rewritten], self._let_go),
        ):
            self._in_parts(batch, finish)

    def _in_parts(self, messages: Sequence[Message], finish: Callable[[list[Message]], None]) -> None:
        parts = [list(messages[start : start + 10]) for start in range(0, len(messages), 10)]
        if self._hands == 1 or len(parts) < _NO_OVERLAP:
            for part in parts:
                finish(part)
            return
        with ThreadPoolExecutor(self._hands, thread_name_prefix="release") as pool:
            list(pool.map(finish, parts))

    def _write_anew(self, messages: list[Message]) -> None:
        try:
            refused = _ids(self._store.put_back(messages))
            taken = [message for message in messages if message.id not in refused]
            left = self._store.delete(taken) if taken else []
        except (BotoCoreError, ClientError) as error:
            self._could_not(error, messages)
            return
        with self._lock:
            self.passed.rewritten += len(taken) - len(left)
            self.passed.undeleted += len(left)
            # The others lose the note of an attempt alone: a bucket has no place for one.
            self.passed.at_edge += sum(self._is_at_edge(m) for m in messages if m.id in refused)
        self._let_go([message for message in messages if message.id in refused])

    def _is_at_edge(self, message: Message) -> bool:
        edge = self._store.most_receives
        return edge is not None and message.receives >= edge

    def _let_go(self, messages: list[Message]) -> None:
        if not messages:
            return
        try:
            self._store.release(messages)
        except (BotoCoreError, ClientError) as error:
            self._could_not(error, messages)
            return
        with self._lock:
            self.passed.released += len(messages)

    def _could_not(self, error: Exception, messages: Sequence[Message]) -> None:
        with self._lock:
            self.passed.unreleased += len(messages)
            self.passed.stopped = self.passed.stopped or aws.reason(error)


def _ids(messages: Iterable[Message]) -> set[str]:
    return {message.id for message in messages}
