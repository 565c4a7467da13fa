"""`lambda-patterns rules`: the catalogue, or one rule explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from lambda_patterns.rules.rule import Rule


def explanation(rule: Rule) -> str:
    """Write for a terminal what `rule` forbids, why, how to mend it, and when it stays silent."""
    lines = [
        f"{rule.name} ({rule.severity.value}, {rule.topic})",
        f"  what must not be: {rule.forbids}",
        f"  why: {rule.why}",
        f"  fix: {rule.fix}",
        *(f"  silent on: {exception}" for exception in rule.exceptions),
        f"  source: {rule.source}",
    ]
    return "\n".join(lines)


@click.command("rules")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List all rules, or explain the rule NAME."""
    from lambda_patterns.rules.catalogue import RULES, find

    if name:
        click.echo(explanation(find(name)))
        return
    width = max(len(rule.name) for rule in RULES)
    for topic in sorted({rule.topic for rule in RULES}):
        click.echo(click.style(topic, bold=True))
        for rule in RULES:
            if rule.topic == topic:
                click.echo(f"  {rule.name:{width}}  {rule.severity.value:7}  {rule.forbids}")
