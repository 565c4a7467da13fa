"""The options that the commands of `failures` share: which AWS, which failures, how many, without asking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from lambda_patterns.redrive.aws import Aws
from lambda_patterns.redrive.filters import Filter, expression, point_in_time

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """Which AWS is meant, and how to answer.

    Args:
        target: what the user named.
        profile: the AWS profile.
        region: the Region.
        endpoint_url: another endpoint than AWS's own.
        as_json: answer in JSON.
    """

    target: str
    profile: str | None
    region: str | None
    endpoint_url: str | None
    as_json: bool

    def open(self, connections: int = 16) -> Aws:
        """Make the clients.

        Raises:
            LambdaPatternsError: there is no such profile, or no Region is set.
        """
        return Aws(
            profile=self.profile,
            region=self.region,
            endpoint_url=self.endpoint_url,
            connections=connections + 2,
        )


@dataclass(frozen=True, slots=True)
class Chosen:
    """The filter as it was typed."""

    values: dict[str, Any]
    limit: int | None

    @property
    def is_everything(self) -> bool:
        """Whether nothing narrows it down."""
        return self.limit is None and not any(self.values.values())

    def filter(self) -> Filter:
        """Compile it.

        Raises:
            ArgumentError: a time or an expression that is none.
        """
        given, now = self.values, datetime.now(UTC)
        return Filter(
            function=given["function"],
            error=given["error"],
            condition=given["condition"],
            shape=given["shape"],
            after=point_in_time(given["after"], now) if given["after"] else None,
            before=point_in_time(given["before"], now) if given["before"] else None,
            contains=given["contains"],
            where=expression(given["where"]) if given["where"] else None,
            ids=frozenset(given["ids"]),
        )


def _stacked(
    options: list[Callable[[Any], Any]], gather: Callable[[dict[str, Any]], None]
) -> Callable[[Any], Any]:
    """Make one decorator of several options, whose values `gather` folds into one argument."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def called(**given: Any) -> Any:  # noqa: ANN401  # click passes what the options say
            gather(given)
            return function(**given)

        for option in reversed(options):
            called = option(called)
        return called

    return decorate


def _gather_aws(given: dict[str, Any]) -> None:
    names = ("target", "profile", "region", "endpoint_url", "as_json")
    given["aws"] = AwsSettings(**{name: given.pop(name) for name in names})


def _gather_chosen(given: dict[str, Any]) -> None:
    names = ("function", "error", "condition", "shape", "after", "before", "contains", "where", "ids")
    given["chosen"] = Chosen({name: given.pop(name) for name in names}, given.pop("limit"))


aws_options = _stacked(
    [
        click.argument("target"),
        click.option("--profile", help="The AWS profile. [default: the environment's]"),
        click.option("--region", help="The AWS Region. [default: the environment's or the profile's]"),
        click.option("--endpoint-url", envvar="AWS_ENDPOINT_URL", help="Another endpoint: the embedded AWS."),
        click.option("--json", "as_json", is_flag=True, help="Answer in JSON."),
    ],
    _gather_aws,
)


def choosing_options(limit: int | None) -> Callable[[Any], Any]:
    """Make the options that choose failures.

    Args:
        limit: how many at most, if the user does not say.
    """
    return _stacked(
        [
            click.option(
                "--function", help="Only of this function, or pattern: orders, orders:live, orders-*."
            ),
            click.option("--error", help="Only of this error type, or pattern: KeyError, *Timeout*."),
            click.option("--condition", help="Only of this condition, or pattern: EventAgeExceeded."),
            click.option(
                "--shape",
                type=click.Choice(
                    ["destination", "stream", "dead-letter", "undelivered", "notification", "message"]
                ),
                help="Only what is held in this shape.",
            ),
            click.option(
                "--after", metavar="TIME", help="Failed then or later: 2026-11-24T09:00 (UTC), or 2h ago."
            ),
            click.option("--before", metavar="TIME", help="Failed earlier than that."),
            click.option("--contains", metavar="TEXT", help="Only events in which this text stands."),
            click.option(
                "--where", metavar="JMESPATH", help="Only events for which this expression is true."
            ),
            click.option("--id", "ids", multiple=True, help="Only the message of this id; may be repeated."),
            click.option(
                "--limit",
                type=click.IntRange(1),
                default=limit,
                show_default=True,
                help="At most so many.",
            ),
        ],
        _gather_chosen,
    )


yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
