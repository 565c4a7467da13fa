"""What each function's code must reach over the network, and why.

A service is needed where the execution role allows actions of it that code makes, where the environment
carries its ARN or address, or where the metadata declares it (``LambdaPatterns: {Needs: [...]}``). Not needed
is what AWS does in the role's name: logs, traces, network interfaces, decryption for an encrypted secret or
queue, the polling of event sources, the delivery to destinations and dead-letter queues. In doubt nothing is
needed: a wildcard that covers such actions may be meant for them alone, ``*`` says nothing about the code,
and of a role that is not here nothing is known.

Not modelled: what a layer, an extension or the code itself calls without a grant or a variable that says so;
services of another Region.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from lambda_patterns.facts import services
from lambda_patterns.model.coercions import as_list
from lambda_patterns.model.matching import matches_action, segments_of
from lambda_patterns.model.names import NAMED_BY
from lambda_patterns.model.policies import Decision
from lambda_patterns.model.served import Served, covers
from lambda_patterns.model.values import Reference, Text, Unknown, plain, references, same

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lambda_patterns.facts.services import Service
    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.policies import Statement
    from lambda_patterns.model.served import Named
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

FUNCTION = "AWS::Lambda::Function"
INTERNET = "internet"
_CONNECT = "rds-db:connect"
PEERS = frozenset(
    {
        "AWS::DocDB::DBCluster", "AWS::DocDB::DBInstance", "AWS::EC2::Instance", "AWS::MSK::Cluster",
        "AWS::ElastiCache::CacheCluster", "AWS::ElastiCache::ReplicationGroup",
        "AWS::ElastiCache::ServerlessCache",
        "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::MemoryDB::Cluster", "AWS::Neptune::DBCluster",
        "AWS::OpenSearchService::Domain", "AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::RDS::DBProxy",
        "AWS::RDS::DBProxyEndpoint", "AWS::Redshift::Cluster",
    }
)  # fmt: skip
"""Types of resources that have an address in a VPC."""

_ADDRESSES = (
    "Endpoint",
    "Address",
    "DNSName",
    "Dns",
    "PrivateIp",
    "DbiResourceId",
    "DBClusterResourceId",
)
_IS_URL = frozenset({"AWS::SQS::Queue"})
_IS_ARN = frozenset({"AWS::SNS::Topic", "AWS::SecretsManager::Secret", "AWS::StepFunctions::StateMachine"})
_KEYS = frozenset({"AWS::KMS::Key", "AWS::KMS::Alias"})  # code that is given a key's id calls KMS with it
_HOST = re.compile(r"(?:[a-z0-9-]+\.)+(?:amazonaws\.com(?:\.cn)?|api\.aws)", re.IGNORECASE)
_ANY_REGION = "eu-west-1"


class Reason(NamedTuple):
    """Why something is needed, and where that is written.

    Args:
        resource: the policy, role or function that says so.
        path: the property path there; () in the metadata.
        what: "allows secretsmanager:GetSecretValue", "carries an ARN of SQS", "declares it".
        action: the action pattern that is allowed, or "".
        targets: what it is allowed on.
    """

    resource: Resource
    path: tuple[str | int, ...]
    what: str
    action: str = ""
    targets: tuple[Value, ...] = ()


class Need(NamedTuple):
    """Something that a function's code must reach.

    Args:
        name: "internet", or the short name of the service's endpoint ("secretsmanager").
        reasons: why, what is declared first.
    """

    name: str
    reasons: tuple[Reason, ...]

    @property
    def service(self) -> Service | None:
        """The service's facts, None for the internet and for a name that is not in the table."""
        return services.by_name(self.name)


class Peer(NamedTuple):
    """A resource with an address of its own that a function uses, a database or a cache."""

    resource: Resource
    reasons: tuple[Reason, ...]


