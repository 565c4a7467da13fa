"""The variables that point boto3, the AWS command line and `cdk` at an embedded AWS, and at nothing else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lambda_patterns.local.settings import ACCOUNT, HOST

if TYPE_CHECKING:
    from collections.abc import Mapping


def client_variables(endpoint: str, region: str) -> dict[str, str]:
    """Give the variables alone, as a shell would export them."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # MiniStack takes any pair
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "CDK_DEFAULT_ACCOUNT": ACCOUNT,
        "CDK_DEFAULT_REGION": region,
    }


def client_environment(endpoint: str, region: str, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give `base` (default: this process's variables) pointed at `endpoint`.

    Every other `AWS_*` variable is dropped and no profile is read, so that a command that runs with it cannot
    reach a real account by a leftover profile, session token or endpoint of one service.
    """
    inherited = os.environ if base is None else base
    kept = {name: value for name, value in inherited.items() if not name.startswith(("AWS_", "CDK_DEFAULT_"))}
    no_proxy = kept.get("NO_PROXY") or kept.get("no_proxy")
    hosts = ",".join(filter(None, (no_proxy, HOST, "localhost")))
    return (
        kept
        | client_variables(endpoint, region)
        | {
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": hosts,
            "no_proxy": hosts,
        }
    )
