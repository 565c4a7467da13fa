"""What every function of this library has: its own role and log group, traces, and failures that are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from lambda_patterns.constructs.acknowledgements import LOG_GROUP_KEY, acknowledge
from lambda_patterns.constructs.execution_role import (
    add_statements,
    create_role,
    log_statement,
    tracing_statement,
)
from lambda_patterns.constructs.function_options import FunctionOptions, check_alias_name, check_options
from lambda_patterns.constructs.own_resource import own_resource
from lambda_patterns.constructs.queue_access import let_send

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

    from lambda_patterns.constructs.execution_role import Statement

_CONCURRENCY = (
    "the account's unreserved pool bounds it; a reservation takes from that pool, which is for the owner of "
    "the account to decide (reserved_concurrent_executions=)"
)
_DESTINATION = (
    "its failures go to an on-failure destination, which is told the error as well as the event; the rule "
    "looks at the older DeadLetterConfig alone"
)


_ASYNCHRONOUS: tuple[Literal["on_failure", "on_success", "max_event_age", "retry_attempts"], ...] = (
    "on_failure",
    "on_success",
    "max_event_age",
    "retry_attempts",
)


class BaseFunction(lambda_.Function):
    """A `lambda_.Function` with the defaults of this library; use `VpcFunction` or `PlainFunction`.

    The role and the log group stand beside the function, named after it (``<id>Role``, ``<id>Logs``): a
    function is complete the moment it exists, so what it is built from has to exist before.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        statements: Sequence[Statement],
        placement: Mapping[str, Any],
        options: FunctionOptions,
    ) -> None:
        check_options(options)
        retention = options.pop("log_retention", logs.RetentionDays.THREE_MONTHS)
        log_group = options.get("log_group")
        if log_group is None:
            log_group = logs.LogGroup(scope, f"{construct_id}Logs", retention=retention)
            acknowledge(log_group, LOG_GROUP_KEY)
        needed = [log_statement(log_group.log_group_arn), *statements]
        if "tracing" not in options:
            needed.append(tracing_statement())
        role = options.get("role")
        if role is None:
            role = create_role(scope, f"{construct_id}Role", needed)
        else:
            add_statements(role, needed)
        super().__init__(
            scope,
            construct_id,
            **{**_defaults(options), **options, "role": role, "log_group": log_group, **placement},
        )
        self._asynchronous: dict[str, Any] = {
            name: options[name] for name in _ASYNCHRONOUS if name in options
        }
        self._versions_configured = False
        self._declarations: dict[str, Any] = {}
        self._resource = own_resource(self, lambda_.CfnFunction)
        if "tracing" not in options:
            # Given as an argument, aws_cdk would add a second policy for it.
            self._resource.tracing_config = lambda_.CfnFunction.TracingConfigProperty(mode="Active")
        if "dead_letter_queue" in options:
            # aws_cdk grants the queue, but not its key.
            let_send(options["dead_letter_queue"], self)
        self._acknowledge(options)

    def _acknowledge(self, options: FunctionOptions) -> None:
        reasons = self._reasons()
        if "reserved_concurrent_executions" not in options:
            reasons["compliance/LambdaConcurrency"] = _CONCURRENCY
        if "on_failure" in options and "dead_letter_queue" not in options:
            reasons["compliance/LambdaDLQ"] = _DESTINATION
            reasons["Serverless-LambdaDLQ"] = _DESTINATION
        if reasons:
            acknowledge(self, reasons)

    def _reasons(self) -> dict[str, str]:
        return {}

    def add_alias(self, alias_name: str, **options: Any) -> lambda_.Alias:  # noqa: ANN401  # the options stay aws_cdk's
        """Define an alias of the current version, with the function's own asynchronous settings.

        Lambda keeps these settings per qualifier: those of ``$LATEST`` do not hold for an alias.

        Args:
            alias_name: "live"; 1-128 letters, digits, `_` and `-`, and no number alone.
            options: as of `lambda_.Function.add_alias`; an asynchronous setting given here wins.

        Raises:
            ArgumentError: a name that no alias can have.

        Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html
        """
        check_alias_name(alias_name)
        return super().add_alias(alias_name, **{**self._asynchronous, **options})

    @property
    def current_version(self) -> lambda_.Version:
        """The version of the code and settings as they are, with the function's own asynchronous settings."""
        version = super().current_version
        if self._asynchronous and not self._versions_configured:
            self._versions_configured = True
            version.configure_async_invoke(**self._asynchronous)
        return version

    def allow_unreachable(self, service: str, *, reason: str) -> None:
        """Declare that the code never calls a service that the role is allowed to call.

        Args:
            service: the short name of its endpoint ("sns").
            reason: why it is not called, or not from here; it is shown wherever the rule would have spoken.
        """
        stated = {"Service": service, "Reason": reason}
        self._declare("Unreachable", value=[*self._declarations.get("Unreachable", []), stated])

    def declare_asynchronous(self, *qualifiers: str) -> None:
        """Declare who outside the template invokes the function asynchronously.

        Args:
            qualifiers: what is invoked, "$LATEST" or the names of aliases.
        """
        self._declare("Asynchronous", value=[*self._declarations.get("Asynchronous", []), *qualifiers])

    def _declare(self, name: str, *, value: object) -> None:
        """Record a declaration in the template, where the rules read it."""
        self._declarations[name] = value
        self._resource.add_metadata("LambdaPatterns", self._declarations)


def _defaults(options: FunctionOptions) -> dict[str, Any]:
    """What stands where the caller says nothing; a call into aws_cdk costs, so none is made in vain."""
    defaults: dict[str, Any] = {"memory_size": 512}
    if "runtime" not in options:
        defaults["runtime"] = lambda_.Runtime.PYTHON_3_14
    if "architecture" not in options:
        defaults["architecture"] = lambda_.Architecture.ARM_64
    if "timeout" not in options:
        defaults["timeout"] = Duration.seconds(30)
    return defaults
