"""`lambda-patterns local`: an embedded AWS that goes on running, for boto3, the AWS command line and cdk."""

from __future__ import annotations

import click

from lambda_patterns.cli.regions import region_name

_PORT = click.option(
    "--port", type=click.IntRange(1, 65535), help="Which one, where several run. Default: the only one."
)


@click.group()
def command() -> None:
    """Start, stop and question the embedded AWS: MiniStack behind a launcher, on 127.0.0.1 alone."""


@command.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=4566,
    show_default=True,
    help="Port on 127.0.0.1, as other local stand-ins for AWS have it; 0 takes a free one.",
)
@click.option(
    "--retry-seconds",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Wait before the first retry of an asynchronous invocation, where AWS waits 60.",
)
@click.option(
    "--region",
    callback=region_name,
    default="us-east-1",
    show_default=True,
    help="Region of requests that name none.",
)
def start(port: int, retry_seconds: float, region: str) -> None:
    """Start one and say how to use it."""
    from rich.console import Console

    from lambda_patterns.local import background, show
    from lambda_patterns.local.settings import Settings

    console = Console()
    running = background.start(Settings(port=port, retry_seconds=retry_seconds, region=region))
    console.print(f"the embedded AWS answers on {running.endpoint} (process {running.pid})")
    show.how_to_use(console, running.connection())
    console.print(f"end it with: lambda-patterns local stop --port {running.port}", highlight=False)


@command.command()
@_PORT
def status(port: int | None) -> None:
    """Show what runs, and what of it is only recorded."""
    from rich.console import Console

    from lambda_patterns.local import background, show

    console = Console()
    chosen = [background.one(port)] if port is not None else background.every() or [background.one(None)]
    for index, running in enumerate(chosen):
        if index:
            console.print()
        show.status(console, running, responds=background.responds(running))


@command.command()
@_PORT
def stop(port: int | None) -> None:
    """End one with everything that it started."""
    from lambda_patterns.local import background

    running = background.one(port)
    background.stop(running)
    click.echo(f"the embedded AWS on port {running.port} has ended")


@command.command()
@_PORT
def reset(port: int | None) -> None:
    """Forget every resource of one, as if just started."""
    from lambda_patterns.local import background

    running = background.one(port)
    running.connection().reset()
    click.echo(f"the embedded AWS on port {running.port} is empty")
