"""Which runtimes exist, are supported, and take SnapStart."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from lambda_patterns.errors import nearest
from lambda_patterns.facts import limits
from lambda_patterns.facts.runtimes import NOTICE_DAYS, SOURCE, Runtime, runtime, runtimes
from lambda_patterns.model.values import Unknown
from lambda_patterns.rules.limits.ranges import FUNCTION
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource

_FORM = re.compile(r"nodejs\d+\.x|python3\.\d+|java\d+(\.al2023)?|dotnet\d+|ruby\d\.\d|provided\.al\d{4}")
_STEPS_AHEAD = 4


def _functions(deployment: Deployment) -> Iterator[tuple[Resource, str]]:
    """Yield the zip functions whose runtime is known."""
    for function in deployment.of_type(FUNCTION):
        name = function.text("Runtime")
        if isinstance(name, str) and function.text("PackageType", default="Zip") == "Zip":
            yield function, name


def _may_be_new(name: str) -> bool:
    """Whether `name` is the next version or so of a language, which AWS may have added since."""
    if not _FORM.fullmatch(name):
        return False
    new = Runtime(name, None, None, None, None)
    newest = max(
        (known.version for known in runtimes().values() if known.language == new.language), default=0
    )
    return newest < new.version <= newest + _STEPS_AHEAD


def _blocked(deployment: Deployment) -> Iterator[Found]:
    today = deployment.settings.today
    for function, name in _functions(deployment):
        known = runtime(name)
        if known is None:
            if not _may_be_new(name):
                near = nearest(name, runtimes())
                fix = f"write {near}" if near else None
                yield Found(function, ("Runtime",), f"there is no runtime {name!r}", fix)
        elif known.create_blocked and known.create_blocked <= today:
            what = f"{name} cannot be created since {known.create_blocked}"
            yield Found(function, ("Runtime",), what, f"move to {known.successor}")


def _deprecated(deployment: Deployment) -> Iterator[Found]:
    today = deployment.settings.today
    for function, name in _functions(deployment):
        known = runtime(name)
        if (
            known is None
            or known.deprecated is None
            or (known.create_blocked and known.create_blocked <= today)
        ):
            continue
        if known.deprecated <= today + timedelta(days=NOTICE_DAYS):
            past = known.deprecated <= today
            what = (
                f"{name} is deprecated since {known.deprecated}"
                if past
                else (
                    f"{name} is deprecated on {known.deprecated}, in {(known.deprecated - today).days} days"
                )
            )
            until = f"; AWS refuses new functions from {known.create_blocked}" if known.create_blocked else ""
            yield Found(function, ("Runtime",), what + until, f"move to {known.successor}")


def _snap_start(deployment: Deployment) -> Iterator[Found]:
    for function in deployment.of_type(FUNCTION):
        if function.text("SnapStart", "ApplyOn") != "PublishedVersions":
            continue
        path = ("SnapStart", "ApplyOn")
        if function.text("PackageType") == "Image":
            yield Found(function, path, "SnapStart with a container image", subject="package")
            continue
        name = function.text("Runtime")
        known = runtime(name) if isinstance(name, str) else None
        if known is not None and not known.snap_start:
            what = f"SnapStart with {name}, allowed are Java 11, Python 3.12, .NET 8 and later"
            yield Found(function, path, what, subject="runtime")
        systems = function.list("FileSystemConfigs")
        if not isinstance(systems, Unknown) and systems:
            yield Found(function, path, "SnapStart with a mounted file system", subject="file system")
        size = function.number("EphemeralStorage", "Size")
        if isinstance(size, int | float) and size > limits.SNAP_START_STORAGE.high:
            what = f"SnapStart with {size:,} MB of ephemeral storage, allowed are at most 512 MB"
            yield Found(function, path, what, subject="storage")


RULES = (
    Rule(
        name="runtime-blocked",
        topic="limits",
        severity=Severity.ERROR,
        forbids="a runtime that does not exist, or that cannot be created on the day (which can be given)",
        why="Lambda refuses to create a function with it",
        fix="choose a supported runtime",
        source=SOURCE,
        check=_blocked,
        exceptions=(
            "container images, which have no runtime identifier",
            "the next versions of a language, which AWS may have added since",
        ),
    ),
    Rule(
        name="runtime-deprecated",
        topic="limits",
        severity=Severity.WARNING,
        forbids="a runtime that is deprecated on the day, or within 180 days",
        why="a deprecated runtime gets no security patches, and soon its functions cannot be changed",
        fix="move to its successor",
        source=SOURCE,
        check=_deprecated,
        exceptions=("runtimes whose dates AWS has not published",),
    ),
    Rule(
        name="snap-start-refused",
        topic="limits",
        severity=Severity.ERROR,
        forbids="SnapStart with a runtime, package, file system or /tmp that excludes it",
        why="SnapStart takes managed runtimes, no images, no EFS and no more than 512 MB of /tmp",
        fix="take SnapStart off, or take off what excludes it",
        source=limits.SNAP_START_PAGE,
        check=_snap_start,
        exceptions=("SnapStart.ApplyOn: None",),
    ),
)
