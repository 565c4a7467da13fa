"""Whether a failed invocation is kept, may be written where it goes, and does not come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.facts import limits
from lambda_patterns.model.failures.invocations import LATEST
from lambda_patterns.model.policies import Decision
from lambda_patterns.model.texts import join
from lambda_patterns.model.values import Reference
from lambda_patterns.rules.failures.keys import customer_key
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.failures import Invoked, Trigger
    from lambda_patterns.model.template import Resource

_INVOKE_ACCESS = "https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html"
_RECURSION = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html"


def _dropped(deployment: Deployment) -> Iterator[Found]:
    failures = deployment.failures
    if failures.unplaced:
        return
    by_qualifier: dict[Invoked, list[Trigger]] = {}
    for trigger in failures.triggers:
        by_qualifier.setdefault(trigger.invoked, []).append(trigger)
    for invoked, triggers in by_qualifier.items():
        if failures.catching(invoked) or not invoked.function.certain:
            continue
        elsewhere = sorted(
            {
                outcome.qualifier
                for outcome in failures.outcomes
                if outcome.catches
                and not outcome.of_stream
                and outcome.function is invoked.function
                and isinstance(outcome.qualifier, str)
            }
        )
        name = f"{invoked.function.id} ({invoked.label})"
        words = f"{triggers[0].words} invokes {name} asynchronously, and nothing keeps its failures"
        if elsewhere:
            words += f": the destination is on {', '.join(elsewhere)}"
        yield Found(invoked.function, (), words, subject=str(invoked.label))


def _fifo(deployment: Deployment) -> Iterator[Found]:
    for outcome in deployment.failures.outcomes:
        if outcome.fifo:
            name = outcome.target.id if outcome.target is not None else "it"
            what = (
                f"the {outcome.kind} of {outcome.function.id} is FIFO, allowed are standard queues and topics"
            )
            yield Found(outcome.at, outcome.path, what, f"make {name} a standard queue or topic")


# type -> (action, what follows the ARN)
_WRITES = {
    "AWS::SQS::Queue": ("sqs:SendMessage", ""),
    "AWS::SNS::Topic": ("sns:Publish", ""),
    "AWS::Lambda::Function": ("lambda:InvokeFunction", ""),
    "AWS::Lambda::Alias": ("lambda:InvokeFunction", ""),
    "AWS::Lambda::Version": ("lambda:InvokeFunction", ""),
    "AWS::Events::EventBus": ("events:PutEvents", ""),
    "AWS::S3::Bucket": ("s3:PutObject", "/aws/lambda/async/*"),
}


def _denied(deployment: Deployment) -> Iterator[Found]:
    may = deployment.permissions.may
    for outcome in deployment.failures.outcomes:
        target, role = outcome.target, outcome.function.resource("Role")
        if target is None or role is None or target.type not in _WRITES:
            continue
        action, rest = _WRITES[target.type]
        arn = join([Reference(target, "Arn"), rest])
        if may(role, action, arn) is Decision.DENIED:
            what = f"the role {role.id} may not {action} to the {outcome.kind} {target.id}"
            yield Found(
                outcome.at, outcome.path, what, f"allow {role.id} {action} on {target.id}", subject=action
            )
        key = customer_key(deployment, target)
        if key is not None and may(role, "kms:GenerateDataKey", Reference(key, "Arn")) is Decision.DENIED:
            what = f"the role {role.id} may not use the key {key.id} of the {outcome.kind} {target.id}"
            fix = f"allow {role.id} kms:GenerateDataKey and kms:Decrypt on {key.id}"
            yield Found(outcome.at, outcome.path, what, fix, subject="key")


def _loop(deployment: Deployment) -> Iterator[Found]:
    for loop in deployment.failures.loops:
        way = " -> ".join(resource.id for resource in (*loop, loop[0]))
        yield Found(loop[0], (), f"failures come back: {way}")


def _invoke_denied(deployment: Deployment) -> Iterator[Found]:
    for trigger in deployment.failures.triggers:
        invoked = trigger.invoked
        if not trigger.service or not invoked.function.certain or deployment.incomplete:
            continue
        if invoked.by is invoked.function and invoked.qualifier != LATEST:
            continue  # an alias or version that is not here, with permissions of its own
        source = None if trigger.source is None else Reference(trigger.source, "Arn")
        answer = deployment.permissions.admits(
            trigger.invoked.by, trigger.service, "lambda:InvokeFunction", source=source
        )
        if answer is Decision.DENIED:
            name = trigger.invoked.by.id
            what = f"{trigger.words} may not invoke {name}: no permission lets {trigger.service} in for it"
            fix = f"add an AWS::Lambda::Permission on {name} for {trigger.service} with its ARN as SourceArn"
            yield Found(trigger.caller, trigger.path, what, fix)
    for schedule in deployment.of_type("AWS::Scheduler::Schedule"):
        yield from _schedule_denied(deployment, schedule)


def _schedule_denied(deployment: Deployment, schedule: Resource) -> Iterator[Found]:
    """A schedule invokes with a role of its own."""
    arn, role = schedule.get("Target", "Arn"), schedule.resource("Target", "RoleArn")
    target = deployment.resource_of(arn)
    if role is None or target is None or not target.type.startswith("AWS::Lambda::"):
        return
    if deployment.permissions.may(role, "lambda:InvokeFunction", arn) is Decision.DENIED:
        what = f"the schedule {schedule.id} may not invoke {target.id}: its role {role.id} does not allow it"
        fix = f"allow {role.id} lambda:InvokeFunction on {target.id}"
        yield Found(schedule, ("Target", "RoleArn"), what, fix)


RULES = (
    Rule(
        name="failures-dropped",
        topic="failures",
        severity=Severity.WARNING,
        forbids=(
            "a function that is invoked asynchronously (SNS, S3, EventBridge, a schedule, a declaration) "
            "with no on-failure destination or dead-letter queue on the qualifier that is invoked"
        ),
        why="after two retries Lambda discards a failed event, and a destination is for one qualifier alone",
        fix="give on_failure=OnFailureQueue(...) to the function, or to the alias where that is invoked",
        source=limits.RETAIN_PAGE,
        check=_dropped,
        exceptions=(
            "a dead-letter queue, which holds for every qualifier",
            "functions that are only read from a queue or stream, or invoked synchronously",
            "a destination for a function that is only known at deployment",
        ),
    ),
    Rule(
        name="destination-fifo",
        topic="failures",
        severity=Severity.ERROR,
        forbids="a FIFO queue or topic as destination or dead-letter queue of a function",
        why="Lambda cannot write to it: each failure is lost as a DestinationDeliveryFailure",
        fix="name a standard queue or topic",
        source=limits.RETAIN_PAGE,
        check=_fifo,
        exceptions=("a FIFO queue that feeds a function, and its own FIFO dead-letter queue",),
    ),
    Rule(
        name="destination-denied",
        topic="failures",
        severity=Severity.ERROR,
        forbids=(
            "an execution role that may not write to its destination or dead-letter queue, or not use its key"
        ),
        why="Lambda writes failures with the execution role, and loses those that it may not write",
        fix="allow the execution role the action on the destination, and on its key",
        source=limits.RETAIN_PAGE,
        check=_denied,
        exceptions=(
            "a role or destination outside the templates",
            "a queue encrypted with SQS's own or AWS's managed key, which the role needs no permission for",
        ),
    ),
    Rule(
        name="failure-loop",
        topic="failures",
        severity=Severity.ERROR,
        forbids=(
            "failures that come back to what failed: a cycle of triggers, destinations and redrives that "
            "nothing ends"
        ),
        why="the same event fails again and again, at full price, for days or until loop detection drops it",
        fix="end it: a redrive policy on the queue in it, to a queue that nothing in the cycle reads",
        source=_RECURSION,
        check=_loop,
        exceptions=(
            "a queue in the cycle with a redrive policy that leads out of it",
            "a subscription with a filter policy",
            "a mapping that is disabled",
        ),
    ),
    Rule(
        name="invoke-denied",
        topic="failures",
        severity=Severity.ERROR,
        forbids="a topic, bucket or rule that is set to invoke a function and has no permission to",
        why="a service invokes a function only if the function's own policy lets it in for that source",
        fix="add an AWS::Lambda::Permission for the service with the source's ARN",
        source=_INVOKE_ACCESS,
        check=_invoke_denied,
        exceptions=(
            "a permission without SourceArn, or with one that may match",
            "a function outside the templates",
            "schedules of EventBridge Scheduler, which invoke with a role",
        ),
    ),
)
