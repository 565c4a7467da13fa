"""From what people name (queue, function, stack, bucket) to the places where its failures are kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lambda_patterns.errors import ArgumentError, LambdaPatternsError
from lambda_patterns.redrive import aws as aws_

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_sqs.literals import QueueAttributeNameType

    from lambda_patterns.redrive.aws import Aws

_KINDS = {"queue", "function", "stack"}
_NOT_A_NAME = {"ValidationException", "InvalidParameterValueException"}
_FAILURE_TARGETS = {"sqs", "s3"}


@dataclass(frozen=True, slots=True)
class Place:
    """One place where failures are kept.

    Args:
        address: the queue's ARN or URL, or ``s3://bucket/prefix``.
        whys: what it is, each way by which it came to be known: "on-failure destination of orders:live".
    """

    address: str
    whys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resolved:
    """The places, and what could not be followed.

    Args:
        places: where failures can be read, each once.
        unreadable: failures that go where nothing can be read back, with what would help.
    """

    places: tuple[Place, ...]
    unreadable: tuple[str, ...] = ()


def resolve(aws: Aws, named: str) -> Resolved:
    """Find where the failures of a queue, function, stack or bucket are kept.

    Args:
        aws: the clients.
        named: a queue's name, URL or ARN; a function's name (with ":alias" or ":version") or ARN; a stack's
            name or ARN; ``s3://bucket/prefix``. "queue:NAME", "function:NAME" or "stack:NAME" says which.

    Raises:
        LambdaPatternsError: nothing is called so, several things are, or it keeps no failures.
    """
    if not named.strip():
        raise ArgumentError("TARGET is empty: name a queue, function or stack, or s3://bucket/prefix")
    kind, name = _kind(named)
    if kind == "queue":
        return Resolved((Place(name, ("named",)),))
    found = {kind: _LOOKUPS[kind](aws, name)} if kind else _everything_called(aws, name)
    found = {kind: entry for kind, entry in found.items() if entry is not None}
    if not found:
        what = f"no {kind}" if kind else "no queue, function or stack"
        raise LambdaPatternsError(
            f"there is {what} {name} in {aws.region}: check the name, --region and --profile"
        )
    if len(found) > 1:
        options = " or ".join(f"{kind}:{name}" for kind in sorted(found))
        raise LambdaPatternsError(f"{name} is more than one thing: say {options}")
    ((kind, resolved),) = found.items()
    if resolved is None or not resolved.places:
        hints = "".join(f"; {line}" for line in resolved.unreadable) if resolved else ""
        raise LambdaPatternsError(
            f"{kind} {name} keeps no failures: it has no queue or bucket as on-failure destination or "
            f"dead-letter queue{hints}"
        )
    return resolved


def _kind(named: str) -> tuple[str, str]:
    prefix, _, rest = named.partition(":")
    if prefix in _KINDS and rest:
        return prefix, rest
    if named.startswith(("s3://", "https://", "http://")):
        return "queue", named
    if named.startswith("arn:"):
        kinds = {"sqs": "queue", "lambda": "function", "cloudformation": "stack"}
        service = f"{named}:::".split(":")[2]
        if service not in kinds:
            raise LambdaPatternsError(f"{named} is no queue, function or stack")
        return kinds[service], named
    return "", named


def _everything_called(aws: Aws, name: str) -> dict[str, Resolved | None]:
    return {
        "queue": _queue(aws, name),
        "function": _function(aws, name),
        "stack": None if ":" in name else _stack(aws, name),
    }


def _queue(aws: Aws, name: str) -> Resolved | None:
    if ":" in name or "." in name.removesuffix(".fifo"):
        return None
    try:
        url = aws.sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except (BotoCoreError, ClientError) as error:
        if aws_.is_missing(error):
            return None
        raise aws_.refusal(error, f"looking for queue {name}") from None
    return Resolved((Place(url, ("named",)),))


def _function(aws: Aws, name: str) -> Resolved | None:
    try:
        return _unique(_of_function(aws, name))
    except (BotoCoreError, ClientError) as error:
        if aws_.is_missing(error) or aws_.code(error) in _NOT_A_NAME:
            return None
        raise aws_.refusal(error, f"looking for function {name}") from None


def _of_function(aws: Aws, name: str) -> Iterator[tuple[str, str]]:
    """Yield (ARN, why) of all that takes this function's failures, by every way that it can be invoked."""
    settings = aws.lambda_.get_function_configuration(FunctionName=name)
    function, qualifier = _split(name)
    short = settings.get("FunctionName", function)
    if target := settings.get("DeadLetterConfig", {}).get("TargetArn"):
        yield target, f"dead-letter queue of {short}"
    pages = aws.lambda_.get_paginator("list_function_event_invoke_configs").paginate(FunctionName=function)
    for config in (config for page in pages for config in page.get("FunctionEventInvokeConfigs", [])):
        invoked = _split(config.get("FunctionArn", ""))[1] or "$LATEST"
        target = config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if target and qualifier in {None, invoked}:
            yield target, f"on-failure destination of {short}:{invoked}"
    mappings = aws.lambda_.get_paginator("list_event_source_mappings").paginate(FunctionName=name)
    for mapping in (mapping for page in mappings for mapping in page.get("EventSourceMappings", [])):
        source = mapping.get("EventSourceArn", "")
        if target := mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"):
            yield target, f"on-failure destination of {short}'s mapping of {source.rsplit(':', 1)[-1]}"
        if ":sqs:" in source and (target := _dead_letter_queue(aws, source)):
            yield target, f"dead-letter queue of {source.rsplit(':', 1)[-1]}, which feeds {short}"
    yield from _handing_over(aws, function, short, qualifier)


