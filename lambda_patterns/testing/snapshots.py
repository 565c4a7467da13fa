"""Templates kept as files, one for each snapshot, for pytest with syrupy.

    @pytest.fixture
    def template_snapshot(snapshot):
        return snapshot.use_extension(TemplateSnapshot)

    def test_orders(template_snapshot):
        assert synthesize(OrdersStack(App(), "Orders")) == template_snapshot

``pytest --snapshot-update`` writes them. Needs syrupy, which the extra `testing` brings.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.testing.templates import differences, masked

try:
    from syrupy.extensions.json import JSONSnapshotExtension
except ModuleNotFoundError as error:
    raise LambdaPatternsError(
        f"{error.name} is not installed: snapshots need it; pip install 'lambda-patterns[testing]'"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterator


class TemplateSnapshot(JSONSnapshotExtension):
    """A template as one JSON file, masked; what differs is said resource by resource."""

    def serialize(self, data: Any, **options: Any) -> str:  # noqa: ANN401  # syrupy's signature
        """Write a template down, sorted, without what changes with code alone."""
        del options
        return json.dumps(masked(data), indent=2, sort_keys=True) + "\n"

    def diff_lines(self, serialized_data: Any, snapshot_data: Any) -> Iterator[str]:  # noqa: ANN401  # syrupy's signature
        """Say what changed since the snapshot was written, or how to write one, one line each."""
        try:
            kept = json.loads(snapshot_data)
        except json.JSONDecodeError as error:
            yield f"the kept file is no JSON: {error}" if snapshot_data else "nothing is kept yet"
            yield "pytest --snapshot-update writes it, for you to look at and commit"
        else:
            yield from differences(kept, json.loads(serialized_data))
