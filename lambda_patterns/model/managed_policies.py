"""The AWS managed policies that our users' roles carry: what each grants, from a dated table."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_patterns.model.values import Raw


@cache
def _table() -> Raw:
    text = files("lambda_patterns.model").joinpath("managed_policies.json").read_text("utf-8")
    policies: Raw = json.loads(text)["policies"]
    return policies


def statements(arn_tail: str) -> list[Raw] | None:
    """The statements of the policy ``arn:aws:iam::aws:policy/<arn_tail>``, None where it is not known."""
    found = _table().get(arn_tail)
    return None if found is None else found["Statement"]
