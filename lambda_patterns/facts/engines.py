"""The database engines of RDS and Aurora: how a proxy meets them, and which can invoke functions."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from lambda_patterns.facts.limit import Limit

_RDS = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/"
_AURORA = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/"

PROXY_PAGE = _RDS + "rds-proxy.html"
PROXY_ENGINES_PAGE = _RDS + "Concepts.RDS_Fea_Regions_DB-eng.Feature.RDSProxy.html"

PROXY_PORTS = {"MYSQL": 3306, "POSTGRESQL": 5432, "SQLSERVER": 1433}
"""The port that a proxy listens on, by engine family, whatever the port of its database.

That of SQL Server is the engine's own; AWS's page does not state it. Source: `PROXY_PAGE`.
"""

POOL_PAGE = _RDS + "rds-proxy-connections.html"

BORROW_TIMEOUT = Limit(
    "borrow timeout", 0, 300, "s", "a proxy lets a client wait no longer for a connection", POOL_PAGE
)

DEFAULT_BORROW_TIMEOUT = 120
"""What a proxy has where none is given, in s. Source: `POOL_PAGE`."""

IDLE_CLIENT_TIMEOUT = Limit(
    "idle client timeout",
    1,
    28_800,
    "s",
    "a proxy closes idle clients after 8 hours at the latest",
    POOL_PAGE,
)

MAX_CONNECTIONS_PERCENT = Limit(
    "maximum connections", 1, 100, "%", "it is a share of the database's max_connections", POOL_PAGE
)

SERVERLESS_CAPACITY = Limit(
    "capacity",
    0.5,
    256,
    "ACU",
    "Aurora Serverless v2 scales between two of these, in steps of 0.5 ACU",
    _AURORA + "aurora-serverless-v2.setting-capacity.html",
    whole=False,
)
"""Of a cluster that does not pause; 0 lets it pause."""

NO_PROXY_ZONES = frozenset({"use1-az3", "usw1-az2"})
"""Zone ids in which a proxy cannot have a subnet. Source: `PROXY_PAGE`."""


class Invoke(StrEnum):
    """How an engine calls functions.

    NONE: it cannot. FEATURE: a role associated for the feature Lambda. PARAMETER: an associated role that is
    also named by the cluster parameter `aws_default_lambda_role`.
    """

    NONE = "none"
    FEATURE = "feature"
    PARAMETER = "parameter"


class Engine(NamedTuple):
    """One engine identifier.

    Args:
        name: what `Engine` of an instance or cluster says ("aurora-postgresql").
        title: its name in words.
        port: the port it listens on where none is given.
        proxy_family: the EngineFamily of a proxy for it; None if a proxy cannot serve it.
        invoke: see `Invoke`.
        invoke_from: for each major version the first minor one that can invoke functions; what is older
            than all of them cannot, what is newer can.
        proxied: the versions ("8.4") that a proxy serves; () if all of them.
        source: the page on invoking functions, or on proxies.
    """

    name: str
    title: str
    port: int
    proxy_family: str | None = None
    invoke: Invoke = Invoke.NONE
    invoke_from: tuple[tuple[int, int], ...] = ()
    source: str = PROXY_ENGINES_PAGE
    proxied: tuple[str, ...] = ()

    @property
    def is_aurora(self) -> bool:
        """Whether it comes in clusters, whose proxies can have read-only endpoints."""
        return self.name.startswith("aurora")

    def proxies(self, version: str | None) -> bool | None:
        """Say whether a proxy serves `version` ("8.4.5"); None where the version is not known, or too new."""
        if self.proxy_family is None:
            return False
        found = re.match(r"\d+(?:\.\d+)*", version or "")
        if not self.proxied or not found:
            return True if not self.proxied and found else None
        given = tuple(int(part) for part in found[0].split("."))
        known = [tuple(int(part) for part in served.split(".")) for served in self.proxied]
        depth = len(known[0])
        if len(given) < depth or given[:depth] > max(known):
            return None
        return given[:depth] in known

    def invokes(self, version: str | None) -> bool | None:
        """Say whether `version` ("14.1") can invoke functions; None where the version is not known."""
        if self.invoke is Invoke.NONE:
            return False
        found = re.match(r"(\d+)(?:\.(\d+))?", version or "")
        if self.name == "aurora-mysql":
            # "5.7.mysql_aurora.2.11.2", "8.0.mysql_aurora.3.04.0": the part behind mysql_aurora is Aurora's
            found = re.search(r"mysql_aurora\.(\d+)\.(\d+)", version or "")
        if not found:
            return None
        major, minor = int(found[1]), None if found[2] is None else int(found[2])
        firsts = dict(self.invoke_from)
        if major in firsts:
            return True if firsts[major] == 0 else None if minor is None else minor >= firsts[major]
        return major > max(firsts)


_POSTGRES_PAGE = _RDS + "PostgreSQL-Lambda.html"
_AURORA_POSTGRES_PAGE = _AURORA + "PostgreSQL-Lambda.html"
_AURORA_MYSQL_PAGE = _AURORA + "AuroraMySQL.Integrating.Lambda.html"

_ALL = (
    Engine(
        "postgres",
        "RDS for PostgreSQL",
        5432,
        "POSTGRESQL",
        Invoke.FEATURE,
        ((12, 6), (13, 2), (14, 1), (15, 0)),
        _POSTGRES_PAGE,
        tuple(str(major) for major in range(10, 19)),
    ),
    Engine(
        "aurora-postgresql",
        "Aurora PostgreSQL",
        5432,
        "POSTGRESQL",
        Invoke.FEATURE,
        ((11, 9), (12, 0)),
        _AURORA_POSTGRES_PAGE,
    ),
    Engine(
        "aurora-mysql",
        "Aurora MySQL",
        3306,
        "MYSQL",
        Invoke.PARAMETER,
        ((2, 0), (3, 1)),
        _AURORA_MYSQL_PAGE,
    ),
    Engine("aurora", "Aurora MySQL 1", 3306),
    Engine("mysql", "RDS for MySQL", 3306, "MYSQL", proxied=("5.7", "8.0", "8.4")),
    Engine(
        "mariadb",
        "RDS for MariaDB",
        3306,
        "MYSQL",
        proxied=("10.5", "10.6", "10.11", "11.4", "11.8"),
    ),
    *(
        Engine(f"sqlserver-{edition}", "RDS for SQL Server", 1433, "SQLSERVER")
        for edition in ("ee", "se", "ex", "web")
    ),
    *(
        Engine(f"{variant}-{edition}{suffix}", "RDS for Oracle", 1521)
        for variant in ("oracle", "custom-oracle")
        for edition in ("ee", "se2")
        for suffix in ("", "-cdb")
    ),
    *(
        Engine(f"custom-sqlserver-{edition}", "RDS Custom for SQL Server", 1433)
        for edition in ("ee", "se", "web", "dev")
    ),
    Engine("db2-ae", "RDS for Db2", 50000),
    Engine("db2-se", "RDS for Db2", 50000),
    Engine("neptune", "Neptune", 8182),
    Engine("docdb", "DocumentDB", 27017),
)

ENGINES: dict[str, Engine] = {engine.name: engine for engine in _ALL}
"""Every engine by its identifier."""


def engine(name: str) -> Engine | None:
    """Find an engine by the identifier that `Engine` carries, in any case of letters."""
    return ENGINES.get(name.lower())
