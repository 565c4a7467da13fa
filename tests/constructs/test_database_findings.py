"""No wiring that the constructs make is found by any rule."""

from datetime import date
from itertools import product
from pathlib import Path

import pytest
from aws_cdk import App

from lambda_patterns.constructs.database_invoke import DatabaseInvoke
from lambda_patterns.model.assembly import read
from lambda_patterns.model.deployment import Settings
from lambda_patterns.rules.engine import check
from tests.constructs.database_wiring import ENGINES, wire

pytestmark = pytest.mark.cdk

DAY = Settings(date(2026, 11, 24))


def findings(app: App) -> list[tuple[str, str | None, str]]:
    report = check(read(Path(app.synth().directory)), DAY)
    return [
        (finding.rule, finding.resource, finding.message)
        for finding in report.findings
        if finding.acknowledged is None
    ]


@pytest.mark.parametrize(
    ("engine", "new", "stacks", "end_to_end"), list(product(ENGINES, (True, False), (1, 2), (False, True)))
)
def test_a_wiring_is_free_of_findings(engine: str, new: bool, stacks: int, end_to_end: bool) -> None:
    assert findings(wire(engine, new=new, stacks=stacks, end_to_end=end_to_end).app) == []


@pytest.mark.parametrize("engine", ["postgres", "aurora-postgresql", "aurora-mysql"])
@pytest.mark.parametrize("stacks", [1, 2])
def test_a_database_that_calls_a_function_is_free_of_findings(engine: str, stacks: int) -> None:
    wiring = wire(engine, stacks=stacks)
    wiring.function.declare_asynchronous("$LATEST")
    DatabaseInvoke(wiring.code, "Report", database=wiring.database, function=wiring.function)
    assert [found for found in findings(wiring.app) if found[0] != "failures-dropped"] == []
