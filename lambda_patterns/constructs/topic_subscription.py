"""A subscription of a topic whose failures are kept, whichever of the two ways they are lost in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_patterns.constructs.acknowledgements import acknowledge
from lambda_patterns.constructs.function_options import is_token, seconds
from lambda_patterns.constructs.on_failure_queue import OnFailureQueue
from lambda_patterns.constructs.own_resource import own_resource
from lambda_patterns.constructs.queue_access import QueueDestination, let_service_send, open_key
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import IConstruct

    from lambda_patterns.constructs.on_failure_queue import Role

_FIFO_PAGE = "https://docs.aws.amazon.com/sns/latest/dg/fifo-message-delivery.html"
_ALIAS = "SNS invokes an alias as it does a function: the subscription's endpoint may be its ARN"
_DEFAULTS = limits.DELIVERY_DEFAULTS


@dataclass(frozen=True, slots=True)
class HttpEndpoint:
    """An HTTP or HTTPS endpoint, with the delivery policy that SNS has for such alone.

    The retries run in four phases: at once, at the shortest delay, growing from the shortest to the longest,
    and at the longest. SNS refuses a policy whose retries could take over an hour together.

    Args:
        url: its address; SNS sends a confirmation there first. One that is known at deployment only is taken
            for HTTPS.
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
        topic: the topic. A FIFO topic delivers to queues alone.
        target: a function or an alias, a queue, or an `HttpEndpoint`.
        failures: the queue for both kinds of failures, best an `OnFailureQueue`; FIFO for a FIFO topic. Its
            policy names the topic: it stands in the topic's stack or in this one. Default: one is made.
        filter_policy: attributes that a message must have, `sns.SubscriptionFilter` by name.
        filter_policy_on_body: the same for the message's body.
        raw: deliver the message without SNS's envelope, to a queue or an endpoint. Default False.
        alarm_topic: who is told of a failure, where the queue for them is made here.

    Attributes:
        failures: the queue for failures.
        subscription: the subscription.

    Raises:
        ArgumentError: a delivery policy that SNS refuses, something FIFO beside something standard, a queue
            under a key that cannot be opened to SNS, or one in a stack that would need this one.

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
        _check_target(target, topic, raw=raw)
        kept = failures.queue if isinstance(failures, OnFailureQueue) else failures
        if kept is not None:
            _check_failures(kept, topic)
            _check_stacks(kept, topic, scope if isinstance(target, HttpEndpoint) else target)
        super().__init__(scope, construct_id)
        if kept is None:
            # A subscription of a FIFO topic keeps what is undelivered in a FIFO queue.
            role: Role | None = "subscription" if topic.fifo else None
            kept = OnFailureQueue(self, "Failures", alarm_topic=alarm_topic, role=role, fifo=topic.fifo).queue
        self.failures: sqs.IQueue = kept
        common: dict[str, Any] = {
            "dead_letter_queue": self.failures,
            "filter_policy": filter_policy,
            "filter_policy_with_message_body": filter_policy_on_body,
        }
        self.subscription: sns.Subscription
        if isinstance(target, HttpEndpoint):
            self.subscription = self._subscribe_endpoint(topic, target, raw=raw, **common)
        elif isinstance(target, lambda_.FunctionBase):
            self.subscription = topic.add_subscription(subscriptions.LambdaSubscription(target, **common))
        else:
            assert isinstance(target, sqs.QueueBase)  # noqa: S101  # narrows: it is the last of the three
            self.subscription = self._subscribe_queue(topic, target, raw=raw, **common)
        key = self.failures.encryption_master_key
        if key is not None:
            # aws_cdk opens the key of a queue that subscribes, not of one that keeps what is undelivered.
            open_key(key, "sns.amazonaws.com", topic.topic_arn)
        if isinstance(target, lambda_.FunctionBase):
            self._keep_failures_of(target, failures)
        if isinstance(target, lambda_.Alias):
            acknowledge(self.subscription, {"CloudFormation-Validate::W3694": _ALIAS})

    def _subscribe_queue(
        self,
        topic: sns.ITopic,
        queue: sqs.QueueBase,
        *,
        raw: bool,
        **common: Any,  # noqa: ANN401  # the settings stay aws_cdk's
    ) -> sns.Subscription:
        if queue.encryption_master_key is None:
            return topic.add_subscription(
                subscriptions.SqsSubscription(queue, raw_message_delivery=raw, **common)
            )
        # aws_cdk names the topic in the key's policy: a topic under the same key could never be made.
        let_in = let_service_send(queue, "sns.amazonaws.com", topic.topic_arn)
        protocol = sns.SubscriptionProtocol.SQS
        made = self._subscribe(topic, protocol, queue.queue_arn, raw_message_delivery=raw, **common)
        if let_in.policy_dependable is not None:
            made.node.add_dependency(let_in.policy_dependable)
        return made

    def _subscribe(
        self,
        topic: sns.ITopic,
        protocol: sns.SubscriptionProtocol,
        endpoint: str,
        **settings: Any,  # noqa: ANN401  # the settings stay aws_cdk's
    ) -> sns.Subscription:
        return sns.Subscription(
            self, "Subscription", topic=topic, protocol=protocol, endpoint=endpoint, **settings
        )

    def _subscribe_endpoint(
        self,
        topic: sns.ITopic,
        endpoint: HttpEndpoint,
        *,
        raw: bool,
        **common: Any,  # noqa: ANN401  # the settings stay aws_cdk's
    ) -> sns.Subscription:
        """Subscribe an endpoint, here: aws_cdk puts it into the topic's stack, which would need this one."""
        policy = sns.DeliveryPolicy(
            healthy_retry_policy=sns.HealthyRetryPolicy(
                num_retries=endpoint.retries,
                num_no_delay_retries=endpoint.at_once,
                num_min_delay_retries=endpoint.at_shortest,
                num_max_delay_retries=endpoint.at_longest,
                min_delay_target=endpoint.shortest,
                max_delay_target=endpoint.longest,
                backoff_function=endpoint.growth,
            ),
            throttle_policy=None
            if endpoint.most_per_second is None
            else sns.ThrottlePolicy(max_receives_per_second=endpoint.most_per_second),
        )
        protocol = sns.SubscriptionProtocol
        made = self._subscribe(
            topic,
            protocol.HTTP if endpoint.url.startswith("http://") else protocol.HTTPS,
            endpoint.url,
            raw_message_delivery=raw,
            delivery_policy=policy,
            **common,
        )
        # aws_cdk writes the name in capitals; SNS documents it in small letters.
        path = "DeliveryPolicy.healthyRetryPolicy.backoffFunction"
        own_resource(made, sns.CfnSubscription).add_property_override(path, endpoint.growth.value.lower())
        return made

    def _keep_failures_of(
        self, function: lambda_.IFunction, failures: OnFailureQueue | sqs.IQueue | None
    ) -> None:
        if function.node.try_find_child("EventInvokeConfig") is not None:
            return
        if isinstance(function, lambda_.Function) and function.dead_letter_queue is not None:
            return
        on_failure = failures if isinstance(failures, OnFailureQueue) else QueueDestination(self.failures)
        function.configure_async_invoke(on_failure=on_failure)


