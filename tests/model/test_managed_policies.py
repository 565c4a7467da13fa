"""The table of AWS's managed policies against other tables that know them."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from lambda_patterns.facts import services
from lambda_patterns.model.managed_policies import managed_policy

TABLE = json.loads(files("lambda_patterns.model").joinpath("managed_policies.json").read_text("utf-8"))
NAMES = sorted(TABLE["policies"])


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_bears_the_arn_under_which_awss_own_translator_knows_it(name: str) -> None:
    known = json.loads(
        files("samtranslator.internal.data").joinpath("aws_managed_policies.json").read_text("utf-8")
    )
    assert known["aws"][name.rpartition("/")[2]] == f"arn:aws:iam::aws:policy/{name}"


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_is_about_services_that_the_facts_know_and_that_it_allows(name: str) -> None:
    policy = managed_policy(name)
    assert policy is not None
    allowed = {services.of_action(action) for row in policy.statements for action in row.get("Action", [])}
    for service in policy.about:
        assert services.by_name(service) in allowed


def test_a_policy_that_is_not_in_the_table_is_none() -> None:
    assert managed_policy("ReadOnlyAccess") is None
