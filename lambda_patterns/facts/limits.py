"""The figures that AWS enforces on functions, event sources, queues and topics, as of November 2026."""

from __future__ import annotations

import re

from lambda_patterns.facts.limit import Limit

_DOCS = "https://docs.aws.amazon.com/"
_LAMBDA = _DOCS + "lambda/latest/dg/"
_LAMBDA_API = _DOCS + "lambda/latest/api/"
_SQS = _DOCS + "AWSSimpleQueueService/latest/SQSDeveloperGuide/"
_SQS_API = _DOCS + "AWSSimpleQueueService/latest/APIReference/"
_SNS = _DOCS + "sns/latest/dg/"

QUOTAS = _LAMBDA + "gettingstarted-limits.html"
ENVIRONMENT_PAGE = _LAMBDA + "configuration-envvars.html"
CONCURRENCY_PAGE = _LAMBDA + "configuration-concurrency.html"
PROVISIONED_PAGE = _LAMBDA + "provisioned-concurrency.html"
SNAP_START_PAGE = _LAMBDA + "snapstart.html"
RETAIN_PAGE = _LAMBDA + "invocation-async-retain-records.html"
ASYNC_PAGE = _LAMBDA + "invocation-async-error-handling.html"
SQS_SOURCE_PAGE = _LAMBDA + "services-sqs-configure.html"
SQS_SCALING_PAGE = _LAMBDA + "services-sqs-scaling.html"
SQS_ERRORS_PAGE = _LAMBDA + "services-sqs-errorhandling.html"
EVENT_SOURCE_API = _LAMBDA_API + "API_CreateEventSourceMapping.html"
CREATE_FUNCTION_API = _LAMBDA_API + "API_CreateFunction.html"
CREATE_ALIAS_API = _LAMBDA_API + "API_CreateAlias.html"
QUEUE_API = _SQS_API + "API_CreateQueue.html"
QUEUE_DLQ_PAGE = _SQS + "sqs-dead-letter-queues.html"
QUEUE_KEYS_PAGE = _SQS + "sqs-key-management.html"
DELIVERY_PAGE = _SNS + "sns-message-delivery-retries.html"
SUBSCRIPTION_DLQ_PAGE = _SNS + "sns-dead-letter-queues.html"

# A function.
MEMORY = Limit("memory", 128, 10_240, "MB", "Lambda offers memory in steps of 1 MB within this range", QUOTAS)
"""MemorySize of an ordinary function; `MANAGED_MEMORY` is the range with a capacity provider."""

DEFAULT_MEMORY = 128
"""MB of memory of a function where nothing is set. Source: `CREATE_FUNCTION_API`."""

MANAGED_MEMORY = Limit(
    "memory on a capacity provider",
    128,
    32_768,
    "MB",
    "Lambda Managed Instances (CapacityProviderConfig) raise the highest memory",
    CREATE_FUNCTION_API,
)

TIMEOUT = Limit("timeout", 1, 900, "s", "Lambda ends every invocation after 900 s at the latest", QUOTAS)
"""Timeout of an ordinary function; `MANAGED_TIMEOUT` is the range with a capacity provider."""

DEFAULT_TIMEOUT = 3
"""Seconds that a function may run where nothing is set. Source: `QUOTAS`."""

MANAGED_TIMEOUT = Limit(
    "timeout on a capacity provider",
    1,
    5_400,
    "s",
    "Lambda Managed Instances (CapacityProviderConfig) raise it for asynchronous invocations and for most "
    "event sources",
    CREATE_FUNCTION_API,
)

EPHEMERAL_STORAGE = Limit(
    "ephemeral storage", 512, 10_240, "MB", "Lambda offers /tmp in steps of 1 MB within this range", QUOTAS
)

DEFAULT_STORAGE = 512
"""MB of /tmp of a function where nothing is set. Source: `CREATE_FUNCTION_API`."""

ACCELERATED_STORAGE = Limit(
    "ephemeral storage with an accelerator",
    512,
    32_768,
    "MB",
    "AcceleratorConfig raises the highest /tmp",
    CREATE_FUNCTION_API,
)

ENVIRONMENT_BYTES = Limit(
    "environment as compact JSON",
    0,
    4_096,
    "bytes",
    "Lambda measures the variables as one JSON object without spaces, quotes and braces included",
    QUOTAS,
)

LAYERS = Limit("layers", 0, 5, "layers", "a function takes at most five layers", QUOTAS)

SUBNETS = Limit("subnets", 1, 16, "subnets", "VpcConfig takes at most 16 subnets", CREATE_FUNCTION_API)

