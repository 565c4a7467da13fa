"""Bounds on `max_connections`, against the figures that AWS publishes."""

import pytest

from lambda_patterns.facts.connections import (
    class_memory,
    least_percent,
    most_connections,
    serverless_connections,
)

AURORA_MYSQL = {
    "db.t3.small": 45,
    "db.t4g.medium": 90,
    "db.t4g.large": 135,
    "db.r5.large": 1000,
    "db.r6g.xlarge": 2000,
    "db.r7g.2xlarge": 3000,
    "db.r7i.4xlarge": 4000,
    "db.r8g.8xlarge": 5000,
    "db.r6i.12xlarge": 6000,
    "db.r6g.16xlarge": 6000,
    "db.r8g.24xlarge": 7000,
    "db.r6i.32xlarge": 7000,
    "db.r7i.48xlarge": 8000,
    "db.x2g.large": 2000,
    "db.x2g.12xlarge": 7000,
    "db.x2g.16xlarge": 7000,
}


@pytest.mark.parametrize(
    ("name", "memory"),
    [
        ("db.t3.micro", 1),
        ("db.t4g.small", 2),
        ("db.t4g.medium", 4),
        ("db.t4g.2xlarge", 32),
        ("db.m7g.large", 8),
        ("db.m6gd.16xlarge", 256),
        ("db.r6g.large", 16),
        ("db.r7i.48xlarge", 1536),
        ("db.x2g.large", 32),
        ("db.x2iedn.xlarge", None),
        ("db.serverless", None),
        ("db.r6g.2large", None),
        ("db.r6g.large.tpc1.mem2x", None),
        ("large", None),
    ],
)
def test_the_memory_of_a_class_follows_from_family_and_size(name: str, memory: float | None) -> None:
    assert class_memory(name) == memory


@pytest.mark.parametrize(("name", "connections"), AURORA_MYSQL.items())
def test_aurora_mysql_has_the_connections_that_aws_lists(name: str, connections: int) -> None:
    assert most_connections("aurora-mysql", name) == connections


@pytest.mark.parametrize(
    ("engine", "name", "connections"),
    [
        # AWS sees 630 and 60 there: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html
        ("mysql", "db.m7g.large", 682),
        ("mysql", "db.t3.micro", 85),
        ("postgres", "db.t4g.medium", 450),
        ("postgres", "db.r6g.16xlarge", 5000),
        ("aurora-postgresql", "db.r6g.large", 1802),
        ("mariadb", "db.m7g.large", 341),
        ("mariadb", "db.r7i.48xlarge", 12000),
    ],
)
def test_the_formula_over_all_the_memory_is_the_bound(engine: str, name: str, connections: int) -> None:
    assert most_connections(engine, name) == connections


@pytest.mark.parametrize("known", [("oracle-ee", "db.m7g.large"), ("postgres", "db.z1d.large")])
def test_what_is_not_known_has_no_bound(known: tuple[str, str]) -> None:
    assert most_connections(*known) is None


@pytest.mark.parametrize(
    ("engine", "least", "most", "connections"),
    [
        ("aurora-postgresql", 0.5, 1, 189),
        ("aurora-postgresql", 0.5, 4, 823),
        ("aurora-postgresql", 0.5, 8, 1669),
        ("aurora-postgresql", 0.5, 16, 2000),
        ("aurora-postgresql", 1, 16, 3360),
        ("aurora-postgresql", 0.5, 128, 2000),
        ("aurora-postgresql", 8, 32, 5000),
        ("aurora-mysql", 0.5, 1, 90),
        ("aurora-mysql", 0.5, 4, 135),
        ("aurora-mysql", 8, 32, 3000),
        ("aurora-mysql", 0.5, 128, 5000),
        ("aurora-mysql", 0.5, 256, 6000),
        ("aurora-mysql", 0.5, 2, 135),
        ("postgres", 0.5, 4, None),
        ("aurora-mysql", 0.5, 300, None),
    ],
)
def test_serverless_connections_follow_the_maximum_capacity(
    engine: str, least: float, most: float, connections: int | None
) -> None:
    assert serverless_connections(engine, least, most) == connections


@pytest.mark.parametrize(("memory", "percent"), [(2, 30), (3.5, 30), (4, 20), (1536, 20)])
def test_aws_advises_a_larger_share_of_a_small_database(memory: float, percent: int) -> None:
    assert least_percent(memory) == percent
