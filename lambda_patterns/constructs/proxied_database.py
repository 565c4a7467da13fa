"""A relational database behind RDS Proxy, and one call that connects a function to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Aspects, CustomResource, Duration, Names
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager

from lambda_patterns.constructs.closed_group import closed_group
from lambda_patterns.constructs.database_connection import ConnectableDatabase, ProxyFacts, user_arn
from lambda_patterns.constructs.database_engine import checked_database_name
from lambda_patterns.constructs.database_placement import Rotation, check_stacks, place, rotate
from lambda_patterns.constructs.database_pool import PoolCheck
from lambda_patterns.constructs.database_preparation import prepared_by
from lambda_patterns.constructs.database_reasons import acknowledge_policies
from lambda_patterns.constructs.database_secrets import DatabaseSecrets, authentication
from lambda_patterns.constructs.database_sources import (
    SETUP_PAGE,
    NewCluster,
    NewInstance,
    Source,
    check_end_to_end,
    existing,
)
from lambda_patterns.constructs.database_users import (
    DatabaseUser,
    checked_users,
    password_variable,
    sql_file,
    user_statements,
)
from lambda_patterns.constructs.new_database import Surroundings, engine_of_new, make
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import engines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from lambda_patterns.constructs.network import LambdaNetwork

_PINNING_PAGE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-pinning.html"


class ProxiedDatabase(ConnectableDatabase):
    """A database, its users' secrets, and the proxy that functions reach it through.

    The proxy requires TLS and an IAM token of every client, logs in with exactly the secrets of its
    users, and is let in by the database on the database's port. Nothing else is.

    Args:
        network: the `LambdaNetwork` or VPC of the database.
        database: `NewInstance` or `NewCluster`, or an instance or cluster of aws_rds, imported or not.
            What is imported must say its engine and its security groups.
        users: at least one name or `DatabaseUser`; each has a secret of its own.
        database_name: the database in the server that functions use.
        vpc_subnets: subnets in at least two zones, none of them public. Default: the isolated subnets if
            there are any, else the private ones.
        default_auth_scheme: how the proxy logs in to the database. Default NONE: with the users' secrets.
            IAM_AUTH: with IAM tokens, end to end, and no secret at all.
        encryption_key: the key of the storage and of the secrets. Default: AWS's own keys, which cost
            nothing.
        rotation: Default every 30 days; None for secrets that something else rotates.
        borrow_timeout: how long a client waits for a free connection, 0-300 s. Default 5 s: less than
            functions run, so that they hear of an exhausted pool and can say so, where AWS's 120 s let
            them be ended first.
        max_connections_percent: 1-100 % of the database's max_connections. Default 80: the rest is left to
            migrations, people and the rotation, which come without the proxy. As many transactions run
            at once as the share allows, however many functions are connected, and a higher share opens no
            connection that is not needed. What is plainly too small for the connected functions is warned
            of at synthesis: `LambdaPatterns:pool-under-concurrency`.
        idle_client_timeout: 1-28,800 s. Default 30 minutes, longer than Lambda keeps an idle
            environment: its connection is closed when it is gone, and not while it may still be used.
        session_pinning_filters: Default none. EXCLUDE_VARIABLE_SETS (MySQL and MariaDB alone) is right
            only if every SET of the application sets what the server has by default.
        init_query: SQL that the proxy runs on each new connection to the database ("SET
            time_zone='UTC'"), where a client's own SET would pin the session. Default none.
        master_username: the new database's master user. Default "dbadmin".
        master_secret: the master user's secret of a database that exists; `prepare` needs it. Default none.
        connected_vpcs: VPCs that are routed to this one (peered, or over a transit gateway), whose
            functions may be connected. Default none.

    Raises:
        ArgumentError: for an engine, version, subnet, user or setting that a proxy cannot serve.

    Attributes:
        network: the network or VPC, as given.
        database: the instance or cluster.
        proxy: the L1 proxy.
        role: the role that the proxy reads its secrets with.
        secrets: the users' secrets by name; empty with end-to-end IAM authentication.
        master_secret: the master user's secret, or None.
        parameter_group: the parameter group of a new database, or None.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.html
    """

    def __init__(  # noqa: PLR0913  # each is one setting of a proxy or of what it needs
        self,
        scope: Construct,
        construct_id: str,
        *,
        network: LambdaNetwork | ec2.IVpc,
        database: NewInstance | NewCluster | rds.IDatabaseInstance | rds.IDatabaseCluster,
        users: Sequence[str | DatabaseUser],
        database_name: str,
        vpc_subnets: ec2.SubnetSelection | None = None,
        default_auth_scheme: rds.DefaultAuthScheme = rds.DefaultAuthScheme.NONE,
        encryption_key: kms.IKey | None = None,
        rotation: Rotation | None = Rotation(),  # noqa: B008  # a frozen value
        borrow_timeout: Duration = Duration.seconds(5),  # noqa: B008  # a frozen value
        max_connections_percent: int = 80,
        idle_client_timeout: Duration = Duration.minutes(30),  # noqa: B008  # a frozen value
        session_pinning_filters: Sequence[rds.SessionPinningFilter] = (),
        init_query: str | None = None,
        master_username: str = "dbadmin",
        master_secret: secretsmanager.ISecret | None = None,
        connected_vpcs: Sequence[ec2.IVpc] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        engines.BORROW_TIMEOUT.check(borrow_timeout.to_seconds(integral=False), "borrow_timeout")
        engines.IDLE_CLIENT_TIMEOUT.check(
            idle_client_timeout.to_seconds(integral=False), "idle_client_timeout"
        )
        engines.MAX_CONNECTIONS_PERCENT.check(max_connections_percent, "max_connections_percent")
        self.network = network
        self._place = place(network, vpc_subnets)
        self._secrets = DatabaseSecrets(self, encryption_key, rotated=rotation is not None)
        self.master_secret: secretsmanager.ISecret | None = master_secret
        self._source = self._make_or_judge(database, database_name, master_username, encryption_key)
        source = self._source
        self.database = source.database
        self.parameter_group = source.parameter_group
        engine = source.engine
        if session_pinning_filters and engine.proxy_family != "MYSQL":
            raise ArgumentError(
                f"session_pinning_filters: {engine.title} takes none, MySQL and MariaDB do ({_PINNING_PAGE})"
            )
        self._end_to_end = default_auth_scheme == rds.DefaultAuthScheme.IAM_AUTH
        self._master_username = master_username
        self._users = self._checked_users(users)
        self.secrets: dict[str, secretsmanager.ISecret] = {}
        if not self._end_to_end:
            for name, user in self._users.items():
                self.secrets[name] = self._secrets.of_user(user, self.database)
        self.role = self._login_role()
        about = "The proxy: out to the database alone, in from what is connected by name"
        group = closed_group(self, "ProxySecurityGroup", self._place.vpc, about)
        group.connections.allow_to(self.database, source.port, "The proxy logs in to the database")
        self.proxy = rds.CfnDBProxy(
            self,
            "Proxy",
            db_proxy_name=Names.unique_resource_name(self, max_length=60, separator="-"),
            engine_family=str(engine.proxy_family),
            role_arn=self.role.role_arn,
            vpc_subnet_ids=self._place.subnets.subnet_ids,
            vpc_security_group_ids=[group.security_group_id],
            require_tls=True,
            default_auth_scheme="IAM_AUTH" if self._end_to_end else None,
            auth=authentication(self.secrets.values()) or None,
            idle_client_timeout=int(idle_client_timeout.to_seconds()),
        )
        self.proxy.node.add_dependency(self.role)
        self.target_group = rds.CfnDBProxyTargetGroup(
            self,
            "TargetGroup",
            db_proxy_name=self.proxy.ref,
            target_group_name="default",
            db_cluster_identifiers=[source.identifier] if source.is_cluster else None,
            db_instance_identifiers=None if source.is_cluster else [source.identifier],
            connection_pool_configuration_info=rds.CfnDBProxyTargetGroup.ConnectionPoolConfigurationInfoFormatProperty(
                connection_borrow_timeout=int(borrow_timeout.to_seconds()),
                max_connections_percent=max_connections_percent,
                init_query=init_query,
                session_pinning_filters=[chosen.filter_name for chosen in session_pinning_filters] or None,
            ),
        )
        self.target_group.node.add_dependency(self.database, group)
        # an aspect is asked when all functions are connected
        Aspects.of(self.target_group).add(PoolCheck(source, max_connections_percent, self._clients))
        self._read_only: rds.CfnDBProxyEndpoint | None = None
        self._facts = ProxyFacts(
            arn=self.proxy.attr_db_proxy_arn,
            endpoint=self.proxy.attr_endpoint,
            engine_family=str(engine.proxy_family),
            security_groups=[group],
            users=self._users,
            database_name=database_name,
            vpcs=[self._place.vpc, *connected_vpcs],
            borrow_timeout=borrow_timeout,
        )
        if rotation is not None:
            self._rotate(rotation)

    def _make_or_judge(
        self,
        database: NewInstance | NewCluster | rds.IDatabaseInstance | rds.IDatabaseCluster,
        database_name: str,
        master_username: str,
        encryption_key: kms.IKey | None,
    ) -> Source:
        if not isinstance(database, NewInstance | NewCluster):
            checked_database_name(database_name, None)
            return existing(database)
        checked_database_name(database_name, engine_of_new(database).title)
        around = Surroundings(
            vpc=self._place.vpc,
            vpc_subnets=self._place.selection,
            database_name=database_name,
            master_secret=self._secrets.new("MasterSecret", master_username),
            encryption_key=encryption_key,
        )
        source = make(self, database, around)
        self.master_secret = source.database.secret
        return source

    def _checked_users(self, users: Sequence[str | DatabaseUser]) -> dict[str, DatabaseUser]:
        known = checked_users(users, self._source.engine.proxy_family)
        if self._end_to_end:
            check_end_to_end(self._source, known.values())
        if self._master_username in known:
            raise ArgumentError(
                f"users: {self._master_username!r} is the master user, which may do everything: name another "
                f"one for functions, or another master_username= ({engines.PROXY_PAGE})"
            )
        return known

    def _login_role(self) -> iam.Role:
        """Make the role that the proxy logs in to the database with: by its secrets, or by tokens."""
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("rds.amazonaws.com"),
            description=f"Lets the proxy of {self.node.id} log in to its database",
        )
        for secret in self.secrets.values():
            self._secrets.let_read(role, secret)
        if self._end_to_end:
            resource_id = str(self._source.resource_id)
            resources = [user_arn(self, resource_id, name) for name in self._users]
            role.add_to_policy(iam.PolicyStatement(actions=["rds-db:connect"], resources=resources))
        acknowledge_policies(role)
        return role

    def _rotate(self, rotation: Rotation) -> None:
        ours = {name: secret for name, secret in self.secrets.items() if self._users[name].secret is None}
        if self.parameter_group is not None and self.master_secret is not None:
            ours[self._master_username] = self.master_secret
        if ours:
            rotate(self, rotation, self._place, self._source, ours)

    def _check_stacks(self, function: lambda_.Function) -> None:
        check_stacks(self, function, self._place.vpc)

    @property
    def proxy_name(self) -> str:
        """The proxy's name, which its metrics carry."""
        return self.proxy.ref

    def _read_only_endpoint(self) -> str:
        if not (self._source.is_cluster and self._source.has_readers):
            return super()._read_only_endpoint()
        if self._read_only is None:
            self._read_only = rds.CfnDBProxyEndpoint(
                self,
                "ReadOnlyEndpoint",
                db_proxy_name=self.proxy.ref,
                db_proxy_endpoint_name=Names.unique_resource_name(self, max_length=50, separator="-")
                + "-readers",
                vpc_subnet_ids=self._place.subnets.subnet_ids,
                vpc_security_group_ids=[group.security_group_id for group in self._facts.security_groups],
                target_role="READ_ONLY",
            )
            self._read_only.node.add_dependency(self.target_group)
        return self._read_only.attr_endpoint

    @property
    def user_statements(self) -> tuple[str, ...]:
        """The SQL that makes the users, statement by statement: idempotent, run as the master user."""
        return tuple(
            statement
            for user in self._users.values()
            if user.name != self._master_username
            for statement in user_statements(
                self._source.engine, user, self._facts.database_name, token=self._end_to_end
            )
        )

    @property
    def bootstrap_sql(self) -> str:
        """The SQL that makes the users, as a file for psql or mysql. Passwords stand in it by name."""
        names = [password_variable(name) for name in self.secrets]
        return sql_file(self._source.engine, self.user_statements, names)

    def prepare(self, function: lambda_.Function, *, schema: Sequence[str] = ()) -> CustomResource:
        """Have `function` make the tables and the users at each deployment that changes them.

        It is connected as the master user, may read the users' secrets, and is called as the handler of
        a custom resource with the properties ``{"Statements": [...], "Secrets": {"app_password":
        "<ARN>"}}``: idempotent SQL, in which ``:'app_password'`` stands for the password in that secret.

        Args:
            function: a function in the VPC that reaches Secrets Manager (unless IAM authentication is
                end to end).
            schema: idempotent statements that run before the users are made ("CREATE TABLE IF NOT EXISTS
                ...").

        Raises:
            ArgumentError: the master user's secret is not known, or what `connect` refuses.
        """
        if self.master_secret is None:
            raise ArgumentError(
                f"prepare {function.node.path}: the master user's secret is not known: give "
                "master_secret= with a database that exists, or run bootstrap_sql by hand "
                f"({SETUP_PAGE})"
            )
        if self._master_username not in self._users:
            self._users[self._master_username] = DatabaseUser(
                name=self._master_username, secret=self.master_secret
            )
            self._secrets.let_read(self.role, self.master_secret)
            self.proxy.auth = [*authentication([*self.secrets.values(), self.master_secret])]
        self.connect(function, user=self._master_username)
        for secret in self.secrets.values():
            self._secrets.let_read(function, secret)
        return prepared_by(
            function,
            statements=[*schema, *self.user_statements],
            passwords={password_variable(name): secret.secret_arn for name, secret in self.secrets.items()},
            after=self.target_group,
        )
