"""The demonstration: every stack of an application deployed, called, made to fail, and the failure shown.

`python -m lambda_patterns.local.demo [--keep]`, in the folder with `cdk.json`.
"""

from __future__ import annotations

import contextlib
import io
import resource
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from rich.console import Console
from rich.live import Live

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local import background, programme, proof, scenes, show
from lambda_patterns.local.cdk import Cdk
from lambda_patterns.local.embedded import EmbeddedAws
from lambda_patterns.local.failure_paths import Walk
from lambda_patterns.local.operator import Operator
from lambda_patterns.local.settings import Settings
from lambda_patterns.local.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambda_patterns.local.connection import Connection

_POLL_SECONDS = 0.25
_INTERRUPTED = 130


@click.command()
@click.option("--keep", is_flag=True, help="Leave the embedded AWS running with everything deployed.")
@click.option(
    "--project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="Folder with cdk.json. Default: this one.",
)
@click.option(
    "--scenes",
    "scenes_file",
    type=click.Path(path_type=Path),
    help="What is called and what fails. Default: stacks/demo.yaml of the project.",
)
def command(*, keep: bool, project: Path, scenes_file: Path | None) -> None:
    """Deploy every stack onto an embedded AWS, call functions, let events fail, and replay what was kept."""
    console = Console()
    started = time.monotonic()
    played = scenes.read(scenes_file or project / "stacks" / "demo.yaml")
    with _aws(keep=keep) as (aws, folder):
        console.print(f"embedded AWS on {aws.endpoint}, {time.monotonic() - started:.1f} s")
        result = _play(console, aws, Cdk(aws, project.resolve(), folder), played)
        programme.summary(console, result, time.monotonic() - started, _peak_memory(aws))
        if keep:
            show.how_to_use(console, aws)
            console.print(f"it goes on running; end it with: lambda-patterns local stop --port {_port(aws)}")
    if not keep:
        console.print("the embedded AWS has ended; nothing is left of it")


@contextlib.contextmanager
def _aws(*, keep: bool) -> Iterator[tuple[Connection, Path]]:
    """Start one, with a folder that goes with it; it is kept only if the block succeeds."""
    if not keep:
        with EmbeddedAws() as aws:
            yield aws, _work_folder(aws.server.folder)
        return
    running = background.start(Settings())
    try:
        yield running.connection(), _work_folder(Path(running.folder))
    except BaseException:
        background.stop(running)
        raise


def _work_folder(parent: Path) -> Path:
    folder = parent / "demo"
    folder.mkdir()
    return folder


def _play(console: Console, aws: Connection, cdk: Cdk, played: scenes.Scenes) -> programme.Result:
    result = programme.Result()
    with _step(console, result, "synthesize"):
        cdk.synthesize()
    with _step(console, result, "prove"):
        result.proved = proof.prove(cdk.assembly, aws.region)
    with _step(console, result, "bootstrap"):
        cdk.bootstrap()
    stage = Stage(aws)
    with _step(console, result, "deploy", live=True):
        _deploy(console, cdk, stage)
    result.stacks = [stage.deployed(name) for name in cdk.stacks()]
    with _step(console, result, "call"):
        result.answers = [stage.call(call) for call in played.calls]
    broken = [answer for answer in result.answers if answer.error]
    if broken:
        answer = broken[0]
        raise LambdaPatternsError(
            f"{answer.call.function} of {answer.call.stack} failed where it should have answered: "
            f"{answer.payload}"
        )
    walk = Walk(aws, stage, played.paths)
    with _step(console, result, "fail"):
        walk.send()
        result.kept = [stage.fail(failure) for failure in played.failures]
    if played.paths:
        _walk(console, result, walk, Operator(console, aws), played.mends)
    said = aws.status()
    result.recorded, result.other_runtimes = said["recordedOnly"], said["otherRuntime"]
    return result


def _walk(
    console: Console,
    result: programme.Result,
    walk: Walk,
    operator: Operator,
    mends: Sequence[scenes.Mend],
) -> None:
    """Wait until every event is kept, look, mend, and replay each queue in the way that its path says."""
    result.walked = walk.walked

    def show(live: Live) -> None:
        live.update(programme.walked(walk.walked))

    with (
        _step(console, result, "keep", live=True),
        Live(console=console, transient=True) as live,
    ):
        walk.until_kept(lambda: show(live))
    queues = {one.queue: one.path.replay for one in walk.walked}
    stacks = dict.fromkeys(path.stack for path in walk.paths)
    drained = [queue for queue, replay in queues.items() if replay == "reprocessor"]
    with _step(console, result, "list and show", live=True):
        operator.run(
            *(("list", f"stack:{stack}") for stack in stacks),
            *(("show", queue, "--limit", "1") for queue in queues),
        )
    walk.mend(mends)
    with _step(console, result, "mend and replay", live=True):
        operator.run(*(_replay(queue, replay) for queue, replay in queues.items()))
        with Live(console=console, transient=True) as live:
            walk.until_done(lambda: show(live))
        operator.run(*(("reprocessor", queue, "--off") for queue in drained))


def _replay(queue: str, how: str) -> tuple[str, ...]:
    if how == "reprocessor":
        return ("reprocessor", queue, "--on")
    return ("replay", queue, "--yes", *(("--move-task",) if how == "move-task" else ()))


def _deploy(console: Console, cdk: Cdk, stage: Stage) -> None:
    """Deploy everything and show each stack's state while it changes."""
    names, started = cdk.stacks(), time.monotonic()
    with Live(console=console, transient=True) as live, cdk.deploying() as process:
        while process.poll() is None:
            live.update(programme.progress(names, stage.stacks(), time.monotonic() - started))
            time.sleep(_POLL_SECONDS)


@contextlib.contextmanager
def _step(console: Console, result: programme.Result, name: str, *, live: bool = False) -> Iterator[None]:
    """Show what is being done, then how long it took."""
    started = time.monotonic()
    waiting: Any = contextlib.nullcontext() if live else console.status(f"{name} ...", spinner="line")
    with waiting:
        yield
    result.seconds[name] = time.monotonic() - started
    console.print(f"{name}: {result.seconds[name]:.1f} s")


def _peak_memory(aws: Connection) -> float:
    """Give MiB: of the largest single process, which is Node or Python at work on the application."""
    largest_child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return max(largest_child, float(aws.status()["peakMemoryMiB"]))


def _port(aws: Connection) -> str:
    return aws.endpoint.rsplit(":", 1)[1]


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command. What fails is one message and exit code 2; what was started is stopped by then."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may know fewer letters than a record
    try:
        command(standalone_mode=False)
    except LambdaPatternsError as error:
        click.echo(f"demo: {error}", err=True)
        sys.exit(2)
    except click.ClickException as error:
        click.echo(f"demo: {' '.join(error.format_message().split())}", err=True)
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        click.echo("demo: interrupted; everything that it started has ended", err=True)
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
