"""The AWS clients of one session, and what their errors mean to the person at the terminal."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    InvalidRegionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)
from botocore.exceptions import (
    ConnectionError as NoConnection,
)
from botocore.utils import validate_region_name

from lambda_patterns.errors import ArgumentError, LambdaPatternsError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

# The IAM action of an API operation, where the two are not named alike.
_ACTIONS = {
    "Invoke": "lambda:InvokeFunction",
    "SendMessageBatch": "sqs:SendMessage",
    "DeleteMessageBatch": "sqs:DeleteMessage",
    "ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "ListObjectsV2": "s3:ListBucket",
    "GetObject": "s3:GetObject",
    "DeleteObject": "s3:DeleteObject",
    "PutObject": "s3:PutObject",
    "CopyObject": "s3:GetObject and s3:PutObject",
    "ListFunctionEventInvokeConfigs": "lambda:ListFunctionEventInvokeConfigs",
    "ListStackResources": "cloudformation:ListStackResources",
    "ListAliases": "lambda:ListAliases",
}
_SERVICES = {
    "Function": "lambda",
    "EventSourceMapping": "lambda",
    "Policy": "lambda",
    "Subscription": "sns",
    "Topic": "sns",
    "Publish": "sns",
    "Stack": "cloudformation",
    "Rule": "events",
}
_NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
)
_DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"}
_NOT_SIGNED_IN = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
}
# Errors after which the same call can succeed: the caller's rate, or the service's own trouble.
_PASSING = {
    "TooManyRequestsException",
    "ThrottlingException",
    "Throttling",
    "RequestThrottled",
    "RequestLimitExceeded",
    "Throttled",
    "KmsThrottled",
    "ServiceException",
    "InternalFailure",
    "InternalError",
    "InternalErrorException",
    "ServiceUnavailable",
    "ResourceNotReadyException",
    "ResourceConflictException",
    "EC2ThrottledException",
    "ENINotReadyException",
    "SnapStartNotReadyException",
    "SlowDown",
}


class Aws:
    """One session's clients, made when first used.

    Args:
        profile: the profile of the AWS configuration files. Default: the environment decides, as for any SDK.
        region: the Region. Default: the environment's or the profile's.
        endpoint_url: send every call there: the embedded AWS. Default: AWS itself.
        connections: how many calls may run at a time; the clients are shared by that many threads.
        longest_wait: seconds to wait for a function. Default: longer than any function may run, 900 s.
    """

    def __init__(
        self,
        *,
        profile: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        connections: int = 16,
        longest_wait: int = 910,
    ) -> None:
        self.endpoint_url = endpoint_url
        self._longest_wait = longest_wait
        self._connections = connections
        try:
            self._session = boto3.Session(profile_name=profile, region_name=region)
        except ProfileNotFound as error:
            raise ArgumentError(f"--profile: {error}") from None
        if self._session.region_name is None:
            raise ArgumentError("no AWS Region is set: give --region, AWS_REGION or a profile that has one")
        self.region = self._session.region_name
        try:
            validate_region_name(self.region)
        except InvalidRegionError as error:
            raise ArgumentError(f"--region: {error}") from None
        if endpoint_url is not None and not re.match(r"https?://[^/]", endpoint_url):
            raise ArgumentError(f"--endpoint-url is {endpoint_url!r}, no address like http://127.0.0.1:4566")

    def _config(self, **settings: object) -> Config:
        # standard retries: throttling and connection errors, with jittered backoff.
        given = {
            "max_pool_connections": self._connections,
            "retries": {"mode": "standard", "total_max_attempts": 6},
        }
        return Config(**{**given, **settings})  # type: ignore[arg-type]  # Config's keywords, passed through

    @cached_property
    def sqs(self) -> SQSClient:
        """The SQS client."""
        return self._session.client("sqs", endpoint_url=self.endpoint_url, config=self._config())

    @cached_property
    def lambda_(self) -> LambdaClient:
        """The Lambda client, for asynchronous invocations and questions."""
        return self._session.client("lambda", endpoint_url=self.endpoint_url, config=self._config())

    @cached_property
    def waiting_lambda(self) -> LambdaClient:
        """The Lambda client for synchronous invocations: it waits long, and sends only once.

        A retry after a lost answer would run the event a second time beside the first.
        """
        once = {"total_max_attempts": 1}
        config = self._config(read_timeout=self._longest_wait, tcp_keepalive=True, retries=once)
        return self._session.client("lambda", endpoint_url=self.endpoint_url, config=config)

    @cached_property
    def sns(self) -> SNSClient:
        """The SNS client."""
        return self._session.client("sns", endpoint_url=self.endpoint_url, config=self._config())

    @cached_property
    def s3(self) -> S3Client:
        """The S3 client."""
        # The embedded AWS has no name per bucket, so the bucket goes into the path there.
        style = {"s3": {"addressing_style": "path"}} if self.endpoint_url else {}
        return self._session.client("s3", endpoint_url=self.endpoint_url, config=self._config(**style))

    @cached_property
    def events(self) -> EventBridgeClient:
        """The EventBridge client."""
        return self._session.client("events", endpoint_url=self.endpoint_url, config=self._config())

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """The CloudFormation client."""
        return self._session.client("cloudformation", endpoint_url=self.endpoint_url, config=self._config())


def code(error: Exception) -> str:
    """Name an AWS error by its code, without the service's prefix; of other errors, the class."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "")).rsplit(".", 1)[-1].rsplit("#", 1)[-1]
    return type(error).__name__


