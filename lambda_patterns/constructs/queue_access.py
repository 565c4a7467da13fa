"""Who may write to a queue, and use its customer key: a function's role, or a service of AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsii
from aws_cdk import CfnResource, Reference, Stack, Token, Tokenization
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sqs as sqs
    from constructs import Construct

# What sending takes of a key; aws_cdk's own grant adds kms:ReEncrypt* and names with a star.
# Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
_KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")


def let_send(queue: sqs.IQueue, grantee: iam.IGrantable) -> None:
    """Let a role send to a queue and use the queue's customer key, by names without a star."""
    queue.grant(grantee, "sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl")
    key = queue.encryption_master_key
    if key is not None:
        key.grant(grantee, *_KEY_ACTIONS)


def let_service_send(queue: sqs.IQueue, service: str, source_arn: str) -> iam.AddToResourcePolicyResult:
    """Let a service of AWS send to a queue in the name of `source_arn`, and use the queue's customer key."""
    let_in = queue.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["sqs:SendMessage"],
            principals=[iam.ServicePrincipal(service)],
            resources=[queue.queue_arn],
            conditions={"ArnEquals": {"aws:SourceArn": source_arn}},
        )
    )
    if queue.encryption_master_key is not None:
        open_key(queue.encryption_master_key, service, source_arn)
    return let_in


def open_key(key: kms.IKey, service: str, source_arn: str) -> None:
    """Let a service of AWS use a key for what it writes to a queue in the name of `source_arn`.

    Of a source that this app makes, the key's policy names account and Region alone; the queue's policy names
    the very one. A topic under the same key, or a rule whose dead-letter queue is under it, needs the key:
    were it named in the key's policy, each would wait for the other.

    Args:
        key: the queue's key.
        service: "sns.amazonaws.com".
        source_arn: the topic, rule or schedule.
    """
    made_in = _made_in(source_arn)
    if made_in is None:
        conditions = {"ArnEquals": {"aws:SourceArn": source_arn}}
    else:
        every = made_in.format_arn(service=service.partition(".")[0], resource="*")
        conditions = {"ArnLike": {"aws:SourceArn": every}}
    key.add_to_resource_policy(
        iam.PolicyStatement(
            actions=list(_KEY_ACTIONS),
            principals=[iam.ServicePrincipal(service)],
            resources=["*"],
            conditions=conditions,
        )
    )


def _made_in(arn: str) -> Stack | None:
    """The stack whose resource an ARN refers to; None for one that is known or a parameter."""
    token = Tokenization.reverse_string(arn).first_token if Token.is_unresolved(arn) else None
    if token is None or not Reference.is_reference(token):
        return None
    reference: Any = token
    return Stack.of(reference.target) if CfnResource.is_cfn_resource(reference.target) else None


@jsii.implements(lambda_.IDestination)
class QueueDestination:
    """A queue as the `on_failure=` of a function, alias or version: `let_send` in place of a wide grant."""

    def __init__(self, queue: sqs.IQueue) -> None:
        self._queue = queue

    def bind(
        self,
        scope: Construct,
        fn: lambda_.IFunction,
        *,
        type: lambda_.DestinationType,  # noqa: A002  # aws_cdk's name for it
    ) -> lambda_.DestinationConfig:
        """Let the function send: aws_cdk calls this."""
        del scope, type
        let_send(self._queue, fn)
        return lambda_.DestinationConfig(destination=self._queue.queue_arn)
