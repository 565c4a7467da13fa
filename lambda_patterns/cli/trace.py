"""`lambda-patterns trace`: one connection, hop by hop, or what stops it."""

from __future__ import annotations

import json

import click

from lambda_patterns.cli.regions import region_name

# exit code by verdict: 0 reached, 1 blocked, 3 not known (2 is bad input, as everywhere)
_EXIT = {"reached": 0, "blocked": 1, "unknown": 3}


@click.command("trace")
@click.argument("template", type=click.Path())
@click.argument("source")
@click.argument("target")
@click.option("--port", type=click.IntRange(1, 65535), help="Default: what the target listens on, or 443.")
@click.option("--region", callback=region_name, help="The Region, where the stack does not say it.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of traces as JSON.")
@click.pass_context
def command(  # noqa: PLR0913, PLR0917  # each is one argument or option
    context: click.Context,
    template: str,
    source: str,
    target: str,
    port: int | None,
    region: str | None,
    *,
    as_json: bool,
) -> None:
    """Trace a connection from SOURCE to TARGET in TEMPLATE.

    TEMPLATE is a CloudFormation or SAM template or a cdk.out folder. SOURCE is a function, proxy, database
    or instance, by logical id or construct path. TARGET is "internet" ("internet:6" for IPv6 alone), the
    short name of a service's endpoint ("secretsmanager"), or a resource.

    The exit code is 0 where it is reached, 1 where it is blocked, 3 where the template does not tell, 2 for
    bad input. Where conditions are undecided, each outcome is traced and the worst counts.
    """
    from lambda_patterns.model.assembly import read
    from lambda_patterns.model.deployment import Settings
    from lambda_patterns.model.network.assertions import traces
    from lambda_patterns.model.network.shown import data, written

    found = traces(read(template), source, target, port, Settings(region=region))
    distinct = list(dict.fromkeys(found))
    if as_json:
        click.echo(json.dumps([data(trace) for trace in distinct], indent=2))
    else:
        for index, trace in enumerate(distinct):
            if index:
                click.echo("")
            click.echo("\n".join(written(trace)))
    verdicts = {trace.verdict.value for trace in distinct}
    worst = next(name for name in ("blocked", "unknown", "reached") if name in verdicts)
    context.exit(_EXIT[worst])
