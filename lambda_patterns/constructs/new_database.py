"""A new database behind a proxy, encrypted, protected, logged, and in subnets that lead nowhere."""

from __future__ import annotations

import difflib
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds

from lambda_patterns.constructs.closed_group import closed_group
from lambda_patterns.constructs.database_engine import proxied_engine, version_of
from lambda_patterns.constructs.database_logs import log_groups, wait_for
from lambda_patterns.constructs.database_reasons import acknowledge_database
from lambda_patterns.constructs.database_sources import (
    NewCluster,
    NewInstance,
    Source,
    keeps_awake,
    known_capacity,
)
from lambda_patterns.constructs.function_options import is_token
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import engines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_secretsmanager as secretsmanager
    from constructs import Construct

_OPTIONS_PAGE = "https://docs.aws.amazon.com/cdk/api/v2/python/aws_cdk.aws_rds/"
# What a construct takes by position, or what is said here another way.
_NO_OPTIONS = {"self", "scope", "id", "engine"}
_BACKUP_RETENTION = Duration.days(7)

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


def make(scope: Construct, new: NewInstance | NewCluster, around: Surroundings) -> Source:
    """Make the database, its group and its parameter group in `scope`."""
    facts = engine_of_new(new)
    is_cluster = isinstance(new, NewCluster)
    maker: Any = rds.DatabaseCluster if is_cluster else rds.DatabaseInstance
    _check_options(maker, new.options)
    parameters = {**_TLS_PARAMETERS[facts.name], **new.parameters}
    parameter_group = _parameter_group(scope, new, parameters)
    own = _of_cluster(new, around) if isinstance(new, NewCluster) else _of_instance(new, around)
    arguments: dict[str, Any] = {
        "parameter_group": parameter_group,
        "port": int(new.options.get("port", facts.port)),
        **_common(scope, around, facts),
        **own,
        **new.options,
    }
    least, most = (arguments.get(f"serverless_v2_{end}_capacity") for end in ("min", "max"))
    if least is not None and most is not None:
        _check_capacities(least, most)
    groups = log_groups(scope, "cluster" if is_cluster else "instance", new.log_retention, arguments)
    database = maker(scope, "Database", engine=new.engine, **arguments)
    wait_for(database, groups)
    acknowledge_database(database, arguments["cloudwatch_logs_exports"])
    return Source(
        database=database,
        engine=facts,
        port=ec2.Port.tcp(arguments["port"]),
        is_cluster=is_cluster,
        has_readers=bool(arguments.get("readers")),
        parameter_group=parameter_group,
        parameters=None if "parameter_group" in new.options else parameters,
        capacity=known_capacity(least, most),
    )


def _of_instance(new: NewInstance, around: Surroundings) -> dict[str, Any]:
    return {
        "instance_type": new.instance_type
        or ec2.InstanceType.of(ec2.InstanceClass.BURSTABLE4_GRAVITON, ec2.InstanceSize.MEDIUM),
        "multi_az": new.multi_az,
        "allocated_storage": 20,
        "max_allocated_storage": 100,
        "storage_type": rds.StorageType.GP3,
        "database_name": around.database_name,
        "backup_retention": _BACKUP_RETENTION,
    }


def _of_cluster(new: NewCluster, around: Surroundings) -> dict[str, Any]:
    reader = rds.ClusterInstance.serverless_v2("Reader", scale_with_writer=True)
    return {
        "writer": new.writer or rds.ClusterInstance.serverless_v2("Writer"),
        "readers": [reader] if new.readers is None else list(new.readers),
        "serverless_v2_min_capacity": new.serverless_v2_min_capacity,
        "serverless_v2_max_capacity": new.serverless_v2_max_capacity,
        "default_database_name": around.database_name,
        "backup": rds.BackupProps(retention=_BACKUP_RETENTION),
    }


def _check_options(maker: Any, options: Mapping[str, Any]) -> None:  # noqa: ANN401  # a class, whose __init__ is looked at
    known = inspect.signature(maker.__init__).parameters.keys() - _NO_OPTIONS
    for name in options:
        if name not in known:
            alike = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {alike[0]!r}? " if alike else ""
            raise ArgumentError(
                f"options: {name!r} is no argument that rds.{maker.__name__} takes here: {hint}"
                f"they are listed at {_OPTIONS_PAGE}{maker.__name__}.html"
            )


def _parameter_group(
    scope: Construct, new: NewInstance | NewCluster, parameters: Mapping[str, str]
) -> rds.ParameterGroup:
    """Make the parameter group, or take the one that was given, with the parameters that are needed in it."""
    given = new.options.get("parameter_group")
    if given is None:
        return rds.ParameterGroup(scope, "Parameters", engine=new.engine, parameters=parameters)
    for name, value in parameters.items():
        given.add_parameter(name, value)  # does nothing with one that was imported
    group: rds.ParameterGroup = given
    return group


def _check_capacities(least: float, most: float) -> None:
    if least == 0:
        raise keeps_awake("serverless_v2_min_capacity")
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
            closed_group(
                scope,
                "DatabaseSecurityGroup",
                around.vpc,
                "The database: lets its proxy in, and out only what is granted by name",
            )
        ],
        "credentials": rds.Credentials.from_secret(around.master_secret),
        "storage_encrypted": True,
        "storage_encryption_key": around.encryption_key,
        "iam_authentication": True,
        "copy_tags_to_snapshot": True,
        "deletion_protection": True,
        "removal_policy": RemovalPolicy.SNAPSHOT,
        "cloudwatch_logs_exports": _LOG_EXPORTS[facts.name],
        "monitoring_interval": Duration.minutes(1),
    }
