"""The database behind a proxy: what a new one is made of, and what must be known of one that exists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, RemovalPolicy, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds

from lambda_patterns.constructs.database_engine import proxied_engine, version_of
from lambda_patterns.constructs.database_logs import log_groups, wait_for
from lambda_patterns.constructs.database_reasons import acknowledge_database
from lambda_patterns.constructs.function_options import is_token
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import engines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_secretsmanager as secretsmanager
    from constructs import Construct

_AUTO_PAUSE_PAGE = (
    "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html"
)

# Each engine's own way of refusing connections without TLS, the proxy's included.
_TLS_PARAMETERS = {
    "postgres": {"rds.force_ssl": "1"},
    "aurora-postgresql": {"rds.force_ssl": "1"},
    "mysql": {"require_secure_transport": "ON"},
    "mariadb": {"require_secure_transport": "ON"},
    "aurora-mysql": {"require_secure_transport": "ON"},
}


# The log types that are exported to CloudWatch Logs: errors and slow statements. RDS refuses a type that an
# engine does not have.
_LOG_EXPORTS = {
    "postgres": ["postgresql", "upgrade"],
    "aurora-postgresql": ["postgresql"],
    "mysql": ["error", "slowquery"],
    "mariadb": ["error", "slowquery"],
    "aurora-mysql": ["error", "slowquery"],
}


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

    `database` is an IDatabaseInstance or an IDatabaseCluster, as `is_cluster` says.
    """

    database: Any
    engine: engines.Engine
    port: ec2.Port
    is_cluster: bool
    has_readers: bool
    parameter_group: rds.ParameterGroup | None = None

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a new database is put into."""

    vpc: ec2.IVpc
    vpc_subnets: ec2.SubnetSelection
    database_name: str
    master_secret: secretsmanager.ISecret
    encryption_key: kms.IKey | None


def engine_of_new(new: NewInstance | NewCluster) -> engines.Engine:
    """Find the facts of a new database's engine.

    Raises:
        ArgumentError: no proxy serves it, it has no version, or it is the other of instance and cluster.
    """
    facts = proxied_engine(new.engine)
    if facts.is_aurora is isinstance(new, NewInstance):
        needed = "NewCluster" if facts.is_aurora else "NewInstance"
        raise ArgumentError(
            f"engine: {facts.title} is given to {type(new).__name__}, it comes as {needed}(engine=...) "
            f"({engines.PROXY_ENGINES_PAGE})"
        )
    if version_of(new.engine) is None:
        raise ArgumentError(
            f"engine: {facts.title} is given without a version, which its parameter group belongs to: give "
            f"version= where the engine is made ({engines.PROXY_ENGINES_PAGE})"
        )
    return facts


def new_instance(scope: Construct, new: NewInstance, around: Surroundings) -> Source:
    """Make the instance, its group and its parameter group in `scope`."""
    facts = engine_of_new(new)
    parameter_group = _parameter_group(scope, new, facts)
    port = int(new.options.get("port", facts.port))
    arguments: dict[str, Any] = {
        "instance_type": new.instance_type
        or ec2.InstanceType.of(ec2.InstanceClass.BURSTABLE4_GRAVITON, ec2.InstanceSize.MEDIUM),
        "multi_az": new.multi_az,
        "allocated_storage": 20,
        "max_allocated_storage": 100,
        "storage_type": rds.StorageType.GP3,
        "parameter_group": parameter_group,
        "database_name": around.database_name,
        "port": port,
        **_common(scope, around, facts),
        **new.options,
    }
    groups = log_groups(scope, "instance", new.log_retention, arguments)
    database = rds.DatabaseInstance(scope, "Database", engine=new.engine, **arguments)
    wait_for(database, groups)
    acknowledge_database(database, arguments["cloudwatch_logs_exports"])
    return Source(
        database=database,
        engine=facts,
        port=ec2.Port.tcp(port),
        is_cluster=False,
        has_readers=False,
        parameter_group=parameter_group,
    )


def new_cluster(scope: Construct, new: NewCluster, around: Surroundings) -> Source:
    """Make the cluster, its group and its parameter group in `scope`."""
    facts = engine_of_new(new)
    _check_capacities(
        new.options.get("serverless_v2_min_capacity", new.serverless_v2_min_capacity),
        new.options.get("serverless_v2_max_capacity", new.serverless_v2_max_capacity),
    )
    parameter_group = _parameter_group(scope, new, facts)
    port = int(new.options.get("port", facts.port))
    readers = (
        [rds.ClusterInstance.serverless_v2("Reader", scale_with_writer=True)]
        if new.readers is None
        else list(new.readers)
    )
    common = _common(scope, around, facts)
    arguments: dict[str, Any] = {
        "writer": new.writer or rds.ClusterInstance.serverless_v2("Writer"),
        "readers": readers,
        "serverless_v2_min_capacity": new.serverless_v2_min_capacity,
        "serverless_v2_max_capacity": new.serverless_v2_max_capacity,
        "parameter_group": parameter_group,
        "default_database_name": around.database_name,
        "port": port,
        "backup": rds.BackupProps(retention=common.pop("backup_retention")),
        **common,
        **new.options,
    }
    groups = log_groups(scope, "cluster", new.log_retention, arguments)
    database = rds.DatabaseCluster(scope, "Database", engine=new.engine, **arguments)
    wait_for(database, groups)
    acknowledge_database(database, arguments["cloudwatch_logs_exports"])
    return Source(
        database=database,
        engine=facts,
        port=ec2.Port.tcp(port),
        is_cluster=True,
        has_readers=bool(readers),
        parameter_group=parameter_group,
    )


def _parameter_group(
    scope: Construct, new: NewInstance | NewCluster, facts: engines.Engine
) -> rds.ParameterGroup:
    """Make the parameter group, or take the one that was given, with the parameters that are needed in it."""
    parameters = {**_TLS_PARAMETERS[facts.name], **new.parameters}
    given = new.options.get("parameter_group")
    if given is None:
        return rds.ParameterGroup(scope, "Parameters", engine=new.engine, parameters=parameters)
    for name, value in parameters.items():
        given.add_parameter(name, value)  # does nothing with one that was imported
    group: rds.ParameterGroup = given
    return group


def _check_capacities(least: float, most: float) -> None:
    if least == 0:
        raise _keeps_awake("serverless_v2_min_capacity")
    for name, value in {"serverless_v2_min_capacity": least, "serverless_v2_max_capacity": most}.items():
        if is_token(value):
            return
        engines.SERVERLESS_CAPACITY.check(value, name)
        if value * 2 != int(value * 2):
            raise ArgumentError(
                f"{name} is {value} ACU, allowed are steps of 0.5 ACU ({engines.SERVERLESS_CAPACITY.source})"
            )
    if most < max(least, 1):
        raise ArgumentError(
            f"serverless_v2_max_capacity is {most} ACU, allowed are {max(least, 1):g}-256 ACU: at least the "
            f"minimum, and never under 1 ACU ({engines.SERVERLESS_CAPACITY.source})"
        )


def _common(scope: Construct, around: Surroundings, facts: engines.Engine) -> dict[str, Any]:
    """Give the arguments that an instance and a cluster share."""
    return {
        "vpc": around.vpc,
        "vpc_subnets": around.vpc_subnets,
        "security_groups": [
            ec2.SecurityGroup(
                scope,
                "DatabaseSecurityGroup",
                vpc=around.vpc,
                allow_all_outbound=False,
                description="The database: lets its proxy in, and out only what is granted by name",
            )
        ],
        "credentials": rds.Credentials.from_secret(around.master_secret),
        "storage_encrypted": True,
        "storage_encryption_key": around.encryption_key,
        "iam_authentication": True,
        "backup_retention": Duration.days(7),
        "copy_tags_to_snapshot": True,
        "deletion_protection": True,
        "removal_policy": RemovalPolicy.SNAPSHOT,
        "cloudwatch_logs_exports": _LOG_EXPORTS[facts.name],
        "monitoring_interval": Duration.minutes(1),
    }


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
        raise _keeps_awake("database: serverless_v2_min_capacity")
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
    )


def iam_authentication_off(source: Source) -> bool:
    """Whether a database that this app makes takes no IAM tokens; what is imported is not known."""
    database = source.database
    if isinstance(
        database, rds.DatabaseInstance | rds.DatabaseInstanceFromSnapshot | rds.DatabaseInstanceReadReplica
    ):
        # a protected member: the L1's own setting is a lazy value that Python sees empty
        return not database._enable_iam_authentication  # noqa: SLF001
    own = database.node.default_child
    return isinstance(own, rds.CfnDBCluster) and own.enable_iam_database_authentication in {None, False}


def _keeps_awake(argument: str) -> ArgumentError:
    return ArgumentError(
        f"{argument} is 0 ACU, allowed are 0.5-256 ACU with a proxy: a proxy keeps connections to the "
        f"database open, so a cluster that is meant to pause never does ({_AUTO_PAUSE_PAGE})"
    )
