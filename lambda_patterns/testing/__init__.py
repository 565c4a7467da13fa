"""What the tests of a CDK app need: its templates, their differences in words, its findings, its paths.

    template = synthesize(MyStack(App(), "Orders"))
    assert differences(kept, masked(template)) == []
    assert findings(app) == []
    assert_reaches(assembly_of(app), "Orders/ShipOrder", "secretsmanager")

`lambda_patterns.testing.snapshots` keeps templates as files; it needs syrupy, from the extra `testing`.
"""

from lambda_patterns.model.network.assertions import assert_blocked, assert_reaches
from lambda_patterns.testing.templates import (
    assembly_of,
    context_of,
    differences,
    findings,
    masked,
    synthesize,
)

__all__ = [
    "assembly_of",
    "assert_blocked",
    "assert_reaches",
    "context_of",
    "differences",
    "findings",
    "masked",
    "synthesize",
]