def passes(error: Exception) -> bool:
    """Say whether the same call can succeed later: throttling, the service's trouble, the network."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        # Lambda reports faults of a function's key or code with 502: those do not pass.
        return code(error) in _PASSING or status in {429, 500, 503, 504}
    return isinstance(error, BotoCoreError)


def is_denied(error: Exception) -> bool:
    """Say whether the caller lacks a permission."""
    return code(error) in _DENIED


def is_missing(error: Exception) -> bool:
    """Say whether what the call named does not exist."""
    return "NonExistentQueue" in code(error) or code(error) in {
        "QueueDoesNotExist",
        "ResourceNotFoundException",
        "NotFound",
        "NotFoundException",
        "NoSuchBucket",
        "NoSuchKey",
        "404",
    }


def reason(error: Exception) -> str:
    """Say in one clause what went wrong, with the missing action where it was a permission."""
    if not isinstance(error, ClientError):
        return " ".join(str(error).split())
    message = str(error.response.get("Error", {}).get("Message", "")).strip() or code(error)
    if is_denied(error):
        return f"access denied: {_action(error.operation_name)} is missing ({message})"
    if code(error).lower().startswith("kms"):
        return (
            f"its key cannot be used: kms:Decrypt (to send, kms:GenerateDataKey too) is missing ({message})"
        )
    return f"{code(error)}: {message}"


def refusal(error: Exception, what: str) -> LambdaPatternsError:
    """Turn an AWS error into the one line for the person at the terminal.

    Args:
        error: what boto3 raised.
        what: what was attempted, "reading queue orders-dlq".
    """
    why, mend = reason(error), ""
    if isinstance(error, _NO_CREDENTIALS):
        why = f"no AWS credentials ({error})"
        mend = ": set AWS_PROFILE or --profile, or sign in with `aws sso login`"
    elif code(error) in _NOT_SIGNED_IN:
        why, mend = f"AWS does not accept the credentials ({why})", ": sign in again"
    elif isinstance(error, NoConnection):
        why, mend = f"AWS cannot be reached ({error})", ": check --endpoint-url and the network"
    return LambdaPatternsError(f"{what}: {why}{mend}")


def _action(operation: str) -> str:
    if operation in _ACTIONS:
        return _ACTIONS[operation]
    service = next((name for word, name in _SERVICES.items() if word in operation), "sqs")
    return f"{service}:{operation}"
