"""The reprocessor's package on the embedded AWS: mended events run, broken ones end in quarantine."""

import io
import zipfile
from pathlib import Path

import pytest

from lambda_patterns.constructs.reprocessor_package import HANDLER, reprocessor_package
from lambda_patterns.local.embedded import EmbeddedAws
from tests.e2e.shop import Shop, allow

pytestmark = [pytest.mark.e2e, pytest.mark.cdk]


@pytest.fixture
def shop(embedded_aws: EmbeddedAws, request: pytest.FixtureRequest) -> Shop:
    return Shop(embedded_aws, f"reprocessed-{abs(hash(request.node.name)) % 10**8}")


def zipped(folder: Path) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                written.write(path, path.relative_to(folder))
    return archive.getvalue()


def deploy(shop: Shop, failures: str, aside: str, *, attempts: int) -> str:
    """Deploy the reprocessor with its mapping switched off; give the mapping's id."""
    name = f"{shop.name}-reprocessor"
    iam = shop.aws.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    may = allow(["sqs:*", "lambda:InvokeFunction"])
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=may)
    shop.lambda_.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Handler=HANDLER,
        Role=role,
        Timeout=25,
        Code={"ZipFile": zipped(reprocessor_package().path)},
        Environment={
            "Variables": {
                "LAMBDA_PATTERNS_QUARANTINE_QUEUE_URL": aside,
                "LAMBDA_PATTERNS_FAILURE_QUEUE_URL": failures,
                "LAMBDA_PATTERNS_MOST_ATTEMPTS": str(attempts),
                "LAMBDA_PATTERNS_BACKOFF_SECONDS": "0",
                "LAMBDA_PATTERNS_LONGEST_WAIT_SECONDS": "10",
                "AWS_ENDPOINT_URL": shop.aws.endpoint,
            }
        },
    )
    mapping: str = shop.lambda_.create_event_source_mapping(
        FunctionName=name,
        EventSourceArn=shop.arn_of(failures),
        Enabled=False,
        BatchSize=10,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )["UUID"]
    return mapping


def test_mended_events_are_replayed_once_it_is_switched_on(shop: Shop) -> None:
    failures, aside = shop.queue("failures", VisibilityTimeout="150"), shop.queue("aside")
    shop.on_failure(shop.arn_of(failures))
    deploy(shop, failures, aside, attempts=3)
    for number in range(12):
        shop.invoke({"id": number})
    shop.wait_for(failures, 12)
    shop.mend()
    switched = shop.run("reprocessor", f"queue:{shop.name}-failures", "--on")
    assert switched == f"{shop.name}-failures: reprocessor {shop.name}-reprocessor is on\n"
    assert sorted(event["id"] for event in shop.results(12)) == list(range(12))
    shop.wait_for(failures, 0)
    assert shop.depth(aside) == 0


def test_what_keeps_failing_is_counted_and_ends_in_quarantine_with_the_reason(shop: Shop) -> None:
    failures, aside = shop.queue("failures", VisibilityTimeout="150"), shop.queue("aside")
    shop.on_failure(shop.arn_of(failures))
    mapping = deploy(shop, failures, aside, attempts=2)
    shop.invoke({"id": 1})
    shop.wait_for(failures, 1)
    shop.lambda_.update_event_source_mapping(UUID=mapping, Enabled=True)
    shop.wait_for(aside, 1)
    assert shop.depth(failures) == 0
    (shown,) = shop.failures("show", f"queue:{shop.name}-aside")
    assert (shown["event"], shown["replays"]) == ({"id": 1}, 2)
    assert shown["last_replay"] == f"function {shop.name}:$LATEST: KeyError: 'broken on purpose'"
    assert shown["goes_back_to"] == f"function {shop.name}:$LATEST", (
        "once mended, it can be replayed from there"
    )
