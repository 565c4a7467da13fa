"""Whether an IAM pattern speaks of an action or a resource: True, False, or None where it cannot be known.

Both sides of a resource match may be an ARN that is written out, a reference to a resource, or a text with
references in it. A reference that is an ARN is first written as the ARN that the resource will have: its
service, its stack's Region and account, and its physical name, which stays the reference where it is
generated. Then the ARNs are compared segment by segment. Two different resources of one type have different
names; a name that CloudFormation generates ends in signs that nobody writes by chance, so a written one that
does not look so is another's, and one that does is not known.

Not modelled: policy variables (``${aws:username}``), which are compared as they are written.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from lambda_patterns.model.names import NAMED_BY
from lambda_patterns.model.texts import arn_segments, join
from lambda_patterns.model.values import Reference, Text, Unknown, every, plain

if TYPE_CHECKING:
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Answer, Value

_SEGMENTS = 6
_LONGEST = 250_000
_REF_IS_ARN = frozenset(
    {
        "AWS::IAM::ManagedPolicy", "AWS::Lambda::Alias", "AWS::Lambda::LayerVersion", "AWS::Lambda::Version",
        "AWS::SNS::Topic", "AWS::SecretsManager::Secret", "AWS::StepFunctions::StateMachine",
    }
)  # fmt: skip
_GENERATED = {"AWS::KMS::Key": ("kms", "key/")}
_NOWHERE = frozenset({"s3", "iam"})
_IDS = {
    ("AWS::RDS::DBInstance", "DbiResourceId"): "db-",
    ("AWS::RDS::DBCluster", "DBClusterResourceId"): "cluster-",
    ("AWS::RDS::DBProxy", "DBProxyArn:6"): "prx-",
}
"""What the ids that AWS gives begin with; no two resources have the same."""
_RANDOM = re.compile(r"[0-9A-Za-z]{12}")

Token = str | Reference | Unknown


def matches_action(pattern: Value, action: str) -> Answer:
    """Whether an Action ("sqs:Send*", "*") covers an action, or all of a pattern; case does not count."""
    return _covers(pattern, action) if isinstance(pattern, str) else None


@lru_cache(maxsize=16_384)
def _covers(pattern: str, action: str) -> Answer:
    return _fits(pattern.lower(), action.lower())


def _fits(pattern: str, text: str) -> Answer:
    """Whether a pattern covers a text; of a text with wildcards: all of it, some of it (None), or nothing."""
    if pattern == "*" or _matches(pattern, text):
        return True
    return None if ("*" in text or "?" in text) and _overlap(pattern, text) else False


def _overlap(one: str, other: str) -> bool:
    """Whether some text is matched by both of two patterns, or they are too long to tell."""
    if len(one) * len(other) > _LONGEST:
        return True
    reached = {0}  # how much of `other` may be matched by what of `one` was read
    for sign in (*one, ""):
        spread = set(reached)
        for start in reached:
            end = start
            while end < len(other) and other[end] == "*":
                end += 1
                spread.add(end)
        if sign == "":
            return len(other) in spread
        if sign == "*":
            reached = set(range(min(spread, default=len(other) + 1), len(other) + 1))
            continue
        reached = {place + 1 for place in spread if place < len(other) and _meets(sign, other[place])}
        reached |= {place for place in spread if place < len(other) and other[place] == "*"}
    return False


def _meets(sign: str, other: str) -> bool:
    return other != "*" and (sign == other or "?" in (sign, other))


def _matches(pattern: str, text: str) -> bool:
    """Match the pieces between stars from left to right, each as early as it fits: never slow."""
    first, *pieces = pattern.split("*")
    if not pieces:
        return len(first) == len(text) and _at(first, text, 0)
    last = pieces.pop()
    position, end = len(first), len(text) - len(last)
    if end < position or not _at(first, text, 0) or not _at(last, text, end):
        return False
    for piece in pieces:
        found = _find(piece, text, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return True


def _find(piece: str, text: str, position: int, end: int) -> int:
    if "?" not in piece:
        return text.find(piece, position, end)
    starts = range(position, end - len(piece) + 1)
    return next((start for start in starts if _at(piece, text, start)), -1)


def _at(piece: str, text: str, position: int) -> bool:
    if "?" not in piece:
        return text.startswith(piece, position)
    part = text[position : position + len(piece)]
    return len(part) == len(piece) and all(
        sign in ("?", other) for sign, other in zip(piece, part, strict=True)
    )


def matches_resource(pattern: Value, target: Value) -> Answer:
    """Whether a Resource of a statement covers `target`.

    Args:
        pattern: "*", an ARN with wildcards, a reference, or a text.
        target: the ARN asked for, likewise; "*" stands for actions that know no resources. With wildcards in
            it, True is for all of it, None for some of it.
    """
    if pattern == "*":
        return True
    if target == "*":
        return None
    if isinstance(pattern, Unknown) and not pattern.name:
        return None
    one, other = segments_of(pattern), segments_of(target)
    if one is None or other is None:
        return True if _named(pattern) and pattern == target else None
    if isinstance(one[1], str) and isinstance(other[1], str) and _fits(one[1], other[1]) is False:
        return False  # a partition that is not known is the one that the other side writes
    return every(matches_part(part, against) for part, against in zip(one[2:], other[2:], strict=True))


def _named(value: Value) -> bool:
    return not isinstance(value, Unknown) or bool(value.name)


def segments_of(value: Value) -> list[Value] | None:
    """The six segments of an ARN, references in it written as the ARNs that they are; None for all else."""
    if isinstance(value, Reference):
        value = arn_of(value)
    elif isinstance(value, Text):
        first, *rest = value.parts
        begins = arn_of(first) if isinstance(first, Reference) else first
        value = join([begins, *(_name(part) if isinstance(part, Reference) else part for part in rest)])
    if isinstance(value, str) and value.startswith("arn:"):
        segments = value.split(":", _SEGMENTS - 1)
        if len(segments) < _SEGMENTS and segments[-1].endswith("*"):
            segments += ["*"] * (_SEGMENTS - len(segments))
        return list(segments) if len(segments) == _SEGMENTS else None
    return arn_segments(value)


def _name(reference: Reference) -> Value:
    """A resource's physical name: as it is written, or its Ref, however the template reads it."""
    resource = reference.resource
    _, named_by, _ = NAMED_BY.get(resource.type, ("", "", ""))
    if not named_by or reference.attribute not in (None, named_by) or resource.type in _REF_IS_ARN:
        return reference
    name = resource.get(named_by)
    return Reference(resource) if name is None or isinstance(name, Unknown) else name


