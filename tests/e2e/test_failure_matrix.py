"""Each trigger with each failure target: what arrives there, where it goes back to, and that it gets there.

What is seen is kept beside the tests; the page of the reference is made from it.
"""

import json
import re
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from lambda_patterns.local.embedded import EmbeddedAws
from tests.e2e.failure_triggers import HANDED_OVER, TARGETS, TRIGGERS, trigger_of
from tests.e2e.shop import Shop, until

pytestmark = pytest.mark.e2e

_MASKS = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)?", "<time>"),
    (r"http://127\.0\.0\.1:\d+", "<endpoint>"),
)


@pytest.fixture
def shop(fast_aws: EmbeddedAws, request: pytest.FixtureRequest) -> Shop:
    return Shop(fast_aws, f"orders-{abs(hash(request.node.name)) % 10**8:08}")


@pytest.fixture
def kept(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


def masked(shop: Shop, value: object) -> Any:
    text = json.dumps(value).replace(shop.name, "orders")
    for pattern, mask in _MASKS:
        text = re.sub(pattern, mask, text)
    return json.loads(text, object_hook=_without_stack)


def _without_stack(value: dict[str, Any]) -> dict[str, Any]:
    return {key: ["<line>"] if key == "stackTrace" else inner for key, inner in value.items()}


def count(shop: Shop, where: str) -> int:
    if where.startswith("s3://"):
        bucket = where.removeprefix("s3://")
        return int(shop.aws.client("s3").list_objects_v2(Bucket=bucket).get("KeyCount", 0))
    return shop.depth(where)


def raw(shop: Shop, where: str, marker: str) -> Any:
    """Read the one message or object that holds `marker` as it lies there, its JSON opened."""
    found: list[dict[str, Any]] = []
    if where.startswith("s3://"):
        s3, bucket = shop.aws.client("s3"), where.removeprefix("s3://")
        for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]:
            body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read().decode()
            found.append({"Body": body, "key": re.sub(r"/\d.*", "/<date>/<time>-<uuid>", entry["Key"])})
    else:
        asked: Any = {"MaxNumberOfMessages": 10, "VisibilityTimeout": 0, "MessageAttributeNames": ["All"]}
        found = shop.sqs.receive_message(QueueUrl=where, **asked)["Messages"]
    (message,) = (each for each in found if marker in each["Body"])
    attributes = message.get("MessageAttributes", {})
    return {
        **({"key": message["key"]} if "key" in message else {}),
        "body": json.loads(message["Body"]),
        **({"attributes": {n: v["StringValue"] for n, v in attributes.items()}} if attributes else {}),
    }


def seen(shop: Shop, shown: dict[str, Any]) -> dict[str, Any]:
    wanted = ("shape", "via", "condition", "error_type", "goes_back_to")
    return masked(shop, {name: shown[name] for name in wanted if name in shown})


@pytest.mark.parametrize("target", TARGETS)
def test_what_every_trigger_invokes_and_fails_is_kept_and_replayed_to_the_end(
    shop: Shop, kept: SnapshotAssertion, target: str
) -> None:
    where = TARGETS[target](shop)
    for fire in TRIGGERS.values():
        fire(shop)
    until(lambda: count(shop, where) == len(TRIGGERS), f"{len(TRIGGERS)} failures in {where}")
    record = masked(shop, raw(shop, where, "invoked"))
    found = {trigger_of(shown["event"]): shown for shown in shop.failures("show", where)}
    assert found.keys() == TRIGGERS.keys()
    shop.mend()
    (report,) = shop.failures("replay", where, "--yes")
    assert report["accepted"] == {f"function {target_of(found)}": len(TRIGGERS)}
    handled = {trigger_of(event): event for event in shop.results(len(TRIGGERS))}
    assert handled == {trigger: shown["event"] for trigger, shown in found.items()}
    assert count(shop, where) == 0
    cells = {trigger: seen(shop, shown) for trigger, shown in found.items()}
    assert {"target": target, "record": record, "triggers": cells} == kept


def target_of(found: dict[str, dict[str, Any]]) -> str:
    (target,) = {shown["goes_back_to"] for shown in found.values()}
    name: str = target
    return name.removeprefix("function ")


@pytest.mark.parametrize("trigger", HANDED_OVER)
def test_what_a_service_could_not_hand_over_is_kept_and_replayed_to_the_end(
    shop: Shop, kept: SnapshotAssertion, trigger: str
) -> None:
    target, fail = HANDED_OVER[trigger]
    where = fail(shop)
    until(lambda: count(shop, where) == 1, f"{trigger} to arrive in {where}")
    record = masked(shop, raw(shop, where, "order"))
    (shown,) = shop.failures("show", where)
    shop.mend()
    (report,) = shop.failures("replay", where, "--yes")
    assert report["accepted"] == {shown["goes_back_to"]: 1}
    assert len(shop.results(1)) == 1
    assert count(shop, where) == 0
    assert {"target": target, "record": record, "triggers": {trigger: seen(shop, shown)}} == kept
