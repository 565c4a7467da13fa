"""Whether an IAM token opens a connection: signature, age, and `rds-db:connect` of its signer."""

from __future__ import annotations

import time

from lambda_patterns.local.ministack import module

rds_iam = module("core.rds_iam")
iam = module("core.iam_evaluator")
responses = module("core.responses")
sts = module("services.sts")

_CONNECT = "rds-db:connect"
_SESSION_SECONDS = 3600


def problem(  # noqa: PLR0913  # what a token is signed for, each by its name
    token: str, *, host: str, port: int, user: str, scope: tuple[str, str], resource_id: str
) -> str | None:
    """Say why a token is refused, or None.

    Args:
        token: what the client gave for a password.
        host: the address that it connected to, which the token is signed for.
        port: likewise the port.
        user: likewise the user.
        scope: account and Region of the proxy or database.
        resource_id: the proxy's id (``prx-0123``), which the policy names.
    """
    account, region = scope
    for session in sts._sessions.values():
        # MiniStack's sessions of functions do not say when they end, and its own check wants them to
        session.setdefault("Expiration", time.time() + _SESSION_SECONDS)
    with responses.request_scope(account, region):
        verified = rds_iam.verify_rds_iam_token(
            token, hostname=host, port=port, db_user=user, region=region, account_id=account
        )
        if isinstance(verified, rds_iam.RdsIamTokenError):
            return str(verified.code)
        resource = f"arn:aws:rds-db:{region}:{account}:dbuser:{resource_id}/{user}"
        principal = iam.resolve_principal(verified.access_key_id, account)
        if isinstance(principal, iam.AuthError):
            return "InvalidCredentials"
        if principal.policies is None:
            return None
        context = iam.EvalContext(
            principal_arn=principal.arn,
            principal_type=principal.type,
            principal_account=account,
            action=_CONNECT,
            resource_arn=resource,
            region=region,
            principal_keys=principal.keys,
        )
        decision = iam.evaluate(context, principal.policies, *principal.limits).decision
    return None if decision == "Allow" else f"{principal.arn} may not do {_CONNECT} on {resource}"
