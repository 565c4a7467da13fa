"""The types of the catalogue: a rule is a value, a finding is a rule at a place."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource, Template


class Severity(StrEnum):
    """How bad it is. ERROR: the deployment fails, or the application cannot work as written.

    WARNING: it works, but loses data, availability or security. NOTE: advice on cost or size.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Found(NamedTuple):
    """What a rule's generator yields: one place where the rule is broken.

    Args:
        resource: where; a `Template` where the place is not a resource under these conditions, and then
            `path` counts from the template's top: ("Outputs", "Url", "Value").
        path: the property path below ``Properties``, ("VpcConfig", "SubnetIds", 0); () is the whole resource.
        what: what is wrong there, one clause: the value found and the values allowed, with units.
        fix: the line that mends this one place. Default: the rule's own `fix`.
        why: the fact about AWS that makes it wrong here. Default: the rule's own `why`.
        subject: what tells this finding from another of the same rule at the same path ("sqs"), whatever the
            conditions. Default "": there is only one.
    """

    resource: Resource | Template
    path: tuple[str | int, ...]
    what: str
    fix: str | None = None
    why: str | None = None
    subject: str = ""


class Rule(NamedTuple):
    """One entry of the catalogue. Its page is generated from it.

    Args:
        name: its id, kebab-case, naming the bad thing ("function-in-public-subnet").
        topic: the family, which is the module's name ("network").
        severity: see `Severity`.
        forbids: what must not be, one clause.
        why: the fact about AWS behind it, one sentence.
        fix: how to mend it, naming the construct's argument where there is one.
        exceptions: the legitimate cases in which it stays silent, one clause each.
        source: the address of the page that documents the fact.
        check: yields every place where the rule is broken, in one deployment whose conditions are decided.
    """

    name: str
    topic: str
    severity: Severity
    forbids: str
    why: str
    fix: str
    source: str
    check: Callable[[Deployment], Iterator[Found]]
    exceptions: tuple[str, ...] = ()
