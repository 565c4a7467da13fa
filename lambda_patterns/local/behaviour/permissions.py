"""Whether a service may hand over or fetch something: the policies of queues, functions, buckets and roles.

MiniStack judges them for signed callers alone, and only when every call is judged. What a service does on
behalf of a function or topic is judged here always: these permissions are noticed last and lose events.

Not modelled: key policies, permission boundaries, organisation policies.
"""

from __future__ import annotations

from typing import Any

from lambda_patterns.local.ministack import module

iam = module("core.iam_evaluator")
responses = module("core.responses")
roles = module("services.iam")
s3 = module("services.s3")
sqs = module("services.sqs")


def install() -> None:
    """Let MiniStack's deliveries to queues and CloudFront's fetches from buckets be judged here."""
    sqs.queue_policy_allows = queue_admits
    anyone_or_identity = s3._cloudfront_origin_allows

    def origin_allows(owner: str, bucket: str, key: str, source_arn: str, identity: str) -> bool:
        admitted = bool(source_arn) and bucket_admits(owner, bucket, key, source_arn)
        return admitted or bool(anyone_or_identity(owner, bucket, key, source_arn, identity))

    s3._cloudfront_origin_allows = origin_allows


def queue_admits(queue_arn: str, service: str, source_arn: str, source_account: str) -> bool:
    """Whether the queue's policy lets `service`, such as "sns.amazonaws.com", send for `source_arn`."""
    queue = sqs._queue_by_arn(queue_arn)
    if queue is None:
        return False
    policy = queue["attributes"].get("Policy")
    return _resource_allows(policy, "sqs:SendMessage", queue_arn, service, source_arn, source_account)


def function_admits(function: dict[str, Any], arn: str, service: str, source_arn: str) -> bool:
    """Whether the policy of a function lets `service` invoke it at `arn`, which may carry a qualifier."""
    account = source_arn.split(":")[4] or responses.get_account_id()
    policy = function.get("policy")
    return _resource_allows(policy, "lambda:InvokeFunction", arn, service, source_arn, account)


def bucket_admits(owner: str, bucket: str, key: str, source_arn: str) -> bool:
    """Whether the bucket's policy lets CloudFront read an object for the distribution `source_arn`."""
    policy = s3._bucket_policies.get_scoped(owner, None, bucket)
    arn = f"arn:aws:s3:::{bucket}/{key}"
    return bool(policy) and _resource_allows(
        policy, "s3:GetObject", arn, "cloudfront.amazonaws.com", source_arn, owner
    )


def role_allows(role_arn: str, action: str, resource_arn: str) -> bool:
    """Whether an execution role may do `action`; a role that is not here cannot be judged and may."""
    name = role_arn.rsplit("/", 1)[-1]
    account = responses.get_account_id()
    if role_arn.split(":")[4] != account or name not in roles._roles:
        return True
    context = _context(action, resource_arn, f"arn:aws:sts::{account}:assumed-role/{name}/lambda", {})
    decision: str = iam.evaluate(context, iam._gather_role_policies(name, account)).decision
    return decision == "Allow"


def _resource_allows(  # noqa: PLR0913, PLR0917  # the parts of one question
    policy: Any,  # noqa: ANN401  # a document, as text or parsed
    action: str,
    resource_arn: str,
    service: str,
    source_arn: str,
    source_account: str,
) -> bool:
    keys = {
        "aws:sourcearn": source_arn,
        "aws:sourceaccount": source_account,
        "aws:sourceowner": source_account,
    }
    context = _context(action, resource_arn, "*", keys)
    decision: str = iam.evaluate_resource_policy(policy, context, service=service).decision
    return decision == "Allow"


def _context(action: str, resource_arn: str, principal: str, keys: dict[str, str]) -> Any:  # noqa: ANN401  # theirs
    return iam.EvalContext(
        principal_arn=principal,
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=resource_arn,
        region=responses.get_region(),
        secure_transport=True,  # services talk to each other by TLS
        service_context=keys,
    )
