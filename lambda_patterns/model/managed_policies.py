"""The AWS managed policies that our users' roles carry: what each grants, from a dated table.

Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html

Not modelled: policies that are not in the table, and what AWS changed in one since the table's date.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lambda_patterns.model.values import Raw


class ManagedPolicy(NamedTuple):
    """One policy that AWS maintains.

    Attributes:
        statements: what it allows, as AWS documents it.
        about: the services (by the short names of their endpoints) whose use it is attached for; () for what
            Lambda itself uses, and for those that allow everything.
        complete: whether `statements` is all of it; what is left out may be allowed or not.
    """

    statements: list[Raw]
    about: tuple[str, ...]
    complete: bool


@cache
def _table() -> dict[str, ManagedPolicy]:
    text = Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
    return {
        name: ManagedPolicy(row["Statement"], tuple(row["about"]), row["complete"])
        for name, row in json.loads(text)["policies"].items()
    }


def managed_policy(name: str) -> ManagedPolicy | None:
    """The policy ``arn:aws:iam::aws:policy/<name>``, None where the table has it not."""
    return _table().get(name)
