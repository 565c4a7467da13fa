"""A site of a private bucket behind CloudFront, with a function of each kind at its edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Environment, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins

from lambda_patterns.constructs import EdgeFunction, ViewerFunction, directory_package
from lambda_patterns.constructs.acknowledgements import acknowledge
from lambda_patterns.facts.edge import REGION
from stacks.handlers import FUNCTIONS
from stacks.private_bucket import private_bucket

if TYPE_CHECKING:
    from constructs import Construct


_REASONS = {
    "AwsSolutions-CFR1": "the pages are for readers everywhere",
    "AwsSolutions-CFR2": "files are served, by GET and HEAD: there is no input for a firewall to filter",
    "AwsSolutions-CFR3": "who reads which page is kept by nobody; who has to know gives log_bucket=",
    "AwsSolutions-CFR4": "a minimum of TLS 1.2 takes a domain and its certificate, which only its owner has",
}


class EdgeStack(Stack):
    """A CloudFront Function asks for the folder's page, Lambda@Edge adds headers before the cache."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, env=Environment(region=REGION))
        self.bucket = private_bucket(self, "Pages")
        index = ViewerFunction(self, "Index", file=FUNCTIONS / "rewrite_index" / "index.js")
        headers = EdgeFunction(
            self,
            "Headers",
            code=directory_package(FUNCTIONS / "add_security_headers").code,
            handler="handler.handler",
            event=cloudfront.LambdaEdgeEventType.ORIGIN_RESPONSE,
        )
        self.distribution = cloudfront.Distribution(
            self,
            "Site",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(self.bucket),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                function_associations=[index.behavior],
                edge_lambdas=[headers.behavior],
            ),
        )
        acknowledge(self.distribution, _REASONS)
