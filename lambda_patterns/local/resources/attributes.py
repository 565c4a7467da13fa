"""What MiniStack's own handlers leave out: attributes that CDK reads, properties of a function."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from lambda_patterns.local.behaviour import acceptance, runtimes
from lambda_patterns.local.ministack import module
from lambda_patterns.local.resources.handler import Created, Handler, Properties

if TYPE_CHECKING:
    from collections.abc import Callable

lam = module("services.lambda_svc")
provisioners = module("services.cloudformation.provisioners")
responses = module("core.responses")

_KEPT = ("DeadLetterConfig", "VpcConfig", "FileSystemConfigs", "KmsKeyArn")
# function name -> the sentence that says what runs it instead of its runtime
_substituted: dict[str, str] = {}


def install() -> None:
    """Wrap the handlers of the types that lack something."""
    handlers = provisioners._RESOURCE_HANDLERS
    _add(
        handlers["AWS::EC2::VPC"],
        lambda identity, p: {"VpcId": identity, "CidrBlock": p.get("CidrBlock", "")},
    )
    _add(handlers["AWS::EC2::SecurityGroup"], lambda identity, _p: {"Id": identity, "GroupId": identity})
    _add(handlers["AWS::EC2::VPCEndpoint"], lambda identity, _p: {"Id": identity})
    function = handlers["AWS::Lambda::Function"]
    for operation, at in (("create", 1), ("update", 2)):
        function[operation] = _complete_function(function[operation], at)
    function["delete"] = _forgetful(function["delete"])
    mapping = handlers["AWS::Lambda::EventSourceMapping"]
    mapping["create"] = _as_switched(mapping["create"])
    for queue, inline, target in (
        ("AWS::SQS::QueuePolicy", "AWS::SQS::QueueInlinePolicy", ("Queue", "Queues")),
        ("AWS::SNS::TopicPolicy", "AWS::SNS::TopicInlinePolicy", ("TopicArn", "Topics")),
    ):
        handlers.setdefault(inline, _one_target(handlers[queue], *target).for_ministack())


def substitutions() -> list[str]:
    """Say which functions run on another version than they ask for."""
    return [f"{name}: {sentence}" for name, sentence in sorted(_substituted.items())]


def forget_all() -> None:
    """Start from nothing, as the server does on reset."""
    _substituted.clear()


def _add(handler: dict[str, Any], more: Callable[[str, Properties], dict[str, Any]]) -> None:
    for operation, at in (("create", 1), ("update", 2)):
        if operation in handler:
            handler[operation] = _with_attributes(handler[operation], at, more)


def _with_attributes(
    original: Callable[..., Created], at: int, more: Callable[[str, Properties], dict[str, Any]]
) -> Callable[..., Created]:
    @functools.wraps(original)
    def run(*arguments: Any) -> Created:  # noqa: ANN401  # passed on
        identity, attributes = original(*arguments)
        return identity, {**more(identity, arguments[at]), **(attributes or {})}

    return run


def _complete_function(original: Callable[..., Created], at: int) -> Callable[..., Created]:
    """Refuse what cannot run, and keep the properties that MiniStack's CloudFormation drops."""

    @functools.wraps(original)
    def run(*arguments: Any) -> Created:  # noqa: ANN401  # passed on
        properties: Properties = arguments[at]
        acceptance.check(properties)
        name, attributes = original(*arguments)
        record = lam._functions[name]
        for key in _KEPT:
            if properties.get(key):
                record["config"][key] = properties[key]
            else:
                record["config"].pop(key, None)
        reserved = properties.get("ReservedConcurrentExecutions")
        record["concurrency"] = None if reserved is None else int(reserved)
        sentence = runtimes.substitution(properties.get("Runtime") or "")
        if sentence:
            _substituted[name] = sentence
        return name, attributes

    return run


def _as_switched(original: Callable[..., Created]) -> Callable[..., Created]:
    """Say of a mapping that is made switched off that it is: it does not read, and was called enabled."""

    @functools.wraps(original)
    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        identity, attributes = original(logical_id, properties, stack)
        if str(properties.get("Enabled", True)).lower() == "false":
            lam._esms[identity].update(State="Disabled", Enabled=False)
        return identity, attributes

    return create


def _forgetful(original: Callable[[str, Properties], None]) -> Callable[[str, Properties], None]:
    def run(name: str, properties: Properties) -> None:
        original(name, properties)
        _substituted.pop(name, None)

    return run


def _one_target(original: dict[str, Any], one: str, many: str) -> Handler:
    """An inline policy names one queue or topic where the policy type names a list."""

    def listed(properties: Properties) -> Properties:
        return {**properties, many: [properties[one]]}

    def create(logical_id: str, properties: Properties, stack: str) -> Created:
        made: Created = original["create"](logical_id, listed(properties), stack)
        return made

    def delete(identity: str, properties: Properties) -> None:
        original["delete"](identity, listed(properties))

    return Handler(create=create, delete=delete)