class Needs:
    """The needs of the functions of one deployment. Answers are kept."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._needs: dict[Resource, tuple[Need, ...]] = {}
        self._connects: dict[Resource, tuple[Statement, ...]] = {}
        self._by_role: dict[tuple[Resource, Value], dict[int, tuple[tuple[str, Reason], ...]]] = {}
        self._peers: dict[Resource, tuple[Peer, ...]] = {}
        self._served = Served(deployment)

    def of(self, function: Resource) -> tuple[Need, ...]:
        """What the code of `function` must reach, by name, without what is declared unreachable."""
        if function not in self._needs:
            found: dict[str, list[Reason]] = {}
            for name, reason in self._find(function):
                found.setdefault(name, []).append(reason)
            left_out = self.unreachable(function)
            self._needs[function] = tuple(
                Need(name, tuple(found[name])) for name in sorted(found) if name not in left_out
            )
        return self._needs[function]

    def peers(self, function: Resource) -> tuple[Peer, ...]:
        """The databases, proxies, caches and the like that the environment or a grant to connect names."""
        if function not in self._peers:
            self._peers[function] = self._find_peers(function)
        return self._peers[function]

    def _find_peers(self, function: Resource) -> tuple[Peer, ...]:
        if not self._deployment.of_type(*PEERS):
            return ()
        found: dict[Resource, list[Reason]] = {}
        for path, value in _variables(function):
            for reference in references(value):
                if reference.resource.type in PEERS and _is_address(reference):
                    reason = Reason(function, path, f"carries the address of {reference.resource.id}")
                    found.setdefault(reference.resource, []).append(reason)
        role = self._deployment.permissions.role_of(function)
        for statement in () if role is None else self._connecting(role):
            for reference in (one for target in statement.resources for one in references(target)):
                if reference.resource.type in PEERS:
                    reason = Reason(statement.resource, statement.path, f"allows {_CONNECT}")
                    found.setdefault(reference.resource, []).append(reason)
        proxied = self._behind(
            resource
            for resource, reasons in found.items()
            if resource.type == "AWS::RDS::DBProxy" and any(reason.resource is function for reason in reasons)
        )
        return tuple(
            Peer(resource, tuple(reasons))
            for resource, reasons in found.items()
            # a grant on the database of a proxy that the code is given is meant for the proxy
            if resource not in proxied or any(reason.resource is function for reason in reasons)
        )

    def _connecting(self, role: Resource) -> tuple[Statement, ...]:
        """What allows a role to connect to a database."""
        if role not in self._connects:
            self._connects[role] = tuple(
                statement
                for statement in self._deployment.permissions.grants(role)
                if any(action != "*" and matches_action(action, _CONNECT) for action in statement.actions)
            )
        return self._connects[role]

    def _behind(self, proxies: Iterable[Resource]) -> set[Resource]:
        return {database for proxy in proxies for database in self._deployment.databases.behind(proxy)}

    def unreachable(self, function: Resource) -> Mapping[str, str]:
        """Service -> reason, of what is declared to be out of reach on purpose (``Unreachable``)."""
        return {
            name: plain(entry.get("Reason")) or ""
            for entry in _declared(function, "Unreachable")
            if isinstance(entry, dict) and (name := plain(entry.get("Service")))
        }

    def isolated(self, function: Resource) -> bool:
        """Whether no way to the internet may exist (``Isolated: true``)."""
        return [plain(value) for value in _declared(function, "Isolated")] == ["true"]

    def _find(self, function: Resource) -> Iterator[tuple[str, Reason]]:
        for name in _declared(function, "Needs"):
            if isinstance(name, str):
                yield name, Reason(function, (), "declares it")
        role = self._deployment.permissions.role_of(function)
        if role is not None:
            yield from self._granted_to(function, role)
        for path, value in _variables(function):
            for service in self._carried(value, function):
                yield service.name, Reason(function, path, f"carries the ARN or address of {service.title}")

    def _granted_to(self, function: Resource, role: Resource) -> Iterator[tuple[str, Reason]]:
        """What a role's statements grant; kept for a role, but for what Lambda itself uses of a function."""
        region, served = function.environment[0], self._served.of(function)
        kept = self._by_role.setdefault((role, region), {})
        for index, statement in enumerate(self._deployment.permissions.grants(role)):
            if served and self._served.may_be_of(statement, served):
                yield from self._granted(served, region, role, statement)
                continue
            if index not in kept:
                kept[index] = tuple(self._granted({}, region, role, statement))
            yield from kept[index]

    def _granted(
        self, served: Mapping[Named, bool], region: Value, role: Resource, statement: Statement
    ) -> Iterator[tuple[str, Reason]]:
        if statement.managed:
            for name in statement.about:
                what = f"allows what {statement.managed} does"
                yield name, Reason(role, statement.path, what, targets=statement.resources)
            return
        if statement.but_actions or _via_service(statement):
            return
        for action in statement.actions:
            service = _service(action) if isinstance(action, str) else None
            if service is None or not isinstance(action, str):
                continue
            targets = self._code_targets(served, region, statement, action, service)
            if any(self._allowed(role, action, target) for target in targets):
                reason = Reason(statement.resource, statement.path, f"allows {action}", action, targets)
                yield service.name, reason

    def _allowed(self, role: Resource, action: str, target: Value) -> bool:
        """Whether no statement denies to the code what another one allows."""
        permissions = self._deployment.permissions
        if not permissions.policies(role).refuses and role.get("PermissionsBoundary") is None:
            return True
        return permissions.may(role, action, target, by_code=True) is not Decision.DENIED

    def _code_targets(
        self,
        served: Mapping[Named, bool],
        own_region: Value,
        statement: Statement,
        action: str,
        service: Service,
    ) -> tuple[Value, ...]:
        """The resources of a statement that the code itself uses, rather than Lambda in its name."""
        kept: list[Value] = []
        for target in statement.resources:
            if self._served.does(served, service, action, target):
                continue
            here = isinstance(target, Reference) and target.resource.environment[0] == own_region
            segments = None if here else segments_of(target)
            if (
                segments is not None
                and segments[3] not in ("", "*")
                and same(segments[3], own_region) is False
            ):
                continue
            kept.append(target)
        return tuple(kept)

    def _carried(self, value: Value, function: Resource) -> Iterator[Service]:
        """The services whose ARN or address a variable's value is."""
        if isinstance(value, Reference):
            kind, attribute = value.resource.type, value.attribute
            is_arn = attribute.endswith("Arn") if attribute is not None else kind in _IS_ARN
            is_url = kind in _IS_URL and attribute in (None, "QueueUrl")
            if kind in _KEYS:
                yield from filter(None, [services.by_name("kms")])
            service = services.of_arn(NAMED_BY.get(kind, ("",))[0]) if is_arn or is_url else None
            if service is not None:
                yield service
            return
        segments = segments_of(value)
        if segments is not None:
            own = segments[3] == "" or same(segments[3], function.environment[0]) is not False
            service = services.of_arn(segments[2]) if isinstance(segments[2], str) and own else None
            if service is not None:
                yield service
            return
        for match in _HOST.finditer(_written(value)):
            service = services.of_host(match[0])
            if service is not None:
                yield service


