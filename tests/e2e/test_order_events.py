"""The order events' stack, deployed by the real cdk: every failure path of the demonstration, to its end."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local import scenes
from lambda_patterns.local.cdk import Cdk
from lambda_patterns.local.embedded import EmbeddedAws
from lambda_patterns.local.failure_paths import Walk
from lambda_patterns.local.operator import Operator
from lambda_patterns.local.settings import Settings
from lambda_patterns.local.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.cdk]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    with EmbeddedAws(Settings(retry_seconds=0.1, clock_seconds=0.2)) as aws:
        cdk = Cdk(aws, ROOT, tmp_path_factory.mktemp("order-events"))
        cdk.synthesize()
        cdk.bootstrap()
        with cdk.deploying("OrderEvents") as process:
            process.wait()
        yield aws


def test_every_path_fails_is_kept_and_noticed_and_is_done_once_mended_and_replayed(
    deployed: EmbeddedAws,
) -> None:
    played = scenes.read(ROOT / "stacks" / "demo.yaml")
    console = Console(record=True, width=200, file=None, quiet=True)
    walk, operator = Walk(deployed, Stage(deployed), played.paths), Operator(console, deployed)
    walk.send()
    walk.until_kept(lambda: None)
    assert all(one.alarm and one.alarm.startswith("OrderEvents-") for one in walk.walked)
    with pytest.raises(LambdaPatternsError, match="ended with exit code 2: lambda-patterns: there is no"):
        operator.run(("list", "nowhere"))
    by_queue = {one.queue: one.path.replay for one in walk.walked}
    assert len(by_queue) == 4
    walk.mend(played.mends)
    for queue, how in by_queue.items():
        if how == "reprocessor":
            operator.run(("reprocessor", queue, "--on"))
        else:
            operator.run(("replay", queue, "--yes", *(["--move-task"] if how == "move-task" else [])))
    walk.until_done(lambda: None)
    orders = Stage(deployed).find("OrderEvents", "Orders", "AWS::DynamoDB::Table")
    items = deployed.client("dynamodb").scan(TableName=orders)["Items"]
    assert {item["id"]["S"]: item["way"]["S"] for item in items} == {
        "order-21": "bucket",
        "order-22": "topic",
        "order-23": "bus",
        "order-24": "queue",
        "order-25": "topic",
        "order-26": "bus",
    }
