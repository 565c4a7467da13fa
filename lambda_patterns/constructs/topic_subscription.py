"""A subscription of a topic whose failures are kept, whichever of the two ways they are lost in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_patterns.constructs.acknowledgements import acknowledge
from lambda_patterns.constructs.on_failure_queue import OnFailureQueue
from lambda_patterns.constructs.own_resource import own_resource
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import limits

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALIAS = "SNS invokes an alias as it does a function: the subscription's endpoint may be its ARN"
_DEFAULTS = limits.DELIVERY_DEFAULTS


@dataclass(frozen=True, slots=True)
class HttpEndpoint:
    """An HTTP or HTTPS endpoint, with the delivery policy that SNS has for such alone.

    The retries run in four phases: at once, at the shortest delay, growing from the shortest to the longest,
    and at the longest. SNS refuses a policy whose retries could take over an hour together.

    Args:
        url: its address; SNS sends a confirmation there first.
        retries: all retries, 0-100. Default 3.
        at_once: of those, how many without delay. Default 0.
        at_shortest: how many at the shortest delay. Default 0.
        at_longest: how many at the longest delay. Default 0.
        shortest: the shortest delay, 1-3,600 s. Default 20 s.
        longest: the longest delay, 1-3,600 s. Default 20 s.
        growth: how the delay grows between them. Default linear.
        most_per_second: how many deliveries a second the endpoint takes. Default: no limit.

    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
    """

    url: str
    retries: int = _DEFAULTS["numRetries"]
    at_once: int = _DEFAULTS["numNoDelayRetries"]
    at_shortest: int = _DEFAULTS["numMinDelayRetries"]
    at_longest: int = _DEFAULTS["numMaxDelayRetries"]
    shortest: Duration = Duration.seconds(_DEFAULTS["minDelayTarget"])  # noqa: RUF009  # a frozen value
    longest: Duration = Duration.seconds(_DEFAULTS["maxDelayTarget"])  # noqa: RUF009  # a frozen value
    growth: sns.BackoffFunction = sns.BackoffFunction.LINEAR
    most_per_second: int | None = None


class TopicSubscription(Construct):
    """Subscribes a function, queue or HTTP/S endpoint, and keeps what does not arrive or is not processed.

    Two things can fail. SNS cannot hand a notification over: it tries for 23 days, for HTTP/S as its policy
    says, and then puts it into the subscription's dead-letter queue; a deleted function or a lost permission
    go there at once. Or the function fails: SNS has done its part then, and never hears of it; that is kept
    by the function's own on-failure destination, which this construct sets where there is none.

    Args:
        topic: the topic.
        target: a function or an alias, a queue, or an `HttpEndpoint`.
        failures: the queue for both kinds of failures, best an `OnFailureQueue`. Default: one is made.
        filter_policy: attributes that a message must have, `sns.SubscriptionFilter` by name.
        filter_policy_on_body: the same for the message's body.
        raw: deliver the message without SNS's envelope, to a queue or an endpoint. Default False.
        alarm_topic: who is told of a failure, where the queue for them is made here.

    Attributes:
        failures: the queue for failures.
        subscription: the subscription.

    Raises:
        ArgumentError: a delivery policy that SNS refuses, a FIFO queue for a standard topic, a queue under a
            key that cannot be opened to SNS.

    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
    """

    def __init__(  # noqa: PLR0913  # each is one setting of a subscription
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic: sns.ITopic,
        target: lambda_.IFunction | sqs.IQueue | HttpEndpoint,
        failures: OnFailureQueue | sqs.IQueue | None = None,
        filter_policy: Mapping[str, sns.SubscriptionFilter] | None = None,
        filter_policy_on_body: Mapping[str, sns.FilterOrPolicy] | None = None,
        raw: bool = False,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        if isinstance(target, HttpEndpoint):
            _check_policy(target)
        elif isinstance(target, lambda_.FunctionBase):
            _check_function(target, raw=raw)
        kept = failures.queue if isinstance(failures, OnFailureQueue) else failures
        if kept is not None:
            _check_failures(kept, topic)
        super().__init__(scope, construct_id)
        self.failures: sqs.IQueue = kept or OnFailureQueue(self, "Failures", alarm_topic=alarm_topic).queue
        common: dict[str, Any] = {
            "dead_letter_queue": self.failures,
            "filter_policy": filter_policy,
            "filter_policy_with_message_body": filter_policy_on_body,
        }
        self.subscription: sns.Subscription = topic.add_subscription(_subscription(target, common, raw=raw))
        self._open_key(topic)
        if isinstance(target, HttpEndpoint):
            resource = own_resource(self.subscription, sns.CfnSubscription)
            # aws_cdk writes the name in capitals; SNS documents it in small letters.
            path = "DeliveryPolicy.healthyRetryPolicy.backoffFunction"
            resource.add_property_override(path, target.growth.value.lower())
        if isinstance(target, lambda_.FunctionBase):
            self._keep_failures_of(target, failures)
        if isinstance(target, lambda_.Alias):
            acknowledge(self.subscription, {"CloudFormation-Validate::W3694": _ALIAS})

    def _open_key(self, topic: sns.ITopic) -> None:
        """Let SNS use the queue's key: aws_cdk opens that of a queue that subscribes, not of this one."""
        key = self.failures.encryption_master_key
        if key is None:
            return
        key.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                resources=["*"],
                conditions={"ArnEquals": {"aws:SourceArn": topic.topic_arn}},
            )
        )

    def _keep_failures_of(
        self, function: lambda_.IFunction, failures: OnFailureQueue | sqs.IQueue | None
    ) -> None:
        if function.node.try_find_child("EventInvokeConfig") is not None:
            return
        if isinstance(function, lambda_.Function) and function.dead_letter_queue is not None:
            return
        on_failure = (
            failures if isinstance(failures, OnFailureQueue) else destinations.SqsDestination(self.failures)
        )
        function.configure_async_invoke(on_failure=on_failure)


