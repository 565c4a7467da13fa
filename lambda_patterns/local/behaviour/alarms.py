"""When a metric alarm changes its state: per dimension, on a clock, M of N, missing data as told.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from __future__ import annotations

import operator
import time
from typing import TYPE_CHECKING, Any

from lambda_patterns.local.behaviour import metric_math
from lambda_patterns.local.ministack import module

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

cloudwatch = module("services.cloudwatch")

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def install() -> None:
    """Let MiniStack's alarms be judged by `evaluate`."""
    cloudwatch._evaluate_alarm = evaluate


def evaluate(alarm: dict[str, Any]) -> None:
    """Judge one alarm as of now and act on a change."""
    comparison = _COMPARISONS.get(alarm.get("ComparisonOperator", ""))
    if comparison is None:
        return
    threshold, old = float(alarm.get("Threshold", 0)), alarm["StateValue"]
    values = series(alarm, time.time())
    new = state(
        values,
        breaches=lambda value: comparison(value, threshold),
        needed=int(alarm.get("DatapointsToAlarm") or len(values)),
        missing=alarm.get("TreatMissingData", "missing"),
        old=old,
    )
    if new == old:
        return
    seen = [value for value in values if value is not None]
    shown = ", ".join(f"{value:g}" for value in seen) or "no datapoints"
    reason = (
        f"Threshold Crossed: [{shown}] {alarm['ComparisonOperator']} {threshold:g} of {len(values)} periods"
    )
    alarm.update(StateValue=new, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def state(
    values: Sequence[float | None],
    *,
    breaches: Callable[[float], bool],
    needed: int,
    missing: str,
    old: str,
) -> str:
    """Decide the state from one value per evaluation period, None where there was no datapoint.

    Args:
        values: one per period, the newest first.
        breaches: whether a value crosses the threshold.
        needed: how many breaching periods make the alarm (DatapointsToAlarm).
        missing: TreatMissingData: "missing", "ignore", "breaching" or "notBreaching".
        old: the state until now.
    """
    seen = [value for value in values if value is not None]
    bad = sum(map(breaches, seen))
    holes = len(values) - len(seen)
    if bad + (holes if missing == "breaching" else 0) >= needed:
        return "ALARM"
    if seen or missing in {"breaching", "notBreaching"}:
        return "OK"
    return old if missing == "ignore" else "INSUFFICIENT_DATA"


def series(alarm: Mapping[str, Any], now: float) -> list[float | None]:
    """Give one value per evaluation period, the newest first."""
    periods = int(alarm.get("EvaluationPeriods", 1))
    if alarm.get("Metrics"):
        return metric_math.series(alarm["Metrics"], periods, lambda m, n: _values(m, n, now))
    return _values(alarm, periods, now)


def _values(metric: Mapping[str, Any], periods: int, now: float) -> list[float | None]:
    """Read `Namespace`, `MetricName`, `Dimensions`, `Period`, `Statistic` of exactly one metric."""
    dimensions = {item["Name"]: item["Value"] for item in metric.get("Dimensions") or []}
    key = (metric.get("Namespace"), metric.get("MetricName"), cloudwatch._dims_key(dimensions))
    points = list(cloudwatch._metrics.get(key) or [])
    statistic = metric.get("ExtendedStatistic") or metric.get("Statistic", "Average")
    period = int(metric.get("Period", 60))
    values: list[float | None] = []
    for index in range(periods):
        start, end = now - (index + 1) * period, now - index * period
        window = [point for point in points if start < point["Timestamp"] <= end]
        values.append(
            cloudwatch._stat_value(cloudwatch._calc_stats(window), statistic, window) if window else None
        )
    return values