SECURITY_GROUPS = Limit(
    "security groups",
    1,
    5,
    "groups",
    "a network interface of Lambda takes at most five groups",
    CREATE_FUNCTION_API,
)

INLINE_CODE_BYTES = Limit(
    "inline code",
    0,
    4 * 1024 * 1024,
    "bytes",
    "CloudFormation takes at most 4 MB of code inside a template",
    _DOCS + "AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-code.html",
)

UNZIPPED_BYTES = Limit(
    "unzipped package with its layers",
    0,
    262_144_000,
    "bytes",
    "Lambda unpacks code, layers and a custom runtime into 250 MB",
    QUOTAS,
)

DESCRIPTION = Limit(
    "length of the description",
    0,
    256,
    "characters",
    "Lambda keeps no longer one",
    CREATE_FUNCTION_API,
)

FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""What the name of a function has to match in full. Source: `CREATE_FUNCTION_API`."""

ALIAS_NAME = re.compile(r"(?!\d+$)[a-zA-Z0-9_-]{1,128}")
"""What the name of an alias has to match in full; a number would be a version. Source: `CREATE_ALIAS_API`."""

HANDLER = re.compile(r"\S{1,128}")
"""What a handler has to match in full. Source: `CREATE_FUNCTION_API`."""

ENVIRONMENT_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
"""What the name of an environment variable has to match in full: a letter, then at least one more."""

RESERVED_ENVIRONMENT_NAMES = frozenset(
    {
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_METADATA_API",
        "AWS_LAMBDA_METADATA_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
    }
)
"""Names that the Lambda runtime sets itself. Source: `ENVIRONMENT_PAGE`."""

# Concurrency.
CONCURRENT_EXECUTIONS = 1_000
"""Concurrent executions of an account per Region, unless raised. Source: `QUOTAS`."""

UNRESERVED_MINIMUM = 100
"""Concurrent executions that reservations have to leave. Source: `CONCURRENCY_PAGE`."""

NEW_ACCOUNT_CONCURRENT_EXECUTIONS = 10
"""Concurrent executions of many new accounts: AWS gives them less and raises it with use, per account.

The figure is what accounts report ("below its minimum value of [10]"); AWS publishes no number.
Source: `QUOTAS`.
"""

NEW_ACCOUNT_MEMORY = Limit(
    "memory on a new account",
    128,
    3_008,
    "MB",
    "new accounts have a reduced memory quota until AWS raises it",
    QUOTAS,
)

VCPU_MEMORY = 1_769
"""MB of memory at which a function has one vCPU. Source: the developer guide's configuration-memory page."""

SNAP_START_STORAGE = Limit(
    "ephemeral storage with SnapStart",
    512,
    512,
    "MB",
    "SnapStart excludes a /tmp of more than 512 MB",
    SNAP_START_PAGE,
)

# Asynchronous invocation.
RETRY_ATTEMPTS = Limit("retries", 0, 2, "retries", "Lambda retries a failed event at most twice", ASYNC_PAGE)

EVENT_AGE = Limit(
    "event age", 60, 21_600, "s", "Lambda keeps an event in its queue for at most 6 hours", ASYNC_PAGE
)

TARGET_EVENT_AGE = Limit(
    "event age",
    60,
    86_400,
    "s",
    "EventBridge tries to hand an event over for at most a day",
    _DOCS + "eventbridge/latest/APIReference/API_RetryPolicy.html",
)

TARGET_RETRIES = Limit(
    "retries of the hand-over",
    0,
    185,
    "retries",
    "EventBridge tries to hand an event over at most 185 times again",
    _DOCS + "eventbridge/latest/APIReference/API_RetryPolicy.html",
)

SYNC_PAYLOAD_BYTES = Limit(
    "synchronous payload", 0, 6 * 1024 * 1024, "bytes", "AWS refuses larger events", QUOTAS
)

# Event sources.
BATCH_SIZE = Limit("batch size", 1, 10_000, "records", "AWS refuses larger batches", EVENT_SOURCE_API)

DEFAULT_QUEUE_BATCH_SIZE = 10
"""Messages that a function gets at a time where nothing is set. Source: `SQS_SOURCE_PAGE`."""

FIFO_BATCH_SIZE = Limit(
    "batch size of a FIFO queue", 1, 10, "messages", "AWS refuses larger batches", SQS_SOURCE_PAGE
)

BATCH_SIZE_WITHOUT_WINDOW = Limit(
    "batch size without a window",
    1,
    10,
    "messages",
    "a larger batch of an SQS queue needs a batch window of at least 1 s",
    SQS_SOURCE_PAGE,
)

