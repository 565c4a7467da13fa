"""What a distribution calls at the edge: Lambda@Edge functions and CloudFront Functions, by event.

Not modelled: distributions of another account or template, behaviors that are decided at deployment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.model.values import Unknown, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

PRINCIPAL = "edgelambda.amazonaws.com"
_FUNCTION = "AWS::Lambda::Function"
_DISTRIBUTION = "AWS::CloudFront::Distribution"


class Behavior(NamedTuple):
    """One cache behavior of a distribution: its path, and what it calls at which event."""

    distribution: Resource
    path: tuple[str | int, ...]
    lambdas: list[tuple[int, str | None, Value]]
    functions: list[tuple[int, str | None]]


def behaviors(deployment: Deployment) -> Iterator[Behavior]:
    """Every cache behavior of every distribution."""
    for distribution in deployment.of_type(_DISTRIBUTION):
        paths: list[tuple[str | int, ...]] = [("DistributionConfig", "DefaultCacheBehavior")]
        more = distribution.list("DistributionConfig", "CacheBehaviors")
        if not isinstance(more, Unknown):
            paths += [("DistributionConfig", "CacheBehaviors", index) for index in range(len(more))]
        for path in paths:
            lambdas = [
                (index, _event(item), item.get("LambdaFunctionARN"))
                for index, item in _items(distribution, *path, "LambdaFunctionAssociations")
            ]
            functions = [
                (index, _event(item)) for index, item in _items(distribution, *path, "FunctionAssociations")
            ]
            yield Behavior(distribution, path, lambdas, functions)


def _items(resource: Resource, *path: str | int) -> Iterator[tuple[int, dict[str, Value]]]:
    listed = resource.list(*path)
    for index, item in enumerate([] if isinstance(listed, Unknown) else listed):
        if isinstance(item, dict):
            yield index, item


def _event(association: dict[str, Value]) -> str | None:
    return plain(association.get("EventType"))


def _of_version(deployment: Deployment, arn: Value) -> Resource | None:
    """Find the function behind the ARN of a version, an alias, or the function itself."""
    named = deployment.resource_of(arn)
    if named is None or named.type == _FUNCTION:
        return named
    return deployment.resource_of(named.get("FunctionName"), _FUNCTION)


def trusts_edge(role: Resource) -> bool | None:
    """Say whether a role trusts the edge; None where its trust is not known."""
    document = role.get("AssumeRolePolicyDocument")
    statements = document.get("Statement") if isinstance(document, dict) else document
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal") if isinstance(statement, dict) else statement
        services = principal.get("Service", []) if isinstance(principal, dict) else principal
        for service in services if isinstance(services, list) else [services]:
            if service in (PRINCIPAL, "*"):
                return True
            if not isinstance(service, str):
                return None
    return False


def edge_functions(deployment: Deployment) -> dict[Resource, set[str | None]]:
    """Give the functions used at the edge, with the events that they are used for.

    A function whose role trusts the edge is one too, with no event: a distribution elsewhere uses it.
    """
    found: dict[Resource, set[str | None]] = {}
    for behavior in behaviors(deployment):
        for _, event, arn in behavior.lambdas:
            function = _of_version(deployment, arn)
            if function is not None:
                found.setdefault(function, set()).add(event)
    for function in deployment.of_type(_FUNCTION):
        role = function.resource("Role")
        if role is not None and role.type == "AWS::IAM::Role" and trusts_edge(role):
            found.setdefault(function, set())
    return found