@lru_cache(maxsize=16_384)
def _service(action: str) -> Service | None:
    """The service that code calls with an action, None where AWS does it in the role's name, or may."""
    if not action.partition(":")[2] or "*" in action.partition(":")[0]:
        return None
    service = services.of_action(action)
    return None if service is None or covers(service.on_behalf, action) else service


def _via_service(statement: Statement) -> bool:
    """Whether the statement is for calls that a service makes for the caller (kms:ViaService)."""
    conditions = statement.conditions
    return isinstance(conditions, dict) and any(
        isinstance(tests, dict) and any(key.lower() == "kms:viaservice" for key in tests)
        for tests in conditions.values()
    )


def _declared(function: Resource, name: str) -> list[Value]:
    """The entries of one key of the function's ``LambdaPatterns`` metadata."""
    metadata = function.follow(function.metadata.get("LambdaPatterns"))
    listed = as_list(metadata.get(name)) if isinstance(metadata, dict) else []
    return [] if isinstance(listed, Unknown) else listed


def _variables(function: Resource) -> Iterator[tuple[tuple[str, ...], Value]]:
    variables = function.get("Environment", "Variables")
    for name, value in variables.items() if isinstance(variables, dict) else ():
        yield ("Environment", "Variables", name), value


def _is_address(reference: Reference) -> bool:
    return reference.attribute is not None and any(part in reference.attribute for part in _ADDRESSES)


def _written(value: Value) -> str:
    """A text in which a Region and a partition's suffix that are not known are written as any would be."""
    parts = value.parts if isinstance(value, Text) else (value,)
    stand_ins = {"AWS::Region": _ANY_REGION, "AWS::URLSuffix": "amazonaws.com"}
    return "".join(
        stand_ins.get(part.name, "-") if isinstance(part, Unknown) else plain(part) or "-" for part in parts
    )
