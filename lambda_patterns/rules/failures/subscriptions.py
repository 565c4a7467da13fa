"""Subscriptions to SNS topics: what they cannot deliver, and how often they try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.facts import limits
from lambda_patterns.model.coercions import as_document, as_number
from lambda_patterns.model.failures.outcomes import is_fifo
from lambda_patterns.model.policies import Decision
from lambda_patterns.model.values import Reference, Unknown
from lambda_patterns.rules.rule import Found, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.facts.limit import Limit
    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

_SUBSCRIPTION = "AWS::SNS::Subscription"
_ADVISED = ("lambda", "sqs")
_HTTP = ("http", "https")


def _without_dlq(deployment: Deployment) -> Iterator[Found]:
    for subscription in deployment.of_type(_SUBSCRIPTION):
        protocol = subscription.text("Protocol")
        if protocol in _ADVISED and deployment.failures.redrive_of(subscription) is None:
            what = f"the subscription of a {_words(str(protocol))} has no dead-letter queue"
            yield Found(subscription, ("RedrivePolicy",), what)
    for topic in deployment.of_type("AWS::SNS::Topic"):
        listed = topic.list("Subscription")
        for index, item in enumerate([] if isinstance(listed, Unknown) else listed):
            inner = item.get("Protocol") if isinstance(item, dict) else None
            if inner in _ADVISED:
                what = f"the subscription of a {_words(str(inner))}, in its topic, has no dead-letter queue"
                fix = "make it an AWS::SNS::Subscription of its own with a RedrivePolicy"
                yield Found(topic, ("Subscription", index), what, fix)


def _words(protocol: str) -> str:
    return "function" if protocol == "lambda" else "queue"


def _dlq_denied(deployment: Deployment) -> Iterator[Found]:
    for redrive in deployment.failures.redrives:
        if redrive.at.type != _SUBSCRIPTION:
            continue
        topic = redrive.at.resource("TopicArn")
        fifo_topic = is_fifo(redrive.at.get("TopicArn"), topic)
        if redrive.fifo and fifo_topic is False:
            what = "the dead-letter queue is FIFO, the topic is not"
            yield Found(redrive.at, redrive.path, what, "name a standard queue", subject="fifo")
        if redrive.dlq is None or not redrive.dlq.certain:
            continue
        source = None if topic is None else Reference(topic)
        answer = deployment.permissions.admits(
            redrive.dlq, "sns.amazonaws.com", "sqs:SendMessage", source=source or redrive.at.get("TopicArn")
        )
        if answer is Decision.DENIED:
            name = redrive.dlq.id
            what = f"the policy of {name} does not let sns.amazonaws.com send for this topic"
            fix = f"allow sns.amazonaws.com sqs:SendMessage on {name} where aws:SourceArn is the topic"
            yield Found(redrive.at, redrive.path, what, fix)


def _delivery(deployment: Deployment) -> Iterator[Found]:
    for subscription in deployment.of_type(_SUBSCRIPTION):
        policy = as_document(subscription.get("DeliveryPolicy"))
        if policy is None:
            continue
        protocol = subscription.text("Protocol")
        if isinstance(protocol, str) and protocol not in _HTTP:
            what = f"a delivery policy on the protocol {protocol}, allowed are http and https"
            fix = "delete DeliveryPolicy: for this protocol SNS has its own"
            yield Found(subscription, ("DeliveryPolicy",), what, fix, subject="protocol")
        elif isinstance(policy, dict):
            retry = policy.get("healthyRetryPolicy")
            if isinstance(retry, dict):
                yield from _retry(subscription, retry)


_RANGES: tuple[tuple[str, Limit], ...] = (
    ("minDelayTarget", limits.DELIVERY_DELAY),
    ("maxDelayTarget", limits.DELIVERY_DELAY),
    ("numRetries", limits.DELIVERY_RETRIES),
)


def _retry(subscription: Resource, retry: dict[str, Value]) -> Iterator[Found]:
    path = ("DeliveryPolicy", "healthyRetryPolicy")
    given: dict[str, float] = {}
    for name, default in limits.DELIVERY_DEFAULTS.items():
        value = as_number(retry.get(name))
        if isinstance(value, Unknown):
            return
        given[name] = default if value is None else value
    if "maxDelayTarget" not in retry:
        given["maxDelayTarget"] = max(given["maxDelayTarget"], given["minDelayTarget"])
    for name, limit in _RANGES:
        if problem := limit.problem(given[name]):
            yield Found(subscription, (*path, name), f"{name}: {problem}")
            return
    low, high, retries = given["minDelayTarget"], given["maxDelayTarget"], given["numRetries"]
    if low > high:
        what = f"minDelayTarget is {low:,} s, over maxDelayTarget, {high:,} s"
        yield Found(subscription, (*path, "minDelayTarget"), what)
        return
    phases = {name: given[name] for name in ("numNoDelayRetries", "numMinDelayRetries", "numMaxDelayRetries")}
    backoff = retries - sum(phases.values())
    if backoff < 0:
        what = f"numRetries is {retries:,}, its phases have {sum(phases.values()):,} retries together"
        yield Found(subscription, (*path, "numRetries"), what)
        return
    function = retry.get("backoffFunction") or "linear"
    if isinstance(function, str):
        total = low * phases["numMinDelayRetries"] + high * phases["numMaxDelayRetries"]
        total += _backoff(function, low, high, int(backoff))
        if total > limits.DELIVERY_TOTAL.high:
            what = f"the retries take about {round(total):,} s in all, allowed are 0-3,600 s"
            yield Found(subscription, path, what)


def _backoff(function: str, low: float, high: float, retries: int) -> float:
    """Estimate the seconds that the backoff phase takes, between its shortest and its longest delay.

    A linear phase is spread evenly. AWS does not publish the other functions; none is shorter than a
    geometric progression between the two delays, which counts here.
    """
    if retries <= 1:
        return low * retries
    if function == "linear":
        return retries * (low + high) / 2
    ratio = (high / low) ** (1 / (retries - 1))
    return float(sum(low * ratio**step for step in range(retries)))


RULES = (
    Rule(
        name="subscription-without-dlq",
        topic="failures",
        severity=Severity.WARNING,
        forbids="an SNS subscription to a function or queue without a dead-letter queue",
        why="what SNS cannot hand over, because a permission or the endpoint is gone, it discards at once",
        fix="give the subscription a RedrivePolicy (dead_letter_queue=)",
        source=limits.SUBSCRIPTION_DLQ_PAGE,
        check=_without_dlq,
        exceptions=("other protocols (email, SMS, HTTP/S, Firehose)",),
    ),
    Rule(
        name="subscription-dlq-denied",
        topic="failures",
        severity=Severity.ERROR,
        forbids=(
            "a subscription's dead-letter queue, whose policy does not let SNS send for that topic, or that "
            "is FIFO"
        ),
        why="SNS writes there as sns.amazonaws.com, and what it may not write is lost",
        fix="allow sns.amazonaws.com sqs:SendMessage on the queue where aws:SourceArn is the topic",
        source=limits.SUBSCRIPTION_DLQ_PAGE,
        check=_dlq_denied,
        exceptions=("a FIFO queue for a FIFO topic", "a queue outside the templates"),
    ),
    Rule(
        name="delivery-policy-refused",
        topic="failures",
        severity=Severity.ERROR,
        forbids="an HTTP/S delivery policy that contradicts itself or runs over 3,600 s; one without HTTP/S",
        why="SNS refuses the subscription",
        fix="let numRetries cover its phases and the whole take at most 3,600 s",
        source=limits.DELIVERY_PAGE,
        check=_delivery,
        exceptions=("phases that add up to numRetries exactly", "a policy that is only known at deployment"),
    ),
)
