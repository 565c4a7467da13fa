"""The page on the study note names what is there, and its figures are those of the facts."""

import re
from pathlib import Path

import pytest

from lambda_patterns.cli import COMMANDS
from lambda_patterns.facts import limits, prices
from lambda_patterns.rules.catalogue import RULES

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "explanation" / "study-note.md").read_text(encoding="utf-8")
LINES = [line.strip("|") for line in PAGE.splitlines() if line.startswith("|")]
ROWS = [[cell.strip() for cell in line.split("|")] for line in LINES]
TODAY = " ".join(cells[2] for cells in ROWS)


def price(item: str) -> float:
    found = prices.PriceSheet("us-east-1").price(item)
    assert isinstance(found, prices.Price)
    return found.value


def figure(value: float) -> str:
    return f"{value:,.0f}"


def test_each_statement_says_what_holds_today_and_where_it_is_written() -> None:
    addresses = dict(re.findall(r"^\[(\w+)\]: (https://\S+)$", PAGE, re.MULTILINE))
    used = [re.findall(r"\[[^\]]+\]\[(\w+)\]", cells[2]) for cells in ROWS[2:]]
    assert all(used)
    assert {name for names in used for name in names} == set(addresses)


def test_the_figures_are_those_of_the_facts() -> None:
    x86, arm = (price(f"lambda-duration-{name}-1") for name in ("x86", "arm"))
    said = [f"{round(1 / x86, -3):,.0f} on x86_64", f"{round(1 / arm, -3):,.0f} on arm64"]
    for plan, words in (("no-upfront", "without"), ("all-upfront", "with")):
        said.append(f"{1 - price(f'lambda-savings-{plan}-x86') / x86:.0%} {words}".replace("%", " %"))
    ranges = [
        limits.MANAGED_MEMORY,
        limits.MANAGED_TIMEOUT,
        limits.ACCELERATED_STORAGE,
        limits.ENVIRONMENT_BYTES,
        limits.UNZIPPED_BYTES,
    ]
    said += [figure(each.high) for each in ranges]
    said.append(f"{limits.UNRESERVED_MINIMUM} cannot be reserved")
    assert [words for words in said if words not in TODAY] == []
    assert f"{limits.NETWORK_INTERFACES} in a VPC" in PAGE


@pytest.mark.cdk
def test_every_construct_rule_and_command_that_it_names_is_there() -> None:
    from lambda_patterns import constructs  # noqa: PLC0415  # starts aws_cdk, for the marked test alone

    named = set(re.findall(r"`([^`]+)`", " ".join(cells[3] for cells in ROWS[2:])))
    rules = {rule.name for rule in RULES}
    public = {*constructs.__all__, "WorkloadProfile", "savings_plan", "init_ms", "on_failure="}
    public |= {"default_auth_scheme=", "--prices", "--quotas new-account"}
    gone = [
        name
        for name in named
        if name not in rules
        and name.partition("(")[0] not in public
        and name.removeprefix("lambda-patterns ").split()[0] not in COMMANDS
    ]
    assert gone == []
