"""Running a function once: its request id, its metrics, its error, and the answer of a custom resource."""

from __future__ import annotations

import math
import time
from contextvars import ContextVar
from typing import Any

from lambda_patterns.local.behaviour import errors, metrics
from lambda_patterns.local.ministack import module

lam = module("services.lambda_svc")
responses = module("core.responses")
custom_resource = module("services.cloudformation.custom_resource")

# the id of the invocation that is being run; set by who starts it, else every run gets its own
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
# what the server answers the request with, where a handler wants to say its id
RESPONSE: ContextVar[dict[str, str] | None] = ContextVar("response", default=None)


def install() -> None:
    """Take MiniStack's ways into a function over."""
    original_invoke, original_warm = lam._invoke, lam._execute_function_warm

    async def invoke(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  # MiniStack has no types
        request_id = responses.new_uuid()
        answer = RESPONSE.get()
        if answer is not None:
            answer["request_id"] = request_id
        token = REQUEST_ID.set(request_id)
        try:
            return await original_invoke(*arguments, **named)
        finally:
            REQUEST_ID.reset(token)

    def warm(function: dict[str, Any], event: object, request_id: str) -> dict[str, Any]:
        result: dict[str, Any] = original_warm(function, event, request_id)
        body = result.get("body")
        if result.get("error") and not result.get("throttle") and isinstance(body, dict):
            config = function.get("config") or function
            result["body"] = errors.error_payload(
                body, result.get("log", ""), request_id, config.get("Runtime", "")
            )
        return result

    lam._invoke = invoke
    lam._execute_function_warm = warm
    lam._execute_function = execute
    lam._emit_lambda_metrics = _counted_already


def execute(function: dict[str, Any], event: object) -> dict[str, Any]:
    """Run a function once, within its concurrency, and count it. Gives MiniStack's result."""
    config: dict[str, Any] = function.get("config") or function
    if lam._function_config_scope_mismatch(config):
        inner: dict[str, Any] = lam._run_with_function_config_scope(config, execute, function, event)
        return inner
    name, qualifier = config.get("FunctionName", "unknown"), qualifier_of(config.get("FunctionArn", ""))
    slot, limit = lam._acquire_execution_slot(function, config)
    if slot is None:
        metrics.record_invocation(name, qualifier, milliseconds=0, error=False, throttled=True)
        return _throttled(name, limit)
    started, request_id = time.time(), REQUEST_ID.get() or responses.new_uuid()
    try:
        result: dict[str, Any] = lam._execute_function_dispatch(function, config, event, request_id, started)
    finally:
        lam._release_execution_slot(slot)
    failed = bool(result.get("error"))
    milliseconds = (time.time() - started) * 1000
    result["log"] = _with_report(result.get("log") or "", function, request_id, milliseconds)
    metrics.record_invocation(
        name, qualifier, milliseconds=milliseconds, error=failed, throttled=bool(result.get("throttle"))
    )
    if failed:
        _answer_for_custom_resource(event, name, result)
    return result


def _with_report(log: str, function: dict[str, Any], request_id: str, milliseconds: float) -> str:
    """Add the platform's lines to what the code printed, as the tail of AWS's log has them."""
    config = function.get("config") or function
    report = (
        f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\tBilled Duration: "
        f"{math.ceil(milliseconds)} ms\tMemory Size: {config.get('MemorySize', 128)} MB\tMax Memory Used: "
        f"{lam._probe_peak_memory_mb(function)} MB"
    )
    start = f"START RequestId: {request_id} Version: {config.get('Version', '$LATEST')}"
    return "\n".join(filter(None, (start, log.rstrip("\n"), f"END RequestId: {request_id}", report))) + "\n"


def qualifier_of(arn: str) -> str:
    """Give the qualifier of a function's ARN, "" where it has none."""
    parts = arn.split(":")
    return parts[7] if len(parts) == 8 else ""  # noqa: PLR2004  # arn:aws:lambda:region:account:function:name:qualifier


def _throttled(name: str, limit: str) -> dict[str, Any]:
    reason = {
        "function": "ReservedFunctionConcurrentInvocationLimitExceeded",
        "account": "ConcurrentInvocationLimitExceeded",
    }[limit]
    result: dict[str, Any] = lam._throttle_response(
        reason_code=reason, msg=f"Rate Exceeded: no concurrency is left for {name} in its {limit}"
    )
    return result


def _answer_for_custom_resource(event: object, name: str, result: dict[str, Any]) -> None:
    """Fail a custom resource at once when its function failed before it could answer.

    AWS would wait up to an hour for an answer that cannot come any more.
    """
    if not isinstance(event, dict) or not {"ResponseURL", "StackId", "LogicalResourceId"} <= event.keys():
        return
    body = result.get("body")
    why = body.get("errorMessage") if isinstance(body, dict) else body
    custom_resource.deliver_response(
        str(event["ResponseURL"]).rsplit("/", 1)[-1],
        {
            "Status": "FAILED",
            "Reason": f"the function {name} of custom resource failed without an answer: {why}",
        },
    )


def _counted_already(*_arguments: object, **_named: object) -> None:
    """MiniStack counts invocations by its API alone; `execute` counts them all."""
