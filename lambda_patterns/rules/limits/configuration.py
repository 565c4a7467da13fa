"""What a function may be configured with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lambda_patterns.facts import limits
from lambda_patterns.model.values import Text, plain
from lambda_patterns.rules.limits.ranges import FUNCTION, out_of_range, too_many
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value


def _memory(deployment: Deployment) -> Iterator[Found]:
    for function in deployment.of_type(FUNCTION):
        managed = function.get("CapacityProviderConfig") is not None
        yield from out_of_range(limits.MANAGED_MEMORY if managed else limits.MEMORY, function, "MemorySize")


def _timeout(deployment: Deployment) -> Iterator[Found]:
    for function in deployment.of_type(FUNCTION):
        managed = function.get("CapacityProviderConfig") is not None
        yield from out_of_range(limits.MANAGED_TIMEOUT if managed else limits.TIMEOUT, function, "Timeout")


def _storage(deployment: Deployment) -> Iterator[Found]:
    for function in deployment.of_type(FUNCTION):
        accelerated = function.get("AcceleratorConfig") is not None
        limit = limits.ACCELERATED_STORAGE if accelerated else limits.EPHEMERAL_STORAGE
        yield from out_of_range(limit, function, "EphemeralStorage", "Size")


def _layers(deployment: Deployment) -> Iterator[Found]:
    for function in deployment.of_type(FUNCTION):
        yield from too_many(limits.LAYERS, function, "Layers")


def _vpc_attachments(deployment: Deployment) -> Iterator[Found]:
    for function in deployment.of_type(FUNCTION):
        yield from too_many(limits.SUBNETS, function, "VpcConfig", "SubnetIds")
        yield from too_many(limits.SECURITY_GROUPS, function, "VpcConfig", "SecurityGroupIds")


def _variables(function: Resource) -> dict[str, Value]:
    found = function.get("Environment", "Variables")
    return found if isinstance(found, dict) else {}


def _known(value: Value) -> str:
    """Write what is known of a variable's value: references and parameters count as empty."""
    if isinstance(value, Text):
        return "".join(part for part in value.parts if isinstance(part, str))
    return plain(value) or ""


def environment_bytes(function: Resource) -> int:
    """Count the bytes of a function's variables as AWS does, as compact JSON; unknown ones are empty.

    Other than ASCII is counted as UTF-8: AWS does not document it, and no other encoding is shorter.
    """
    known = {name: _known(value) for name, value in _variables(function).items()}
    return len(json.dumps(known, separators=(",", ":"), ensure_ascii=False).encode())


def _environment_size(deployment: Deployment) -> Iterator[Found]:
    for function in deployment.of_type(FUNCTION):
        if problem := limits.ENVIRONMENT_BYTES.problem(environment_bytes(function)):
            yield Found(function, ("Environment", "Variables"), problem)


def _environment_names(deployment: Deployment) -> Iterator[Found]:
    for function in deployment.of_type(FUNCTION):
        for name in _variables(function):
            path = ("Environment", "Variables", name)
            if name in limits.RESERVED_ENVIRONMENT_NAMES:
                yield Found(function, path, f"{name} is reserved", why="Lambda sets this variable itself")
            elif not limits.ENVIRONMENT_NAME.fullmatch(name):
                what = f"{name!r} is refused, allowed is a letter, then 1 or more letters, digits or _"
                yield Found(function, path, what)


RULES = (
    Rule(
        name="memory-out-of-range",
        topic="limits",
        severity=Severity.ERROR,
        forbids="memory outside 128-10,240 MB, or no whole number",
        why=limits.MEMORY.why,
        fix="set MemorySize (memory_size=) to a whole number from 128 to 10240",
        source=limits.QUOTAS,
        check=_memory,
        exceptions=("up to 32,768 MB with CapacityProviderConfig (Lambda Managed Instances)",),
    ),
    Rule(
        name="timeout-out-of-range",
        topic="limits",
        severity=Severity.ERROR,
        forbids="a timeout outside 1-900 s",
        why=limits.TIMEOUT.why,
        fix="set Timeout (timeout=) to at most 900 s, and split what takes longer",
        source=limits.QUOTAS,
        check=_timeout,
        exceptions=("up to 5,400 s with CapacityProviderConfig (Lambda Managed Instances)",),
    ),
    Rule(
        name="environment-over-4-kb",
        topic="limits",
        severity=Severity.ERROR,
        forbids="variables whose compact JSON is over 4,096 bytes; what is unknown counts as empty",
        why=limits.ENVIRONMENT_BYTES.why,
        fix="move what is long to Parameter Store, Secrets Manager or AppConfig and pass its name",
        source=limits.QUOTAS,
        check=_environment_size,
        exceptions=("references and parameters, whose length is not known",),
    ),
    Rule(
        name="environment-name-refused",
        topic="limits",
        severity=Severity.ERROR,
        forbids="a name that Lambda's pattern refuses or that is reserved",
        why="Lambda refuses the function",
        fix="rename the variable, in the code too",
        source=limits.ENVIRONMENT_PAGE,
        check=_environment_names,
        exceptions=("names that steer a runtime and are not reserved (TZ, PATH, AWS_LAMBDA_EXEC_WRAPPER)",),
    ),
    Rule(
        name="ephemeral-storage-out-of-range",
        topic="limits",
        severity=Severity.ERROR,
        forbids="ephemeral storage (/tmp) outside 512-10,240 MB",
        why=limits.EPHEMERAL_STORAGE.why,
        fix="set EphemeralStorage.Size (ephemeral_storage_size=) to 512-10240, or mount EFS",
        source=limits.QUOTAS,
        check=_storage,
        exceptions=("up to 32,768 MB with AcceleratorConfig",),
    ),
    Rule(
        name="too-many-layers",
        topic="limits",
        severity=Severity.ERROR,
        forbids="over 5 layers",
        why=limits.LAYERS.why,
        fix="merge layers, or put what they hold into the package or an image",
        source=limits.QUOTAS,
        check=_layers,
        exceptions=("layers that AWS::NoValue removes",),
    ),
    Rule(
        name="too-many-vpc-attachments",
        topic="limits",
        severity=Severity.ERROR,
        forbids="over 16 subnets or 5 security groups",
        why="Lambda refuses the function's VpcConfig",
        fix="name fewer: two or three subnets in different zones and one group of the function's own do",
        source=limits.CREATE_FUNCTION_API,
        check=_vpc_attachments,
        exceptions=("a list that is a parameter, whose length is not known",),
    ),
)