def _check_function(function: lambda_.IFunction, *, raw: bool) -> None:
    if raw:
        raise ArgumentError("raw: a function always gets SNS's envelope: leave it out")
    if function.role is None:
        raise ArgumentError(
            "target: an imported function's own failures cannot be kept from here: subscribe it where it is "
            "made, or import it with its role, Function.from_function_attributes(role=...) "
            f"({limits.RETAIN_PAGE})"
        )


def _check_target(
    target: lambda_.IFunction | sqs.IQueue | HttpEndpoint, topic: sns.ITopic, *, raw: bool
) -> None:
    if isinstance(target, HttpEndpoint):
        _check_policy(target)
    elif isinstance(target, lambda_.FunctionBase):
        _check_function(target, raw=raw)
    elif not isinstance(target, sqs.QueueBase):
        raise ArgumentError(f"target: {target!r} is no function, no queue and no HttpEndpoint(url)")
    queue: Any = target if isinstance(target, sqs.QueueBase) else None
    if topic.fifo and queue is None:
        raise ArgumentError(
            "topic: it is FIFO, and SNS delivers from FIFO topics to queues alone: subscribe a queue, and "
            f"have a QueueConsumer read it ({_FIFO_PAGE})"
        )
    if queue is not None and queue.fifo and not topic.fifo:
        raise ArgumentError(
            f"target: it is FIFO, and a standard topic delivers to standard queues only ({_FIFO_PAGE})"
        )


def _check_failures(queue: sqs.IQueue, topic: sns.ITopic) -> None:
    if queue.fifo and not topic.fifo:
        raise ArgumentError(
            "failures: it is FIFO, and a standard topic and Lambda write to standard queues only "
            f"({limits.SUBSCRIPTION_DLQ_PAGE})"
        )
    if topic.fifo and not queue.fifo:
        raise ArgumentError(
            "failures: it is a standard queue, and a FIFO topic keeps what it could not deliver in a FIFO "
            f"queue: OnFailureQueue(role='subscription', fifo=True) ({limits.SUBSCRIPTION_DLQ_PAGE})"
        )
    if isinstance(queue, sqs.Queue) and queue.encryption_type == sqs.QueueEncryption.KMS_MANAGED:
        raise ArgumentError(
            "failures: it is encrypted with AWS's own key alias/aws/sqs, whose policy shuts out SNS: use "
            f"SQS_MANAGED, or a customer key ({limits.QUEUE_KEYS_PAGE})"
        )


def _check_stacks(queue: sqs.IQueue, topic: sns.ITopic, subscriber: IConstruct) -> None:
    """Refuse a queue of another stack for a topic and a subscription of one: both would need each other."""
    if not isinstance(queue, sqs.Queue) or not isinstance(topic, sns.Topic):
        return
    kept_in, made_in = Stack.of(queue), Stack.of(topic)
    if kept_in != made_in and made_in == Stack.of(subscriber):
        raise ArgumentError(
            f"failures: {queue.node.path} stands in another stack than the topic {topic.node.path}: its "
            f"policy names the topic, so that {kept_in.node.path} needs {made_in.node.path}, and the "
            "subscription the other way round: leave failures= out, so that a queue is made here, or give "
            "one of this stack"
        )


def _check_policy(endpoint: HttpEndpoint) -> None:
    if not is_token(endpoint.url) and not endpoint.url.startswith(("http://", "https://")):
        raise ArgumentError(
            f"url: {endpoint.url!r} begins with neither http:// nor https:// ({limits.DELIVERY_PAGE})"
        )
    limits.DELIVERY_RETRIES.check(endpoint.retries, "retries")
    shortest, longest = seconds(endpoint.shortest, "shortest"), seconds(endpoint.longest, "longest")
    limits.DELIVERY_DELAY.check(shortest, "shortest")
    limits.DELIVERY_DELAY.check(longest, "longest")
    if shortest > longest:
        raise ArgumentError(
            f"shortest: {shortest:g} s is longer than longest, {longest:g} s ({limits.DELIVERY_PAGE})"
        )
    if endpoint.most_per_second is not None and endpoint.most_per_second < 1:
        raise ArgumentError(
            f"most_per_second: {endpoint.most_per_second} a second deliver nothing: give 1 or more, or leave "
            f"it out for no limit ({limits.DELIVERY_PAGE})"
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
