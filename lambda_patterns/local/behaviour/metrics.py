"""The metrics that AWS/Lambda publishes, for every way in which a function is run."""

from __future__ import annotations

from lambda_patterns.local.ministack import module

cloudwatch = module("services.cloudwatch")

_NAMESPACE = "AWS/Lambda"


def record(name: str, value: float, *, function: str, qualifier: str = "", unit: str = "Count") -> None:
    """Add a datapoint for the function, and for the version or alias that was named."""
    cloudwatch.record_metric(_NAMESPACE, name, value, unit, {"FunctionName": function})
    if qualifier not in {"", "$LATEST"}:
        dimensions = {"FunctionName": function, "Resource": f"{function}:{qualifier}"}
        cloudwatch.record_metric(_NAMESPACE, name, value, unit, dimensions)


def record_invocation(
    function: str, qualifier: str, *, milliseconds: float, error: bool, throttled: bool
) -> None:
    """Add what one attempt to run a function counts; a throttled one counts as nothing else."""
    if throttled:
        record("Throttles", 1, function=function, qualifier=qualifier)
        return
    record("Invocations", 1, function=function, qualifier=qualifier)
    record("Errors", 1 if error else 0, function=function, qualifier=qualifier)
    record("Throttles", 0, function=function, qualifier=qualifier)
    record("Duration", milliseconds, function=function, qualifier=qualifier, unit="Milliseconds")
