"""Who may come in to a database, and who to a proxy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lambda_patterns.local.api import ApiError, call
from lambda_patterns.local.behaviour.permissions import role_allows
from lambda_patterns.local.database import tokens
from lambda_patterns.local.database.listener import Refused
from lambda_patterns.local.ministack import module
from lambda_patterns.local.settings import HOST

if TYPE_CHECKING:
    from lambda_patterns.local.database.pooler import Pooler
    from lambda_patterns.local.database.postgres import Postgres
    from lambda_patterns.local.database.wire import Startup

rds = module("services.rds")
responses = module("core.responses")

_NO_TLS, _NO_LOGIN, _UNAVAILABLE = "28000", "28P01", "08006"


class DatabaseGate:
    """A database takes TLS alone, and asks for the password itself."""

    def __init__(self, server: Postgres) -> None:
        self._server = server

    def asks_password(self, startup: Startup) -> bool:
        """Leave the password to the server."""
        if not startup.encrypted:
            raise Refused(_NO_TLS, f'no encryption for user "{startup.user}": the database requires TLS')
        return False

    def admit(self, startup: Startup, password: str, host: str) -> str | tuple[str, int]:
        """Let everybody through to where the server asks for passwords."""
        del startup, password, host
        return HOST, self._server.port


class ProxyGate:
    """A proxy takes an IAM token (or a password, where it asks for no token), and logs in by itself.

    Args:
        name: the proxy's name.
        port: the port it listens on.
        scope: its account and Region.
    """

    def __init__(self, name: str, port: int, scope: tuple[str, str]) -> None:
        self.name = name
        self.server: Postgres | None = None
        self.pooler: Pooler | None = None
        self._port = port
        self._scope = scope
        # (user, password) that the server has taken; what the pool holds is not asked for again, as at RDS
        self._taken: set[tuple[str, str | None]] = set()

    @property
    def record(self) -> dict[str, Any]:
        """The proxy as it is now."""
        found: dict[str, Any] = rds._db_proxies.get_scoped(*self._scope, self.name)
        return found

    def asks_password(self, startup: Startup) -> bool:
        """Ask everybody who came through TLS, or need not."""
        if self.record["RequireTLS"] and not startup.encrypted:
            raise Refused(_NO_TLS, "This RDS Proxy requires TLS connections")
        return True

    def admit(self, startup: Startup, password: str, host: str) -> str | tuple[str, int]:
        """Check the token, log in to the database as the user, and give the way in."""
        record, user = self.record, startup.user
        with responses.request_scope(*self._scope):
            entry, secret = self._credentials(record, user)
        takes_token = record.get("DefaultAuthScheme") == "IAM_AUTH" and entry is None
        if entry is None and not takes_token:
            raise Refused(_NO_LOGIN, f"This RDS proxy has no credentials for the role {user}.")
        if takes_token or (entry is not None and entry.get("IAMAuth") in {"REQUIRED", "ENABLED"}):
            self._check_token(startup, password, host)
        elif password != secret["password"]:
            raise Refused(_NO_LOGIN, f'The password that was provided for the role "{user}" is wrong.')
        if self.server is None:
            raise Refused(_UNAVAILABLE, "This RDS proxy has no target that can be reached here.")
        return self._log_in(self.server, startup, None if takes_token else secret["password"])

    def _credentials(self, record: dict[str, Any], user: str) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """Find the user's secret among those that the proxy's role may read."""
        for entry in record["Auth"]:
            arn = entry.get("SecretArn", "")
            if not role_allows(record["RoleArn"], "secretsmanager:GetSecretValue", arn):
                continue
            try:
                text = call("secretsmanager", "GetSecretValue", SecretId=arn)["SecretString"]
            except ApiError:
                continue
            secret = json.loads(text)
            if secret.get("username") == user:
                return entry, secret
        return None, {}

    def _check_token(self, startup: Startup, token: str, host: str) -> None:
        if not startup.encrypted:
            raise Refused(_NO_TLS, "IAM authentication requires TLS")
        found = tokens.problem(
            token,
            host=host,
            port=self._port,
            user=startup.user,
            scope=self._scope,
            resource_id=self.record["DBProxyArn"].rpartition(":")[2],
        )
        if found is not None:
            raise Refused(_NO_LOGIN, f"The IAM authentication failed for the role {startup.user}: {found}")

    def _log_in(self, server: Postgres, startup: Startup, password: str | None) -> str:
        """Make sure that the server takes what the proxy logs in with, and give the socket to it."""
        user = startup.user
        if self.pooler is not None and (user, password) in self._taken:
            return self.pooler.socket
        if password is None:
            problem = None if server.takes_token(user) else f'role "{user}" is not granted rds_iam'
        elif server.takes_token(user):
            problem = f'role "{user}" is granted rds_iam and takes no password'
        else:
            problem = server.password_problem(user, password, startup.database)
        if problem is not None:
            raise Refused(_NO_LOGIN, f"The proxy could not log in to the database: {problem}")
        if self.pooler is None:
            return server.socket
        # pgbouncer wants to know every user by name, whom it logs in without a password too
        self.pooler.know(user, password or "")
        self._taken.add((user, password))
        return self.pooler.socket
