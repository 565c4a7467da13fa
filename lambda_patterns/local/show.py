"""What people read of an embedded AWS: how to point tools at it, and what it is not."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local.node import cdk_command, node_binary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console

    from lambda_patterns.local.background import Running
    from lambda_patterns.local.connection import Connection


def how_to_use(console: Console, connection: Connection) -> None:
    """Print what points a shell, boto3, the AWS command line and cdk at it."""
    console.print("\nIn this shell, for boto3, the AWS command line and cdk:\n")
    if folders := _out_of_reach():
        path = ":".join(shlex.quote(str(folder)) for folder in folders)
        console.print(f"  export PATH={path}:$PATH", soft_wrap=True, highlight=False, markup=False)
    for name, value in connection.variables().items():
        console.print(f"  export {name}={shlex.quote(value)}", soft_wrap=True, highlight=False)
    console.print("  unset AWS_PROFILE AWS_SESSION_TOKEN", highlight=False)
    console.print("\nThen, for example:\n")
    for line in (
        f"cdk bootstrap aws://{connection.account}/{connection.region}",
        "cdk deploy --all --require-approval never",
        "aws lambda list-functions",
        """python -c 'import boto3; print(boto3.client("sqs").list_queues())'""",
    ):
        console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
    console.print()


def _out_of_reach() -> list[Path]:
    """Name the folders of what is typed here and cannot be found on PATH."""
    found: dict[Path, None] = {}
    programs: tuple[tuple[str, Callable[[], Path]], ...] = (
        ("node", node_binary),
        ("lambda-patterns", lambda: Path(sys.executable)),
        ("cdk", cdk_command),
    )
    for name, place in programs:
        if shutil.which(name) is None:
            with contextlib.suppress(LambdaPatternsError):  # it is nowhere: whoever types it is told so
                found[place().parent] = None
    return list(found)


def status(console: Console, running: Running, *, responds: bool) -> None:
    """Print one that runs: where, how long, what is only recorded."""
    minutes = (time.time() - running.started) / 60
    table = Table.grid(padding=(0, 2))
    table.add_row("endpoint", running.endpoint)
    table.add_row("process", f"{running.pid}, for {minutes:.0f} min")
    table.add_row("log", str(running.log))
    if not responds:
        table.add_row("health", "[red]does not answer[/red]")
        console.print(table)
        return
    said = running.connection().status()
    table.add_row("health", "answers")
    table.add_row("region, account", f"{running.region}, {running.connection().account}")
    table.add_row("memory", f"{said['peakMemoryMiB']} MiB at most, without its functions")
    table.add_row("retries", f"after {said['retrySeconds']:g} s, where AWS waits 60 s")
    table.add_row(
        "is", f"MiniStack {said['ministack']} with our additions, functions on Python {said['python']}"
    )
    for found in said["databases"]:
        table.add_row(*_database(found))
    console.print(table)
    not_what_it_seems(console, said["recordedOnly"], said["otherRuntime"])


def _database(found: Mapping[str, str]) -> tuple[str, str]:
    """Say where a database answers, or a proxy, and whether it really pools."""
    if "Database" in found:
        return "database", f"{escape(found['Database'])}, at {found['Address']}"
    pool = "" if found["Pool"] != "none" else ", without a pool: each client has a connection of its own"
    return "proxy", f"{escape(found['Proxy'])}, at {found['Address']}{pool}"


def not_what_it_seems(console: Console, recorded: list[dict[str, str]], other: list[str]) -> None:
    """Print what is recorded only, and what runs on another version than it asks for."""
    if recorded:
        console.print("\nrecorded only, nothing is behind it here:")
        for entry in recorded:
            line = f"  {entry['Type']} {entry['LogicalId']} ({entry['Stack']})"
            console.print(line, soft_wrap=True, markup=False)
    if other:
        console.print("\nfunctions on another version than they ask for:")
    for sentence, number in sorted(Counter(sentence.split(": ", 1)[1] for sentence in other).items()):
        console.print(f"  {number}: {sentence}", markup=False)
