"""The database behind a proxy: what a new one is made of, and what must be known of one that exists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aws_cdk import Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds

from lambda_patterns.constructs.database_engine import proxied_engine
from lambda_patterns.constructs.function_options import is_token
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import engines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lambda_patterns.constructs.database_users import DatabaseUser

SETUP_PAGE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-iam-setup.html"
_AUTO_PAUSE_PAGE = (
    "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInstance:
    """A new RDS instance (PostgreSQL, MySQL or MariaDB).

    It is encrypted, in two zones, deletion-protected, snapshotted when it is removed, takes only TLS,
    and keeps backups for a week.

    Args:
        engine: engine and version, ``rds.DatabaseInstanceEngine.postgres(version=...)``.
        instance_type: Default db.t4g.medium: the smallest whose 4 GiB leave room for a few hundred
            connections.
        multi_az: whether a standby waits in another zone. Default True: a proxy shortens the failover to
            it.
        parameters: parameters of its parameter group, added to the one that requires TLS.
        log_retention: how long the exported logs are kept. Default three months, as functions' logs.
        options: further arguments of `rds.DatabaseInstance`, passed on as they are.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.html
    """

    engine: rds.IInstanceEngine
    instance_type: ec2.InstanceType | None = None
    multi_az: bool = True
    parameters: Mapping[str, str] = field(default_factory=dict)
    log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCluster:
    """A new Aurora cluster (PostgreSQL or MySQL), encrypted, deletion-protected and snapshotted when removed.

    Args:
        engine: engine and version, ``rds.DatabaseClusterEngine.aurora_postgres(version=...)``.
        writer: Default a Serverless v2 instance; ``rds.ClusterInstance.provisioned(...)`` for a fixed size.
        readers: Default one Serverless v2 instance that scales with the writer, so that a failover finds
            it of the writer's size and a read-only endpoint has something to read from.
        serverless_v2_min_capacity: in ACU, 0.5-256. Default 0.5, the least that does not pause. 0 is
            refused: a proxy keeps connections open, so the cluster would never pause.
        serverless_v2_max_capacity: in ACU, 1-256. Default 4: it bounds the bill, and `max_connections`
            with it.
        parameters: parameters of its cluster parameter group, added to the one that requires TLS.
        log_retention: how long the exported logs are kept. Default three months, as functions' logs.
        options: further arguments of `rds.DatabaseCluster`, passed on as they are.

    Source:
        https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html
    """

    engine: rds.IClusterEngine
    writer: rds.IClusterInstance | None = None
    readers: Sequence[rds.IClusterInstance] | None = None
    serverless_v2_min_capacity: float = 0.5
    serverless_v2_max_capacity: float = 4
    parameters: Mapping[str, str] = field(default_factory=dict)
    log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The database that a proxy stands before, whoever made it.

    `database` is an IDatabaseInstance or an IDatabaseCluster, as `is_cluster` says. `parameters` are those of
    its parameter group, None where they are not known; `capacity` is that of Serverless v2, minimum and
    maximum in ACU.
    """

    database: Any
    engine: engines.Engine
    port: ec2.Port
    is_cluster: bool
    has_readers: bool
    parameter_group: rds.ParameterGroup | None = None
    parameters: Mapping[str, str] | None = None
    capacity: tuple[float, float] | None = None

    @property
    def identifier(self) -> str:
        """The instance's or cluster's identifier."""
        return str(self.database.cluster_identifier if self.is_cluster else self.database.instance_identifier)

    @property
    def resource_id(self) -> str | None:
        """The id that IAM policies name it by (``db-ABC``, ``cluster-ABC``), None if it was not imported."""
        try:
            found: str | None = (
                self.database.cluster_resource_identifier
                if self.is_cluster
                else self.database.instance_resource_id
            )
        except RuntimeError:
            # an imported cluster raises where an imported instance gives None
            return None
        return found


