"""Findings that somebody accepted, with the reason, and what is wrong with such acceptances themselves.

Three forms are read: ``Metadata: {LambdaPatterns: {Acknowledge: [{Rule, Reason}]}}`` on a resource, the same
at the top of a template (for that template), and what ``Validations.of(construct).acknowledge(...)``
records in a cloud assembly (for that construct and all below it). One without a reason acknowledges nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.errors import nearest
from lambda_patterns.rules.rule import Found
from lambda_patterns.rules.template import ACKNOWLEDGEMENT_OF_NOTHING, ACKNOWLEDGEMENT_WITHOUT_REASON

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from lambda_patterns.model.assembly import Assembly
    from lambda_patterns.model.template import Template
    from lambda_patterns.rules.finding import Finding
    from lambda_patterns.rules.rule import Rule

PREFIX = "LambdaPatterns::"
_KEY = "LambdaPatterns"
Place = tuple[str, str | None]
"""Template and logical id (None: all of it), or "" and a construct path."""


class Acknowledgement(NamedTuple):
    """One acceptance.

    Args:
        rule: the rule's name as it was written, without the prefix; "" where none was.
        reason: the reason as it was written, "" where none was.
        template: where it was written.
        path: where in it, from the template's top; () where a construct said it.
        resource: the logical id that it is for; None is all of the template, or of the construct.
        construct: the construct path that it is for, where a construct said it.
    """

    rule: str
    reason: str
    template: Template
    path: tuple[str | int, ...]
    resource: str | None = None
    construct: str | None = None

    @property
    def place(self) -> Place:
        """What it is meant for: a construct and all below it, a template, or a resource of it."""
        return ("", self.construct) if self.construct is not None else (self.template.name, self.resource)


def _places(finding: Finding) -> Iterator[Place]:
    """Every place whose acknowledgements cover `finding`."""
    yield finding.template, None
    yield finding.template, finding.resource
    path = (finding.construct or "").strip("/")
    yield "", path
    while "/" in path:
        path = path.rpartition("/")[0]
        yield "", path


class Accepted:
    """Acknowledgements that give a reason, by rule and place."""

    def __init__(self, acknowledgements: Iterable[Acknowledgement]) -> None:
        self._found: dict[tuple[str, Place], tuple[int, str]] = {}
        for order, one in enumerate(acknowledgements):
            if one.reason:
                self._found.setdefault((one.rule, one.place), (order, one.reason))

    def reason_for(self, finding: Finding) -> str | None:
        """Find the reason, the first written, for which `finding` was accepted; None where it was not."""
        if not self._found:
            return None
        found = (self._found.get((finding.rule, place)) for place in _places(finding))
        return min((one for one in found if one is not None), default=(0, None))[1]


def read(assembly: Assembly) -> tuple[Acknowledgement, ...]:
    """Collect what is acknowledged anywhere in `assembly`."""
    return tuple(found for template in assembly.templates for found in _of_template(template))


def _of_template(template: Template) -> Iterator[Acknowledgement]:
    yield from _of_metadata(template, template.metadata, ("Metadata",), None)
    for logical_id, raw in template.section("Resources").items():
        metadata = raw.get("Metadata") if isinstance(raw, dict) else None
        if isinstance(metadata, dict) and _KEY in metadata:
            yield from _of_metadata(template, metadata, ("Resources", logical_id, "Metadata"), logical_id)
    for construct, rules in template.acknowledged.items():
        for rule, reason in rules.items():
            if rule.startswith(PREFIX):
                yield Acknowledgement(
                    rule.removeprefix(PREFIX), reason.strip(), template, (), construct=construct.strip("/")
                )


def _of_metadata(
    template: Template, metadata: dict[str, object], above: tuple[str, ...], resource: str | None
) -> Iterator[Acknowledgement]:
    ours = metadata.get(_KEY)
    entries = ours.get("Acknowledge") if isinstance(ours, dict) else None
    for index, entry in enumerate(entries if isinstance(entries, list) else [entries] if entries else []):
        rule = entry.get("Rule") if isinstance(entry, dict) else entry
        reason = entry.get("Reason") if isinstance(entry, dict) else None
        yield Acknowledgement(
            rule.removeprefix(PREFIX) if isinstance(rule, str) else "",
            reason.strip() if isinstance(reason, str) else "" if reason is None else str(reason),
            template,
            (*above, _KEY, "Acknowledge", index),
            resource,
        )


def judge(
    acknowledgements: Collection[Acknowledgement],
    fired: Collection[Finding],
    known: Collection[str],
    ran: Collection[str],
) -> Iterator[tuple[Rule, Acknowledgement, Found]]:
    """Yield what is wrong with the acknowledgements themselves.

    Args:
        acknowledgements: all of them.
        fired: the findings of all deployments, whether they hold in every one or not.
        known: the names of all rules.
        ran: the names of the rules that were asked for.
    """
    covered = {(finding.rule, place) for finding in fired for place in _places(finding)}
    for one in acknowledgements:
        if not one.reason:
            what = f"the acknowledgement of {one.rule or 'no rule'} gives no reason"
            yield ACKNOWLEDGEMENT_WITHOUT_REASON, one, Found(one.template, one.path, what, subject=one.rule)
        if one.rule not in known:
            near = nearest(one.rule, known)
            hint = f"write {near}" if near else "take the name from `lambda-patterns rules`"
            what = f"{one.rule!r} is acknowledged, there is no rule of this name"
            yield ACKNOWLEDGEMENT_OF_NOTHING, one, Found(one.template, one.path, what, hint, subject=one.rule)
        elif one.reason and one.rule in ran and (one.rule, one.place) not in covered:
            what = f"{one.rule} is acknowledged and finds nothing here"
            yield ACKNOWLEDGEMENT_OF_NOTHING, one, Found(one.template, one.path, what, subject=one.rule)
