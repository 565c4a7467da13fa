"""Policy documents read into statements, and what a statement says of one action.

Not modelled: session policies, service control policies, and condition keys other than those that `Call`
knows; a statement under any other condition may apply or not.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.model.coercions import as_document, as_list
from lambda_patterns.model.matching import matches_action, matches_part, matches_resource, segments_of
from lambda_patterns.model.values import Reference, Unknown, every, plain, same, some

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Answer, Value

ACCOUNT = "account"
"""A principal: the account that the policy's resource is in (``arn:aws:iam::<account>:root``)."""


class Decision(StrEnum):
    """Whether something is permitted. UNKNOWN: a part of the policies that decides it is not known."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


class Statement(NamedTuple):
    """One statement of a policy.

    Args:
        allows: True for Allow, False for Deny, None where the effect is not known.
        actions: the patterns of Action, or of NotAction.
        resources: the patterns of Resource, or of NotResource; () in a policy that names none.
        principal: what Principal says, None where there is none (a role's policy).
        conditions: what Condition says, None where there is none.
        but_actions: whether `actions` are those that it does not cover (NotAction).
        but_resources: likewise NotResource.
        resource: where it is written: a policy, a role, a queue policy.
        path: the property path of it there.
        managed: the AWS managed policy it is from ("AmazonS3FullAccess"), or "".
        about: the services that that policy is attached for (see `lambda_patterns.model.managed_policies`).
    """

    allows: bool | None
    actions: tuple[Value, ...]
    resources: tuple[Value, ...]
    principal: Value
    conditions: Value
    but_actions: bool
    but_resources: bool
    resource: Resource
    path: tuple[str | int, ...]
    managed: str = ""
    about: tuple[str, ...] = ()


class Call(NamedTuple):
    """What is asked: may this be done?

    Args:
        action: "sqs:SendMessage".
        target: the ARN of what it is done to, a reference to it, or "*" for actions that know no resources.
        principal: who does it: a service ("sns.amazonaws.com"), a role, or None where identity is settled.
        source: the ARN in aws:SourceArn, where a service calls on behalf of a resource.
        by_code: whether a function's code makes the call, rather than a service with the function's role. The
            documented Deny on ``lambda:SourceFunctionArn`` stops the first and not the second.
    """

    action: str
    target: Value
    principal: Resource | str | None = None
    source: Value = None
    by_code: bool = False


def statements(document: Value, where: Resource, path: tuple[str | int, ...]) -> Iterator[Statement | None]:
    """Yield the statements of a policy document, None for one that cannot be read (it may say anything)."""
    document = as_document(document)
    if document is None:
        return
    written = as_list(document.get("Statement")) if isinstance(document, dict) else Unknown("not known")
    if isinstance(written, Unknown):
        yield None
        return
    one = isinstance(document, dict) and isinstance(document.get("Statement"), dict)
    for index, statement in enumerate(written):
        step = (*path, "Statement") if one else (*path, "Statement", index)
        yield _statement(statement, where, step)


def _statement(raw: Value, where: Resource, path: tuple[str | int, ...]) -> Statement | None:
    if not isinstance(raw, dict):
        return None
    return Statement(
        {"Allow": True, "Deny": False}.get(plain(raw.get("Effect")) or ""),
        _patterns(raw, "Action"),
        _patterns(raw, "Resource"),
        raw.get("Principal"),
        raw.get("Condition"),
        "NotAction" in raw and "Action" not in raw,
        "NotResource" in raw and "Resource" not in raw,
        where,
        path,
    )


def _patterns(raw: dict[str, Value], name: str) -> tuple[Value, ...]:
    listed = as_list(raw.get(name) if name in raw else raw.get(f"Not{name}"))
    return (listed,) if isinstance(listed, Unknown) else tuple(listed)


def applies(statement: Statement, call: Call) -> Answer:
    """Whether a statement speaks of a call, whatever its effect is."""
    action = some([matches_action(pattern, call.action) for pattern in statement.actions])
    action = _unless(action) if statement.but_actions else action
    if action is False:
        return False
    resource: Answer = True
    if statement.resources:
        resource = some(matches_resource(pattern, call.target) for pattern in statement.resources)
        resource = _unless(resource) if statement.but_resources else resource
    return every((action, resource, _principal(statement, call), _conditions(statement, call)))


def weigh(found: Iterable[Statement | None], call: Call) -> tuple[Answer, Answer]:
    """Whether statements allow a call, and whether they deny it; one that cannot be read may do either."""
    allow: Answer = False
    deny: Answer = False
    for statement in found:
        answer = None if statement is None else applies(statement, call)
        effect = None if statement is None else statement.allows
        if answer is not False and effect is not False:
            allow = some((allow, answer if effect else None))
        if answer is not False and effect is not True:
            deny = some((deny, answer if effect is False else None))
    return allow, deny


def decision(allow: Answer, deny: Answer) -> Decision:
    """A Deny wins, then an Allow; nothing that allows is a refusal; what may apply leaves it unknown."""
    if deny or allow is False:
        return Decision.DENIED
    return Decision.ALLOWED if allow and deny is False else Decision.UNKNOWN


def permission(granted: Resource) -> Statement:
    """An AWS::Lambda::Permission as the statement that Lambda makes of it."""
    principal = granted.get("Principal")
    conditions: dict[str, Value] = {}
    for name, operator, key in (
        ("SourceArn", "ArnLike", "aws:SourceArn"),
        ("SourceAccount", "StringEquals", "aws:SourceAccount"),
    ):
        value = granted.get(name)
        if value is not None:
            conditions[operator] = {key: value}
    service = isinstance(principal, str) and "." in principal
    return Statement(
        True if granted.certain else None,
        (granted.get("Action"),),
        (),
        {"Service" if service else "AWS": principal},
        conditions or None,
        but_actions=False,
        but_resources=False,
        resource=granted,
        path=(),
    )


def _unless(answer: Answer) -> Answer:
    return None if answer is None else not answer


def _principal(statement: Statement, call: Call) -> Answer:
    if call.principal is None or statement.principal is None:
        return True
    if statement.principal == "*":
        return True
    if not isinstance(statement.principal, dict):
        return None
    if isinstance(call.principal, str) and call.principal != ACCOUNT:
        services = as_list(statement.principal.get("Service"))
        everyone = some(
            None if isinstance(item, Unknown) else item == "*"
            for item in _items(statement.principal.get("AWS"))
        )
        if isinstance(services, Unknown):
            return None
        return some((everyone, *(same(item, call.principal) for item in services)))
    return some(
        _is_principal(item, call.principal, statement) for item in _items(statement.principal.get("AWS"))
    )


def _items(value: Value) -> list[Value]:
    listed = as_list(value)
    return [listed] if isinstance(listed, Unknown) else listed


def _is_principal(item: Value, principal: Resource | str, statement: Statement) -> Answer:
    """Whether an AWS principal is the role (exactly), or for `ACCOUNT` the policy's own account."""
    if item == "*":
        return True
    segments = segments_of(item)
    if not isinstance(principal, str):
        if segments is not None:
            return matches_resource(item, Reference(principal, "Arn"))
        return None if isinstance(item, Unknown) else False
    account = statement.resource.environment[1]
    if segments is None:
        return same(item, account)
    return every((matches_part(segments[5], "root"), same(segments[4], account)))


def _conditions(statement: Statement, call: Call) -> Answer:
    if statement.conditions is None:
        return True
    if not isinstance(statement.conditions, dict):
        return None
    return every(
        _condition(operator, key, value, statement, call)
        for operator, tests in statement.conditions.items()
        for key, value in (tests.items() if isinstance(tests, dict) else [("", None)])
    )


def _condition(operator: str, key: str, value: Value, statement: Statement, call: Call) -> Answer:
    test = _TESTS.get(key.lower())
    if test is None:
        return None
    answer = some(test(item, statement, call) for item in _items(value))
    name = operator.removesuffix("IfExists")
    if name.startswith(("StringEquals", "StringLike", "ArnEquals", "ArnLike", "Bool")):
        return answer
    return _unless(answer) if name.startswith(("StringNot", "ArnNot")) else None


def _source_arn(item: Value, _statement: Statement, call: Call) -> Answer:
    return None if call.source is None else matches_resource(item, call.source)


def _source_account(item: Value, _statement: Statement, call: Call) -> Answer:
    source = call.source
    return same(item, source.resource.environment[1]) if isinstance(source, Reference) else None


def _secure_transport(item: Value, _statement: Statement, _call: Call) -> Answer:
    """AWS's services and SDKs speak TLS."""
    return same(item, "true")


def _source_function(_item: Value, _statement: Statement, call: Call) -> Answer:
    """The key is there only in calls that a function's own code makes."""
    return None if call.by_code else False


_TESTS: dict[str, Callable[[Value, Statement, Call], Answer]] = {
    "aws:sourcearn": _source_arn,
    "aws:sourceaccount": _source_account,
    "aws:securetransport": _secure_transport,
    "lambda:sourcefunctionarn": _source_function,
}