def _subscription(
    target: lambda_.IFunction | sqs.IQueue | HttpEndpoint, common: dict[str, Any], *, raw: bool
) -> sns.ITopicSubscription:
    if isinstance(target, HttpEndpoint):
        policy = sns.DeliveryPolicy(
            healthy_retry_policy=sns.HealthyRetryPolicy(
                num_retries=target.retries,
                num_no_delay_retries=target.at_once,
                num_min_delay_retries=target.at_shortest,
                num_max_delay_retries=target.at_longest,
                min_delay_target=target.shortest,
                max_delay_target=target.longest,
                backoff_function=target.growth,
            ),
            throttle_policy=None
            if target.most_per_second is None
            else sns.ThrottlePolicy(max_receives_per_second=target.most_per_second),
        )
        return subscriptions.UrlSubscription(
            target.url, raw_message_delivery=raw, delivery_policy=policy, **common
        )
    if isinstance(target, lambda_.FunctionBase):
        return subscriptions.LambdaSubscription(target, **common)
    assert isinstance(target, sqs.QueueBase)  # noqa: S101  # narrows: it is the last of the three
    return subscriptions.SqsSubscription(target, raw_message_delivery=raw, **common)


def _check_function(function: lambda_.IFunction, *, raw: bool) -> None:
    if raw:
        raise ArgumentError("raw: a function always gets SNS's envelope: leave it out")
    if function.role is None:
        raise ArgumentError(
            "target: an imported function's own failures cannot be kept from here: subscribe it where it is "
            "made, or import it with its role, Function.from_function_attributes(role=...) "
            f"({limits.RETAIN_PAGE})"
        )


def _check_failures(queue: sqs.IQueue, topic: sns.ITopic) -> None:
    if queue.fifo and not topic.fifo:
        raise ArgumentError(
            "failures: it is FIFO, and a standard topic and Lambda write to standard queues only "
            f"({limits.SUBSCRIPTION_DLQ_PAGE})"
        )
    if isinstance(queue, sqs.Queue) and queue.encryption_type == sqs.QueueEncryption.KMS_MANAGED:
        raise ArgumentError(
            "failures: it is encrypted with AWS's own key alias/aws/sqs, whose policy shuts out SNS: use "
            f"SQS_MANAGED, or a customer key ({limits.QUEUE_KEYS_PAGE})"
        )


def _check_policy(endpoint: HttpEndpoint) -> None:
    limits.DELIVERY_RETRIES.check(endpoint.retries, "retries")
    shortest, longest = endpoint.shortest.to_seconds(), endpoint.longest.to_seconds()
    limits.DELIVERY_DELAY.check(shortest, "shortest")
    limits.DELIVERY_DELAY.check(longest, "longest")
    if shortest > longest:
        raise ArgumentError(
            f"shortest: {shortest:g} s is longer than longest, {longest:g} s ({limits.DELIVERY_PAGE})"
        )
    phases = endpoint.at_once + endpoint.at_shortest + endpoint.at_longest
    if min(endpoint.at_once, endpoint.at_shortest, endpoint.at_longest) < 0 or phases > endpoint.retries:
        raise ArgumentError(
            f"retries: the phases have {phases} retries, all together are {endpoint.retries}: the phases are "
            f"a part of them ({limits.DELIVERY_PAGE})"
        )
    growing = endpoint.retries - phases
    total = shortest * endpoint.at_shortest + longest * (growing + endpoint.at_longest)
    limits.DELIVERY_TOTAL.check(total, "retries")
