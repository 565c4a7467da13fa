"""Queues and topics at rest and on the way, and who may use their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.facts import limits
from lambda_patterns.model.failures.invocations import items
from lambda_patterns.model.policies import Decision
from lambda_patterns.model.values import Reference, Unknown
from lambda_patterns.rules.failures.keys import customer_key, managed_by_aws
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.policies import Statement
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

_SQS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"
QUEUE = "AWS::SQS::Queue"
TOPIC = "AWS::SNS::Topic"
_ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")


class _Writer(NamedTuple):
    """A service that writes to a queue or topic, and for what."""

    service: str
    source: Resource
    target: Resource


def _unencrypted(deployment: Deployment) -> Iterator[Found]:
    for queue in deployment.of_type(QUEUE):
        if queue.get("KmsMasterKeyId") is None and queue.boolean("SqsManagedSseEnabled") is False:
            what = f"{queue.id} switches its encryption off"
            yield Found(queue, ("SqsManagedSseEnabled",), what, "delete SqsManagedSseEnabled: false")
    for topic in deployment.of_type(TOPIC):
        if topic.get("KmsMasterKeyId") is None:
            fix = "set KmsMasterKeyId (master_key=) to a customer key"
            yield Found(topic, ("KmsMasterKeyId",), f"{topic.id} has no key", fix)


def _writers(deployment: Deployment) -> Iterator[_Writer]:
    """Yield the services that write to queues and topics of the deployment in their own name."""
    named: list[tuple[str, Resource | None, Resource | None]] = [
        ("sns.amazonaws.com", one.resource("TopicArn"), one.resource("Endpoint"))
        for one in deployment.of_type("AWS::SNS::Subscription")
    ]
    for rule in deployment.of_type("AWS::Events::Rule"):
        targets = items(rule, "Targets")
        named += [
            ("events.amazonaws.com", rule, deployment.resource_of(item.get("Arn"))) for _, item in targets
        ]
    for bucket in deployment.of_type("AWS::S3::Bucket"):
        for kind, name in (("QueueConfigurations", "Queue"), ("TopicConfigurations", "Topic")):
            targets = items(bucket, "NotificationConfiguration", kind)
            named += [
                ("s3.amazonaws.com", bucket, deployment.resource_of(item.get(name))) for _, item in targets
            ]
    for redrive in deployment.failures.redrives:
        if redrive.at.type == "AWS::SNS::Subscription":
            named.append(("sns.amazonaws.com", redrive.at.resource("TopicArn"), redrive.dlq))
        elif redrive.at.type == "AWS::Events::Rule":
            named.append(("events.amazonaws.com", redrive.at, redrive.dlq))
    for service, source, target in (*named, *_alarms(deployment)):
        if source is not None and target is not None:
            yield _Writer(service, source, target)


def _alarms(deployment: Deployment) -> Iterator[tuple[str, Resource, Resource | None]]:
    for alarm in deployment.of_type("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        if alarm.boolean("ActionsEnabled", default=True) is not True:
            continue
        for kind in _ACTIONS:
            told = alarm.list(kind)
            for value in told if isinstance(told, list) else ():
                yield "cloudwatch.amazonaws.com", alarm, deployment.resource_of(value)


def _key_denied(deployment: Deployment) -> Iterator[Found]:
    """Report each service once for a queue or topic, by the first that it writes for."""
    found: dict[tuple[object, str], Found] = {}
    for one in _keys_denied(deployment):
        found.setdefault((one.resource, one.subject), one)
    yield from found.values()


def _keys_denied(deployment: Deployment) -> Iterator[Found]:
    for writer in dict.fromkeys(_writers(deployment)):
        service, source, target = writer
        if target.type not in (QUEUE, TOPIC) or not (target.certain and source.certain):
            continue
        managed = managed_by_aws(target)
        if managed is not None:
            what = (
                f"{service} writes to {target.id} for {source.id}, whose key {managed} cannot be opened to it"
            )
            fix = "use a customer key whose policy lets the service in"
            fix += ", or SQS's own encryption" if target.type == QUEUE else ""
            yield Found(target, ("KmsMasterKeyId",), what, fix, subject=service)
            continue
        key = customer_key(deployment, target)
        if key is not None and _may_not_use(deployment, key, writer):
            what = f"{service} writes to {target.id} for {source.id} and may not use its key {key.id}"
            fix = f"allow {service} kms:GenerateDataKey* and kms:Decrypt in the policy of {key.id}"
            yield Found(target, ("KmsMasterKeyId",), what, fix, subject=service)


def _may_not_use(deployment: Deployment, key: Resource, writer: _Writer) -> bool:
    source = Reference(writer.source, "Arn")
    answers = (
        deployment.permissions.admits(key, writer.service, action, source=source)
        for action in ("kms:GenerateDataKey", "kms:Decrypt")
    )
    return Decision.DENIED in answers


def _without_tls(deployment: Deployment) -> Iterator[Found]:
    for queue in deployment.of_type(QUEUE):
        own = deployment.permissions.policy_of(queue)
        known = () if own is None else own.known
        if not any(statement is None or _refuses_plain_text(statement) for statement in known):
            what = f"{queue.id} has no policy that denies plain text"
            yield Found(queue, (), what)


def _refuses_plain_text(statement: Statement) -> bool:
    if statement.allows is not False:
        return statement.allows is None
    if isinstance(statement.conditions, Unknown):
        return True
    conditions = statement.conditions if isinstance(statement.conditions, dict) else {}
    return any(
        operator.startswith("Bool") and _says_false(keys)
        for operator, keys in conditions.items()
        if isinstance(operator, str)
    )


def _says_false(keys: Value) -> bool:
    if not isinstance(keys, dict):
        return isinstance(keys, Unknown)
    found = [value for key, value in keys.items() if key.lower() == "aws:securetransport"]
    return any(isinstance(value, Unknown) or value in (False, "false", ["false"], [False]) for value in found)


RULES = (
    Rule(
        name="queue-unencrypted",
        topic="failures",
        severity=Severity.WARNING,
        forbids="a queue or topic without encryption at rest",
        why="failed events carry the same data as those that succeed, and wait for days",
        fix="leave SQS's own encryption on, and give a topic a key",
        source=_SQS + "sqs-server-side-encryption.html",
        check=_unencrypted,
        exceptions=("a queue that says nothing, which SQS encrypts with its own keys",),
    ),
    Rule(
        name="queue-key-denied",
        topic="failures",
        severity=Severity.ERROR,
        forbids=(
            "a service that writes to an encrypted queue or topic and may not use its key (an AWS-managed "
            "key cannot be opened to SNS, S3, EventBridge or CloudWatch's alarms)"
        ),
        why="the service encrypts each message with the key first; without it the message disappears",
        fix="allow the service kms:GenerateDataKey* and kms:Decrypt in the key's policy",
        source=limits.QUEUE_KEYS_PAGE,
        check=_key_denied,
        exceptions=(
            "destinations of functions, which the execution role writes to",
            "an alarm whose actions are switched off",
            "SQS's own encryption, which needs no permission",
            "a key outside the templates",
        ),
    ),
    Rule(
        name="queue-without-tls",
        topic="failures",
        severity=Severity.WARNING,
        forbids="a queue whose policy does not deny plain-text transport",
        why="SQS takes requests over plain HTTP unless the queue's policy denies them",
        fix="set enforce_ssl=True, or add a policy that denies sqs:* where aws:SecureTransport is false",
        source=_SQS + "sqs-security-best-practices.html",
        check=_without_tls,
        exceptions=("a policy that is only known at deployment",),
    ),
)