def existing(database: object) -> Source:
    """Judge a database made or imported elsewhere; raise ArgumentError for what a proxy cannot serve."""
    is_cluster = hasattr(database, "cluster_identifier")
    if is_cluster and not hasattr(type(database), "cluster_resource_identifier"):
        raise ArgumentError(
            "database: an Aurora Serverless v1 cluster is refused, allowed are instances, provisioned "
            f"clusters and Serverless v2: RDS Proxy does not serve v1 ({engines.PROXY_ENGINES_PAGE})"
        )
    if not is_cluster and not hasattr(database, "instance_identifier"):
        raise ArgumentError(
            f"database: {type(database).__name__} is refused, allowed are NewInstance, NewCluster, and what "
            f"aws_rds makes or imports as an instance or a cluster ({engines.PROXY_PAGE})"
        )
    found: Any = database
    if found.engine is None:
        raise ArgumentError(
            "database: it was imported without its engine, which decides family and port of the proxy: give "
            f"engine= to from_database_{'cluster' if is_cluster else 'instance'}_attributes "
            f"({engines.PROXY_ENGINES_PAGE})"
        )
    facts = proxied_engine(found.engine)
    if not found.connections.security_groups:
        raise ArgumentError(
            "database: it was imported without its security groups, so no proxy can be let in: give "
            f"security_groups= where it is imported ({engines.PROXY_PAGE})"
        )
    own = found.node.default_child
    # a protected member: the L1's own setting is a lazy value that Python sees empty
    made = isinstance(found, rds.DatabaseCluster | rds.DatabaseClusterFromSnapshot)
    if made and found._serverless_v2_min_capacity == 0:  # noqa: SLF001
        raise keeps_awake("database: serverless_v2_min_capacity")
    given = getattr(own, "port", None)
    if given is not None and not Token.is_unresolved(given):
        port = ec2.Port.tcp(int(given))
    elif own is None and found.connections.default_port is not None:
        port = found.connections.default_port
    else:
        port = ec2.Port.tcp(facts.port)
    return Source(
        database=found,
        engine=facts,
        port=port,
        is_cluster=is_cluster,
        # of what is imported the readers are not known
        has_readers=is_cluster and not (made and len(found.instance_identifiers) == 1),
        parameters=_parameters(own),
        capacity=known_capacity(found._serverless_v2_min_capacity, found._serverless_v2_max_capacity)  # noqa: SLF001
        if made
        else None,
    )


def known_capacity(least: float | None, most: float | None) -> tuple[float, float] | None:
    """Give the capacity of Serverless v2, None where deployment or aws_cdk's defaults decide it."""
    if least is None or most is None or is_token(least) or is_token(most):
        return None
    return (least, most)


def _parameters(own: object) -> Mapping[str, str] | None:
    """Give the parameters of a database of this app: none without a group of its own, else not known."""
    if isinstance(own, rds.CfnDBInstance):
        group = own.db_parameter_group_name
    elif isinstance(own, rds.CfnDBCluster):
        group = own.db_cluster_parameter_group_name
    else:
        return None
    return {} if group is None else None


def check_end_to_end(source: Source, users: Iterable[DatabaseUser]) -> None:
    """Raise ArgumentError where a proxy could not log in to the database with IAM tokens."""
    if source.resource_id is None:
        kind = "cluster" if source.is_cluster else "instance"
        name = "cluster_resource_identifier" if source.is_cluster else "instance_resource_id"
        raise ArgumentError(
            "default_auth_scheme: the database was imported without its resource id, which the "
            f"proxy's role must name: give {name}= to from_database_{kind}_attributes ({SETUP_PAGE})"
        )
    if _iam_authentication_off(source):
        raise ArgumentError(
            "default_auth_scheme: IAM authentication is off at the database, so it refuses the proxy's "
            f"tokens: give it iam_authentication=True ({SETUP_PAGE})"
        )
    if kept := [user.name for user in users if user.secret is not None]:
        raise ArgumentError(
            f"users: {', '.join(kept)} has a secret, none is used with end-to-end IAM "
            f"authentication: leave it out, or leave default_auth_scheme= at NONE ({SETUP_PAGE})"
        )


def _iam_authentication_off(source: Source) -> bool:
    """Whether a database that this app makes takes no IAM tokens; what is imported is not known."""
    database = source.database
    if isinstance(
        database, rds.DatabaseInstance | rds.DatabaseInstanceFromSnapshot | rds.DatabaseInstanceReadReplica
    ):
        # a protected member: the L1's own setting is a lazy value that Python sees empty
        return not database._enable_iam_authentication  # noqa: SLF001
    own = database.node.default_child
    return isinstance(own, rds.CfnDBCluster) and own.enable_iam_database_authentication in {None, False}


def keeps_awake(argument: str) -> ArgumentError:
    """Refuse a cluster that is meant to pause."""
    return ArgumentError(
        f"{argument} is 0 ACU, allowed are 0.5-256 ACU with a proxy: a proxy keeps connections to the "
        f"database open, so a cluster that is meant to pause never does ({_AUTO_PAUSE_PAGE})"
    )
