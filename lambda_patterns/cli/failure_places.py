"""Opening the places that a target stands for, asking back, and stopping when the user says so."""

from __future__ import annotations

import os
import signal
import stat
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambda_patterns.errors import ArgumentError, LambdaPatternsError
from lambda_patterns.redrive.bucket import Bucket, address
from lambda_patterns.redrive.delivery import open_queue
from lambda_patterns.redrive.queue import Queue
from lambda_patterns.redrive.resolve import resolve
from lambda_patterns.redrive.sources import KnownSources, QueueSources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from lambda_patterns.redrive.aws import Aws
    from lambda_patterns.redrive.pump import Pump
    from lambda_patterns.redrive.replay import Aside
    from lambda_patterns.redrive.resolve import Place
    from lambda_patterns.redrive.sources import Sources
    from lambda_patterns.redrive.store import Store


@dataclass(frozen=True, slots=True)
class OpenPlace:
    """A place that holds failures, opened.

    Args:
        store: the place.
        sources: who writes to it.
        whys: what it is, each way by which it came to be known.
    """

    store: Store
    sources: Sources
    whys: tuple[str, ...]

    @property
    def queue(self) -> Queue | None:
        """The store, if it is a queue."""
        return self.store if isinstance(self.store, Queue) else None


def open_places(aws: Aws, target: str) -> list[OpenPlace]:
    """Find and open every place that keeps failures of a target; say which cannot be read.

    Raises:
        LambdaPatternsError: there is none that can be read.
    """
    resolved = resolve(aws, target)
    unread = list(resolved.unreadable)
    opened: list[OpenPlace] = []
    for place in resolved.places:
        try:
            opened.append(_open(aws, place))
        except LambdaPatternsError as error:
            if len(resolved.places) == 1:
                raise
            unread.append(f"the {place.whys[0]}: {error}")
    if not opened:
        raise LambdaPatternsError("; ".join(unread))
    for line in unread:
        click.echo(f"not read: {line}", err=True)
    return opened


def _open(aws: Aws, place: Place) -> OpenPlace:
    if place.address.startswith("s3://"):
        return OpenPlace(Bucket(aws.s3, *address(place.address)), KnownSources(), place.whys)
    queue = open_queue(aws, place.address)
    return OpenPlace(queue, QueueSources(aws, queue), place.whys)


def aside_of(aws: Aws, place: OpenPlace, into: str | None) -> Aside:
    """Open what takes the messages that are set aside from a place.

    Raises:
        LambdaPatternsError: no queue is named, and the place has none of its own.
    """
    if into is not None:
        return open_queue(aws, into.removeprefix("queue:"))
    if isinstance(place.store, Bucket):
        return place.store
    if place.queue is None or place.queue.dead_letter_arn is None:
        raise LambdaPatternsError(
            f"{place.store.name} has no dead-letter queue of its own: name a queue with --into"
        )
    return Queue.of_arn(aws.sqs, place.queue.dead_letter_arn)


def confirm(what: str, *, yes: bool) -> None:
    """Ask, unless it was answered beforehand; without somebody to ask, refuse.

    Raises:
        LambdaPatternsError: nobody can be asked.
        click.Abort: the answer was no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise LambdaPatternsError(f"to {what}, say --yes: there is nobody to ask")
    click.confirm(f"{what}?", abort=True, err=True)


@contextmanager
def opened_output(path: str, *, to_keep: bool) -> Iterator[TextIO]:
    """Open a new file for what is exported, or standard output.

    Args:
        path: the file, or "-".
        to_keep: whether it will hold the only copy.

    Raises:
        ArgumentError: it cannot be written, holds something, or is no file although it is to keep.
    """
    if path == "-":
        file = sys.stdout
    elif Path(path).is_file():
        raise ArgumentError(
            f"--output: {path} is there already and may hold the only copy of other failures: name a new file"
        )
    else:
        try:
            file = Path(path).open("w", encoding="utf-8")  # noqa: SIM115  # closed below
        except OSError as error:
            raise ArgumentError(f"--output: {path}: {error.strerror}") from None
    try:
        if to_keep and not _is_file(file):
            raise ArgumentError(
                "--drain: what goes into a pipe or onto a screen is deleted and may never have been read: "
                "give --output a file"
            )
        yield file
    finally:
        if file is not sys.stdout:
            with suppress(OSError):  # said already: the disk is full
                file.close()


def _is_file(file: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    except OSError:
        return False


@contextmanager
def controlled() -> Iterator[Callable[[Pump], None]]:
    """Let Ctrl-C end a run after what is in hand, so that nothing stays hidden; a second one, at once."""
    pumps: list[Pump] = []

    def stop(_signal: int, _frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        click.echo("stopping after what is in hand; Ctrl-C again stops at once", err=True)
        for pump in pumps:
            pump.stop("interrupted")

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield pumps.append
    finally:
        signal.signal(signal.SIGINT, before)
