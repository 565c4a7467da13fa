"""A database that calls a function: the role, the parameters, the path and the SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnOutput, PhysicalName, Stack, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_rds as rds
from constructs import Construct

from lambda_patterns.constructs.database_engine import invoking_engine, version_of
from lambda_patterns.constructs.database_events import has_roles, setup_statements, trigger_statements
from lambda_patterns.constructs.database_reasons import acknowledge_policies
from lambda_patterns.constructs.database_users import checked_users
from lambda_patterns.constructs.network import LambdaNetwork
from lambda_patterns.constructs.proxied_database import ProxiedDatabase
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts.engines import Engine, Invoke

if TYPE_CHECKING:
    from collections.abc import Sequence

_SERVICE = "lambda"
_ROLE = "InvokeRole"


class DatabaseInvoke(Construct):
    """Lets a database invoke a function, for RDS for PostgreSQL, Aurora PostgreSQL and Aurora MySQL.

    The database gets a role that may invoke this function (or alias) and nothing else, the parameters
    that its engine needs, and a way out to the Lambda API on 443. The role stands in the database's
    stack and its permission in the function's, so a function that also connects to the database makes
    no dependency cycle. A second function of the same database is added to the same role. A function of
    another account needs a permission of its own, which is made where that account is part of the app
    and printed as an output where it is not.

    Args:
        database: a `ProxiedDatabase`, or an instance or cluster of aws_rds.
        function: a function, or one alias of it.
        network: the `LambdaNetwork` of the database, whose endpoint of Lambda or NAT gateway it goes
            through.
            Default: that of the `ProxiedDatabase`.
        endpoint: in a VPC that is no `LambdaNetwork`, the interface endpoint of Lambda (or its group), with
            private DNS. Default: none, and the database goes out through the NAT gateway of its subnets.
        parameter_group: the database's own parameter group, to which the parameters are added. Default:
            that of the `ProxiedDatabase`.
        role: for a database that was imported, the role that is associated with it already.
        users: users of the database that may call functions by themselves. Default none: a trigger made by
            `trigger_statements` calls in its owner's name.

    Raises:
        ArgumentError: an engine or version that cannot invoke functions, no way to the Lambda API, or a
            database whose role or parameters cannot be set from here.

    Attributes:
        role: the role that the database invokes with.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL-Lambda.html
    """

    def __init__(  # noqa: PLR0913  # each is one thing that the call needs
        self,
        scope: Construct,
        construct_id: str,
        *,
        database: ProxiedDatabase | rds.IDatabaseInstance | rds.IDatabaseCluster,
        function: lambda_.IFunction,
        network: LambdaNetwork | None = None,
        endpoint: ec2.IConnectable | None = None,
        parameter_group: rds.ParameterGroup | None = None,
        role: iam.IRole | None = None,
        users: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        target: Any = database
        if isinstance(database, ProxiedDatabase):
            target = database.database
            parameter_group = parameter_group or database.parameter_group
            if network is None and isinstance(database.network, LambdaNetwork):
                network = database.network
        self._engine = _engine_of(target)
        self._version = version_of(target.engine)
        self._function = function
        self._users = tuple(checked_users(users, self._engine.proxy_family)) if users else ()
        uses_endpoint = self._open_path(target, network, endpoint)
        self._check_region(target, uses_endpoint=uses_endpoint)
        self.role = self._associate(target, role)
        self._set_parameters(parameter_group, uses_endpoint=uses_endpoint)
        policy = iam.Policy(
            *self._place_of_policy(target),
            statements=[
                iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.function_arn])
            ],
            roles=[self.role],
        )
        acknowledge_policies(policy)
        self._let_other_account(target)
        CfnOutput(
            self,
            "Sql",
            description="Run once as the master user, before a trigger is made",
            value="; ".join(self.setup_statements) + ";" if self.setup_statements else "-- nothing to set up",
        )

    @property
    def setup_statements(self) -> tuple[str, ...]:
        """The SQL to run once as the master user: the extension, and what `users` are granted."""
        return setup_statements(self._engine, self._version, self._users)

    def trigger_statements(self, table: str, *, columns: Sequence[str] = ()) -> tuple[str, ...]:
        """Give idempotent SQL for a trigger that reports each changed row of a table to the function.

        What it sends: ``{"id": "<uuid>", "table": "orders", "operation": "INSERT", "row": {...}}``, as an
        asynchronous invocation.

        Args:
            table: the table's name, 1-63 letters, digits and underscores.
            columns: the columns to send. Default: all; Aurora MySQL needs them named.

        Raises:
            ArgumentError: a name that is no plain identifier, or no columns for Aurora MySQL.
        """
        return trigger_statements(
            self._engine, table, self._function.function_arn, self._function.env.region, columns
        )

    def _place_of_policy(self, target: Any) -> tuple[Any, str]:  # noqa: ANN401  # see _engine_of
        """Give scope and id of the policy, which names the function and so belongs in its stack.

        In the database's stack it would make a dependency cycle as soon as the function connects to the
        database.
        """
        function, database = Stack.of(self._function), Stack.of(target)
        if function.node.path == Stack.of(self).node.path or (
            (function.account, function.region) != (database.account, database.region)
        ):
            return self, "Policy"
        return self._function, f"InvokedBy{self.node.addr[-8:]}"

    def _check_region(self, target: Any, *, uses_endpoint: bool) -> None:  # noqa: ANN401  # see _engine_of
        theirs, ours = self._function.env.region, target.env.region
        if not uses_endpoint or Token.is_unresolved(theirs) or Token.is_unresolved(ours) or theirs == ours:
            return
        raise ArgumentError(
            f"function: it is in {theirs}, the database in {ours}, and the endpoint of Lambda leads to "
            f"{ours} alone: call a function of that Region, or let the database out through NAT "
            f"({self._engine.source})"
        )

    def _open_path(
        self,
        target: Any,  # noqa: ANN401  # see _engine_of
        network: LambdaNetwork | None,
        endpoint: ec2.IConnectable | None,
    ) -> bool:
        """Let the database out to the Lambda API; say whether through an endpoint."""
        if network is None:
            if endpoint is None:
                target.connections.allow_to_any_ipv4(ec2.Port.HTTPS, "To the Lambda API through NAT")
            else:
                target.connections.allow_to(endpoint, ec2.Port.HTTPS, "To the endpoint of Lambda")
            return endpoint is not None
        if network.leads_out is False and _SERVICE not in network.services:
            raise ArgumentError(
                "network: the database does not reach the Lambda API: nothing leads out of this "
                f"network, and it has no endpoint for it: add {_SERVICE!r} to its Endpoints "
                f"({self._engine.source})"
            )
        network.let_out(target, [_SERVICE])
        return _SERVICE in network.services

    def _associate(self, target: Any, role: iam.IRole | None) -> iam.IRole:  # noqa: ANN401  # see _engine_of
        own = target.node.default_child
        if not isinstance(own, rds.CfnDBInstance | rds.CfnDBCluster):
            if role is None:
                raise ArgumentError(
                    "role: the database was imported, and CloudFormation cannot associate a role with "
                    "it: associate one (aws rds add-role-to-db-instance or add-role-to-db-cluster, "
                    f"feature Lambda) and give it as role= ({self._engine.source})"
                )
            return role
        # a database has one role for the feature, which further functions are added to
        shared = target.node.try_find_child(_ROLE)
        if role is None and shared is not None:
            known: iam.IRole = shared
            return known
        if role is None:
            role = iam.Role(
                target,
                _ROLE,
                role_name=PhysicalName.GENERATE_IF_NEEDED,
                assumed_by=iam.ServicePrincipal("rds.amazonaws.com"),
                description="Lets the database invoke the functions that it is given",
            )
        feature = None if self._engine.invoke is Invoke.PARAMETER else "Lambda"
        kind: Any = (
            rds.CfnDBInstance.DBInstanceRoleProperty
            if isinstance(own, rds.CfnDBInstance)
            else rds.CfnDBCluster.DBClusterRoleProperty
        )
        given = own.associated_roles
        own.associated_roles = [
            *(given if isinstance(given, list) else []),
            kind(feature_name=feature, role_arn=role.role_arn) if feature else kind(role_arn=role.role_arn),
        ]
        return role

    def _set_parameters(self, group: rds.ParameterGroup | None, *, uses_endpoint: bool) -> None:
        needed: dict[str, str] = {}
        if self._engine.invoke is Invoke.PARAMETER:
            needed = {"aws_default_lambda_role": self.role.role_arn}
            if has_roles(self._version):
                needed["activate_all_roles_on_login"] = "ON"
        elif self._engine.name == "postgres" and uses_endpoint:
            needed = {"rds.custom_dns_resolution": "1"}
        for name, value in needed.items():
            # to a group that was imported nothing is added
            if group is None or not group.add_parameter(name, value):
                raise ArgumentError(
                    f"parameter_group: {self._engine.title} needs {', '.join(sorted(needed))} here: give the "
                    "database a parameter group of its own, and that group as parameter_group= "
                    f"({self._engine.source})"
                )

    def _let_other_account(self, target: Any) -> None:  # noqa: ANN401  # see _engine_of
        theirs, ours = self._function.env.account, target.env.account
        if Token.is_unresolved(theirs) or Token.is_unresolved(ours) or theirs == ours:
            return
        # within one account the role's own permission is enough
        if Stack.of(self._function).account != theirs:
            # a policy of the function cannot be written from here: its owner has to
            CfnOutput(
                self,
                "Permission",
                description=f"Run once in account {theirs}, which the function is in",
                value="aws lambda add-permission --action lambda:InvokeFunction --statement-id "
                f"database-{self.node.addr[-8:]} --function-name {self._function.function_arn} "
                f"--principal {self.role.role_arn}",
            )
            return
        self._function.add_permission(
            f"Invoke{self.node.addr[-8:]}", principal=iam.ArnPrincipal(self.role.role_arn)
        )


def _engine_of(target: Any) -> Engine:  # noqa: ANN401  # an instance or a cluster: both have what is asked
    if target.engine is None:
        raise ArgumentError(
            "database: it was imported without its engine: give engine= to "
            "from_database_instance_attributes or from_database_cluster_attributes "
            "(https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL-Lambda.html)"
        )
    return invoking_engine(target.engine)
