"""One embedded AWS for all tests of a session; each test names its resources so that none meets another's."""

import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lambda_patterns.local.embedded import EmbeddedAws
from lambda_patterns.local.settings import Settings

ROLE = "arn:aws:iam::000000000000:role/functions"
HANDLER = """
import os, time

class OrderRefused(Exception):
    pass

def handler(event, context):
    if isinstance(event, dict) and "Records" in event and "body" in event["Records"][0]:
        bad = [r["messageId"] for r in event["Records"] if r["body"].startswith("bad")]
        return {"batchItemFailures": [{"itemIdentifier": i} for i in bad]}
    if isinstance(event, dict) and "sleep" in event:
        time.sleep(event["sleep"])
    if "boom" in str(event):
        raise OrderRefused("no such order")
    return {"handled": event, "requestId": context.aws_request_id, "arn": context.invoked_function_arn}
"""


class Workshop:
    """Makes the resources of a test, each with a name of its own."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.aws = aws
        self.unique = uuid.uuid4().hex[:8]
        self.lam, self.sqs, self.sns = aws.client("lambda"), aws.client("sqs"), aws.client("sns")
        self.cloudwatch, self.s3, self.events = (
            aws.client("cloudwatch"),
            aws.client("s3"),
            aws.client("events"),
        )

    def name(self, role: str) -> str:
        return f"{role}-{self.unique}"

    def function(
        self, role: str = "orders", *, code: str = HANDLER, file: str = "index.py", **settings: Any
    ) -> str:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as package:
            package.writestr(file, code)
        return self.lam.create_function(
            FunctionName=self.name(role),
            Handler="index.handler",
            Code={"ZipFile": content.getvalue()},
            **{"Runtime": "python3.13", "Role": ROLE, **settings},
        )["FunctionArn"]

    def queue(self, role: str, **attributes: str) -> tuple[str, str]:
        url = self.sqs.create_queue(QueueName=self.name(role), Attributes=attributes)["QueueUrl"]
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, found["Attributes"]["QueueArn"]

    def admit(self, url: str, arn: str) -> None:
        """Let topics and rules send to a queue."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    def depth(self, url: str) -> int:
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(found["Attributes"]["ApproximateNumberOfMessages"])

    def message(self, url: str, seconds: float = 20) -> dict[str, Any]:
        found = eventually(
            lambda: self.sqs.receive_message(
                QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
            ).get("Messages"),
            seconds,
        )
        return found[0]

    def record(self, url: str) -> Any:
        return json.loads(self.message(url)["Body"])

    def invoke_async(self, function: str, event: object, **how: str) -> str:
        answer = self.lam.invoke(
            FunctionName=function, InvocationType="Event", Payload=json.dumps(event), **how
        )
        assert answer["StatusCode"] == 202
        return answer["ResponseMetadata"]["RequestId"]

    def metric(self, namespace: str, name: str, statistic: str = "Sum", **dimensions: str) -> float:
        now = time.time()
        points = self.cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=now - 600,
            EndTime=now + 60,
            Period=3600,
            Statistics=[statistic],
        )["Datapoints"]
        return sum(point[statistic] for point in points)


def eventually(look: Callable[[], Any], seconds: float = 20) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing after {seconds} s"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="session")
def embedded_aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as aws:
        yield aws


@pytest.fixture(scope="session")
def fast_aws() -> Iterator[EmbeddedAws]:
    """Retries at once: for what does not depend on the wait."""
    with EmbeddedAws(Settings(retry_seconds=0.05, clock_seconds=0.2)) as aws:
        yield aws


@pytest.fixture
def workshop(fast_aws: EmbeddedAws) -> Workshop:
    return Workshop(fast_aws)


@pytest.fixture(name="eventually")
def _eventually() -> Callable[..., Any]:
    return eventually
