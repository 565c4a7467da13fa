"""The function behind an alias or a version."""

from __future__ import annotations

from aws_cdk import aws_lambda as lambda_


def function_of(given: lambda_.IFunction) -> lambda_.Function | None:
    """Give the function that an alias or version is one of, or itself; None for one that is imported."""
    inner = given
    if isinstance(inner, lambda_.Alias):
        inner = inner.version
    if isinstance(inner, lambda_.Version):
        inner = inner.lambda_
    return inner if isinstance(inner, lambda_.Function) else None
