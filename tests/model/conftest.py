"""Deployments of templates that a test writes inline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from lambda_patterns.model.assembly import from_templates
from lambda_patterns.model.deployment import Settings

if TYPE_CHECKING:
    from lambda_patterns.model.deployment import Deployment


class Deploy(Protocol):
    """Deploys the one combination that there is of one template."""

    def __call__(
        self, resources: dict[str, Any], /, *, region: str | None = None, **sections: dict[str, Any]
    ) -> Deployment: ...


@pytest.fixture
def deploy() -> Deploy:
    def one(
        resources: dict[str, Any], /, *, region: str | None = None, **sections: dict[str, Any]
    ) -> Deployment:
        assembly = from_templates({"t": {"Resources": resources, **sections}})
        (deployment,) = assembly.deployments(Settings(region=region))
        return deployment

    return one
