"""The values of a template once its intrinsic functions are followed.

A value is plain JSON (None, bool, int, float, str, list, dict) except where it names something:

* `Reference`: another resource, or one of its attributes. Never resolved to a made-up physical id.
* `Text`: a string of which some parts are references or unknown (from Fn::Sub, Fn::Join).
* `Unknown`: what cannot be known before deployment, with the reason. It flows: whatever is computed from it
  is unknown too, no rule takes it for wrong, and no proof takes it for reached or permitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_patterns.model.template import Resource


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that deployment decides. `why` names what decides it ("parameter VpcId has no default")."""

    why: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A resource of the deployment (`attribute` None: its Ref), or one of its attributes (Fn::GetAtt)."""

    resource: Resource
    attribute: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A string with parts that are not plain: ``arn:aws:sqs:`` + Unknown + ``:orders``."""

    parts: tuple[str | Reference | Unknown, ...]


Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"] | Reference | Text | Unknown
