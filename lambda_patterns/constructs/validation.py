"""The rules as a validation plugin of aws_cdk: they judge the whole application at synthesis."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import jsii
from aws_cdk import (
    App,
    IPolicyValidationContext,
    IPolicyValidationPlugin,
    PolicyValidationPluginReport,
    PolicyViolatingResource,
    PolicyViolation,
)

from lambda_patterns.model.assembly import read
from lambda_patterns.model.deployment import Settings
from lambda_patterns.rules import acknowledgements
from lambda_patterns.rules.catalogue import select
from lambda_patterns.rules.engine import check
from lambda_patterns.rules.rule import Severity
from lambda_patterns.rules.template import RULE_CRASHED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from lambda_patterns.model.assembly import Assembly
    from lambda_patterns.model.template import Template
    from lambda_patterns.rules.finding import Finding

# How aws_cdk begins the error after it has printed a report with violations.
_FOUND = "ValidationFailed: "
_SEVERITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "info"}


@jsii.implements(IPolicyValidationPlugin)
class LambdaPatterns:
    """All rules, for ``Validations.of(app).add_plugins(LambdaPatterns())``.

    It reads the templates of all stacks and stages together, whatever constructs made them. A finding of
    severity error fails the synthesis, unless it is acknowledged: in the resource's metadata, or for a
    construct and all below it by ``Validations.of(construct).acknowledge(...)``, where the id is
    ``LambdaPatterns::`` and the rule's name.

    Args:
        today: the day on which runtimes are judged. Default: the day of the synthesis.
        quotas: the account's quota profile. Default "default": 1,000 concurrent executions,
            what most accounts have.
        only: the names of the rules to ask. Default: all.
        ignore: the names of rules not to ask. Default: none, because what is acknowledged stays visible.

    Raises:
        ArgumentError: where a name in `only` or `ignore` is no rule's.

    Source: https://docs.aws.amazon.com/cdk/v2/guide/policy-validation-synthesis.html
    """

    def __init__(
        self,
        *,
        today: date | None = None,
        quotas: Literal["default", "new-account"] = "default",
        only: Iterable[str] = (),
        ignore: Iterable[str] = (),
    ) -> None:
        self._rules = select(only, ignore)
        self._settings = Settings(quotas=quotas) if today is None else Settings(today, quotas)

    @property
    def name(self) -> str:
        """The name in reports, and what rule ids in acknowledgements start with."""
        return "LambdaPatterns"

    @property
    def version(self) -> str:
        """The version of this package."""
        return installed_version("lambda-patterns")

    @property
    def rule_ids(self) -> list[str]:
        """The names of the rules that are asked."""
        return [rule.name for rule in self._rules]

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        """Judge the application. What goes wrong in here is a violation of its own, not an exception."""
        try:
            violations = list(self._violations(context))
        except Exception as error:  # noqa: BLE001  # aws_cdk drops the report of a plugin that raises
            violations = [_failure(error, context.template_paths)]
        success = not any(violation.severity == "error" for violation in violations)
        return PolicyValidationPluginReport(success=success, violations=violations)

    def _violations(self, context: IPolicyValidationContext) -> Iterator[PolicyViolation]:
        stacks = {
            Path(stack.template_path).resolve(): stack.stack_construct_path
            for stack in context.stack_templates
        }
        assembly = read(_outdir(stacks))
        judged = {name: stacks[path] for path, names in _judged(assembly) if path in stacks for name in names}
        by_constructs = acknowledgements.Accepted(
            one for one in acknowledgements.read(assembly) if one.construct is not None
        )
        for finding in check(assembly, self._settings, self._rules).findings:
            if finding.template not in judged:
                continue
            # aws_cdk shows what a construct acknowledges, with its reason, if the plugin reports it
            if finding.acknowledged is None or by_constructs.reason_for(finding):
                yield _violation(finding, judged[finding.template])


def synthesize(app: App) -> None:
    """Synthesize, and end the process with exit code 1, after the report, where a check has found something.

    In place of ``app.synth()`` at the end of an app: run by itself, aws_cdk ends it with an exception whose
    traceback through two languages buries the report that was printed before. Run by `cdk`, it raises none.

    Raises:
        RuntimeError: what else aws_cdk could not do, as it is.
        SystemExit: a check, of whichever plugin, has found something.
    """
    try:
        app.synth()
    except RuntimeError as error:
        if not str(error).startswith(_FOUND):
            raise
        print(str(error).removeprefix(_FOUND), file=sys.stderr)  # noqa: T201  # where the report went
        sys.exit(1)


def _outdir(templates: Iterable[Path]) -> Path:
    """Find the folder of the whole application: stages are folders within it, each with a manifest."""
    folder = next(iter(templates)).parent
    while (folder.parent / "manifest.json").is_file():
        folder = folder.parent
    return folder


def _judged(assembly: Assembly) -> Iterator[tuple[Path, list[str]]]:
    """Give for each stack's template its name and those of the templates nested in it."""

    def names(template: Template) -> Iterator[str]:
        yield template.name
        for child in template.children.values():
            yield from names(child)

    for root in assembly.roots:
        if root.path is not None:
            yield root.path.resolve(), list(names(root))


def _violation(finding: Finding, stack: str) -> PolicyViolation:
    return PolicyViolation(
        rule_name=finding.rule,
        description=f"{finding.message}: {finding.why}",
        fix=f"{finding.fix} ({finding.source})",
        severity=_SEVERITIES[finding.severity],
        violating_resources=[
            PolicyViolatingResource(
                resource_logical_id=finding.resource,
                construct_path=None if finding.resource else finding.construct or stack,
                template_path=finding.file,
                locations=[_location(finding)],
            )
        ],
    )


def _location(finding: Finding) -> str:
    """Give the path in the template, from the resource on: "Properties.Timeout", "Metadata.X"."""
    if finding.resource is None or finding.path.startswith("Metadata."):
        return finding.path
    return f"Properties.{finding.path}" if finding.path else "Properties"


def _failure(error: Exception, templates: list[str]) -> PolicyViolation:
    return PolicyViolation(
        rule_name=RULE_CRASHED.name,
        description=f"the application could not be judged: {type(error).__name__}: {error}",
        fix=RULE_CRASHED.fix,
        severity="error",
        violating_resources=[PolicyViolatingResource(template_path=templates[0], locations=[])],
    )
