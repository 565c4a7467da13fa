"""Where failures are kept: what a queue and a bucket have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_patterns.redrive.message import Message


class Store(Protocol):
    """A place that holds failed events. Receiving hides a message for a time and never deletes it."""

    @property
    def name(self) -> str:
        """What people call it: the queue's name, or ``s3://bucket/prefix``."""

    @property
    def arn(self) -> str:
        """Its ARN."""

    @property
    def is_ordered(self) -> bool:
        """Whether the order of its messages matters (a FIFO queue)."""

    @property
    def size(self) -> int | None:
        """About how many messages it held when it was opened; None where nothing tells that."""

    @property
    def most_receives(self) -> int | None:
        """After how many receives a message moves on by itself; None where it never does."""

    def now(self) -> int:
        """Tell the time by the store's clock, epoch milliseconds."""

    def receive(self, hide: int) -> list[Message]:
        """Take up to ten messages that nobody else has, hidden for `hide` seconds; [] if there is none."""

    def extend(self, messages: Sequence[Message], hide: int) -> list[Message]:
        """Hide messages for `hide` seconds from now on; give those that are no longer ours."""

    def release(self, messages: Sequence[Message]) -> None:
        """Let everybody see the messages again, now."""

    def delete(self, messages: Sequence[Message]) -> list[Message]:
        """Delete messages for good; give those that could not be deleted."""

    def put_back(self, messages: Sequence[Message]) -> list[Message]:
        """Write the messages anew, with their ledgers; give those that were not taken. Deletes nothing."""