def _split(name: str) -> tuple[str, str | None]:
    """Cut the qualifier off a function's name or ARN."""
    parts = name.split(":")
    length = 7 if name.startswith("arn:") else 1
    return ":".join(parts[:length]), parts[length] if len(parts) > length else None


def _dead_letter_queue(aws: Aws, arn: str) -> str | None:
    _, _, _, _, account, name = arn.split(":", 5)
    try:
        url = aws.sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        got = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
    except ClientError as error:
        if aws_.is_missing(error):
            return None
        raise
    return _dead_letters_to(got.get("Attributes", {}))


def _dead_letters_to(attributes: Mapping[str, str] | Mapping[QueueAttributeNameType, str]) -> str | None:
    """Read the ARN of the dead-letter queue out of the attributes of a queue or subscription."""
    found = json.loads(attributes.get("RedrivePolicy") or "{}").get("deadLetterTargetArn")
    return found if isinstance(found, str) else None


def _handing_over(aws: Aws, function: str, short: str, qualifier: str | None) -> Iterator[tuple[str, str]]:
    """Follow the topics and rules that the function's policies let in to what keeps undelivered events."""
    sources = {
        word
        for policy in _policies(aws, function, qualifier)
        for word in policy.split('"')
        if word.startswith("arn:") and "*" not in word
    }
    for topic in sorted(source for source in sources if ":sns:" in source):
        try:
            pages = aws.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
            subscriptions = [s for page in pages for s in page["Subscriptions"]]
        except ClientError as error:
            if aws_.is_missing(error):
                continue
            raise
        for subscription in subscriptions:
            if f":function:{short}" in subscription.get("Endpoint", ""):
                yield from _of_subscription(aws, subscription.get("SubscriptionArn", ""))
    for rule in sorted(source for source in sources if ":events:" in source and ":rule/" in source):
        *bus, name = rule.split(":rule/")[1].split("/")
        yield from _of_rule(aws, name, "/".join(bus), short)


