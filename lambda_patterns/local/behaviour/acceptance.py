"""What a function must be to be accepted: a runtime that is there, and within the limits that AWS keeps.

Not judged: payload and package sizes, layers, quotas of the account, anything of functions with a capacity
provider, which has limits of its own.
"""

from __future__ import annotations

import json
from typing import Any

from lambda_patterns.facts import limits
from lambda_patterns.local.behaviour import runtimes
from lambda_patterns.local.ministack import module

lam = module("services.lambda_svc")
responses = module("core.responses")


class FunctionRefusedError(ValueError):
    """AWS would refuse the function; a ValueError fails the resource in CloudFormation."""


def install() -> None:
    """Refuse by the API what `check` refuses."""
    create, update = lam._create_function, lam._update_config

    def create_checked(data: dict[str, Any]) -> Any:  # noqa: ANN401  # MiniStack has no types
        return _refusal(data) or create(data)

    def update_checked(name: str, data: dict[str, Any]) -> Any:  # noqa: ANN401  # MiniStack has no types
        return _refusal(data) or update(name, data)

    lam._create_function = create_checked
    lam._update_config = update_checked


def check(properties: dict[str, Any]) -> None:
    """Judge the properties of a function, as CloudFormation or CreateFunction has them.

    Raises:
        RuntimeRefusedError: it cannot run here.
        FunctionRefusedError: it is over a limit; the message has the value and what is allowed.
    """
    image = properties.get("PackageType") == "Image" or "ImageUri" in (properties.get("Code") or {})
    runtimes.refuse(properties.get("Runtime"), image=image)
    if properties.get("CapacityProviderConfig"):
        return
    variables = (properties.get("Environment") or {}).get("Variables") or {}
    size = len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode())
    storage = properties.get("EphemeralStorage") or {}
    for limit, value in (
        (limits.MEMORY, properties.get("MemorySize")),
        (limits.TIMEOUT, properties.get("Timeout")),
        (limits.EPHEMERAL_STORAGE, storage.get("Size")),
        (limits.ENVIRONMENT_BYTES, size),
    ):
        problem = limit.problem(_number(value)) if value is not None else None
        if problem is not None:
            raise FunctionRefusedError(f"{problem}: {limit.why}")


def _number(value: object) -> object:
    """A template may carry a number as text."""
    return int(value) if isinstance(value, str) and value.isdigit() else value


def _refusal(data: dict[str, Any]) -> Any:  # noqa: ANN401  # MiniStack has no types
    try:
        check(data)
    except (FunctionRefusedError, runtimes.RuntimeRefusedError) as error:
        return responses.error_response_json("InvalidParameterValueException", str(error), 400)
    return None
