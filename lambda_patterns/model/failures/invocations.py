"""Who invokes which function asynchronously, and on which qualifier.

Not modelled: asynchronous callers other than SNS, S3, EventBridge rules and schedules and what is declared
(CloudWatch Logs, IoT, SES, CodeCommit, Config, custom resources), and what a function's code invokes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.model.texts import arn_segments
from lambda_patterns.model.values import Reference, Text, Unknown, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

FUNCTION = "AWS::Lambda::Function"
ALIAS = "AWS::Lambda::Alias"
VERSION = "AWS::Lambda::Version"
LATEST = "$LATEST"


class Invoked(NamedTuple):
    """A function on one qualifier.

    Args:
        function: the function.
        qualifier: "$LATEST", the name of an alias or version, or, where the name is only known at deployment,
            the alias or version itself. None: not known at all.
        by: the resource that the caller names: the function, an alias or a version.
    """

    function: Resource
    qualifier: str | Resource | None
    by: Resource

    @property
    def label(self) -> str:
        """The qualifier in words."""
        return self.qualifier if isinstance(self.qualifier, str) else self.by.id


class Trigger(NamedTuple):
    """Something that invokes a function asynchronously.

    Args:
        caller: the resource that calls: a subscription, bucket, rule or schedule; the function itself where
            it was declared that something outside the template does.
        service: who calls for it ("sns.amazonaws.com"), "" where that is not known or goes by a role.
        source: the resource whose ARN the service gives: topic, bucket, rule.
        path: the property of `caller` that names the function.
        words: what it is ("the rule Nightly").
        invoked: the function and qualifier.
    """

    caller: Resource
    service: str
    source: Resource | None
    path: tuple[str | int, ...]
    words: str
    invoked: Invoked


def invoked(deployment: Deployment, value: Value) -> Invoked | None:
    """Find the function and qualifier that `value` (a name, an ARN, a reference) stands for."""
    qualifier: str | None = LATEST
    if isinstance(value, Text) and isinstance(value.parts[0], Reference):
        first, *rest = value.parts
        named: Resource | None = first.resource if isinstance(first, Reference) else None
        qualifier = rest[0][1:] if len(rest) == 1 and isinstance(rest[0], str) and rest[0][0] == ":" else None
    else:
        named = deployment.resource_of(value, FUNCTION)
        if isinstance(value, str | Text):
            qualifier = _written_qualifier(value)
    if named is None:
        return None
    if named.type == FUNCTION:
        aliases = deployment.referrers(named, ALIAS, "FunctionName")
        by = next((alias for alias in aliases if plain(alias.get("Name")) == qualifier), named)
        return Invoked(named, qualifier, by)
    if named.type in (ALIAS, VERSION):
        function = deployment.resource_of(named.get("FunctionName"), FUNCTION)
        name = plain(named.get("Name")) if named.type == ALIAS else None
        return None if function is None else Invoked(function, name or named, named)
    return None


def _written_qualifier(value: str | Text) -> str | None:
    """Read the qualifier off an ARN: "function:orders:live" has one, "function:orders" means $LATEST."""
    segments = arn_segments(value)
    if segments is None:
        return LATEST if isinstance(value, str) else None
    end = segments[5].parts[-1] if isinstance(segments[5], Text) else segments[5]
    if not isinstance(end, str):
        return LATEST
    parts = end.split(":")
    if isinstance(segments[5], Text):
        return parts[-1] if len(parts) > 1 and parts[0] == "" else LATEST
    return parts[2] if len(parts) > 2 else LATEST  # noqa: PLR2004  # "function", the name, the qualifier


def canonical(qualifier: Value) -> str | Resource | None:
    """Write the Qualifier of a configuration so that it compares with that of `Invoked`; None if unknown."""
    if isinstance(qualifier, Reference):
        named = qualifier.resource
        return (plain(named.get("Name")) if named.type == ALIAS else None) or named
    return plain(qualifier)


def triggers(deployment: Deployment) -> Iterator[Trigger]:
    """Yield everything that invokes a function of the deployment asynchronously."""
    yield from _subscriptions(deployment)
    yield from _buckets(deployment)
    yield from _rules(deployment)
    yield from _schedules(deployment)
    yield from _declared(deployment)


def _subscriptions(deployment: Deployment) -> Iterator[Trigger]:
    for one in deployment.of_type("AWS::SNS::Subscription"):
        target = invoked(deployment, one.get("Endpoint"))
        if one.text("Protocol") == "lambda" and target is not None:
            topic = one.resource("TopicArn")
            words = f"the SNS subscription {one.id}"
            yield Trigger(one, "sns.amazonaws.com", topic, ("Endpoint",), words, target)
    for topic in deployment.of_type("AWS::SNS::Topic"):
        for index, item in items(topic, "Subscription"):
            target = invoked(deployment, item.get("Endpoint"))
            if item.get("Protocol") == "lambda" and target is not None:
                path = ("Subscription", index, "Endpoint")
                yield Trigger(topic, "sns.amazonaws.com", topic, path, f"the topic {topic.id}", target)


def _buckets(deployment: Deployment) -> Iterator[Trigger]:
    for bucket in deployment.of_type("AWS::S3::Bucket"):
        for index, item in items(bucket, "NotificationConfiguration", "LambdaConfigurations"):
            target = invoked(deployment, item.get("Function"))
            if target is not None:
                path = ("NotificationConfiguration", "LambdaConfigurations", index, "Function")
                yield Trigger(bucket, "s3.amazonaws.com", bucket, path, f"the bucket {bucket.id}", target)
    for custom in deployment.of_type("Custom::S3BucketNotifications"):
        listed = ("NotificationConfiguration", "LambdaFunctionConfigurations")
        owner = custom.resource("BucketName")
        words = f"the bucket {owner.id if owner is not None else 'behind ' + custom.id}"
        for index, item in items(custom, *listed):
            target = invoked(deployment, item.get("LambdaFunctionArn"))
            if target is not None:
                path = (*listed, index, "LambdaFunctionArn")
                yield Trigger(custom, "s3.amazonaws.com", owner, path, words, target)


def _rules(deployment: Deployment) -> Iterator[Trigger]:
    for rule in deployment.of_type("AWS::Events::Rule"):
        for index, item in items(rule, "Targets"):
            target = invoked(deployment, item.get("Arn"))
            if target is not None:
                path = ("Targets", index, "Arn")
                yield Trigger(rule, "events.amazonaws.com", rule, path, f"the rule {rule.id}", target)


def _schedules(deployment: Deployment) -> Iterator[Trigger]:
    for schedule in deployment.of_type("AWS::Scheduler::Schedule"):
        target = invoked(deployment, schedule.get("Target", "Arn"))
        if target is not None:
            path = ("Target", "Arn")
            yield Trigger(schedule, "", schedule, path, f"the schedule {schedule.id}", target)


def _declared(deployment: Deployment) -> Iterator[Trigger]:
    for function in deployment.of_type(FUNCTION):
        ours = function.metadata.get("LambdaPatterns")
        listed = ours.get("Asynchronous") if isinstance(ours, dict) else None
        for qualifier in listed if isinstance(listed, list) else ():
            if isinstance(qualifier, str):
                target = Invoked(function, qualifier, function)
                yield Trigger(function, "", None, (), "something outside the template", target)


def items(resource: Resource, *path: str | int) -> Iterator[tuple[int, dict[str, Value]]]:
    """Yield the mappings of a list with their places; nothing where it is not known."""
    listed = resource.list(*path)
    if not isinstance(listed, Unknown):
        for index, item in enumerate(listed):
            if isinstance(item, dict):
                yield index, item
