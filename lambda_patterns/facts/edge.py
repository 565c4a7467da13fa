"""The figures that CloudFront enforces on Lambda@Edge and on CloudFront Functions, as of November 2026."""

from lambda_patterns.facts.limit import Limit

_GUIDE = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/"
QUOTAS = _GUIDE + "cloudfront-limits.html"
RESTRICTIONS = _GUIDE + "lambda-at-edge-function-restrictions.html"

REGION = "us-east-1"
"""The Region that a Lambda@Edge function has to be created in. Source: `RESTRICTIONS`."""

TIMEOUT = Limit("timeout at the edge", 1, 30, "s", "CloudFront waits at most 30 s for a function", QUOTAS)

VIEWER_MEMORY = Limit(
    "memory of a viewer function",
    128,
    128,
    "MB",
    "viewer request and response functions get exactly 128 MB",
    QUOTAS,
)

ZIP_BYTES = Limit(
    "zip at the edge",
    0,
    50 * 1024 * 1024,
    "bytes",
    "CloudFront refuses larger packages, libraries included",
    QUOTAS,
)

EPHEMERAL_STORAGE = Limit(
    "ephemeral storage at the edge",
    512,
    512,
    "MB",
    "Lambda@Edge excludes a /tmp of more than 512 MB",
    RESTRICTIONS,
)

RUNTIME_FAMILIES = ("nodejs", "python")
"""What a Lambda@Edge function may be written in. Source: `RESTRICTIONS`."""

FUNCTION_BYTES = Limit(
    "code of a CloudFront Function", 0, 10 * 1024, "bytes", "the quota of 10 KB is not adjustable", QUOTAS
)

FUNCTION_STORES = Limit(
    "key value stores", 0, 1, "stores", "a CloudFront Function reads at most one key value store", QUOTAS
)

FUNCTION_RUNTIMES = ("cloudfront-js-1.0", "cloudfront-js-2.0")
"""The runtimes of CloudFront Functions; key value stores need 2.0."""
