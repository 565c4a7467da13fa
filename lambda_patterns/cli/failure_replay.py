"""The course of a replay at the terminal: hand over or not, dry run, question, progress, report."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lambda_patterns.cli import failure_tables as tables
from lambda_patterns.cli.failure_places import OpenPlace, confirm, controlled
from lambda_patterns.errors import ArgumentError
from lambda_patterns.redrive.delivery import Delivery, Rate, open_queue
from lambda_patterns.redrive.handing_over import MANY, move, reprocessor, switch
from lambda_patterns.redrive.replay import Plan, Report, Run
from lambda_patterns.redrive.replay import replay as replay_
from lambda_patterns.redrive.targets import QueueTarget, target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_patterns.cli.failure_options import AwsSettings
    from lambda_patterns.redrive.aws import Aws

_TRIED = 10_000
_FASTEST_MOVE = 500


@dataclass(frozen=True, slots=True)
class How:
    """The options of a replay, by the names they have at the terminal."""

    yes: bool
    dry_run: bool
    to: str | None
    rate: float | None
    wait: bool
    max_attempts: int
    hands: int
    move_task: bool

    @property
    def hands_needed(self) -> int:
        """How many hands the rate needs: each holds ten events, and Ctrl-C waits until those are sent."""
        if self.rate is None or self.wait:
            return self.hands
        return min(self.hands, max(int(self.rate), 1))


def ask_to_hand_over(aws: Aws, places: Sequence[OpenPlace], *, yes: bool) -> bool:
    """Where there is very much to replay, offer the deployed reprocessor instead of a loop from here.

    Returns:
        Whether everything was handed over.
    """
    many = [place for place in places if place.queue and place.queue.depth.total > MANY]
    handed = 0
    for place in many:
        queue = place.queue
        if queue is None:
            continue
        about = f"{place.store.name} holds about {queue.depth.total:,} messages"
        found = reprocessor(aws, queue)
        if found is None:
            click.echo(
                f"{about}: a deployed FailureReprocessor replays so many faster than this machine", err=True
            )
        elif found.enabled:
            click.echo(f"{about}, and its reprocessor {found.name} is at work on them already", err=True)
        elif yes or not sys.stdin.isatty():
            click.echo(
                f"{about}: `failures reprocessor {queue.name} --on` has {found.name} replay them", err=True
            )
        elif click.confirm(
            f"{about}. Switch its reprocessor {found.name} on instead?", default=True, err=True
        ):
            switch(aws, found, on=True)
            click.echo(
                f"{found.name} is at work; `failures reprocessor {queue.name} --off` switches it off again"
            )
            handed += 1
    return bool(handed) and handed == len(places)


def move_task(aws: Aws, places: Sequence[OpenPlace], how: How) -> None:
    """Let SQS move everything, and show how far it is.

    Raises:
        LambdaPatternsError: SQS moves nothing out of one of these.
    """
    where = target(how.to) if how.to else None
    if where is not None and not isinstance(where, QueueTarget):
        raise ArgumentError(f"--move-task: SQS moves messages to a queue, not to {where}")
    if how.rate is not None and (how.rate != int(how.rate) or how.rate > _FASTEST_MOVE):
        raise ArgumentError(f"--rate {how.rate:g}: a move task takes 1-{_FASTEST_MOVE} messages/s, whole")
    to_arn = open_queue(aws, where.queue).arn if where else None
    for place in places:
        if place.queue is None:
            raise ArgumentError(f"--move-task: {place.store.name} is not a queue")
        confirm(
            f"have SQS move everything in {place.store.name} to {where or 'its source queues'}", yes=how.yes
        )
        with _progress() as progress:
            task = progress.add_task(place.store.name, total=place.queue.depth.total or None)
            rate = int(how.rate) if how.rate else None
            told = partial(progress.advance, task)
            moved = move(aws, place.queue, to_arn, per_second=rate, told=told)
        click.echo(f"{place.store.name}: {moved.count:,} moved, {moved.status.lower()}{_because(moved.why)}")


def _because(why: str | None) -> str:
    return f": {why}" if why else ""


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def run_replay(aws: Aws, places: Sequence[OpenPlace], run: Run, how: How, settings: AwsSettings) -> bool:
    """Say what would go where, ask, and do it.

    Args:
        aws: the clients.
        places: where the failures are.
        run: which of them.
        how: the user's options.
        settings: how to answer.

    Returns:
        Whether all that was chosen was accepted, and deleted where it lay.
    """
    to = target(how.to) if how.to else None
    plans = [Plan(place.sources, to, how.max_attempts) for place in places]
    names = [place.store.name for place in places]
    if not how.yes:
        tried = replace(run, most=min(run.most or _TRIED, _TRIED))
        dry = [replay_(p.store, plan, None, tried) for p, plan in zip(places, plans, strict=True)]
        tables.print_reports(names, dry, as_json=settings.as_json and how.dry_run)
        number = sum(report.accepted.total() for report in dry)
        cut = any(report.passed.stopped or report.passed.unseen for report in dry)
        more = " and more" if cut and run.most is None else ""
        if how.dry_run or not number:
            click.echo(
                f"dry run: {number:,}{more} would be replayed" if number else "nothing to replay", err=True
            )
            return True
        confirm(f"replay these {number:,}{more}", yes=False)
    delivery = Delivery(aws, wait=how.wait, rate=Rate(how.rate))
    reports = [
        _replay_with_progress(place, plan, delivery, run) for place, plan in zip(places, plans, strict=True)
    ]
    tables.print_reports(names, reports, as_json=settings.as_json)
    return all(report.is_clean for report in reports)


def _replay_with_progress(place: OpenPlace, plan: Plan, delivery: Delivery, run: Run) -> Report:
    with _progress() as progress, controlled() as control:
        total = min(run.most or _huge(place), _huge(place)) if place.queue else run.most
        task = progress.add_task(escape(place.store.name), total=total)
        telling = replace(run, told=partial(progress.advance, task), control=control)
        return replay_(place.store, plan, delivery, telling)


def _huge(place: OpenPlace) -> int:
    return place.queue.depth.total if place.queue else 0
