"""Alarm states: M of N, missing data in its four ways, metric math."""

import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_patterns.local.behaviour import metric_math
from lambda_patterns.local.behaviour.alarms import state

VALUES = st.lists(st.none() | st.floats(-10, 10), min_size=1, max_size=5)


def judge(values: list[float | None], needed: int, missing: str, old: str = "OK") -> str:
    return state(values, breaches=lambda value: value >= 1, needed=needed, missing=missing, old=old)


@pytest.mark.parametrize(
    ("values", "needed", "missing", "expected"),
    [
        ([1.0], 1, "missing", "ALARM"),
        ([0.0], 1, "missing", "OK"),
        ([1.0, 0.0, 1.0], 2, "missing", "ALARM"),
        ([1.0, 0.0, 0.0], 2, "missing", "OK"),
        ([None], 1, "missing", "INSUFFICIENT_DATA"),
        ([None], 1, "breaching", "ALARM"),
        ([None], 1, "notBreaching", "OK"),
        ([None, 1.0], 2, "breaching", "ALARM"),
        ([None, 1.0], 2, "notBreaching", "OK"),
        ([None, 0.0], 1, "missing", "OK"),
    ],
)
def test_the_state_follows_from_the_values(
    values: list[float | None], needed: int, missing: str, expected: str
) -> None:
    assert judge(values, needed, missing) == expected


@pytest.mark.parametrize("old", ["OK", "ALARM", "INSUFFICIENT_DATA"])
def test_ignoring_missing_data_keeps_the_state(old: str) -> None:
    assert judge([None, None], 1, "ignore", old) == old


@given(VALUES, st.integers(1, 5))
def test_more_breaching_values_never_end_an_alarm(values: list[float | None], needed: int) -> None:
    worse: list[float | None] = [1.0, *values[1:]]
    if judge(values, needed, "missing") == "ALARM" and values[0] is not None:
        assert judge(worse, needed, "missing") == "ALARM"


def compute(expression: str, periods: int = 2, **series: list[float | None]) -> list[float | None]:
    queries: list[dict[str, Any]] = [
        {
            "Id": name,
            "ReturnData": False,
            "MetricStat": {"Metric": {"MetricName": name}, "Period": 60, "Stat": "Sum"},
        }
        for name in series
    ]
    queries.append({"Id": "result", "Expression": expression})
    return metric_math.series(queries, periods, lambda metric, _periods: series[metric["MetricName"]])


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2),
    st.lists(st.floats(1, 1e6), min_size=2, max_size=2),
    st.sampled_from([("+", operator.add), ("-", operator.sub), ("*", operator.mul), ("/", operator.truediv)]),
)
def test_arithmetic_is_arithmetic_period_by_period(a: list[float], b: list[float], sign: Any) -> None:
    expected = [sign[1](x, y) for x, y in zip(a, b, strict=True)]
    assert compute(f"a {sign[0]} b", a=list(a), b=list(b)) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("100 * errors / invocations", [50.0, None]),
        ("FILL(errors, 0) + 1", [2.0, 1.0]),
        ("IF(invocations > 1, 1, 0)", [1.0, 0.0]),
        ("SUM(METRICS())", [3.0, 0.0]),
        ("MAX([errors, invocations])", [2.0, 0.0]),
        ("SUM(invocations)", [2.0, 2.0]),
        ("errors >= 1 AND invocations >= 1", [1.0, None]),
        ("-errors ^ 2", [-1.0, None]),
        ("ABS(-invocations)", [2.0, 0.0]),
        ("errors / 0", [None, None]),
    ],
)
def test_functions_of_metric_math(expression: str, expected: list[float | None]) -> None:
    assert compute(expression, errors=[1.0, None], invocations=[2.0, 0.0]) == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("ANOMALY_DETECTION_BAND(errors)", "metric math function ANOMALY_DETECTION_BAND is not known here"),
        ("SELECT SUM(x) FROM y", "metric math 'SELECT SUM(x) FROM y' is not understood"),
        ("nothing + 1", "'nothing' is no id of the alarm's metrics"),
        ("errors[0]", "metric math 'errors[0]' is not known here"),
    ],
)
def test_an_expression_that_is_not_known_is_refused(expression: str, message: str) -> None:
    with pytest.raises(metric_math.UnknownExpressionError) as error:
        compute(expression, errors=[1.0, 0.0])
    assert str(error.value) == message


def test_exactly_one_series_is_compared_with_the_threshold() -> None:
    stat = {"Metric": {"MetricName": "m"}, "Period": 60, "Stat": "Sum"}
    queries = [{"Id": "a", "MetricStat": stat}, {"Id": "b", "MetricStat": stat}]
    with pytest.raises(metric_math.UnknownExpressionError, match="exactly one"):
        metric_math.series(queries, 1, lambda _metric, _periods: [1.0])
