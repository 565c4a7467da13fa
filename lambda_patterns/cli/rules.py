"""`lambda-patterns rules`: the catalogue, or one rule explained."""

from __future__ import annotations

import click


@click.command("rules")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List all rules, or explain the rule NAME."""
    from lambda_patterns.rules.catalogue import RULES, find  # noqa: PLC0415  # --help needs none of it

    if name:
        from lambda_patterns.rules.pages import explanation  # noqa: PLC0415

        click.echo(explanation(find(name)))
        return
    width = max(len(rule.name) for rule in RULES)
    for topic in sorted({rule.topic for rule in RULES}):
        click.echo(click.style(topic, bold=True))
        for rule in RULES:
            if rule.topic == topic:
                click.echo(f"  {rule.name:{width}}  {rule.severity.value:7}  {rule.forbids}")
