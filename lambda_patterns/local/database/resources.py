"""Makes CloudFormation's databases and proxies real, on top of the handlers that record them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from lambda_patterns.local.database import running
from lambda_patterns.local.ministack import module

if TYPE_CHECKING:
    from lambda_patterns.local.resources.handler import Created, Properties

provisioners = module("services.cloudformation.provisioners")
rds = module("services.rds")

_FEATURE = "Lambda"
_TARGETS = ("DBInstanceIdentifiers", "DBClusterIdentifiers")


class _Real(ABC):
    """The handler of a type: MiniStack's or ours that records, and what is done besides."""

    kind: str

    def __init__(self) -> None:
        self.recorded: dict[str, Any] = dict(provisioners._RESOURCE_HANDLERS[self.kind])

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Record, then start."""
        identity, attributes = self.recorded["create"](logical_id, properties, stack)
        return identity, {**attributes, **self.start(identity, properties)}

    def update(
        self, identity: str, old: Properties, new: Properties, stack: str, logical_id: str | None = None
    ) -> Created:
        """Record the change, then do it."""
        more = {} if logical_id is None else {"logical_id": logical_id}
        changed, attributes = self.recorded["update"](identity, old, new, stack, **more)
        if changed != identity:
            self.stop(identity, old)
            return changed, {**attributes, **self.start(changed, new)}
        return changed, {**attributes, **self.change(identity, old, new)}

    def delete(self, identity: str, properties: Properties) -> None:
        """Stop, then forget."""
        self.stop(identity, properties)
        self.recorded["delete"](identity, properties)

    @abstractmethod
    def start(self, identity: str, properties: Properties) -> dict[str, Any]:
        """Start what runs, and give the attributes that say where."""

    def change(self, identity: str, old: Properties, new: Properties) -> dict[str, Any]:
        """Do what a change in place asks for. By default nothing but saying again where it runs."""
        del old
        return self.start(identity, new)

    @abstractmethod
    def stop(self, identity: str, properties: Properties) -> None:
        """Stop what runs."""


class _Instance(_Real):
    kind = "AWS::RDS::DBInstance"

    def start(self, identity: str, properties: Properties) -> dict[str, Any]:
        record = rds._instances[identity]
        cluster = properties.get("DBClusterIdentifier")
        known = running.database(cluster or identity)
        if known is not None:
            host = known.listener.host
        elif cluster or not running.available(record["Engine"]):
            return {}
        else:
            master = record["MasterUsername"], record["_MasterUserPassword"]
            name = properties.get("DBName") or "postgres"
            host = running.start_database(identity, int(record["Endpoint"]["Port"]), master, name)
        if not cluster:
            _associate(identity, properties)
        record["Endpoint"]["Address"] = host
        return {"Endpoint.Address": host}

    def change(self, identity: str, old: Properties, new: Properties) -> dict[str, Any]:
        _change_password(identity, old, new, rds._instances[identity]["MasterUsername"])
        return self.start(identity, new)

    def stop(self, identity: str, properties: Properties) -> None:
        del properties
        running.stop_database(identity)


class _Cluster(_Real):
    kind = "AWS::RDS::DBCluster"

    def start(self, identity: str, properties: Properties) -> dict[str, Any]:
        record = rds._clusters[identity]
        known = running.database(identity)
        if known is None and not running.available(record["Engine"]):
            return {}
        if known is None:
            master = record["MasterUsername"], str(properties.get("MasterUserPassword", ""))
            name = record.get("DatabaseName") or "postgres"
            host = running.start_database(identity, int(record["Port"]), master, name)
        else:
            host = known.listener.host
        _associate(identity, properties)
        record["Endpoint"] = record["ReaderEndpoint"] = host
        return {"Endpoint.Address": host, "ReadEndpoint.Address": host}

    def change(self, identity: str, old: Properties, new: Properties) -> dict[str, Any]:
        _change_password(identity, old, new, rds._clusters[identity]["MasterUsername"])
        return self.start(identity, new)

    def stop(self, identity: str, properties: Properties) -> None:
        del properties
        running.stop_database(identity)


class _Proxy(_Real):
    kind = "AWS::RDS::DBProxy"

    def start(self, identity: str, properties: Properties) -> dict[str, Any]:
        del properties
        host = running.start_proxy(identity)
        return {} if host is None else {"Endpoint": host}

    def stop(self, identity: str, properties: Properties) -> None:
        del properties
        running.stop_proxy(identity)


class _TargetGroup(_Real):
    kind = "AWS::RDS::DBProxyTargetGroup"

    def start(self, identity: str, properties: Properties) -> dict[str, Any]:
        del identity
        targets = [target for name in _TARGETS for target in properties.get(name) or []]
        running.set_target(properties["DBProxyName"], targets)
        return {}

    def stop(self, identity: str, properties: Properties) -> None:
        del identity
        running.set_target(properties["DBProxyName"], [])


class _ProxyEndpoint(_Real):
    kind = "AWS::RDS::DBProxyEndpoint"

    def start(self, identity: str, properties: Properties) -> dict[str, Any]:
        found = running.proxy(properties["DBProxyName"])
        if found is None:
            return {}
        host = found.listener.host
        rds._db_proxy_endpoints[identity]["Endpoint"] = host
        return {"Endpoint": host}

    def stop(self, identity: str, properties: Properties) -> None:
        """Leave it to the proxy, whose listener it shares."""


def _associate(identity: str, properties: Properties) -> None:
    """Let calls from SQL use the roles that are associated for the feature Lambda."""
    known = running.database(identity)
    if known is not None:
        known.invoking.roles = [
            entry["RoleArn"]
            for entry in properties.get("AssociatedRoles") or []
            if entry.get("FeatureName") == _FEATURE
        ]


def _change_password(identity: str, old: Properties, new: Properties, user: str) -> None:
    known = running.database(identity)
    password = new.get("MasterUserPassword")
    if known is not None and password and password != old.get("MasterUserPassword"):
        known.server.change_password(user, password)


def install() -> None:
    """Put servers behind the types of databases and proxies."""
    running.prepare()
    for real in (_Instance(), _Cluster(), _Proxy(), _TargetGroup(), _ProxyEndpoint()):
        provisioners._RESOURCE_HANDLERS[real.kind] = {
            **real.recorded,
            "create": real.create,
            "update": real.update,
            "delete": real.delete,
        }
