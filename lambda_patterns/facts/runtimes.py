"""The runtimes of Lambda and their dates, as of November 2026. A date that AWS has not published is None."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"

NOTICE_DAYS = 180
"""Days before a deprecation at which AWS starts to warn the owners of functions.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""

SNAP_START_MINIMUM: Mapping[str, int] = {"java": 11, "python": 312, "dotnet": 8}
"""The first version of each language that SnapStart takes (`Runtime.version`)."""


class Runtime(NamedTuple):
    """One runtime identifier.

    Args:
        name: the identifier ("python3.13").
        deprecated: the first day without security patches and support.
        create_blocked: the first day on which AWS refuses new functions.
        update_blocked: the first day on which AWS refuses updates.
        successor: the runtime to go to; None for the newest.
    """

    name: str
    deprecated: date | None
    create_blocked: date | None
    update_blocked: date | None
    successor: str | None

    @property
    def language(self) -> str:
        """What comes before the version: "python", "nodejs", "java", "dotnet", "ruby", "go", "provided"."""
        found = re.match(r"[a-z]+", self.name)
        return found.group().replace("dotnetcore", "dotnet") if found else self.name

    @property
    def version(self) -> int:
        """Its version as one comparable number: python3.12 is 312, java21 is 21, nodejs22.x is 22."""
        found = re.match(r"[a-z]+(\d*)(?:\.(\d+))?", self.name)
        major, minor = found.groups() if found else ("", None)
        if self.language in {"python", "ruby"}:
            return int(major or 0) * 100 + int(minor or 0)
        return int(major or 0)

    @property
    def snap_start(self) -> bool:
        """Whether SnapStart takes it: Java 11, Python 3.12, .NET 8 and later, as zip files."""
        first = SNAP_START_MINIMUM.get(self.language)
        return first is not None and self.version >= first


# identifier, deprecated, creation blocked, update blocked, successor
_TABLE = """
dotnet10         2028-11-14 2028-12-14 2029-01-15 -
dotnet8          2026-11-10 2027-02-01 2027-03-03 dotnet10
dotnet6          2024-12-20 2027-02-01 2027-03-03 dotnet10
dotnetcore3.1    2023-04-03 2023-04-03 2023-05-03 dotnet10
dotnetcore2.1    2022-01-05 2022-01-05 2022-04-13 dotnet10
dotnetcore2.0    2019-05-30 2019-04-30 2019-05-30 dotnet10
dotnetcore1.0    2019-06-27 2019-06-30 2019-07-30 dotnet10
go1.x            2024-01-08 2024-02-08 2027-03-03 provided.al2023
java25           2029-06-30 2029-07-31 2029-08-31 -
java21           2029-06-30 2029-07-31 2029-08-31 java25
java17           2027-06-30 2027-07-31 2027-08-31 java25
java11           2027-06-30 2027-07-31 2027-08-31 java25
java8.al2        2027-06-30 2027-07-31 2027-08-31 java25
java8            2024-01-08 2024-02-08 2027-03-03 java25
java17.al2023    - - - -
java11.al2023    - - - -
java8.al2023     - - - -
nodejs26.x       - - - -
nodejs24.x       2028-04-30 2028-06-01 2028-07-01 -
nodejs22.x       2027-04-30 2027-06-01 2027-07-01 nodejs24.x
nodejs20.x       2026-04-30 2027-02-01 2027-03-03 nodejs24.x
nodejs18.x       2025-09-01 2027-02-01 2027-03-03 nodejs24.x
nodejs16.x       2024-06-12 2027-02-01 2027-03-03 nodejs24.x
nodejs14.x       2023-12-04 2024-01-09 2027-03-03 nodejs24.x
nodejs12.x       2023-03-31 2023-03-31 2023-04-30 nodejs24.x
nodejs10.x       2021-07-30 2021-07-30 2022-02-14 nodejs24.x
nodejs8.10       2020-03-06 2020-02-04 2020-03-06 nodejs24.x
nodejs6.10       2019-08-12 2019-07-12 2019-08-12 nodejs24.x
nodejs4.3        2020-03-05 2020-02-03 2020-03-05 nodejs24.x
nodejs4.3-edge   2020-03-05 2019-03-31 2019-04-30 nodejs24.x
nodejs           2016-08-30 2016-09-30 2016-10-31 nodejs24.x
provided.al2023  2029-06-30 2029-07-31 2029-08-31 -
provided.al2     2026-07-31 2027-02-01 2027-03-03 provided.al2023
provided         2024-01-08 2024-02-08 2027-03-03 provided.al2023
python3.15       - - - -
python3.14       2029-06-30 2029-07-31 2029-08-31 -
python3.13       2029-06-30 2029-07-31 2029-08-31 python3.14
python3.12       2028-10-31 2028-11-30 2029-01-10 python3.14
python3.11       2027-06-30 2027-07-31 2027-08-31 python3.14
python3.10       2026-10-31 2027-02-01 2027-03-03 python3.14
python3.9        2025-12-15 2027-02-01 2027-03-03 python3.14
python3.8        2024-10-14 2027-02-01 2027-03-03 python3.14
python3.7        2023-12-04 2024-01-09 2027-03-03 python3.14
python3.6        2022-07-18 2022-07-18 2022-08-29 python3.14
python2.7        2021-07-15 2021-07-15 2022-05-30 python3.14
ruby4.0          2029-03-31 2029-04-30 2029-05-31 -
ruby3.4          2028-03-31 2028-04-30 2028-05-31 ruby4.0
ruby3.3          2027-03-31 2027-04-30 2027-05-31 ruby4.0
ruby3.2          2026-03-31 2027-02-01 2027-03-03 ruby4.0
ruby2.7          2023-12-07 2024-01-09 2027-03-03 ruby4.0
ruby2.5          2021-07-30 2021-07-30 2022-03-31 ruby4.0
"""


@cache
def runtimes() -> dict[str, Runtime]:
    """Give every runtime identifier that AWS has ever accepted for a zip file, by name."""
    known = {}
    for line in _TABLE.strip().splitlines():
        name, *days, successor = line.split()
        deprecated, create, update = (None if day == "-" else date.fromisoformat(day) for day in days)
        known[name] = Runtime(name, deprecated, create, update, None if successor == "-" else successor)
    return known


def runtime(name: str) -> Runtime | None:
    """Find a runtime by its identifier; None if AWS has none of that name."""
    return runtimes().get(name)
