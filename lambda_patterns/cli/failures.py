"""`lambda-patterns failures`: see, understand, replay, export, import, quarantine and purge failed events."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from lambda_patterns.cli import failure_tables as tables
from lambda_patterns.cli.failure_options import (
    AwsSettings,
    Chosen,
    aws_options,
    choosing_options,
    yes_option,
)
from lambda_patterns.cli.failure_places import (
    OpenPlace,
    aside_of,
    confirm,
    controlled,
    open_places,
    opened_output,
)
from lambda_patterns.cli.failure_replay import How, ask_to_hand_over, move_task, run_replay
from lambda_patterns.cli.failure_summary import summarize
from lambda_patterns.errors import ArgumentError, LambdaPatternsError
from lambda_patterns.redrive.delivery import open_queue
from lambda_patterns.redrive.handing_over import reprocessor as find_reprocessor
from lambda_patterns.redrive.handing_over import switch
from lambda_patterns.redrive.replay import Plan, Run, look
from lambda_patterns.redrive.replay import purge as purge_
from lambda_patterns.redrive.replay import quarantine as quarantine_
from lambda_patterns.redrive.transfer import export as export_
from lambda_patterns.redrive.transfer import import_lines

if TYPE_CHECKING:
    from typing import BinaryIO

    from lambda_patterns.redrive.message import Message
    from lambda_patterns.redrive.records import FailureRecord
    from lambda_patterns.redrive.replay import Report

# Looking takes a call for each ten messages and another one to let them go: a minute's work for this many.
LOOKED_AT = 10_000
_SHOWN = 10
_NOT_ALL_DONE = 1


@click.group("failures")
def command() -> None:
    """See, understand and replay events that failed.

    TARGET is a queue (name, URL or ARN), a function (name, name:alias or ARN), a stack (name or ARN) or
    s3://bucket/prefix; of a function or stack, every on-failure destination and dead-letter queue is found.
    Credentials and Region come from the environment as for any AWS tool.
    """


@command.command("list")
@aws_options
@choosing_options(LOOKED_AT)
def list_(aws: AwsSettings, chosen: Chosen) -> None:
    """Count failures by function, condition and error, with their age. Nothing is changed."""
    clients = aws.open()
    summaries = [
        summarize(place, chosen.filter(), chosen.limit or LOOKED_AT)
        for place in open_places(clients, aws.target)
    ]
    if aws.as_json:
        tables.print_json([summary.as_json() for summary in summaries])
        return
    tables.print_summaries(summaries)


@command.command()
@aws_options
@choosing_options(_SHOWN)
def show(aws: AwsSettings, chosen: Chosen) -> None:
    """Show single failures whole: what was asked, what went wrong, where it would be replayed."""
    clients = aws.open()
    shown: list[dict[str, object]] = []
    most = chosen.limit or _SHOWN
    for place in open_places(clients, aws.target):
        plan = Plan(place.sources)

        def see(message: Message, record: FailureRecord, plan: Plan = plan, place: OpenPlace = place) -> None:
            shown.append(tables.details(message, record, plan.judge(message, record), place))

        tables.print_edges(look(place.store, Run(chosen.filter(), most=most - len(shown)), see))
        if len(shown) >= most:
            break
    if aws.as_json:
        tables.print_json(shown)
    else:
        tables.print_details(shown)


@command.command()
@aws_options
@choosing_options(None)
@yes_option
@click.option("--dry-run", is_flag=True, help="Say what would be replayed where, and stop.")
@click.option(
    "--to",
    metavar="TARGET",
    help="Send everything there: function:NAME[:ALIAS], queue:NAME, topic:ARN, or an ARN.",
)
@click.option(
    "--rate", type=click.FloatRange(0.01, 10_000), help="At most so many events a second. [default: no limit]"
)
@click.option(
    "--wait", is_flag=True, help="Wait for functions: what fails again stays, with its attempts counted."
)
@click.option(
    "--max-attempts",
    type=click.IntRange(1, 15),
    default=5,
    show_default=True,
    help="Refuse what came back so often.",
)
@click.option(
    "--hands",
    type=click.IntRange(1, 64),
    default=16,
    show_default=True,
    help="Events in flight at a time, in tens.",
)
@click.option("--move-task", is_flag=True, help="Let SQS move a dead-letter queue back to its source queues.")
def replay(aws: AwsSettings, chosen: Chosen, **given: Any) -> None:  # noqa: ANN401  # the options of `How`, by name
    """Send failures back to where they failed; a dry run comes first and asks."""
    how = How(**given)
    clients = aws.open(connections=how.hands)
    places = open_places(clients, aws.target)
    everything = chosen.is_everything
    if how.move_task:
        if not everything:
            raise ArgumentError("--move-task: SQS moves all of a queue: leave the filters and --limit away")
        move_task(clients, places, how)
        return
    if everything and how.to is None and not how.dry_run and ask_to_hand_over(clients, places, yes=how.yes):
        return
    if not run_replay(
        clients, places, Run(chosen.filter(), most=chosen.limit, hands=how.hands_needed), how, aws
    ):
        sys.exit(_NOT_ALL_DONE)


@command.command()
@aws_options
@choosing_options(None)
@yes_option
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, allow_dash=True),
    default="-",
    help="The file, a new one. [default: standard output]",
)
@click.option("--drain", is_flag=True, help="Delete each message once its line is on the disk.")
def export(aws: AwsSettings, chosen: Chosen, output: str, *, yes: bool, drain: bool) -> None:
    """Write failures as JSON lines, one message each, without loss."""
    places = open_places(aws.open(), aws.target)
    if drain:
        confirm(f"delete what is exported from {_names(places)}", yes=yes)
    reports = []
    with opened_output(output, to_keep=drain) as file:
        for place in places:
            with controlled() as control:
                run = Run(chosen.filter(), most=chosen.limit, control=control)
                reports.append(export_(place.store, file, run, drain=drain))
    _finish(aws, places, reports, beside_lines=output == "-")


@command.command("import")
@aws_options
@click.argument("file", type=click.File("rb"))
def import_(aws: AwsSettings, file: BinaryIO) -> None:
    """Send exported failures from FILE ("-" is standard input) into the queue TARGET."""
    queue = open_queue(aws.open(), aws.target.removeprefix("queue:"))
    done = import_lines(file, queue)
    if aws.as_json:
        refused = [{"line": number, "why": why} for number, why in done.refused]
        tables.print_json({"queue": queue.name, "sent": done.sent, "refused": refused})
    else:
        click.echo(f"{done.sent:,} sent to queue {queue.name}")
        for number, why in done.refused:
            click.echo(f"line {number}: {why}", err=True)
    if done.refused:
        sys.exit(_NOT_ALL_DONE)


@command.command()
@aws_options
@choosing_options(None)
@yes_option
def purge(aws: AwsSettings, chosen: Chosen, *, yes: bool) -> None:
    """Delete failures for good."""
    places = open_places(aws.open(), aws.target)
    which = "everything that is chosen" if not chosen.is_everything else "everything"
    confirm(f"delete {which} in {_names(places)} for good", yes=yes)
    reports = []
    for place in places:
        with controlled() as control:
            reports.append(purge_(place.store, Run(chosen.filter(), most=chosen.limit, control=control)))
    _finish(aws, places, reports)


@command.command()
@aws_options
@choosing_options(None)
@yes_option
@click.option(
    "--into", metavar="QUEUE", help="The queue that takes them. [default: the queue's own dead-letter queue]"
)
@click.option("--reason", default="set aside by hand", show_default=True, help="Noted beside each message.")
def quarantine(aws: AwsSettings, chosen: Chosen, into: str | None, reason: str, *, yes: bool) -> None:
    """Set failures aside, as they are, where no replay finds them."""
    clients = aws.open()
    places = open_places(clients, aws.target)
    asides = [aside_of(clients, place, into) for place in places]
    names = ", ".join(sorted({aside.name for aside in asides}))
    confirm(f"move what is chosen in {_names(places)} to {names}", yes=yes)
    reports = []
    for place, aside in zip(places, asides, strict=True):
        with controlled() as control:
            run = Run(chosen.filter(), most=chosen.limit, control=control)
            reports.append(quarantine_(place.store, aside, run, reason=reason))
    _finish(aws, places, reports)


@command.command()
@aws_options
@click.option("--on/--off", default=None, help="Switch it. [default: only say how it is]")
def reprocessor(aws: AwsSettings, *, on: bool | None) -> None:
    """Say whether the deployed reprocessor of TARGET is at work, or switch it on or off."""
    clients = aws.open()
    places = open_places(clients, aws.target)
    at_work = [(place, find_reprocessor(clients, place.queue) if place.queue else None) for place in places]
    if not any(found for _, found in at_work):
        raise LambdaPatternsError(f"{_names(places)} has no reprocessor: deploy a FailureReprocessor for it")
    for place, found in at_work:
        if found is None:
            continue
        if on is not None:
            switch(clients, found, on=on)
        state = "on" if (found.enabled if on is None else on) else "off"
        most = f", at most {found.most_at_once} at a time" if found.most_at_once else ""
        click.echo(f"{place.store.name}: reprocessor {found.name} is {state}{most}")


def _names(places: list[OpenPlace]) -> str:
    return ", ".join(place.store.name for place in places)


def _finish(
    aws: AwsSettings, places: list[OpenPlace], reports: list[Report], *, beside_lines: bool = False
) -> None:
    names = [place.store.name for place in places]
    tables.print_reports(names, reports, as_json=aws.as_json, on_stderr=beside_lines)
    if not all(report.is_clean for report in reports):
        sys.exit(_NOT_ALL_DONE)
