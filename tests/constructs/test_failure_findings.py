"""No wiring of the failure constructs is found by any rule of ours or of the compliance packs."""

import contextlib
import json
from datetime import date
from pathlib import Path

import cdk_nag
import pytest
from aws_cdk import App, Duration, Stack, Validations
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

from lambda_patterns.constructs import (
    FailureMonitoring,
    FailureReprocessor,
    OnFailureQueue,
    PlainFunction,
    QueueConsumer,
    TopicSubscription,
)
from lambda_patterns.model.assembly import read
from lambda_patterns.model.deployment import Settings
from lambda_patterns.rules.engine import check
from tests.constructs.template_queries import code

pytestmark = pytest.mark.cdk

DAY = Settings(date(2026, 11, 24))
PACKS = (
    "AwsSolutionsChecks",
    "ServerlessChecks",
    "HIPAASecurityChecks",
    "NIST80053R5Checks",
    "PCIDSS321Checks",
)
# Of the user's own topics and keys, which are not ours to decide.
OF_THE_USER = ("AlarmTopic", "Orders")


def wire(app: App, *, stacks: int, key: bool) -> None:
    """Everything at once: function, topic, queue, on-failure queue, reprocessor, monitoring."""
    base = Stack(app, "Base")
    service = base if stacks == 1 else Stack(app, "Service")
    alarm_topic = sns.Topic(base, "AlarmTopic", enforce_ssl=True)
    topic = sns.Topic(base, "Orders", enforce_ssl=True)
    customer_key = kms.Key(base, "Key", enable_key_rotation=True) if key else None
    failures = OnFailureQueue(base, "Failures", encryption_key=customer_key, alarm_topic=alarm_topic)
    ship = PlainFunction(service, "Ship", on_failure=failures, timeout=Duration.seconds(20), **code())
    live = ship.add_alias("live")
    TopicSubscription(service, "Subscription", topic=topic, target=live, failures=failures)
    bill = PlainFunction(service, "Bill", on_failure=failures, **code())
    consumer = QueueConsumer(service, "Consumer", function=bill, alarm_topic=alarm_topic)
    reprocessor = FailureReprocessor(
        service, "Reprocessor", failures=failures, functions=[ship, live, bill], alarm_topic=alarm_topic
    )
    dead = consumer.dead_letter_queue
    assert dead is not None
    FailureMonitoring(
        service,
        "Monitoring",
        functions={"Ship": ship, "Bill": bill},
        queues={"Quarantine": reprocessor.quarantine, "Dead": dead},
        drained={"Failures": failures},
        sources={"Consumer": consumer.queue},
        topics={"Orders": topic},
        alarm_actions=[actions.SnsAction(alarm_topic)],
    )


@pytest.mark.parametrize("stacks", [1, 2])
@pytest.mark.parametrize("key", [False, True])
def test_no_rule_of_ours_finds_anything(app: App, stacks: int, key: bool) -> None:
    wire(app, stacks=stacks, key=key)
    report = check(read(Path(app.synth().directory)), DAY)
    found = [(f.rule, f.resource, f.message) for f in report.findings if f.acknowledged is None]
    assert [entry for entry in found if not str(entry[1]).startswith(OF_THE_USER)] == []


@pytest.mark.parametrize("key", [False, True])
def test_no_rule_of_the_compliance_packs_finds_anything(tmp_path: Path, key: bool) -> None:
    app = App(outdir=str(tmp_path), analytics_reporting=False)
    wire(app, stacks=1, key=key)
    for pack in PACKS:
        Validations.of(app).add_plugins(getattr(cdk_nag, pack)())
    with contextlib.suppress(RuntimeError):  # the findings of the user's own topics end the synthesis
        app.synth()
    reports = json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"]
    found = {
        (violation["ruleName"], place.get("constructPath", ""))
        for report in reports
        for violation in report["violations"]
        for place in violation["violatingConstructs"]
    }
    users = tuple(f"Base/{name}" for name in OF_THE_USER)
    assert any(path.startswith(users) for _, path in found), "the packs have looked"
    assert {entry for entry in found if not entry[1].startswith(users)} == set()
