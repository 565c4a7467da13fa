"""The databases of a deployment: which proxy stands before which, as whom it logs in, and who uses them.

A function uses a database or proxy when its environment carries the address or its role may connect to
it (see `lambda_patterns.model.needs`). A database is set to invoke functions when a role is associated
with it for the feature Lambda or with permission to invoke, or when its parameters name such a role.

Not modelled: SQL (grants, extensions, triggers, users), option groups, databases of other accounts.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lambda_patterns.facts import engines
from lambda_patterns.model.matching import matches_action
from lambda_patterns.model.texts import join
from lambda_patterns.model.values import Reference, Unknown, plain, some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_patterns.facts.engines import Engine
    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

FUNCTION = "AWS::Lambda::Function"
INSTANCE = "AWS::RDS::DBInstance"
CLUSTER = "AWS::RDS::DBCluster"
PROXY = "AWS::RDS::DBProxy"
TARGET_GROUP = "AWS::RDS::DBProxyTargetGroup"
PROXY_ENDPOINT = "AWS::RDS::DBProxyEndpoint"
_SECRET = "AWS::SecretsManager::Secret"  # noqa: S105  # a type, no secret
_ATTACHED = "AWS::SecretsManager::SecretTargetAttachment"
_PARAMETERS = {
    INSTANCE: ("DBParameterGroupName", "AWS::RDS::DBParameterGroup"),
    CLUSTER: ("DBClusterParameterGroupName", "AWS::RDS::DBClusterParameterGroup"),
}
CONNECT = "rds-db:connect"
INVOKE = "lambda:InvokeFunction"


class Databases:
    """Answers about the databases and proxies of one deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def engine(self, database: Resource) -> Engine | None:
        """The facts of a database's engine, None where it is not known."""
        name = plain(database.get("Engine"))
        return None if name is None else engines.engine(name)

    def standalone(self) -> tuple[Resource, ...]:
        """All clusters, and the instances that are in none."""
        instances = self._deployment.of_type(INSTANCE)
        alone = (found for found in instances if found.get("DBClusterIdentifier") is None)
        return (*self._deployment.of_type(CLUSTER), *alone)

    def members(self, cluster: Resource) -> tuple[Resource, ...]:
        """The instances of a cluster."""
        return self._deployment.referrers(cluster, INSTANCE, "DBClusterIdentifier")

    def target_groups(self, proxy: Resource) -> tuple[Resource, ...]:
        """The target groups of a proxy."""
        return self._deployment.referrers(proxy, TARGET_GROUP, "DBProxyName")

    def targets(self, group: Resource) -> tuple[Resource, ...]:
        """The databases that a target group names, as far as they are in the deployment."""
        found = []
        for name, kind in (("DBClusterIdentifiers", CLUSTER), ("DBInstanceIdentifiers", INSTANCE)):
            listed = group.list(name)
            for value in [] if isinstance(listed, Unknown) else listed:
                database = self._deployment.resource_of(value, kind)
                if database is not None and database.type == kind:
                    found.append(database)
        return tuple(found)

    def behind(self, proxy: Resource) -> tuple[Resource, ...]:
        """The databases behind a proxy."""
        return tuple(found for group in self.target_groups(proxy) for found in self.targets(group))

    def end_to_end(self, proxy: Resource) -> bool | None:
        """Whether a proxy logs in to its database with IAM tokens; None where that is not known."""
        scheme = proxy.get("DefaultAuthScheme")
        return None if scheme is not None and plain(scheme) is None else scheme == "IAM_AUTH"

    def authentication(self, proxy: Resource) -> list[tuple[int, dict[str, Value]]] | None:
        """The entries of a proxy's Auth with their index; None where not all of them are known."""
        return _entries(proxy, "Auth")

    def secret(self, value: Value) -> Resource | None:
        """The secret that a value names, be it through its attachment to a database."""
        found = self._deployment.resource_of(value, _SECRET)
        if found is not None and found.type == _ATTACHED:
            found = found.resource("SecretId")
        return found if found is not None and found.type == _SECRET else None

    def users(self, proxy: Resource) -> frozenset[str] | None:
        """The users that a proxy logs in as, by its secrets; None where not all of them are known."""
        entries = self.authentication(proxy)
        if entries is None or self.end_to_end(proxy) is not False:
            return None
        names = [self._username(self.secret(entry.get("SecretArn"))) for _, entry in entries]
        return None if None in names else frozenset(name for name in names if name is not None)

    def _username(self, secret: Resource | None) -> str | None:
        if secret is None:
            return None
        for path in (("GenerateSecretString", "SecretStringTemplate"), ("SecretString",)):
            text = plain(secret.get(*path))
            if text is None:
                continue
            try:
                content = json.loads(text)
            except ValueError:
                return None
            name = content.get("username") if isinstance(content, dict) else None
            return name if isinstance(name, str) else None
        return None

    def proxy_users(self) -> Iterator[tuple[Resource, Resource, tuple[str | int, ...]]]:
        """Yield each function with each proxy that it uses, and where in the function that is written."""
        for function in self._deployment.of_type(FUNCTION):
            seen: dict[Resource, tuple[str | int, ...]] = {}
            for peer in self._deployment.needs.peers(function):
                proxy = self._proxy(peer.resource)
                if proxy is not None:
                    path = next((found.path for found in peer.reasons if found.resource is function), ())
                    seen[proxy] = seen.get(proxy) or path
            for proxy, path in seen.items():
                yield function, proxy, path

    def _proxy(self, resource: Resource) -> Resource | None:
        if resource.type == PROXY_ENDPOINT:
            found = self._deployment.resource_of(resource.get("DBProxyName"), PROXY)
            return found if found is not None and found.type == PROXY else None
        return resource if resource.type == PROXY else None

    def direct_users(self) -> Iterator[tuple[Resource, Resource, tuple[str | int, ...]]]:
        """Yield each function with each instance or cluster that it uses without a proxy, and where."""
        for function in self._deployment.of_type(FUNCTION):
            for peer in self._deployment.needs.peers(function):
                if peer.resource.type in (INSTANCE, CLUSTER):
                    path = next((found.path for found in peer.reasons if found.resource is function), ())
                    yield function, peer.resource, path

    def used(self) -> frozenset[Resource]:
        """The databases that functions use, themselves or through a proxy."""
        direct = {database for _, database, _ in self.direct_users()}
        return frozenset(
            direct | {found for _, proxy, _ in self.proxy_users() for found in self.behind(proxy)}
        )

    def proxy_user_arn(self, proxy: Resource, user: str) -> Value:
        """The resource that `rds-db:connect` is allowed on, for one user of a proxy."""
        return self._user_arn(proxy, Reference(proxy, "DBProxyArn:6"), user)

    def database_user_arn(self, database: Resource, user: str) -> Value:
        """The resource that `rds-db:connect` is allowed on, for one user of a database."""
        attribute = "DBClusterResourceId" if database.type == CLUSTER else "DbiResourceId"
        return self._user_arn(database, Reference(database, attribute), user)

    def _user_arn(self, resource: Resource, named: Reference, user: str) -> Value:
        region, account = resource.environment
        head = ("arn:", resource.partition, ":rds-db:", region, ":", account, ":dbuser:")
        return join((*head, named, "/", user))

    def associated_roles(self, database: Resource) -> list[tuple[int, dict[str, Value]]] | None:
        """The entries of a database's AssociatedRoles with their index; None where not all are known."""
        return _entries(database, "AssociatedRoles")

    def may_invoke(self, role: Value) -> bool | None:
        """Whether a role may invoke any function; None where that is not known."""
        permissions = self._deployment.permissions
        found = self._deployment.resource_of(role, "AWS::IAM::Role")
        if found is None or found.type != "AWS::IAM::Role":
            return None
        answers = [
            matches_action(action, INVOKE) if not statement.but_actions else None
            for statement in permissions.grants(found)
            for action in statement.actions
        ]
        if some(answers) is True:
            return True
        return None if None in answers or not permissions.policies(found).complete else False

    def parameter(self, database: Resource, name: str) -> Value:
        """A parameter of a database's own parameter group: None where it is not set there, or not known."""
        group_name, kind = _PARAMETERS[database.type]
        value = database.get(group_name)
        if value is None:
            # the default group, in which nothing can be set
            return None
        group = self._deployment.resource_of(value, kind)
        if group is None or group.type != kind:
            return Unknown(f"the parameter group of {database.id} is not here")
        parameters = group.get("Parameters")
        if isinstance(parameters, Unknown):
            return parameters
        return parameters.get(name) if isinstance(parameters, dict) else None


def _entries(resource: Resource, name: str) -> list[tuple[int, dict[str, Value]]] | None:
    """The entries of a list of mappings with their index; None where not all of them are known."""
    listed = resource.list(name)
    if isinstance(listed, Unknown):
        return None
    entries = [(index, entry) for index, entry in enumerate(listed) if isinstance(entry, dict)]
    return entries if len(entries) == len(listed) else None
