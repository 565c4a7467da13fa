"""The values of a template once its intrinsic functions are followed.

A value is plain JSON (None, bool, int, float, str, list, dict) except where it names something:

* `Reference`: another resource, or one of its attributes. Never resolved to a made-up physical id.
* `Text`: a string of which some parts are references or unknown (from Fn::Sub, Fn::Join).
* `Zone`: an Availability Zone of which only the place in its Region's list is known (Fn::Select of
  Fn::GetAZs).
* `Unknown`: what cannot be known before deployment, with the reason. It flows: whatever is computed from it
  is unknown too, no rule takes it for wrong, and no proof takes it for reached or permitted.

Two values are compared with `same`, which knows three answers; ``==`` only says that they are written alike.

Not modelled: relations between unknown values (a parameter that must differ from another).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_patterns.model.template import Resource


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that deployment decides.

    Args:
        why: what decides it ("parameter VpcId of network.yaml has no default").
        name: what identifies it, where one thing decides it ("AWS::Region", "network.yaml:VpcId"): two
            unknowns of one name are the same value. Default "": nothing is known about it, not even that.
    """

    why: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A resource of the deployment (`attribute` None: its Ref), or one of its attributes (Fn::GetAtt).

    One element of an attribute that was split is written with the delimiter and its index: ``DBProxyArn:6``
    is ``Fn::Select [6, Fn::Split [":", Fn::GetAtt [..., DBProxyArn]]]``; of a Ref it is ``Ref:6``.
    """

    resource: Resource
    attribute: str | None = None


@dataclass(frozen=True, slots=True)
class Zone:
    """The Availability Zone at `index` of those that Fn::GetAZs gives for `region`, whatever its name."""

    region: str | Unknown
    index: int


@dataclass(frozen=True, slots=True)
class Text:
    """A string with parts that are not plain: ``arn:aws:sqs:`` + Unknown + ``:orders``.

    Neighbouring strings are one part, no part is empty, and at least one part is not a string.
    """

    parts: tuple[str | Reference | Zone | Unknown, ...]


Answer = bool | None
"""True, False, or None where it cannot be known."""

Json = Any
"""JSON as it was written, of any shape."""

Raw = dict[str, Json]
"""A mapping as it was written."""

Value = (
    None | bool | int | float | str | list["Value"] | dict[str, "Value"] | Reference | Text | Zone | Unknown
)


def plain(value: Value) -> str | None:
    """Write a scalar as CloudFormation does (true, 128, 0.5), or None for what is no known scalar."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None


def references(value: Value) -> list[Reference]:
    """Give a reference, or those in a text."""
    if isinstance(value, Text):
        return [part for part in value.parts if isinstance(part, Reference)]
    return [value] if isinstance(value, Reference) else []


def same(left: Value, right: Value) -> Answer:
    """Say whether two values are the same once deployed: True, False, or None where that cannot be known.

    Scalars are compared as CloudFormation compares them, as text: ``true`` is ``"true"``. References to two
    different resources differ; two elements of one Region's zones differ.
    """
    written = plain(left), plain(right)
    if None not in written:
        return written[0] == written[1]
    match left, right:
        case Unknown(), Unknown():
            return True if left == right and left.name else None
        case Zone(), Zone():
            return left.index == right.index if same(left.region, right.region) else None
        case Reference(), Reference():
            return _same_reference(left, right)
        case Text(), Text():
            named = all(part.name for part in left.parts if isinstance(part, Unknown))
            return True if named and left == right else None
        case _:
            return _same_structure(left, right)


def _same_reference(left: Reference, right: Reference) -> Answer:
    one, other = _identified_by(left), _identified_by(right)
    if one != other:
        return None
    if left.resource is right.resource:
        return True
    return False if one is None or one.endswith("Arn") else None


def _same_structure(left: Value, right: Value) -> Answer:
    if isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            return False
        return every(same(one, other) for one, other in zip(left, right, strict=True))
    if isinstance(left, dict) and isinstance(right, dict):
        if left.keys() != right.keys():
            return False
        return every(same(value, right[key]) for key, value in left.items())
    decided_later = Unknown, Zone, Reference, Text
    if isinstance(left, decided_later) or isinstance(right, decided_later):
        return None
    return left is right


def _identified_by(reference: Reference) -> str | None:
    """Write a resource's own id as its Ref, which it is in all of EC2 (VpcId of a VPC, for one)."""
    attribute, type_ = reference.attribute, reference.resource.type
    if attribute is None or not type_.startswith("AWS::EC2::"):
        return attribute
    own = {"id", "groupid", type_.rpartition("::")[2].lower() + "id"}
    return None if attribute.lower() in own else attribute


def every(answers: Iterable[Answer]) -> Answer:
    """False if one is False, else None if one is None, else True."""
    result: Answer = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            result = None
    return result


def some(answers: Iterable[Answer]) -> Answer:
    """True if one is True, else None if one is None, else False."""
    result: Answer = False
    for answer in answers:
        if answer:
            return True
        if answer is None:
            result = None
    return result
