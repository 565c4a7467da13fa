"""Which versions of an engine a proxy serves, as far as it is known."""

import pytest

from lambda_patterns.facts.engines import ENGINES


@pytest.mark.parametrize(
    ("engine", "version", "served"),
    [
        ("postgres", "16.4", True),
        ("postgres", "18", True),
        ("postgres", "9.6.24", False),
        ("postgres", "19.1", None),
        ("postgres", None, None),
        ("mysql", "8.4.5", True),
        ("mysql", "5.6.51", False),
        ("mysql", "9.0.1", None),
        ("mysql", "8", None),
        ("mariadb", "10.11.3", True),
        ("mariadb", "10.7.1", False),
        ("aurora-mysql", "8.0.mysql_aurora.3.08.0", True),
        ("aurora-postgresql", "16.6", True),
        ("oracle-ee", "19", False),
    ],
)
def test_a_version_is_served_or_not_or_not_known(
    engine: str,
    version: str | None,
    served: bool | None,
) -> None:
    assert ENGINES[engine].proxies(version) is served


def test_aurora_is_known_by_its_name() -> None:
    assert [name for name, engine in ENGINES.items() if engine.is_aurora] == [
        "aurora-postgresql",
        "aurora-mysql",
        "aurora",
    ]
