"""A function over a limit is refused, as on AWS; at the limit, or with a capacity provider, it is not."""

from typing import Any

import pytest

from lambda_patterns.local.behaviour import acceptance

MOST = {"MemorySize": "10240", "Timeout": 900, "EphemeralStorage": {"Size": 10240}}


def variables(size: int) -> dict[str, Any]:
    return {"Environment": {"Variables": {"KEY": "x" * (size - len('{"KEY":""}'))}}}


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"MemorySize": 10241}, "memory is 10,241 MB, allowed are 128-10,240 MB: "),
        ({"MemorySize": 64}, "memory is 64 MB, allowed are 128-10,240 MB: "),
        ({"Timeout": 901}, "timeout is 901 s, allowed are 1-900 s: "),
        ({"EphemeralStorage": {"Size": 511}}, "allowed are 512-10,240 MB: "),
        (variables(4097), "4,097 bytes"),
    ],
)
def test_over_a_limit_it_is_refused(properties: dict[str, Any], message: str) -> None:
    with pytest.raises(acceptance.FunctionRefusedError) as error:
        acceptance.check(properties)
    assert message in str(error.value)


@pytest.mark.parametrize("properties", [{}, MOST, variables(4096)])
def test_at_the_limit_it_is_accepted(properties: dict[str, Any]) -> None:
    acceptance.check(properties)


def test_with_a_capacity_provider_other_limits_hold() -> None:
    acceptance.check({"MemorySize": 32768, "Timeout": 5400, "CapacityProviderConfig": {"Arn": "a"}})
