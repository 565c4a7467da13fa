"""How much concurrency is kept ready: a fixed number, by the clock, or following what is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts.limit import Limit
from lambda_patterns.facts.limits import PROVISIONED_PAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import TimeZone
    from aws_cdk import aws_applicationautoscaling as scaling

_UTILIZATION = Limit(
    "target",
    0.1,
    0.9,
    "of the environments",
    "Application Auto Scaling takes targets in this range for Lambda",
    PROVISIONED_PAGE,
    whole=False,
)


@dataclass(frozen=True, slots=True)
class FixedConcurrency:
    """So many environments are always ready.

    Args:
        environments: how many. What is needed is the requests of a second times the seconds of one; AWS
            advises a tenth more.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
    """

    environments: int

    @property
    def least(self) -> int:
        """The fewest environments at any time."""
        return self.environments

    @property
    def most(self) -> int:
        """The most environments at any time."""
        return self.environments


@dataclass(frozen=True, slots=True)
class ScheduledConcurrency:
    """So many environments are ready from each of several times on.

    Args:
        changes: name -> (when, how many from then on): ``{"Morning": (Schedule.cron(hour="7",
            minute="45"), 20)}``. 0 makes none ready. Provisioning takes minutes: let a change come before
            the traffic does.
        initially: how many before the first change comes. Default 0: the first change decides.
        time_zone: the time zone of the times. Default UTC, as AWS has it.
    """

    changes: dict[str, tuple[scaling.Schedule, int]]
    initially: int = 0
    time_zone: TimeZone | None = None

    @property
    def least(self) -> int:
        """The fewest environments at any time."""
        return min(self.initially, *(environments for _, environments in self.changes.values()))

    @property
    def most(self) -> int:
        """The most environments at any time."""
        return max(self.initially, *(environments for _, environments in self.changes.values()))

    def __post_init__(self) -> None:
        if not self.changes:
            raise ArgumentError(
                "concurrency: a ScheduledConcurrency has at least one change; a fixed number is "
                "FixedConcurrency(n)"
            )


@dataclass(frozen=True, slots=True)
class FollowedConcurrency:
    """As many environments are ready as are used, and some to spare.

    Args:
        least: the fewest. At least 1: where none is ready, none is used, and nothing shows that more are
            needed.
        most: the most.
        target: the share of the ready environments that should be in use, 0.1-0.9. Default 0.7: three of
            ten to spare, because the measure is the average of a minute and new environments take minutes.
    """

    least: int
    most: int
    target: float = 0.7

    def __post_init__(self) -> None:
        _UTILIZATION.check(self.target, "concurrency: target")
        if not 1 <= self.least <= self.most:
            raise ArgumentError(
                f"concurrency: least is {self.least} and most is {self.most}, allowed are 1 <= least <= most "
                f"({PROVISIONED_PAGE})"
            )


Concurrency = FixedConcurrency | ScheduledConcurrency | FollowedConcurrency


def check_concurrency(
    concurrency: Concurrency, *, reserved: float | None, account_concurrency: int, unreserved: int
) -> None:
    """Refuse what AWS would refuse when the alias is deployed.

    Args:
        concurrency: what is asked for.
        reserved: the function's reservation, or None.
        account_concurrency: the account's quota of concurrent executions in the Region.
        unreserved: how many of these have to stay unreserved.

    Raises:
        ArgumentError: more is asked for than the reservation or the account allows, or less than 1.
    """
    numbers: Sequence[int] = (concurrency.least, concurrency.most)
    if any(isinstance(number, bool) or not isinstance(number, int) or number < 0 for number in numbers):
        raise ArgumentError(f"concurrency is {concurrency}, allowed are whole numbers of environments")
    if concurrency.most < 1:
        raise ArgumentError(f"concurrency is 0 environments, allowed are 1 and more ({PROVISIONED_PAGE})")
    if reserved is not None:
        if concurrency.most > reserved:
            raise ArgumentError(
                f"concurrency is up to {concurrency.most} environments, the function reserves {reserved:g}: "
                f"provisioned concurrency comes out of the reservation ({PROVISIONED_PAGE})"
            )
        return
    if concurrency.most > account_concurrency - unreserved:
        raise ArgumentError(
            f"concurrency is up to {concurrency.most} environments, the account has {account_concurrency:,}, "
            f"of which {unreserved} stay unreserved: ask for more and give it as account_concurrency= "
            f"({PROVISIONED_PAGE})"
        )
