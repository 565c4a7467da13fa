"""A limit says in one clause what is refused, and in one line why."""

import pytest

from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import edge, limits
from lambda_patterns.facts.limit import Limit


@pytest.mark.parametrize(
    ("limit", "value", "problem"),
    [
        (limits.MEMORY, 128, None),
        (limits.MEMORY, 10_240, None),
        (limits.MEMORY, 127, "memory is 127 MB, allowed are 128-10,240 MB"),
        (limits.MEMORY, 512.5, "memory is 512.5 MB, allowed are 128-10,240 MB, whole numbers only"),
        (limits.MEMORY, "512", "memory is '512', allowed are 128-10,240 MB"),
        (limits.MEMORY, True, "memory is True, allowed are 128-10,240 MB"),
        (limits.MEMORY, float("nan"), "memory is nan MB, allowed are 128-10,240 MB"),
        (limits.LAYERS, 6, "layers are 6, allowed are 0-5"),
        (edge.VIEWER_MEMORY, 256, "memory of a viewer function is 256 MB, allowed is 128 MB"),
    ],
)
def test_a_value_is_judged(limit: Limit, value: object, problem: str | None) -> None:
    assert limit.problem(value) == problem


def test_a_check_raises_with_argument_value_range_reason_and_source() -> None:
    with pytest.raises(ArgumentError) as raised:
        limits.TIMEOUT.check(901, "timeout")
    assert str(raised.value) == (
        "timeout: timeout is 901 s, allowed are 1-900 s: Lambda ends every invocation after 900 s at the "
        "latest (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)"
    )


@pytest.mark.parametrize("module", [limits, edge])
def test_every_limit_is_a_range_with_a_reason_and_an_address_of_aws(module: object) -> None:
    found = [value for value in vars(module).values() if isinstance(value, Limit)]
    assert found
    for limit in found:
        assert limit.low <= limit.high
        assert limit.why
        assert limit.why[0] != " "
        assert limit.source.startswith("https://docs.aws.amazon.com/")
