"""How many connections a database takes at most, where nothing sets `max_connections`.

AWS's formulas divide the memory that is left beside the system, of which AWS publishes no figure. Here they
divide all of it, so each answer is a bound from above: no database of that size takes more.
"""

from __future__ import annotations

import re

_RDS = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/"
_AURORA = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/"

LIMITS_PAGE = _RDS + "CHAP_Limits.html"
CLASSES_PAGE = _RDS + "Concepts.DBInstanceClass.Summary.html"
AURORA_MYSQL_PAGE = _AURORA + "AuroraMySQL.Managing.Performance.html"
AURORA_POSTGRES_PAGE = _AURORA + "AuroraPostgreSQL.Managing.html"
SERVERLESS_PAGE = _AURORA + "aurora-serverless-v2.setting-capacity.html"

SERVERLESS_CLASS = "db.serverless"

# The GiB of the size "large", by the letters that the family begins with. Source: CLASSES_PAGE
_LARGE = {"t": 8, "m": 8, "c": 4, "r": 16, "x2g": 32}
_SIZES = {"micro": 1 / 8, "small": 1 / 4, "medium": 1 / 2, "large": 1, "xlarge": 2}
_CLASS = re.compile(r"db\.(?P<family>x2g|[tmcr]\d+[a-z]*)\.(?P<count>\d*)(?P<size>[a-z]+)")
_GIB = 2**30

# Divisor of the bytes, and the most. Source: LIMITS_PAGE, AURORA_POSTGRES_PAGE
_FORMULAS = {
    "postgres": (9_531_392, 5_000),
    "aurora-postgresql": (9_531_392, 5_000),
    "mysql": (12_582_880, 100_000),
    "mariadb": (25_165_760, 12_000),
}
# GiB and connections, of the classes as AWS lists them. Source: AURORA_MYSQL_PAGE
_AURORA_MYSQL = (
    (2, 45),
    (4, 90),
    (8, 135),
    (16, 1_000),
    (32, 2_000),
    (64, 3_000),
    (128, 4_000),
    (256, 5_000),
    (512, 6_000),
    (1_024, 7_000),
    (1_536, 8_000),
)
# Maximum ACU and connections. Source: SERVERLESS_PAGE
_SERVERLESS = {
    "aurora-mysql": (
        (1, 90),
        (4, 135),
        (8, 1_000),
        (16, 2_000),
        (32, 3_000),
        (64, 4_000),
        (128, 5_000),
        (256, 6_000),
    ),
    "aurora-postgresql": ((1, 189), (4, 823), (8, 1_669), (16, 3_360), (256, 5_000)),
}
_LEAST_CAPACITY, _CAPPED = 0.5, 2_000

MEDIUM_MEMORY = 4
"""The GiB of a db.t3.medium, from which on `least_percent` is the lower one."""


def class_memory(instance_class: str) -> float | None:
    """Give the memory of an instance class ("db.t4g.medium") in GiB; None for one that is not known here."""
    found = _CLASS.fullmatch(instance_class)
    if found is None or found["size"] not in _SIZES or (found["count"] and found["size"] != "xlarge"):
        return None
    family = found["family"]
    large = _LARGE[family if family in _LARGE else family[0]]
    return large * _SIZES[found["size"]] * int(found["count"] or 1)


def most_connections(engine: str, instance_class: str) -> int | None:
    """Give the most connections that an instance takes by default; None where that is not known.

    Args:
        engine: the engine's identifier ("postgres", "aurora-mysql").
        instance_class: its class ("db.t4g.medium"), not `SERVERLESS_CLASS`.
    """
    memory = class_memory(instance_class)
    if memory is None:
        return None
    if engine == "aurora-mysql":
        return _at(_AURORA_MYSQL, memory)
    if engine not in _FORMULAS:
        return None
    divisor, most = _FORMULAS[engine]
    return min(int(memory * _GIB // divisor), most)


def serverless_connections(engine: str, least: float, most: float) -> int | None:
    """Give the most connections that a Serverless v2 instance takes by default; None where that is not known.

    Args:
        engine: "aurora-mysql" or "aurora-postgresql".
        least: its minimum capacity in ACU; PostgreSQL's connections are capped where it is 0 or 0.5.
        most: its maximum capacity in ACU, which the figure follows at any size it has just then.
    """
    found = _at(_SERVERLESS.get(engine, ()), most)
    if found is not None and engine == "aurora-postgresql" and least <= _LEAST_CAPACITY:
        return min(found, _CAPPED)
    return found


def least_percent(memory: float) -> int:
    """Give the smallest share of `max_connections` that AWS advises for a proxy, in %.

    Args:
        memory: of the database, in GiB.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-connections.html
    """
    return 20 if memory >= MEDIUM_MEMORY else 30


def _at(table: tuple[tuple[float, int], ...], size: float) -> int | None:
    """The figure of the first row that is no smaller: between two rows that bounds it from above."""
    return next((connections for row, connections in table if row >= size), None)
