"""Export and import: failures as JSON lines, one message each, without loss."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_patterns.errors import ArgumentError, LambdaPatternsError
from lambda_patterns.redrive.message import Message
from lambda_patterns.redrive.pump import Verdicts
from lambda_patterns.redrive.replay import Report, Run, go_through

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from lambda_patterns.redrive.queue import Queue
    from lambda_patterns.redrive.store import Store

_LINES_AT_ONCE = 100


def export(store: Store, file: TextIO, run: Run, *, drain: bool = False) -> Report:
    """Write chosen messages to a file, one line of JSON each: body, attributes, SQS's own attributes.

    Args:
        store: where the failures are.
        file: where the lines go.
        run: which of them, and how; with one hand, for the lines come one after the other.
        drain: delete each message once its line is on the disk; the file has to be one. Default: leave all
            as they were.

    Raises:
        LambdaPatternsError: the file takes no more. Of what it did not take nothing was deleted.
    """

    def work(wanted: list[Message]) -> Verdicts:
        file.writelines(message.line() + "\n" for message in wanted)
        if not drain:
            return Verdicts()
        file.flush()
        os.fsync(file.fileno())
        return Verdicts(delete=wanted)

    try:
        report = go_through(store, run, work, "exported")
        file.flush()
    except BrokenPipeError:
        raise  # whoever reads has read enough
    except OSError as error:
        raise LambdaPatternsError(
            f"writing the failures of {store.name}: {error.strerror}: what was not written is still there"
        ) from None
    return report


@dataclass(slots=True)
class Imported:
    """What an import did.

    Args:
        sent: messages that the queue took.
        refused: line number and reason of those that were not sent, in the order of the file.
    """

    sent: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


def import_lines(lines: Iterable[bytes], queue: Queue) -> Imported:
    """Send exported messages into a queue. A line that cannot be sent is reported, and the others go on.

    Args:
        lines: the lines of an export, in UTF-8.
        queue: the queue that takes them.
    """
    done = Imported()
    for part in _parts(_read(lines, done)):
        at = {id(message): number for number, message in part}
        sendable = []
        for number, message in part:
            if queue.is_ordered and message.group is None:
                done.refused.append((number, f"queue {queue.name} is FIFO and the message has no group"))
            elif (size := message.size()) > queue.most_bytes:
                done.refused.append((number, f"{size:,} bytes, {queue.name} takes {queue.most_bytes:,}"))
            else:
                sendable.append(message)
        sent = queue.send(sendable)
        done.sent += sum(why is None for _, why in sent)
        done.refused += [(at[id(message)], why) for message, why in sent if why is not None]
    done.refused.sort()
    return done


def _read(lines: Iterable[bytes], done: Imported) -> Iterator[tuple[int, Message]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            # The time and the identity of the failure go with it: SQS gives the copy a new time and id.
            # A text editor may have put a byte order mark before the first line.
            read = Message.from_line(line.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            done.refused.append((number, f"not a line of an export: it is not UTF-8 ({error.reason})"))
            continue
        except ArgumentError as error:
            done.refused.append((number, str(error)))
            continue
        yield number, read.noted(key=read.id or None)


def _parts(messages: Iterator[tuple[int, Message]]) -> Iterator[list[tuple[int, Message]]]:
    part: list[tuple[int, Message]] = []
    for entry in messages:
        part.append(entry)
        if len(part) == _LINES_AT_ONCE:
            yield part
            part = []
    if part:
        yield part