BATCH_WINDOW = Limit("batch window", 0, 300, "s", "AWS refuses longer windows", EVENT_SOURCE_API)

MAXIMUM_CONCURRENCY = Limit(
    "maximum concurrency",
    2,
    1_000,
    "executions",
    "AWS refuses other values for an SQS queue",
    SQS_SCALING_PAGE,
)

MINIMUM_POLLERS = Limit(
    "minimum pollers", 1, 200, "pollers", "AWS refuses other values in provisioned mode", EVENT_SOURCE_API
)

SQS_MINIMUM_POLLERS = Limit(
    "minimum pollers of an SQS queue",
    2,
    200,
    "pollers",
    "AWS refuses other values in provisioned mode",
    SQS_SCALING_PAGE,
)

MAXIMUM_POLLERS = Limit(
    "maximum pollers", 1, 10_000, "pollers", "AWS refuses other values in provisioned mode", EVENT_SOURCE_API
)

SQS_MAXIMUM_POLLERS = Limit(
    "maximum pollers of an SQS queue",
    2,
    10_000,
    "pollers",
    "AWS refuses other values in provisioned mode",
    EVENT_SOURCE_API,
)

PARALLELIZATION_FACTOR = Limit(
    "parallelization factor",
    1,
    10,
    "batches",
    "AWS reads at most 10 batches of a shard at once",
    EVENT_SOURCE_API,
)

RECORD_AGE = Limit(
    "record age", -1, 604_800, "s", "AWS takes -1 (no limit) or 60 s to 7 days", EVENT_SOURCE_API
)

STREAM_RETRIES = Limit(
    "retries of a stream", -1, 10_000, "retries", "AWS takes -1 (no limit) to 10,000", EVENT_SOURCE_API
)

RECORD_AGE_MINIMUM = 60
"""Seconds of age at which Lambda may discard a record at the earliest, where there is a limit at all."""

TUMBLING_WINDOW = Limit("tumbling window", 0, 900, "s", "AWS refuses longer windows", EVENT_SOURCE_API)

# Queues and topics.
QUEUE_RETENTION = Limit(
    "retention", 60, 1_209_600, "s", "SQS keeps a message for 1 minute to 14 days", QUEUE_API
)

DEFAULT_QUEUE_RETENTION = 345_600
"""Seconds that SQS keeps a message where nothing is set: 4 days. Source: `QUEUE_API`."""

VISIBILITY_TIMEOUT = Limit(
    "visibility timeout", 0, 43_200, "s", "SQS hides a message for at most 12 hours", QUEUE_API
)

DEFAULT_VISIBILITY_TIMEOUT = 30
"""Seconds that SQS hides a received message where nothing is set. Source: `QUEUE_API`."""

VISIBILITY_FACTOR = 6
"""How many function timeouts, plus the batch window, a source queue should hide a message.

Source: `SQS_SOURCE_PAGE`.
"""

RECEIVE_COUNT = Limit(
    "maximum receives", 1, 1_000, "receives", "SQS moves a message after 1 to 1,000 receives", QUEUE_DLQ_PAGE
)

RECOMMENDED_RECEIVES = 5
"""Receives that a source queue of a function should allow: throttles count as receives too.

Source: `SQS_SOURCE_PAGE`.
"""

QUEUE_DELAY = Limit("delay", 0, 900, "s", "SQS delays a message for at most 15 minutes", QUEUE_API)

# HTTP/S delivery policy of an SNS subscription.
DELIVERY_RETRIES = Limit("retries", 0, 100, "retries", "SNS refuses more retries", DELIVERY_PAGE)

DELIVERY_DELAY = Limit("delay target", 1, 3_600, "s", "SNS refuses longer delays", DELIVERY_PAGE)

DELIVERY_TOTAL = Limit(
    "total retry time", 0, 3_600, "s", "SNS retries an endpoint for at most 1 hour", DELIVERY_PAGE
)

DELIVERY_DEFAULTS = {
    "minDelayTarget": 20,
    "maxDelayTarget": 20,
    "numRetries": 3,
    "numNoDelayRetries": 0,
    "numMinDelayRetries": 0,
    "numMaxDelayRetries": 0,
}
"""What SNS assumes for a field of healthyRetryPolicy that is not given. Source: `DELIVERY_PAGE`."""

# Network.
NETWORK_INTERFACES = 500
"""Network interfaces that Lambda makes in one VPC, unless raised. Source: `QUOTAS`."""
