"""A sound template stays sound where something in it is given from outside instead."""

import copy
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lambda_patterns.model.assembly import from_templates
from lambda_patterns.model.deployment import Settings
from lambda_patterns.model.document import load
from lambda_patterns.rules.engine import check
from lambda_patterns.rules.rule import Severity

GOOD = sorted((Path(__file__).parents[1] / "templates/good").glob("*.yaml"))
DAY = date(2026, 11, 24)
# what is outside is nothing that a template without it could count on
COUNTED_ON = {
    ("dlq-unwatched--through-a-composite-alarm", "FailedAlarm"),
    ("endpoint-without-private-dns--own-name-given", "Endpoint"),
}


def given(value: Any, name: str, attributes: set[str]) -> Any:
    """Write a parameter wherever a template refers to a resource, and collect the parameters' names."""

    def parameter(attribute: str) -> str:
        attributes.add(found := f"Given{name}{re.sub(r'[^A-Za-z0-9]', '', attribute)}")
        return found

    if isinstance(value, list):
        return [given(item, name, attributes) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("Ref") == name:
        return {"Ref": parameter("")}
    got = value.get("Fn::GetAtt")
    first, _, rest = (
        got.partition(".") if isinstance(got, str) else (got[0], "", str(got[1])) if got else ("",) * 3
    )
    if first == name:
        return {"Ref": parameter(rest)}
    if isinstance(written := value.get("Fn::Sub"), str):
        pattern = rf"\$\{{{name}\.?([^}}]*)\}}"
        return {"Fn::Sub": re.sub(pattern, lambda match: f"${{{parameter(match[1])}}}", written)}
    return {key: given(item, name, attributes) for key, item in value.items()}


def from_outside(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], set[str]]]:
    """Take each resource out that others refer to: its name, the rest, the names of the parameters."""
    for name in template["Resources"]:
        rest = copy.deepcopy(template)
        del rest["Resources"][name]
        parameters: set[str] = set()
        rest = given(rest, name, parameters)
        if parameters:
            for other in rest["Resources"].values():
                if isinstance(other, dict):  # not a loop
                    other.pop("DependsOn", None)
            yield name, rest, parameters


REFERRING = [path for path in GOOD if next(from_outside(load(path.read_text(), path.name)), None)]


@pytest.mark.parametrize("path", REFERRING, ids=lambda path: path.stem)
def test_a_resource_that_a_parameter_names_instead_makes_no_finding(path: Path) -> None:
    for name, rest, parameters in from_outside(load(path.read_text(), path.name)):
        made = {one: {"Type": "String"} for one in parameters}
        template = {**rest, "Parameters": {**rest.get("Parameters", {}), **made}}
        found = check(from_templates({"t": template}), Settings(DAY)).reaching(Severity.WARNING)
        counted_on = (path.stem, name) in COUNTED_ON
        assert bool(found) is counted_on, (name, [one.message for one in found])


@pytest.mark.parametrize("path", REFERRING, ids=lambda path: path.stem)
def test_a_resource_that_a_physical_id_names_instead_crashes_no_rule(path: Path) -> None:
    for name, rest, parameters in from_outside(load(path.read_text(), path.name)):
        made = {one: {"Type": "String", "Default": f"physical-{one}"} for one in parameters}
        template = {**rest, "Parameters": {**rest.get("Parameters", {}), **made}}
        found = check(from_templates({"t": template}), Settings(DAY, region="eu-west-1")).findings
        assert [one.message for one in found if one.rule == "rule-crashed"] == [], name