def _policies(aws: Aws, function: str, qualifier: str | None) -> Iterator[str]:
    """Yield the resource policies of a function and of its aliases, or of one of them."""
    pages = aws.lambda_.get_paginator("list_aliases").paginate(FunctionName=function)
    aliases = [alias.get("Name", "") for page in pages for alias in page.get("Aliases", [])]
    for name in [None, *aliases] if qualifier is None else [qualifier]:
        asked = {"FunctionName": function} if name in {None, "$LATEST"} else None
        try:
            yield aws.lambda_.get_policy(**(asked or {"FunctionName": function, "Qualifier": str(name)}))[
                "Policy"
            ]
        except ClientError as error:
            if not aws_.is_missing(error):
                raise


def _of_rule(aws: Aws, name: str, bus: str, function: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield what keeps the events that a rule could not hand to its targets, or to one function."""
    try:
        # Of its targets there are five at most: one page.
        targets = aws.events.list_targets_by_rule(Rule=name, EventBusName=bus or "default")["Targets"]
    except ClientError as error:
        if aws_.is_missing(error):
            return
        raise
    for target in targets:
        kept = target.get("DeadLetterConfig", {}).get("Arn")
        if kept and (function is None or f":function:{function}" in target["Arn"]):
            yield kept, f"dead-letter queue of the target of rule {name}"


def _of_subscription(aws: Aws, arn: str) -> Iterator[tuple[str, str]]:
    if not arn.startswith("arn:"):
        return  # "PendingConfirmation"
    attributes = aws.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    if target := _dead_letters_to(attributes):
        yield target, f"dead-letter queue of the subscription to {arn.split(':')[5]}"


def _stack(aws: Aws, name: str) -> Resolved | None:
    try:
        return _unique(_of_stack(aws, name))
    except (BotoCoreError, ClientError) as error:
        if aws_.is_missing(error) or aws_.code(error) == "ValidationError":
            return None  # "Stack with id ... does not exist"
        raise aws_.refusal(error, f"looking for stack {name}") from None


def _of_stack(aws: Aws, name: str) -> Iterator[tuple[str, str]]:
    pages = aws.cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    for resource in (resource for page in pages for resource in page.get("StackResourceSummaries", [])):
        kind, physical = resource.get("ResourceType"), resource.get("PhysicalResourceId", "")
        if resource.get("ResourceStatus", "").startswith("DELETE_COMPLETE") or not physical:
            continue
        if kind == "AWS::CloudFormation::Stack":
            yield from _of_stack(aws, physical)
        elif kind == "AWS::Lambda::Function":
            yield from _of_function(aws, physical)
        elif kind == "AWS::SNS::Subscription":
            yield from _of_subscription(aws, physical)
        elif kind == "AWS::Events::Rule":
            *bus, rule = physical.split("|")
            yield from _of_rule(aws, rule, "|".join(bus))
        elif kind == "AWS::SQS::Queue":
            yield from _of_queue(aws, physical)


def _of_queue(aws: Aws, url: str) -> Iterator[tuple[str, str]]:
    got = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
    if target := _dead_letters_to(got.get("Attributes", {})):
        yield target, f"dead-letter queue of {url.rsplit('/', 1)[-1]}"


def _unique(found: Iterator[tuple[str, str]]) -> Resolved:
    places: dict[str, list[str]] = {}
    unreadable: list[str] = []
    for arn, why in found:
        service = arn.split(":")[2]
        address = arn if service != "s3" else f"s3://{arn.rsplit(':', 1)[-1]}"
        if service in _FAILURE_TARGETS:
            reasons = places.setdefault(address, [])
            reasons += [why] if why not in reasons else []
        else:
            unreadable.append(
                f"the {why} is {arn}, from which nothing can be read back: name the queue behind it"
            )
    named = (Place(address, tuple(reasons)) for address, reasons in places.items())
    return Resolved(tuple(named), tuple(dict.fromkeys(unreadable)))


_LOOKUPS = {"function": _function, "stack": _stack}
