"""What is handed over to SQS's move task and to the deployed reprocessor."""

from types import SimpleNamespace
from typing import Any

import pytest

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.redrive import handing_over
from lambda_patterns.redrive.handing_over import REPROCESSOR_VARIABLE, Moved, Reprocessor, move, reprocessor

ARN = "arn:aws:lambda:eu-west-1:111122223333:function:"
QUEUE: Any = SimpleNamespace(arn="arn:aws:sqs:eu-west-1:111122223333:dead", name="dead", url="https://x/dead")


def moving(*tasks: dict[str, Any], feeders: tuple[str, ...] = ("https://x/work",)) -> Any:
    """Clients of an SQS whose move task is seen as each of these in turn."""
    asked: list[dict[str, Any]] = []
    seen = iter(tasks)
    sqs = SimpleNamespace(
        list_dead_letter_source_queues=lambda **_: {"queueUrls": list(feeders)},
        start_message_move_task=lambda **call: asked.append(call),
        list_message_move_tasks=lambda **_: {"Results": [next(seen)]},
    )
    return SimpleNamespace(sqs=sqs, asked=asked)


def task(moved: int, status: str, **more: Any) -> dict[str, Any]:
    return {"ApproximateNumberOfMessagesMoved": moved, "Status": status, **more}


def test_a_move_is_waited_for_and_told_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing_over, "_POLL_SECONDS", 0)
    aws = moving(task(3, "RUNNING"), task(3, "CANCELLING"), task(7, "FAILED", FailureReason="no access"))
    steps: list[int] = []
    assert move(aws, QUEUE, None, told=steps.append) == Moved(7, "FAILED", "no access")
    assert steps == [3, 0, 4]
    assert aws.asked == [{"SourceArn": QUEUE.arn}]


def test_a_move_goes_where_and_as_fast_as_it_is_told() -> None:
    aws = moving({"Status": "COMPLETED"})
    assert move(aws, QUEUE, "arn:to", per_second=5) == Moved(0, "COMPLETED")
    (call,) = aws.asked
    assert call == {"SourceArn": QUEUE.arn, "DestinationArn": "arn:to", "MaxNumberOfMessagesPerSecond": 5}


def test_what_is_no_dead_letter_queue_is_not_moved() -> None:
    aws = moving(feeders=())
    with pytest.raises(LambdaPatternsError) as refused:
        move(aws, QUEUE, None)
    assert str(refused.value).startswith(
        "SQS moves nothing out of dead: no queue has it as dead-letter queue"
    )
    assert aws.asked == []


def consuming(*mappings: dict[str, Any]) -> Any:
    """Clients of a Lambda with these mappings of the queue; the function `again` is a reprocessor."""

    def configuration(FunctionName: str) -> dict[str, Any]:  # noqa: N803  # boto3's name
        variables = {REPROCESSOR_VARIABLE: "https://x/aside"} if FunctionName == f"{ARN}again" else {"A": "b"}
        return {"Environment": {"Variables": variables}} if FunctionName != f"{ARN}bare" else {}

    pages = [{"EventSourceMappings": [mapping]} for mapping in mappings]
    paginator = SimpleNamespace(paginate=lambda **_: pages)
    lambda_ = SimpleNamespace(get_paginator=lambda _: paginator, get_function_configuration=configuration)
    return SimpleNamespace(lambda_=lambda_)


def mapping(name: str, **more: Any) -> dict[str, Any]:
    return {"UUID": f"of-{name}", "FunctionArn": f"{ARN}{name}", "State": "Enabled", **more}


def test_a_reprocessor_is_known_by_its_variable_alone() -> None:
    others = (mapping("orders"), mapping("bare"))
    assert reprocessor(consuming(*others), QUEUE) is None
    found = reprocessor(consuming(*others, mapping("again", ScalingConfig={"MaximumConcurrency": 2})), QUEUE)
    assert found == Reprocessor(f"{ARN}again", "of-again", enabled=True, most_at_once=2)
    assert found.name == "again"


@pytest.mark.parametrize(
    ("state", "enabled"),
    [
        ("Enabled", True), ("Enabling", True), ("Creating", True), ("Updating", True),
        ("Disabled", False), ("Disabling", False), ("Deleting", False),
    ],
)  # fmt: skip
def test_a_reprocessor_is_at_work_or_about_to_be(state: str, enabled: bool) -> None:
    found = reprocessor(consuming(mapping("again", State=state)), QUEUE)
    assert found == Reprocessor(f"{ARN}again", "of-again", enabled=enabled, most_at_once=None)
