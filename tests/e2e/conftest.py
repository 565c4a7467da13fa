"""One embedded AWS for all tests of a session; each test names its resources so that none meets another's."""

from collections.abc import Iterator

import pytest

from lambda_patterns.local.embedded import EmbeddedAws


@pytest.fixture(scope="session")
def embedded_aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as aws:
        yield aws
