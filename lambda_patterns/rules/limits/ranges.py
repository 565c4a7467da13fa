"""A property held against a `Limit`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.model.coercions import as_number
from lambda_patterns.model.values import Unknown, plain
from lambda_patterns.rules.rule import Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.facts.limit import Limit
    from lambda_patterns.model.template import Resource

FUNCTION = "AWS::Lambda::Function"


def out_of_range(limit: Limit, resource: Resource, *path: str | int) -> Iterator[Found]:
    """Yield a finding if the property at `path` is known and refused; text that is a number counts as one."""
    value = resource.get(*path)
    if value is None:
        return
    number = as_number(value)
    if isinstance(number, Unknown) and plain(value) is None:
        return
    if problem := limit.problem(value if isinstance(number, Unknown) else number):
        yield Found(resource, path, problem, why=limit.why)


def too_many(limit: Limit, resource: Resource, *path: str | int) -> Iterator[Found]:
    """Yield a finding if the list at `path` has more items than `limit` allows."""
    items = resource.list(*path)
    if not isinstance(items, Unknown) and len(items) > limit.high:
        yield Found(resource, path, limit.problem(len(items)) or "", why=limit.why)
