"""The templates of a CDK app and what its validations say of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_cdk.assertions import Template

from lambda_patterns.model.assembly import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aws_cdk import Stack, Stage

    from lambda_patterns.model.assembly import Assembly

# An asset's name is the SHA-256 of its content; it changes with every byte of code.
_ASSET = re.compile(r"[0-9a-f]{64}")
# aws_cdk adds an MD5 of the function's code and settings to the logical id of its version.
_VERSION = re.compile(r"(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}")

# What stands for the value of a property that is not there; null is a value.
_NOTHING = object()


def synthesize(stack: Stack) -> dict[str, Any]:
    """Give a stack's template as CloudFormation would receive it, ``{"Resources": {...}, ...}``.

    Everything of the app (or stage) that the stack belongs to is synthesized, its validations included.
    """
    template: dict[str, Any] = dict(Template.from_stack(stack).to_json())
    return template


def assembly_of(app: Stage) -> Assembly:
    """Synthesize an app and read it as the rules do: all its stacks, joined.

    Raises:
        RuntimeError: the app could not be synthesized, or a validation of it failed.
    """
    return read(Path(app.synth(force=True).directory))


def masked(template: Mapping[str, Any]) -> dict[str, Any]:
    """Replace in a template what changes with the code of functions alone.

    The names of assets become ``<asset>``, the hashes in the logical ids of versions ``<hash>``. Two
    templates that are equal masked deploy the same resources, with other code at the most.
    """
    text = json.dumps(template)
    text = _VERSION.sub(r"\1<hash>", text)
    text = _ASSET.sub("<asset>", text)
    result: dict[str, Any] = json.loads(text)
    return result


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Say in one line each what changed from one template to another.

    "added Orders (AWS::SQS::Queue)", "removed DbIngress (AWS::EC2::SecurityGroupIngress)",
    "changed Ship (AWS::Lambda::Function) Properties.Timeout: 30 -> 60", sorted by section and name.
    """
    found: list[str] = []
    for section in sorted({*before, *after}):
        old, new = before.get(section, {}), after.get(section, {})
        if not isinstance(old, dict) or not isinstance(new, dict):
            found += [f"changed {line}" for line in _changes(section, old, new)]
            continue
        for name in sorted({*old, *new}):
            title = _title(section, name, new.get(name, old.get(name)))
            if name not in old:
                found.append(f"added {title}")
            elif name not in new:
                found.append(f"removed {title}")
            else:
                found += [f"changed {title} {line}" for line in _changes("", old[name], new[name])]
    return found


def _title(section: str, name: str, entry: object) -> str:
    if section == "Resources" and isinstance(entry, dict):
        return f"{name} ({entry.get('Type')})"
    return f"{section}.{name}"


def _changes(path: str, old: object, new: object) -> Iterator[str]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted({*old, *new}):
            yield from _changes(
                f"{path}.{name}" if path else name, old.get(name, _NOTHING), new.get(name, _NOTHING)
            )
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (left, right) in enumerate(zip(old, new, strict=True)):
            yield from _changes(f"{path}[{index}]", left, right)
    else:
        yield f"{path}: {_short(old)} -> {_short(new)}".removeprefix(": ")


def _short(value: object) -> str:
    return "nothing" if value is _NOTHING else json.dumps(value, sort_keys=True)


def findings(app: Stage) -> list[str]:
    """Synthesize an app and give what its validations found and nobody acknowledged, sorted.

    "AwsSolutions-SQS3 at Orders/Queue/Resource: The SQS queue does not have ...". Validations are added by
    ``Validations.of(app).add_plugins(...)``.

    Raises:
        RuntimeError: the app could not be synthesized, for another reason than a finding.
    """
    report = Path(app.outdir) / "validation-report.json"
    report.unlink(missing_ok=True)
    try:
        app.synth(force=True)
    except RuntimeError:
        if not report.is_file():
            raise
    return sorted(_lines(json.loads(report.read_text()))) if report.is_file() else []


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    for plugin in report["pluginReports"]:
        for violation in plugin["violations"]:
            for place in violation["violatingConstructs"]:
                yield f"{violation['ruleName']} at {place['constructPath']}: {violation['description']}"


def context_of(cdk_json: Path) -> dict[str, Any]:
    """Give the context of a cdk.json, for ``App(context=...)``: tests then see the flags that `cdk` sets."""
    context: dict[str, Any] = json.loads(cdk_json.read_text())["context"]
    return context
