"""What must not be in a template as such, and what the check says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.errors import nearest
from lambda_patterns.model.dangling import dangling
from lambda_patterns.rules.once import once
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.assembly import Assembly
    from lambda_patterns.model.dangling import Dangling
    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Template

_CDK_VALIDATION = "https://docs.aws.amazon.com/cdk/v2/guide/policy-validation-synthesis.html"

MOST_COMPARISONS = 20_000
"""Names of one template that dangling ones are compared with to suggest what was meant, 0.2 s of work.

Enough for 40 dangling names among 500 resources; those beyond are found all the same, without a suggestion.
"""


def _found_by_the_engine(deployment: Deployment) -> Iterator[Found]:
    """Find nothing: the engine finds these itself, once all rules were asked."""
    del deployment
    return iter(())


ACKNOWLEDGEMENT_WITHOUT_REASON = Rule(
    name="acknowledgement-without-reason",
    topic="template",
    severity=Severity.WARNING,
    forbids="an acknowledgement with no reason",
    why="the next reader cannot tell a decision from a mistake, so without a reason nothing is acknowledged",
    fix="add the reason: {Rule: ..., Reason: why it is right here}, or Acknowledgment(id=..., reason=...)",
    source=_CDK_VALIDATION,
    check=_found_by_the_engine,
    exceptions=("a reason that is only known at deployment (a reference) counts as one",),
)

ACKNOWLEDGEMENT_OF_NOTHING = Rule(
    name="acknowledgement-of-nothing",
    topic="template",
    severity=Severity.WARNING,
    forbids="an acknowledgement of a rule that does not exist or did not fire there",
    why="it would hide the finding on the day on which it comes back",
    fix="delete the acknowledgement",
    source=_CDK_VALIDATION,
    check=_found_by_the_engine,
    exceptions=(
        "a rule that fires under some conditions of the template only",
        "a rule that this check was told to leave out",
        "what other tools (cdk-nag, checkov) acknowledge",
    ),
)

RULE_CRASHED = Rule(
    name="rule-crashed",
    topic="template",
    severity=Severity.ERROR,
    forbids="(an internal error of a rule, reported)",
    why="what this rule would have found is not known; every other rule was asked",
    fix="report it with the template that shows it, and go on with --ignore and the rule's name",
    source=_CDK_VALIDATION,
    check=_found_by_the_engine,
)


def _dangling(deployment: Deployment) -> Iterator[Found]:
    """Names dangle whatever the conditions are."""
    return iter(_search(deployment.assembly))


@once
def _search(assembly: Assembly) -> Iterator[Found]:
    for template in assembly.templates:
        modules = _modules(template)
        suggestions = _Suggestions(template)
        for one in dangling(template):
            if one.name.startswith(modules):
                continue
            place = (one.section, one.id, *(("Properties", *one.path) if one.path else ()))
            missing = "key of that name" if one.kind == "mapping" and "." in one.name else one.kind
            what = f"{one.function} names {one.name!r}, the template has no {missing}"
            yield Found(template, place, what, suggestions.of(one), subject=f"{one.function} {one.name}")


def _modules(template: Template) -> tuple[str, ...]:
    """What the logical ids of resources inside modules begin with."""
    return tuple(
        logical_id
        for logical_id, raw in template.section("Resources").items()
        if isinstance(raw, dict) and str(raw.get("Type", "")).endswith("::MODULE")
    )


class _Suggestions:
    """The names that were probably meant, as long as `MOST_COMPARISONS` last."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._near: dict[tuple[str, str], str | None] = {}
        self._left = MOST_COMPARISONS

    def of(self, one: Dangling) -> str | None:
        """Suggest what to write, None where nothing is much like it, or too much was compared already."""
        head, dot, attribute = one.name.partition(".")
        if (one.kind, head) not in self._near:
            self._near[one.kind, head] = self._nearest(one.kind, head)
        near = self._near[one.kind, head]
        if near is None or near == head:
            return None
        return f"write {near}" if one.kind == "mapping" else f"write {near}{dot}{attribute}"

    def _nearest(self, kind: str, head: str) -> str | None:
        if self._left <= 0:
            return None
        sections = {"condition": ("Conditions",), "mapping": ("Mappings",), "resource": ("Resources",)}
        names = [
            name
            for section in sections.get(kind, ("Resources", "Parameters"))
            for name in self._template.section(section)
        ]
        self._left -= len(names)
        return nearest(head, names)


DANGLING_REFERENCE = Rule(
    name="dangling-reference",
    topic="template",
    severity=Severity.ERROR,
    forbids="a Ref, GetAtt, Sub, DependsOn, If or FindInMap that names nothing in the template",
    why="CloudFormation refuses the whole template with a validation error",
    fix="name what is there, or add what is missing",
    source="https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html",
    check=_dangling,
    exceptions=(
        "pseudo parameters (AWS::Region)",
        "variables that Fn::Sub is given in its own mapping, and ${!Literal}",
        "a template with a macro or module that may add what is named",
        "Fn::FindInMap with a default value, or with keys that are only known at deployment",
        "names in Metadata",
    ),
)

RULES = (
    ACKNOWLEDGEMENT_OF_NOTHING,
    ACKNOWLEDGEMENT_WITHOUT_REASON,
    DANGLING_REFERENCE,
    RULE_CRASHED,
)
