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


RANGES = [
    (limits.MEMORY, 128, 10_240, "MB"),
    (limits.MANAGED_MEMORY, 128, 32_768, "MB"),
    (limits.TIMEOUT, 1, 900, "s"),
    (limits.MANAGED_TIMEOUT, 1, 5400, "s"),
    (limits.EPHEMERAL_STORAGE, 512, 10_240, "MB"),
    (limits.ACCELERATED_STORAGE, 512, 32_768, "MB"),
    (limits.ENVIRONMENT_BYTES, 0, 4096, "bytes"),
    (limits.LAYERS, 0, 5, "layers"),
    (limits.SUBNETS, 1, 16, "subnets"),
    (limits.SECURITY_GROUPS, 1, 5, "groups"),
    (limits.INLINE_CODE_BYTES, 0, 4_194_304, "bytes"),
    (limits.UNZIPPED_BYTES, 0, 262_144_000, "bytes"),
    (limits.DESCRIPTION, 0, 256, "characters"),
    (limits.NEW_ACCOUNT_MEMORY, 128, 3008, "MB"),
    (limits.SNAP_START_STORAGE, 512, 512, "MB"),
    (limits.RETRY_ATTEMPTS, 0, 2, "retries"),
    (limits.EVENT_AGE, 60, 21_600, "s"),
    (limits.TARGET_EVENT_AGE, 60, 86_400, "s"),
    (limits.TARGET_RETRIES, 0, 185, "retries"),
    (limits.SYNC_PAYLOAD_BYTES, 0, 6_291_456, "bytes"),
    (limits.BATCH_SIZE, 1, 10_000, "records"),
    (limits.FIFO_BATCH_SIZE, 1, 10, "messages"),
    (limits.BATCH_SIZE_WITHOUT_WINDOW, 1, 10, "messages"),
    (limits.BATCH_WINDOW, 0, 300, "s"),
    (limits.MAXIMUM_CONCURRENCY, 2, 1000, "executions"),
    (limits.MINIMUM_POLLERS, 1, 200, "pollers"),
    (limits.SQS_MINIMUM_POLLERS, 2, 200, "pollers"),
    (limits.MAXIMUM_POLLERS, 1, 10_000, "pollers"),
    (limits.SQS_MAXIMUM_POLLERS, 2, 10_000, "pollers"),
    (limits.PARALLELIZATION_FACTOR, 1, 10, "batches"),
    (limits.RECORD_AGE, -1, 604_800, "s"),
    (limits.STREAM_RETRIES, -1, 10_000, "retries"),
    (limits.TUMBLING_WINDOW, 0, 900, "s"),
    (limits.QUEUE_RETENTION, 60, 1_209_600, "s"),
    (limits.VISIBILITY_TIMEOUT, 0, 43_200, "s"),
    (limits.RECEIVE_COUNT, 1, 1000, "receives"),
    (limits.QUEUE_DELAY, 0, 900, "s"),
    (limits.DELIVERY_RETRIES, 0, 100, "retries"),
    (limits.DELIVERY_DELAY, 1, 3600, "s"),
    (limits.DELIVERY_TOTAL, 0, 3600, "s"),
    (edge.TIMEOUT, 1, 30, "s"),
    (edge.VIEWER_MEMORY, 128, 128, "MB"),
    (edge.ZIP_BYTES, 0, 52_428_800, "bytes"),
    (edge.EPHEMERAL_STORAGE, 512, 512, "MB"),
    (edge.FUNCTION_BYTES, 0, 10_240, "bytes"),
    (edge.FUNCTION_STORES, 0, 1, "stores"),
]
"""Each figure once more, so that none changes unseen: who changes one reads its page first."""


@pytest.mark.parametrize(
    ("limit", "low", "high", "unit"), RANGES, ids=lambda value: getattr(value, "name", "")
)
def test_a_limit_has_its_figures_and_takes_both_ends(limit: Limit, low: int, high: int, unit: str) -> None:
    assert (limit.low, limit.high, limit.unit) == (low, high, unit)
    assert limit.problem(low) is None
    assert limit.problem(high) is None
    assert limit.problem(low - 1) is not None
    assert limit.problem(high + 1) is not None


def test_the_ranges_are_those_of_every_limit() -> None:
    made = [value for module in (limits, edge) for value in vars(module).values() if isinstance(value, Limit)]
    assert [limit for limit, *_ in RANGES] == made


@pytest.mark.parametrize("module", [limits, edge])
def test_every_limit_is_a_range_with_a_reason_and_an_address_of_aws(module: object) -> None:
    found = [value for value in vars(module).values() if isinstance(value, Limit)]
    assert found
    for limit in found:
        assert limit.low <= limit.high
        assert limit.why
        assert limit.why[0] != " "
        assert limit.source.startswith("https://docs.aws.amazon.com/")
