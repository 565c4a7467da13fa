"""`lambda-patterns check`: templates and cloud assemblies, judged by the rules."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from lambda_patterns.cli.regions import region_name
from lambda_patterns.cli.reports import FORMATS, render
from lambda_patterns.errors import ArgumentError, LambdaPatternsError
from lambda_patterns.rules.rule import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_patterns.model.deployment import Settings
    from lambda_patterns.rules.finding import Report
    from lambda_patterns.rules.rule import Rule

_CONFIGURABLE = ("only", "ignore", "fail-on", "quotas", "region", "account")
_LISTS = {"only", "ignore"}


def _configuration(context: click.Context, _parameter: click.Parameter, value: Path | None) -> Path | None:
    """Take defaults from the table [tool.lambda-patterns] of a pyproject.toml."""
    path = value or Path("pyproject.toml")
    if not path.is_file():
        if value is not None:
            raise LambdaPatternsError(f"--config: {path} is not there")
        return None
    table = _table(path)
    if table is None:
        if value is not None:
            raise LambdaPatternsError(f"--config: {path} has no table [tool.lambda-patterns]")
        return None
    where = f"{path}: [tool.lambda-patterns]"
    if unknown := sorted(table.keys() - set(_CONFIGURABLE)):
        raise LambdaPatternsError(f"{where} has {unknown[0]!r}, allowed are {', '.join(_CONFIGURABLE)}")
    for name, given in table.items():
        texts = given if name in _LISTS and isinstance(given, list) else [given]
        if not all(isinstance(text, str) for text in texts):
            allowed = "a text or a list of texts" if name in _LISTS else "a text"
            raise LambdaPatternsError(f"{where} {name} is {given!r}, allowed is {allowed}")
        setting = texts if name in _LISTS else given
        context.default_map = {**(context.default_map or {}), name.replace("-", "_"): setting}
    return value


def _table(path: Path) -> dict[str, object] | None:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise LambdaPatternsError(f"{path}: is no UTF-8: {error.reason} at byte {error.start}") from None
    if "lambda-patterns" not in text:
        return None
    import tomllib

    try:
        table: object = tomllib.loads(text).get("tool", {}).get("lambda-patterns")
    except (tomllib.TOMLDecodeError, AttributeError) as error:
        raise LambdaPatternsError(f"{path}: is no TOML with [tool.lambda-patterns]: {error}") from None
    if table is not None and not isinstance(table, dict):
        raise LambdaPatternsError(f"{path}: tool.lambda-patterns is {table!r}, allowed is a table")
    return table


def _names(_context: click.Context, _parameter: click.Parameter, value: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.strip() for given in value for name in given.split(",") if name.strip())


@click.command("check")
@click.argument("paths", nargs=-1)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_configuration,
    is_eager=True,
    expose_value=False,
    help="A pyproject.toml with defaults in [tool.lambda-patterns]. Default: that of this folder.",
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the report there.")
@click.option(
    "--only", multiple=True, callback=_names, help="Ask these rules alone (comma-separated, or again)."
)
@click.option("--ignore", multiple=True, callback=_names, help="Do not ask these rules.")
@click.option(
    "--fail-on",
    type=click.Choice([severity.value for severity in Severity]),
    default="error",
    show_default=True,
    help="The least severity that ends with exit code 1.",
)
@click.option("--strict", is_flag=True, help="Short for --fail-on warning.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="The day that runtimes are judged on.")
@click.option(
    "--quotas",
    "--quota-profile",
    type=click.Choice(["default", "new-account"]),
    default="default",
    show_default=True,
    help="The account's quotas: 1,000 concurrent executions, or a new account's 10 and 3,008 MB.",
)
@click.option("--region", callback=region_name, help="The Region of stacks that do not name one.")
@click.option("--account", help="The account (12 digits) of stacks that do not name one.")
@click.option("--joined", is_flag=True, help="Read all PATHS as the stacks of one application.")
@click.option("--explain", metavar="RULE", help="Print what a rule forbids, why, and how to mend it.")
@click.pass_context
def command(  # noqa: PLR0913  # one argument an option, which click gives by name
    context: click.Context,
    paths: tuple[str, ...],
    *,
    form: str,
    output: Path | None,
    only: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str,
    strict: bool,
    today: datetime | None,
    quotas: Literal["default", "new-account"],
    region: str | None,
    account: str | None,
    joined: bool,
    explain: str | None,
) -> None:
    """Judge PATHS: templates (JSON, YAML, SAM), cdk.out folders, folders, patterns, or - for standard input.

    Exit code 0: nothing at or above --fail-on. 1: findings. 2: something given is wrong.
    """
    from lambda_patterns.model.deployment import Settings
    from lambda_patterns.rules.catalogue import find, select

    if explain:
        from lambda_patterns.cli.rules import explanation

        click.echo(explanation(find(explain)))
        return
    if not paths:
        raise LambdaPatternsError(
            "no PATHS: give a template, the folder that `cdk synth` wrote (cdk.out), or -"
        )
    if account is not None and not re.fullmatch(r"\d{12}", account):
        raise ArgumentError(f"--account is {account!r}, an account has 12 digits")
    day = today.date() if today else date.today()  # noqa: DTZ011  # the user's own day is meant
    report = _report(paths, Settings(day, quotas, region, account), select(only, ignore), joined=joined)
    # a template may hold halves of surrogate pairs, which no file can
    written = render(report, form).encode(errors="backslashreplace").decode()
    if output is None:
        click.echo(written)
    else:
        _write(output, written)
    if report.reaching(Severity.WARNING if strict and fail_on == "error" else Severity(fail_on)):
        context.exit(1)


def _report(paths: tuple[str, ...], settings: Settings, rules: tuple[Rule, ...], *, joined: bool) -> Report:
    from lambda_patterns.cli.inputs import assemblies
    from lambda_patterns.rules.engine import check
    from lambda_patterns.rules.finding import Report

    reports = [check(assembly, settings, rules) for assembly in assemblies(paths, joined=joined)]
    checked: dict[str, int] = dict.fromkeys(("templates", "resources", "deployments"), 0)
    for each in reports:
        for name in checked:
            checked[name] += each.checked[name]
    findings = tuple(finding for each in reports for finding in each.findings)
    return Report(findings, {**checked, "rules": len(rules)})


def _write(output: Path, written: str) -> None:
    try:
        output.write_text(f"{written}\n", encoding="utf-8")
    except OSError as error:
        raise LambdaPatternsError(f"--output {output}: cannot be written: {error.strerror}") from None
