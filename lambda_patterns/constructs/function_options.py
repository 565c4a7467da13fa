"""The arguments of every function here, and the checks before aws_cdk sees any of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Required, TypedDict

from aws_cdk import Duration, Size

from lambda_patterns.constructs.package import PackageCode
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import limits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_codeguruprofiler as codeguruprofiler
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_sns as sns
    from aws_cdk import aws_sqs as sqs
    from aws_cdk.interfaces import aws_lambda as lambda_interfaces

    from lambda_patterns.facts.limit import Limit


class FunctionOptions(TypedDict, total=False):
    """The arguments that every function of this library takes; for most aws_cdk's own documentation holds.

    Numbers are whole; they are typed as aws_cdk types them, because a token may stand for one.

    Args:
        code: `lambda_.Code`.
        handler: "handler.handler", module and function.
        runtime: default the newest Python that Lambda runs (3.14, supported until June 2029).
        architecture: default arm64: a fifth cheaper per GB-second, and every current runtime has it. Choose
            x86_64 for code that was compiled for it.
        memory_size: 128-10,240 MB. Default 512: processor time is proportional to memory, and at Lambda's
            own 128 MB a function has a fourteenth of a processor.
        timeout: 1-900 s. Default 30 s: Lambda's own 3 s are over before an SDK's first retry is.
        log_retention: how long logs are kept. Default three months.
        log_group: takes the place of the group that the construct would make.
        role: takes the place of the role that the construct would make; permissions are added to it.
        on_failure: where events go that failed asynchronously, usually an `OnFailureQueue`. It holds for
            ``$LATEST``, for `current_version` and for each `add_alias` alike, as the other asynchronous
            settings do (`on_success`, `max_event_age` 60-21,600 s, `retry_attempts` 0-2). Default: none, for
            functions that nobody invokes asynchronously.
        dead_letter_queue: its key is opened to the function too.
        tracing: default active.
    """

    code: Required[lambda_.Code]
    handler: Required[str]

    adot_instrumentation: lambda_.AdotInstrumentationConfig
    application_log_level_v2: lambda_.ApplicationLogLevel
    architecture: lambda_.Architecture
    code_signing_config: lambda_interfaces.ICodeSigningConfigRef
    current_version_options: lambda_.VersionOptions
    dead_letter_queue: sqs.IQueue
    dead_letter_topic: sns.ITopic
    description: str
    durable_config: lambda_.DurableConfig
    environment: Mapping[str, str]
    environment_encryption: kms.IKey
    ephemeral_storage_size: Size
    events: Sequence[lambda_.IEventSource]
    filesystem: lambda_.FileSystem
    function_name: str
    initial_policy: Sequence[iam.PolicyStatement]
    insights_version: lambda_.LambdaInsightsVersion
    layers: Sequence[lambda_.ILayerVersion]
    log_group: logs.ILogGroup
    log_retention: logs.RetentionDays
    logging_format: lambda_.LoggingFormat
    max_event_age: Duration
    memory_size: float
    on_failure: lambda_.IDestination
    on_success: lambda_.IDestination
    params_and_secrets: lambda_.ParamsAndSecretsLayerVersion
    profiling: bool
    profiling_group: codeguruprofiler.IProfilingGroup
    recursive_loop: lambda_.RecursiveLoop
    reserved_concurrent_executions: float
    retry_attempts: float
    role: iam.IRole
    runtime: lambda_.Runtime
    runtime_management_mode: lambda_.RuntimeManagementMode
    snap_start: lambda_.SnapStartConf
    system_log_level_v2: lambda_.SystemLogLevel
    tenancy_config: lambda_.TenancyConfig
    timeout: Duration
    tracing: lambda_.Tracing


# Tokens stand for values that deployment decides; aws_cdk writes them into texts and into numbers below this.
_TOKEN_TEXT = ("${Token[", "#{Token[")
_TOKEN_NUMBER = -1e280


def is_token(value: object) -> bool:
    """Say whether a text or number stands for a value that is not known yet."""
    if isinstance(value, str):
        return any(mark in value for mark in _TOKEN_TEXT)
    return isinstance(value, int | float) and value < _TOKEN_NUMBER


def seconds(duration: Duration, argument: str) -> float:
    """Give a duration's seconds; those of a token are a token.

    Raises:
        ArgumentError: it is a bare number or something else.
    """
    if not isinstance(duration, Duration):
        raise ArgumentError(f"{argument}: {duration!r} has no unit: give a Duration, Duration.seconds(30)")
    return duration.to_seconds()


def check_limit(limit: Limit, value: float, argument: str) -> None:
    """Hold a value against a limit; what is a token is not known, and passes."""
    if not is_token(value):
        limit.check(value, argument)


def check_options(options: FunctionOptions) -> None:
    """Raise `ArgumentError` for what Lambda would refuse; what is a token is not known, and passes."""
    if "memory_size" in options:
        check_limit(limits.MEMORY, options["memory_size"], "memory_size")
    if "timeout" in options:
        check_limit(limits.TIMEOUT, seconds(options["timeout"], "timeout"), "timeout")
    if "ephemeral_storage_size" in options:
        size = options["ephemeral_storage_size"]
        if not isinstance(size, Size):
            raise ArgumentError(
                f"ephemeral_storage_size: {size!r} has no unit: give a Size, Size.mebibytes(1024)"
            )
        check_limit(limits.EPHEMERAL_STORAGE, size.to_mebibytes(), "ephemeral_storage_size")
    if "max_event_age" in options:
        age = seconds(options["max_event_age"], "max_event_age")
        check_limit(limits.EVENT_AGE, age, "max_event_age")
    if "retry_attempts" in options:
        check_limit(limits.RETRY_ATTEMPTS, options["retry_attempts"], "retry_attempts")
    if "layers" in options:
        check_limit(limits.LAYERS, len(options["layers"]), "layers")
    if isinstance(options["code"], PackageCode):
        options["code"].check(options["architecture"].name if "architecture" in options else "arm64")
    _check_texts(options)
    _check_environment(options.get("environment", {}))
    _check_dead_letters(options)
    _check_destinations(options)


def _check_texts(options: FunctionOptions) -> None:
    name, handler = options.get("function_name", ""), options["handler"]
    if "function_name" in options and not (is_token(name) or limits.FUNCTION_NAME.fullmatch(name)):
        raise ArgumentError(
            f"function_name is {name!r}, allowed are 1-64 letters, digits, _ and - "
            f"({limits.CREATE_FUNCTION_API})"
        )
    if not (is_token(handler) or limits.HANDLER.fullmatch(handler)):
        raise ArgumentError(
            f"handler is {handler!r}, allowed are 1-128 characters without spaces "
            f"({limits.CREATE_FUNCTION_API})"
        )
    description = options.get("description", "")
    if not is_token(description):
        limits.DESCRIPTION.check(len(description), "description")


def check_alias_name(name: str) -> None:
    """Raise `ArgumentError` for a name that no alias can have."""
    if not (is_token(name) or limits.ALIAS_NAME.fullmatch(name)):
        raise ArgumentError(
            f"alias_name is {name!r}, allowed are 1-128 letters, digits, _ and -, and no number alone "
            f"({limits.CREATE_ALIAS_API})"
        )


def _check_environment(environment: Mapping[str, str]) -> None:
    for name in environment:
        if name in limits.RESERVED_ENVIRONMENT_NAMES:
            raise ArgumentError(
                f"environment: {name} is a name that Lambda sets itself: "
                f"choose another ({limits.ENVIRONMENT_PAGE})"
            )
        if not is_token(name) and not limits.ENVIRONMENT_NAME.fullmatch(name):
            raise ArgumentError(
                f"environment: {name!r} is refused as a name: a letter comes first, then at least one more "
                f"letter, digit or underscore ({limits.ENVIRONMENT_PAGE})"
            )
    known = {name: "" if is_token(value) else value for name, value in environment.items()}
    size = len(json.dumps(known, separators=(",", ":"), ensure_ascii=False).encode()) if known else 0
    limits.ENVIRONMENT_BYTES.check(size, "environment")


def _check_dead_letters(options: FunctionOptions) -> None:
    for name in ("dead_letter_queue", "dead_letter_topic"):
        target: sqs.IQueue | sns.ITopic | None = options.get(name)  # type: ignore[assignment]  # a key by variable
        if target is not None and target.fifo:
            raise ArgumentError(
                f"{name}: it is FIFO, and Lambda writes failed events to standard queues and topics only: "
                f"give a standard one ({limits.RETAIN_PAGE})"
            )


def _check_destinations(options: FunctionOptions) -> None:
    for name in ("on_failure", "on_success"):
        given: Any = options.get(name)
        if given is not None and not hasattr(given, "bind"):
            raise ArgumentError(
                f"{name}: {_named(given)} is no destination: give an OnFailureQueue, or one of "
                "aws_lambda_destinations, SqsDestination(queue)"
            )
        if getattr(getattr(given, "queue", None), "fifo", False):
            raise ArgumentError(
                f"{name}: {_named(given)} is FIFO, and Lambda writes to standard queues only: give a "
                f"standard one ({limits.RETAIN_PAGE})"
            )


def _named(given: Any) -> str:  # noqa: ANN401  # whatever somebody passed
    path = getattr(getattr(given, "node", None), "path", None)
    return repr(given) if path is None else f"{type(given).__name__} {path}"