def arn_of(reference: Reference) -> Value:
    """The ARN that a reference stands for, as far as it can be written; the reference where it is none."""
    resource, attribute = reference.resource, reference.attribute
    is_arn = attribute.endswith("Arn") if attribute is not None else resource.type in _REF_IS_ARN
    return _arn_of(resource) if is_arn else reference


def _arn_of(resource: Resource) -> Value:
    if resource.type in ("AWS::Lambda::Alias", "AWS::Lambda::Version"):
        function = resource.resource("FunctionName")
        if function is None or function.type != "AWS::Lambda::Function":
            return Reference(resource, "Arn")
        name = resource.get("Name") if resource.type == "AWS::Lambda::Alias" else None
        return join([_arn_of(function), ":", name or Reference(resource, "Version")])
    service, named_by, before = NAMED_BY.get(resource.type) or _generated(resource)
    if not service:
        return Reference(resource, "Arn")
    name = resource.get(named_by) if named_by else None
    name = Reference(resource) if name is None or isinstance(name, Unknown) else name
    if resource.type == "AWS::SSM::Parameter" and isinstance(name, str):
        name = name.removeprefix("/")
    region, account = ("", "") if service in _NOWHERE else resource.environment
    account = resource.environment[1] if service == "iam" else account
    parts: list[Value] = [
        "arn:",
        resource.partition,
        f":{service}:",
        region,
        ":",
        account,
        f":{before}",
        name,
    ]
    if resource.type == "AWS::SecretsManager::Secret":
        parts += ["-", Unknown("Secrets Manager adds six characters", name=f"suffix of {id(resource)}")]
    return join(parts)


def _generated(resource: Resource) -> tuple[str, str, str]:
    service, before = _GENERATED.get(resource.type, ("", ""))
    return service, "", before


def matches_part(pattern: Value, target: Value) -> Answer:
    """Whether one segment of an ARN, or a name, is covered by a pattern for it."""
    if pattern == "*":
        return True
    if isinstance(pattern, str) and isinstance(target, str):
        return _fits(pattern, target)
    one, other = _tokens(pattern), _tokens(target)
    for _ in ("ends", "beginnings"):
        while one and other and _alike(one[-1], other[-1]):
            one.pop()
            other.pop()
        one.reverse()
        other.reverse()
    return _matches_rest(one, other)


def _matches_rest(one: list[Token], other: list[Token]) -> Answer:
    """Match what is left once like ends and beginnings are taken off."""
    if one == ["*"] or (not one and not other):
        return True
    if not one or not other:
        surely = [sign for sign in one or other if isinstance(sign, str) and sign != "*"]
        return False if surely else None
    left, right = one[0], other[0]
    if isinstance(left, Reference) and isinstance(right, Reference):
        kinds = [(reference.resource.type, reference.attribute) for reference in (left, right)]
        return False if kinds[0] == kinds[1] or all(kind in _IDS for kind in kinds) else None
    written = isinstance(left, str) and isinstance(right, str) and not {left, right} & {"*", "?"}
    if written or _is_anothers(left, other) or _is_anothers(right, one):
        return False
    if all(isinstance(sign, str) for sign in (*one, *other)):
        return _fits("".join(map(str, one)), "".join(map(str, other)))
    return None


def _is_anothers(token: Token, signs: list[Token]) -> bool:
    """Whether a token is a name or id that AWS makes up, and what is written in `signs` is not so."""
    if not isinstance(token, Reference):
        return False
    name = "".join(sign if isinstance(sign, str) else "*" for sign in signs)
    name = name.replace(":", "/").partition("/")[0]
    kind = token.resource.type
    if begins := _IDS.get((kind, token.attribute or "")):
        return not _overlap(name, f"{begins}*")
    named_by = NAMED_BY.get(kind, ("", "", ""))[1]
    made_up = kind in _GENERATED or (bool(named_by) and token.resource.get(named_by) is None)
    if not made_up or token.attribute is not None:
        return False
    return not ("*" in name or "?" in name or _RANDOM.search(name))


def _tokens(value: Value) -> list[Token]:
    """The characters of a text, what is not plain in it as one token each."""
    found: list[Token] = []
    for part in value.parts if isinstance(value, Text) else (value,):
        written = plain(part)
        if written is not None:
            found.extend(written)
        elif isinstance(part, Reference | Unknown):
            found.append(part)
        else:
            found.append(Unknown("a part that is known at deployment"))
    return found


def _alike(pattern: Token, target: Token) -> bool:
    if isinstance(pattern, Unknown):
        return bool(pattern.name) and pattern == target
    return pattern == target and pattern not in ("*", "?")
