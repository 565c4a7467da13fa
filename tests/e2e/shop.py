"""A function that fails until it is mended, and the questions that the tests of failures ask of it."""

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

from click.testing import CliRunner

from lambda_patterns.cli import cli
from lambda_patterns.local.embedded import EmbeddedAws

PATIENCE = 60  # s; what is waited for takes 2-5 s on a quiet machine
CODE = """
import os
import boto3

def handler(event, context):
    if os.environ["BROKEN"] == "yes":
        raise KeyError("broken on purpose")
    client = boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    import json
    client.send_message(QueueUrl=os.environ["DONE"], MessageBody=json.dumps(event))
"""


def allow(actions: list[str], **more: object) -> str:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Shop:
    """A function that fails until it is mended, and notes what it has done in the queue `done`."""

    def __init__(self, aws: EmbeddedAws, name: str) -> None:
        self.aws, self.name = aws, name
        self.sqs, self.lambda_, self.sns = (aws.client(service) for service in ("sqs", "lambda", "sns"))
        self.done = self.queue("done")
        iam = aws.client("iam")
        role = iam.create_role(RoleName=f"{name}-role", AssumeRolePolicyDocument="{}")
        may = allow(["sqs:*", "sns:*", "s3:*", "events:PutEvents", "lambda:InvokeFunction"])
        iam.put_role_policy(RoleName=f"{name}-role", PolicyName="all", PolicyDocument=may)
        self.variables = {"BROKEN": "yes", "DONE": self.done, "AWS_ENDPOINT_URL": aws.endpoint}
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as written:
            written.writestr("index.py", CODE)
        created = self.lambda_.create_function(
            FunctionName=name,
            Runtime="python3.11",
            Handler="index.handler",
            Role=role["Role"]["Arn"],
            Timeout=10,
            Code={"ZipFile": archive.getvalue()},
            Environment={"Variables": self.variables},
        )
        self.arn: str = created["FunctionArn"]

    def queue(self, suffix: str, **attributes: str) -> str:
        policy = allow(["sqs:SendMessage"], Principal={"Service": "sns.amazonaws.com"})
        given = {"Policy": policy, **attributes}
        made = self.sqs.create_queue(QueueName=f"{self.name}-{suffix}", Attributes=given)
        url: str = made["QueueUrl"]
        return url

    def arn_of(self, url: str) -> str:
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn: str = answer["Attributes"]["QueueArn"]
        return arn

    def on_failure(self, target: str, qualifier: str = "$LATEST", retries: int = 0) -> None:
        self.lambda_.put_function_event_invoke_config(
            FunctionName=self.name,
            Qualifier=qualifier,
            MaximumRetryAttempts=retries,
            DestinationConfig={"OnFailure": {"Destination": target}},
        )

    def mend(self) -> None:
        mended = {"Variables": self.variables | {"BROKEN": "no"}}
        self.lambda_.update_function_configuration(FunctionName=self.name, Environment=mended)

    def invoke(self, event: object, **how: str) -> None:
        payload = json.dumps(event).encode()
        self.lambda_.invoke(FunctionName=self.name, InvocationType="Event", Payload=payload, **how)

    def depth(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(answer[name]) for name in names)

    def wait_for(self, url: str, number: int) -> None:
        until(lambda: self.depth(url) == number, f"{number} messages in {url}, there are {self.depth(url)}")

    def results(self, number: int) -> list[Any]:
        """The events that ran well, once so many of them have."""
        self.wait_for(self.done, number)
        found: list[Any] = []
        while len(found) < number:
            answer = self.sqs.receive_message(QueueUrl=self.done, MaxNumberOfMessages=10)
            found += [json.loads(message["Body"]) for message in answer.get("Messages", [])]
        return found

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run `lambda-patterns failures ...` and give what it prints."""
        where = ["--endpoint-url", self.aws.endpoint, "--region", self.aws.region]
        given = ["failures", *arguments, *where]
        result = CliRunner().invoke(cli, given, env=self.aws.variables(), catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result.stdout

    def failures(self, *arguments: str, code: int = 0) -> Any:
        """Run `lambda-patterns failures ... --json` and give what it says."""
        return json.loads(self.run(*arguments, "--json", code=code))


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
        time.sleep(0.1)
