"""Functions at CloudFront's edge: Lambda@Edge, and CloudFront Functions, within their limits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_lambda as lambda_

from lambda_patterns.constructs.acknowledgements import LOG_GROUP_KEY, acknowledge
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import edge
from lambda_patterns.facts.limits import MEMORY
from lambda_patterns.facts.runtimes import runtime as runtime_of

if TYPE_CHECKING:
    from constructs import Construct

_REFUSED = f"CloudFront refuses it at the edge ({edge.RESTRICTIONS})"
_BASIC = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
_REASONS = {
    **LOG_GROUP_KEY,
    **dict.fromkeys(
        (
            "compliance/LambdaDLQ",
            "compliance/LambdaInsideVPC",
            "Serverless-LambdaDLQ",
            "Serverless-LambdaTracing",
        ),
        _REFUSED,
    ),
    "compliance/LambdaConcurrency": "viewers' requests bound it: a reservation would refuse them their pages",
    f"AwsSolutions-IAM4[Policy::{_BASIC}]": "it writes its log in the Region nearest to the viewer, "
    "whichever that is, so no log group can be named",
}
_VIEWER = (cloudfront.LambdaEdgeEventType.VIEWER_REQUEST, cloudfront.LambdaEdgeEventType.VIEWER_RESPONSE)


class EdgeFunction(cloudfront.experimental.EdgeFunction):
    """A Lambda@Edge function, created in us-east-1 whatever the Region of its stack, by a published version.

    It has no environment, VPC, layers, image or arm64, because CloudFront refuses them: what it needs to
    know is in its code. Its logs are in the Region nearest to the viewer. Its replicas are deleted hours
    after the last distribution let go of it, and until then it cannot be deleted.

    Args:
        code: the code, with its libraries at most 50 MB as a zip file.
        handler: "handler.handler".
        event: when CloudFront calls it; `behavior` attaches it there.
        runtime: Node.js or Python. Default Node.js 24.
        memory_size: exactly 128 MB for viewer events, 128-10,240 MB for origin events. Default 128.
        timeout: 1-30 s. Default 5 s: it stands between the viewer and the page.
        include_body: whether it is given the body of a request. Default False.

    Raises:
        ArgumentError: what CloudFront would refuse.

    Source: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-at-edge-function-restrictions.html
    """

    def __init__(  # noqa: PLR0913  # each is one answer
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: lambda_.Code,
        handler: str,
        event: cloudfront.LambdaEdgeEventType,
        runtime: lambda_.Runtime | None = None,
        memory_size: int = 128,
        timeout: Duration = Duration.seconds(5),  # noqa: B008  # a frozen value
        include_body: bool = False,
    ) -> None:
        chosen = runtime or lambda_.Runtime.NODEJS_24_X
        known = runtime_of(chosen.name)
        if known is not None and known.language not in edge.RUNTIME_FAMILIES:
            raise ArgumentError(
                f"runtime is {chosen.name}, allowed at the edge are {' and '.join(edge.RUNTIME_FAMILIES)} "
                f"({edge.RESTRICTIONS})"
            )
        (edge.VIEWER_MEMORY if event in _VIEWER else MEMORY).check(memory_size, "memory_size")
        edge.TIMEOUT.check(timeout.to_seconds(), "timeout")
        if include_body and event not in (
            cloudfront.LambdaEdgeEventType.VIEWER_REQUEST,
            cloudfront.LambdaEdgeEventType.ORIGIN_REQUEST,
        ):
            raise ArgumentError(
                f"include_body: a response has no request body to include ({edge.RESTRICTIONS})"
            )
        super().__init__(
            scope,
            construct_id,
            code=code,
            handler=handler,
            runtime=chosen,
            memory_size=memory_size,
            timeout=timeout,
            architecture=lambda_.Architecture.X86_64,
        )
        acknowledge(self.lambda_, _REASONS)
        self.behavior = cloudfront.EdgeLambda(
            event_type=event, function_version=self.current_version, include_body=include_body
        )


class ViewerFunction(cloudfront.Function):
    """A CloudFront Function: JavaScript of at most 10 KB for viewer requests and responses, in a millisecond.

    Args:
        file: the JavaScript, for the runtime cloudfront-js-2.0.
        event: when CloudFront calls it. Default: for each viewer's request, before the cache is asked.
        key_value_store: what it reads, at most one. Default: none.

    Raises:
        ArgumentError: the file does not exist or is too large.

    Source: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-functions.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        file: str | Path,
        event: cloudfront.FunctionEventType = cloudfront.FunctionEventType.VIEWER_REQUEST,
        key_value_store: cloudfront.IKeyValueStore | None = None,
    ) -> None:
        try:
            code = Path(file).read_text(encoding="utf-8")
        except OSError as error:
            raise ArgumentError(f"file: {file}: {error.strerror}") from error
        edge.FUNCTION_BYTES.check(len(code.encode()), f"file: {file}")
        super().__init__(
            scope,
            construct_id,
            code=cloudfront.FunctionCode.from_inline(code),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
            key_value_store=key_value_store,
        )
        self.behavior = cloudfront.FunctionAssociation(event_type=event, function=self)
