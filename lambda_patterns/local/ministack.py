"""The one door to MiniStack, which has no types: what comes through it is `Any`, what we use is listed.

MiniStack offers no extension point, so we use inner names of it. Each is listed here with its module and
checked when the server starts; a test holds the list against the code that uses them.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from typing import TYPE_CHECKING, Any

from lambda_patterns.errors import LambdaPatternsError

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "1.5.33"

# module below `ministack` -> the names in it that we read, call or replace
SEAMS: Mapping[str, tuple[str, ...]] = {
    "app": ("app",),
    "core.concurrency": ("run_reentrant",),
    "core.iam_evaluator": (
        "AuthError",
        "EvalContext",
        "_gather_role_policies",
        "evaluate",
        "evaluate_resource_policy",
        "resolve_principal",
    ),
    "core.lambda_runtime": ("Worker",),
    "core.rds_iam": ("RdsIamTokenError", "verify_rds_iam_token"),
    "core.responses": ("error_response_json", "get_account_id", "get_region", "new_uuid", "request_scope"),
    "services.cloudformation.custom_resource": ("deliver_response",),
    "services.cloudformation.provisioners": (
        "_RESOURCE_HANDLERS",
        "_physical_name",
        "_cw_metric_alarm_record",
    ),
    "services.cloudfront": (
        "_dataplane_behavior",
        "_fetch_from_origin",
        "_find",
        "_match_behavior",
        "_text",
        "handle_viewer_request",
        "parse_distribution_dataplane_config",
    ),
    "services.cloudwatch": (
        "_alarms",
        "_calc_stats",
        "_dims_key",
        "_dispatch_alarm_actions",
        "_evaluate_alarm",
        "_evaluate_all_alarms",
        "_evaluate_parent_alarms",
        "_metrics",
        "_record_history",
        "_stat_value",
        "handle_request",
        "record_metric",
    ),
    "services.ec2": ("handle_request",),
    "services.eventbridge": (
        "_dispatch_to_lambda",
        "_dispatch_to_sqs",
        "_invoke_target",
        "handle_request",
    ),
    "services.iam": ("_roles",),
    "services.lambda_svc": (
        "_acquire_execution_slot",
        "_create_function",
        "_emit_lambda_metrics",
        "_esms",
        "_execute_function",
        "_execute_function_dispatch",
        "_execute_function_warm",
        "_function_config_scope_mismatch",
        "_functions",
        "_get_func_record_for_ref",
        "_invoke",
        "_probe_peak_memory_mb",
        "_release_execution_slot",
        "_reserved_concurrency",
        "_run_with_function_config_scope",
        "_throttle_response",
        "_update_config",
        "invoke_async_with_retry",
    ),
    "services.rds": ("_clusters", "_db_proxies", "_db_proxy_endpoints", "_instances", "handle_request"),
    "services.s3": (
        "_bucket_policies",
        "_cloudfront_origin_allows",
        "_deliver_event_to_lambda",
        "handle_request",
    ),
    "services.secretsmanager": ("handle_request",),
    "services.sns": (
        "_build_envelope",
        "_deliver_to_sqs",
        "_fanout",
        "_http_post_sync",
        "_matches_filter_policy",
        "_resolve_message_for_protocol",
        "_topic_by_arn_any_scope",
    ),
    "services.sts": ("_sessions",),
    "services.ssm": ("_public_parameter",),
    "services.sqs": (
        "_Err",
        "_HANDLERS",
        "_act_send_message",
        "_collect_msgs",
        "_delete_messages_for_esm",
        "_get_q",
        "_queue_by_arn",
        "_queues",
        "_queues_lock",
        "_refresh_counts",
        "esm_wake",
        "queue_policy_allows",
    ),
}


def module(name: str) -> Any:  # noqa: ANN401  # MiniStack has no types
    """Give MiniStack's module of that name below `ministack`."""
    return importlib.import_module(f"ministack.{name}")


def check() -> None:
    """Make sure that this is the MiniStack that we know, with every name that we use.

    Raises:
        LambdaPatternsError: it is missing, of another version, or lacks a name; the message says which.
    """
    mend = f"pip install 'ministack=={VERSION}'"
    try:
        found = importlib.metadata.version("ministack")
    except importlib.metadata.PackageNotFoundError:
        raise LambdaPatternsError(
            f"ministack is not installed: the embedded AWS is made of it; {mend}, "
            "or pip install 'lambda-patterns[local]'"
        ) from None
    if found != VERSION:
        raise LambdaPatternsError(
            f"ministack is {found}: the embedded AWS adds to the inner parts of {VERSION} alone; {mend}"
        )
    for name, attributes in SEAMS.items():
        try:
            there = module(name)
        except ImportError as error:
            raise LambdaPatternsError(f"ministack {found} has no module {name} ({error}); {mend}") from error
        for attribute in attributes:
            if not hasattr(there, attribute):
                raise LambdaPatternsError(f"ministack {found} has no {name}.{attribute}; {mend}")
