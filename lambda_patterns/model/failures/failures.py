"""The answers about failures for one deployment."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from lambda_patterns.model.failures import alarms, invocations, loops, outcomes, queues
from lambda_patterns.model.values import Unknown

if TYPE_CHECKING:
    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.failures.alarms import Alarm
    from lambda_patterns.model.failures.invocations import Invoked, Trigger
    from lambda_patterns.model.failures.outcomes import Outcome
    from lambda_patterns.model.failures.queues import Redrive, Source
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value


class Failures:
    """Who invokes what asynchronously, what catches failures, and who watches it. Answers are kept."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    @cached_property
    def triggers(self) -> tuple[Trigger, ...]:
        """Everything that invokes a function asynchronously."""
        return tuple(invocations.triggers(self._deployment))

    @cached_property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Every destination and dead-letter queue of a function."""
        return tuple(outcomes.outcomes(self._deployment))

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """Every queue that feeds a function."""
        return tuple(queues.sources(self._deployment))

    @cached_property
    def redrives(self) -> tuple[Redrive, ...]:
        """Every dead-letter queue of a queue, subscription, rule or schedule."""
        return tuple(queues.redrives(self._deployment))

    @cached_property
    def alarms(self) -> tuple[Alarm, ...]:
        """Every alarm on a metric of a queue."""
        return tuple(alarms.alarms(self._deployment))

    @cached_property
    def loops(self) -> tuple[tuple[Resource, ...], ...]:
        """Every way by which failures come back to what failed."""
        return tuple(loops.loops(self._deployment, self))

    @cached_property
    def holders(self) -> dict[Resource, str]:
        """The queues that hold failures, each with what it is ("the on-failure destination of Orders")."""
        found: dict[Resource, str] = {}
        for redrive in self.redrives:
            if redrive.dlq is not None:
                found.setdefault(redrive.dlq, f"the dead-letter queue of {redrive.at.id}")
        for outcome in self.outcomes:
            if outcome.catches and outcome.target is not None and outcome.target.type == queues.QUEUE:
                found.setdefault(outcome.target, f"the {outcome.kind} of {outcome.function.id}")
        for queue in queues.declared_holders(self._deployment):
            found.setdefault(queue, "declared to hold failures")
        return found

    def invoked(self, value: Value) -> Invoked | None:
        """Find the function and qualifier that `value` stands for; None where it is not in the deployment."""
        return invocations.invoked(self._deployment, value)

    def redrive_of(self, resource: Resource) -> Redrive | Unknown | None:
        """Find the dead-letter queue of a queue or a subscription; None where it has none."""
        return queues.redrive_of(self._deployment, resource)

    @cached_property
    def moved_into(self) -> frozenset[Resource]:
        """The queues into which SQS moves messages of other queues, which counts as no send."""
        return frozenset(
            redrive.dlq for redrive in self.redrives if redrive.moves and redrive.dlq is not None
        )

    @cached_property
    def sent_to(self) -> frozenset[Resource]:
        """The queues and topics to which failures are sent."""
        targets = [outcome.target for outcome in self.outcomes if outcome.catches]
        targets += [redrive.dlq for redrive in self.redrives if not redrive.moves]
        return frozenset(target for target in targets if target is not None)

    @cached_property
    def drained(self) -> frozenset[Resource]:
        """The queues that a function reads."""
        return frozenset(source.queue for source in self.sources if source.enabled)

    @cached_property
    def unplaced(self) -> bool:
        """Whether a destination is set for a function that is only known at deployment."""
        return any(
            config.get("DestinationConfig", "OnFailure") is not None
            and isinstance(config.get("FunctionName"), Unknown)
            for config in self._deployment.of_type(outcomes.INVOKE_CONFIG)
        )

    def catching(self, invoked: Invoked) -> tuple[Outcome, ...]:
        """Find what catches, or may catch, the failures of asynchronous invocations of one qualifier."""
        return tuple(
            outcome
            for outcome in self.outcomes
            if outcome.catches
            and not outcome.of_stream
            and outcome.function is invoked.function
            and (outcome.qualifier == "" or _may_be_one(outcome.qualifier, invoked.qualifier))
        )


def _may_be_one(one: str | Resource | None, other: str | Resource | None) -> bool:
    """Tell whether two qualifiers may be one: an alias of unknown name may have any, but not $LATEST."""
    if None in (one, other) or one == other:
        return True
    return isinstance(one, str) is not isinstance(other, str) and invocations.LATEST not in (one, other)
