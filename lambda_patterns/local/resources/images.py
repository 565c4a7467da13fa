"""The public parameters under which AWS publishes its current machine images; MiniStack knows two of them."""

from __future__ import annotations

from typing import Any

from lambda_patterns.local.ministack import module

ssm = module("services.ssm")

_PREFIX = "/aws/service/ami-amazon-linux-latest/"
_KNOWN = _PREFIX + "al2023-ami-kernel-default-x86_64"


def install() -> None:
    """Answer every Amazon Linux parameter with the image that MiniStack has: no instance really starts."""
    original = ssm._public_parameter

    def public_parameter(name: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = original(name)
        if found is not None or not name.startswith(_PREFIX):
            return found
        known: dict[str, Any] = original(_KNOWN)
        return {**known, "Name": name, "ARN": known["ARN"].replace(_KNOWN, name)}

    ssm._public_parameter = public_parameter
