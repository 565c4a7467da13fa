"""Assertions on traces, for the tests of those who write templates.

Not modelled: see `solver` and `build`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.errors import ArgumentError, nearest
from lambda_patterns.facts import services
from lambda_patterns.model.network.shown import written
from lambda_patterns.model.network.solver import Internet, Service
from lambda_patterns.model.network.trace import Verdict

if TYPE_CHECKING:
    from lambda_patterns.model.assembly import Assembly
    from lambda_patterns.model.deployment import Deployment, Settings
    from lambda_patterns.model.network.trace import Trace
    from lambda_patterns.model.template import Resource

_INTERNET = {"internet": Internet(), "internet:4": Internet(4), "internet:6": Internet(6)}


def find(deployment: Deployment, name: str) -> Resource:
    """Find a resource by logical id, construct path, or template and logical id ("network.yaml/Function").

    The path of a construct means its default child too: "Orders/ShipOrder" is "Orders/ShipOrder/Resource".

    Raises:
        ArgumentError: where there is none or several of that name.
    """
    template, _, logical_id = name.rpartition("/")
    found = (
        deployment.find(name)
        or deployment.find(f"{name}/Resource")
        or (deployment.find(logical_id, template) if template else None)
    )
    if found is not None:
        return found
    same = [one for one in deployment.resources if one.id == name]
    if same:
        places = ", ".join(f"{one.template}/{one.id}" for one in same)
        raise ArgumentError(f"{name} is in several templates: say {places}")
    names = [one.id for one in deployment.resources] + [
        one.construct_path or "" for one in deployment.resources
    ]
    near = nearest(name, names)
    raise ArgumentError(f"there is no resource {name!r}" + (f": did you mean {near!r}?" if near else ""))


def target(deployment: Deployment, name: str) -> Resource | Internet | Service:
    """Read a target: "internet", the short name of a service's endpoint, or a resource.

    A resource of a service's name is meant itself; "service:sqs" always means the service.

    Raises:
        ArgumentError: where it is none of these.
    """
    if name in _INTERNET:
        return _INTERNET[name]
    if name.startswith("service:"):
        return Service(name.removeprefix("service:"))
    named = deployment.find(name) or deployment.find(f"{name}/Resource")
    if named is None and services.by_name(name) is not None:
        return Service(name)
    return named or find(deployment, name)


def traces(
    assembly: Assembly, source: str, to: str, port: int | None = None, settings: Settings | None = None
) -> tuple[Trace, ...]:
    """Trace in every combination of undecided conditions in which both ends exist.

    Args:
        assembly: what `lambda_patterns.model.assembly.read` gives.
        source: a function's, proxy's or database's logical id or construct path.
        to: "internet", a service ("secretsmanager"), or a resource.
        port: 1-65535. Default: what the target listens on; 443 for the internet and services.
        settings: as for a check.

    Raises:
        ArgumentError: where an end is in no combination, or cannot be traced.
    """
    found: list[Trace] = []
    problem: ArgumentError | None = None
    for deployment in assembly.deployments(settings):
        try:
            ends = find(deployment, source), target(deployment, to)
        except ArgumentError as error:
            problem = problem or error
            continue
        found.append(deployment.network.trace(*ends, port))
    if not found:
        raise problem or ArgumentError(f"{assembly.name} has no deployment in which {source} exists")
    return tuple(found)


def assert_reaches(assembly: Assembly, source: str, to: str, port: int | None = None) -> None:
    """Assert that `source` reaches `to`, from every subnet and under every condition.

    Args:
        assembly: what `lambda_patterns.model.assembly.read` gives.
        source: as for `traces`.
        to: as for `traces`.
        port: as for `traces`.

    Raises:
        AssertionError: with the first path that is blocked or not known, hop by hop.
    """
    _assert(assembly, source, to, port, Verdict.REACHED)


def assert_blocked(assembly: Assembly, source: str, to: str, port: int | None = None) -> None:
    """Assert that `source` is known not to reach `to`; the arguments are those of `assert_reaches`.

    Raises:
        AssertionError: with the first path that is reached or not known, hop by hop.
    """
    _assert(assembly, source, to, port, Verdict.BLOCKED)


def _assert(assembly: Assembly, source: str, to: str, port: int | None, wanted: Verdict) -> None:
    for trace in traces(assembly, source, to, port):
        if trace.verdict is not wanted:
            raise AssertionError(f"expected {wanted}, but:\n" + "\n".join(written(trace)))
