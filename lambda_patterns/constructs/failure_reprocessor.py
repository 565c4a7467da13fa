"""The function that reads a failure queue and replays it, inside AWS."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambda_patterns.constructs.acknowledgements import acknowledge
from lambda_patterns.constructs.function_options import is_token, seconds
from lambda_patterns.constructs.on_failure_queue import OnFailureQueue
from lambda_patterns.constructs.plain_function import PlainFunction
from lambda_patterns.constructs.qualifiers import function_of
from lambda_patterns.constructs.queue_access import let_send
from lambda_patterns.constructs.queue_source import read_queue
from lambda_patterns.constructs.reprocessor_package import HANDLER, reprocessor_package
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import limits
from lambda_patterns.facts.limit import Limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_sns as sns

_LOOPS = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html"
_ATTEMPTS = Limit("attempts", 1, 10, "replays", "Lambda breaks a chain of events after about 16 hops", _LOOPS)
_WAIT = Limit(
    "wait", 1, 870, "s", "the reprocessor itself may run 900 s, and has to note the outcome", limits.QUOTAS
)
# What the reprocessor needs beside the wait: to start, to write what failed anew, to report.
_MARGIN_SECONDS = 30
_DEFAULT_WAIT_SECONDS = 60
# Looks, throttles and crashes are receives too; attempts are counted by the reprocessor itself.
_RECEIVES = 20
# What aws_cdk grants for reading and writing a table, by names without a star.
_TABLE_KEY_ACTIONS = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
_NO_DLQ = "it reads a queue: what it does not report as done stays there, and goes to quarantine in the end"


class FailureReprocessor(Construct):
    """Replays a failure queue: each event where it failed, counted, and quarantined in the end.

    It is off until switched on: a reprocessor that runs all the time only repeats what the retries have
    tried. Mend first, then switch it on (``enabled=True``, or ``lambda-patterns failures reprocessor QUEUE
    --on``), or invoke it by hand, which goes through the queue once.

    It reads every shape that AWS writes, waits for the function (its own on-failure destination is not used
    then, so nothing goes round), and reports batches item by item. What fails again comes back later, with a
    delay that doubles; what has failed `max_attempts` times, or cannot be replayed, goes to quarantine with
    the reason. The function finds attempt and idempotency key in ``context.client_context.custom``.

    Args:
        failures: the queue, best an `OnFailureQueue`. Its visibility timeout is set to six times the
            reprocessor's timeout, if it is a queue of this app that says none; an imported queue must have
            that already.
        functions: which functions and aliases may be invoked; records of others go to quarantine. A function
            covers its unqualified ARN and ``$LATEST``, an alias itself.
        target: the function or queue for what does not say where it came from: dead letters of a function,
            messages of a source queue. Default: quarantine.
        quarantine: the queue for what is given up. Default: the failure queue's own dead-letter queue, else a
            new `OnFailureQueue`.
        enabled: whether it works from the start. Default False, see above.
        max_attempts: replays before quarantine, 1-10. Default 3, as Lambda itself tries.
        backoff: the delay before the second attempt, 0-900 s, doubled for each further one. Default 60 s, as
            Lambda's own first retry.
        longest_wait: how long to wait for a function, 1-870 s. Default: the longest timeout of `functions`
            where it is known, 870 s at most, else 60 s.
        max_concurrency: how many copies of it run at most, 2-1,000. Default 2, the least: what has just been
            mended should not be flooded.
        events_per_second: what each copy replays at most, ten events at a time otherwise. Default: no limit.
        idempotency_table: a DynamoDB table with the partition key "id", text: an event that SQS delivers
            twice runs once. Default: none; events may run twice, as with any Lambda event.
        alarm_topic: who is told of an arrival in a new quarantine.

    Attributes:
        function: the reprocessor.
        quarantine: the queue for what is given up.

    Raises:
        ArgumentError: a value out of its range, or a queue that shows messages again while they are replayed.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """

    def __init__(  # noqa: PLR0913  # each is one answer to what is replayed, how fast, and how often
        self,
        scope: Construct,
        construct_id: str,
        *,
        failures: OnFailureQueue | sqs.IQueue,
        functions: Sequence[lambda_.IFunction] = (),
        target: lambda_.IFunction | sqs.IQueue | None = None,
        quarantine: sqs.IQueue | None = None,
        enabled: bool = False,
        max_attempts: int = 3,
        backoff: Duration | None = None,
        longest_wait: Duration | None = None,
        max_concurrency: int = 2,
        events_per_second: float | None = None,
        idempotency_table: dynamodb.ITable | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        backoff_seconds = 60 if backoff is None else seconds(backoff, "backoff")
        wait = _longest(functions) if longest_wait is None else seconds(longest_wait, "longest_wait")
        _ATTEMPTS.check(max_attempts, "max_attempts")
        limits.QUEUE_DELAY.check(backoff_seconds, "backoff")
        _WAIT.check(wait, "longest_wait")
        limits.MAXIMUM_CONCURRENCY.check(max_concurrency, "max_concurrency")
        if events_per_second is not None and not 0 < events_per_second < math.inf:
            raise ArgumentError(f"events_per_second: {events_per_second} is no rate: give a number above 0")
        queue = failures.queue if isinstance(failures, OnFailureQueue) else failures
        timeout = wait + _MARGIN_SECONDS
        _hide_long_enough(queue, limits.VISIBILITY_FACTOR * timeout)
        super().__init__(scope, construct_id)
        self.quarantine = quarantine or self._own_quarantine(queue, alarm_topic)
        environment = {
            "LAMBDA_PATTERNS_QUARANTINE_QUEUE_URL": self.quarantine.queue_url,
            "LAMBDA_PATTERNS_FAILURE_QUEUE_URL": queue.queue_url,
            "LAMBDA_PATTERNS_MOST_ATTEMPTS": str(max_attempts),
            "LAMBDA_PATTERNS_BACKOFF_SECONDS": str(int(backoff_seconds)),
            "LAMBDA_PATTERNS_LONGEST_WAIT_SECONDS": str(int(wait)),
        }
        if events_per_second is not None:
            environment["LAMBDA_PATTERNS_RATE_PER_SECOND"] = str(events_per_second)
        if idempotency_table is not None:
            environment["LAMBDA_PATTERNS_IDEMPOTENCY_TABLE"] = idempotency_table.table_name
        self.function = PlainFunction(
            self,
            "Function",
            code=reprocessor_package().code,
            handler=HANDLER,
            description="Replays failed events where they failed",
            timeout=Duration.seconds(timeout),
            environment=environment,
        )
        acknowledge(self.function, {"compliance/LambdaDLQ": _NO_DLQ, "Serverless-LambdaDLQ": _NO_DLQ})
        read_queue(self.function, queue, enabled=enabled, batch_size=10, max_concurrency=max_concurrency)
        let_send(queue, self.function)
        let_send(self.quarantine, self.function)
        self._let_invoke(functions)
        self._let_reach(target)
        if idempotency_table is not None:
            self._let_remember(idempotency_table)

    def _let_remember(self, table: dynamodb.ITable) -> None:
        table.grant(
            self.function,
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
        )
        if table.encryption_key is not None:
            # DynamoDB uses a customer key in the name of whoever reads and writes; `grant` leaves that out.
            table.encryption_key.grant(self.function, *_TABLE_KEY_ACTIONS)

    def _own_quarantine(self, queue: sqs.IQueue, topic: sns.ITopic | None) -> sqs.IQueue:
        behind = queue.dead_letter_queue if isinstance(queue, sqs.Queue) else None
        if behind is not None:
            return behind.queue
        # Watched by its depth: what SQS itself moves there is no arrival.
        quarantine = OnFailureQueue(self, "Quarantine", alarm_topic=topic, role="source")
        made = quarantine.queue
        resource = queue.node.default_child
        # Behind a queue of another stack it cannot stand: that stack would need this one, and this one it.
        if isinstance(resource, sqs.CfnQueue) and Stack.of(queue) == Stack.of(self) and not queue.fifo:
            resource.redrive_policy = {"deadLetterTargetArn": made.queue_arn, "maxReceiveCount": _RECEIVES}
            quarantine.stand_behind()
        return made

    def _let_invoke(self, functions: Sequence[lambda_.IFunction]) -> None:
        arns: list[str] = []
        for function in functions:
            arns.append(function.function_arn)
            if not isinstance(function, lambda_.Alias | lambda_.Version):
                # A record of an unqualified invocation names $LATEST.
                arns.append(f"{function.function_arn}:$LATEST")
        if arns:
            self.function.add_to_role_policy(
                iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=arns)
            )

    def _let_reach(self, target: lambda_.IFunction | sqs.IQueue | None) -> None:
        if target is None:
            return
        if isinstance(target, lambda_.FunctionBase):
            arn = target.function_arn
            self._let_invoke([target])
        else:
            assert isinstance(target, sqs.QueueBase)  # noqa: S101  # narrows: it is the other of the two
            arn = target.queue_arn
            let_send(target, self.function)
        self.function.add_environment("LAMBDA_PATTERNS_TARGET", arn)


def _longest(functions: Sequence[lambda_.IFunction]) -> float:
    """The longest timeout among functions, where it can be known."""
    known = [timeout for function in functions if (timeout := _timeout(function)) is not None]
    return min(max(known, default=_DEFAULT_WAIT_SECONDS), _WAIT.high)


def _timeout(function: lambda_.IFunction) -> float | None:
    inner = function_of(function)
    if inner is None or inner.timeout is None:
        return None
    timeout = inner.timeout.to_seconds()
    return None if is_token(timeout) else timeout


def _hide_long_enough(queue: sqs.IQueue, needed: float) -> None:
    """Have a queue hide messages for as long as the reprocessor may need, if it says nothing else."""
    resource = queue.node.default_child
    if not isinstance(resource, sqs.CfnQueue):
        return
    stated = resource.visibility_timeout
    if stated is None:
        resource.visibility_timeout = int(needed)
    elif not is_token(stated) and stated < needed:
        raise ArgumentError(
            f"failures: its visibility timeout is {stated:,.0f} s, the reprocessor needs {needed:,.0f} s, "
            "six times its own timeout: leave visibility_timeout= out, or give a shorter longest_wait= "
            f"({limits.SQS_SOURCE_PAGE})"
        )
