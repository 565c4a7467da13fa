"""One call that connects a function to a proxy, in whichever stack either stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import jsii
from aws_cdk import Arn, ArnComponents, ArnFormat, Fn, Stack, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambda_patterns.constructs.database_pool import Client
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import engines, limits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import Duration
    from aws_cdk import aws_lambda as lambda_

    from lambda_patterns.constructs.database_users import DatabaseUser

_CONNECTING_PAGE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-connecting.html"
_ENDPOINTS_PAGE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-endpoints.html"
_POOL_PAGE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-connections.html"
# What aws_cdk gives for a VPC's id until a lookup has answered.
_PENDING = "vpc-12345"
_PREFIX_METADATA = "lambda-patterns:database-environment"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyFacts:
    """What a connection must know of a proxy, whether it is made here or imported."""

    arn: str
    endpoint: str
    engine_family: str
    security_groups: Sequence[ec2.ISecurityGroup]
    users: Mapping[str, DatabaseUser]
    database_name: str
    vpcs: Sequence[ec2.IVpc]
    borrow_timeout: Duration | None


@jsii.implements(ec2.IConnectable)
class ConnectableDatabase(Construct):
    """A database behind a proxy, that functions are connected to by one call."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self._facts: ProxyFacts
        self._connections: ec2.Connections | None = None
        self._clients: list[Client] = []

    @property
    def endpoint(self) -> str:
        """The host name of the proxy's default endpoint, which reads and writes."""
        return self._facts.endpoint

    @property
    def port(self) -> int:
        """The port that the proxy listens on: its engine family's own, whatever the port of the database."""
        return engines.PROXY_PORTS[self._facts.engine_family]

    @property
    def proxy_arn(self) -> str:
        """The proxy's ARN, ``arn:aws:rds:<region>:<account>:db-proxy:prx-<id>``."""
        return self._facts.arn

    @property
    def proxy_name(self) -> str:
        """The proxy's name, which its metrics carry: the first label of its default endpoint."""
        return Fn.select(0, Fn.split(".", self.endpoint))

    @property
    def users(self) -> tuple[str, ...]:
        """The names of the users that the proxy logs in as."""
        return tuple(self._facts.users)

    @property
    def connections(self) -> ec2.Connections:
        """The proxy's security groups, with the port it listens on."""
        # always the same one: aws_cdk notes on it, while it adds a rule, in which stack the rule belongs
        if self._connections is None:
            self._connections = ec2.Connections(
                security_groups=list(self._facts.security_groups), default_port=ec2.Port.tcp(self.port)
            )
        return self._connections

    def connect(
        self,
        function: lambda_.Function,
        *,
        user: str,
        read_only: bool = False,
        environment_prefix: str = "DATABASE",
        pinned: bool = False,
    ) -> None:
        """Let `function` connect to the database as `user`: permission, both group rules, and environment.

        The permission and the rules are placed in the function's stack, so that no wiring of stacks makes a
        dependency cycle. The function finds ``<prefix>_HOST``, ``_PORT``, ``_USER``, ``_NAME`` and
        ``_REGION`` in its environment, and connects with an IAM token over TLS whose certificate it
        verifies (the proxy's comes from AWS Certificate Manager: the system's authorities will do).

        Args:
            function: a function inside the VPC of the proxy, or one that is connected to it.
            user: one of `users`.
            read_only: whether it uses the read-only endpoint, which reads from the readers of a cluster.
            environment_prefix: what the names of the variables begin with. Give another for the second
                database of a function.
            pinned: whether its connections each keep one of the pool's to themselves until they are closed,
                because they set session state (SET, temporary tables, named prepared statements, LISTEN).
                With it the writer's pool is held against the function's concurrency. Default False: as
                `functions/query_orders` shows, a function need not.

        Raises:
            ArgumentError: the user is unknown, the function is outside the VPC or in one that is not
                connected, the read-only endpoint does not exist, the function gives up before the proxy
                does, or the prefix is taken.

        Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-connecting.html
        """
        self._check(function, user)
        host = self._read_only_endpoint() if read_only else self._facts.endpoint
        self._claim(function, environment_prefix)
        if not read_only:
            self._clients.append(Client(function, pinned))
        function.add_to_role_policy(
            iam.PolicyStatement(actions=["rds-db:connect"], resources=[self._user_arn(user)])
        )
        function.connections.allow_to(
            self, ec2.Port.tcp(self.port), f"Connections to the proxy of {self.node.id}"
        )
        for name, value in {
            "HOST": host,
            "PORT": str(self.port),
            "USER": user,
            "NAME": self._facts.database_name,
            "REGION": self._home()[0],
        }.items():
            function.add_environment(f"{environment_prefix}_{name}", value)

    def _read_only_endpoint(self) -> str:
        raise ArgumentError(
            "read_only: this proxy has no read-only endpoint: only a proxy before an Aurora cluster "
            f"with a reader can have one ({_ENDPOINTS_PAGE})"
        )

    def _user_arn(self, user: str) -> str:
        # arn:aws:rds:<region>:<account>:db-proxy:prx-<id>: the policy names the proxy by its last part
        region, account = self._home()
        resource_id = Fn.select(6, Fn.split(":", self._facts.arn))
        return user_arn(self, resource_id, user, region=region, account=account)

    def _home(self) -> tuple[str, str]:
        """Give the proxy's Region and account: what its ARN says, else its stack's."""
        if Token.is_unresolved(self._facts.arn):
            return Stack.of(self).region, Stack.of(self).account
        _, _, _, region, account, *_ = self._facts.arn.split(":")
        return region, account

    def _check(self, function: lambda_.Function, user: str) -> None:
        where = f"connect {function.node.path}"
        if not hasattr(function, "add_environment"):
            raise ArgumentError(
                f"{where}: it is an alias, a version or an imported function, whose environment cannot be "
                "changed: connect the function itself, where it is made; its aliases and versions share its "
                f"role and its environment ({_CONNECTING_PAGE})"
            )
        if user not in self._facts.users:
            raise ArgumentError(
                f"{where}: user {user!r} is not one of this proxy's ({', '.join(self._facts.users)}): "
                f"the proxy could not log in as it; add it to users= ({_CONNECTING_PAGE})"
            )
        if not function.is_bound_to_vpc:
            raise ArgumentError(
                f"{where}: the function is outside a VPC, and a proxy is reached from inside one alone: "
                f"give the function the proxy's VPC, or make it a VpcFunction ({engines.PROXY_PAGE})"
            )
        vpc = getattr(function, "vpc", None)
        if vpc is not None and self._facts.vpcs and all(_differ(vpc, known) for known in self._facts.vpcs):
            raise ArgumentError(
                f"{where}: the function is in {vpc.node.path}, the proxy in "
                f"{self._facts.vpcs[0].node.path}: no route between them is known; use one VPC, or name "
                f"the function's in connected_vpcs= where they are peered ({engines.PROXY_PAGE})"
            )
        self._check_stacks(function)
        borrow, timeout = self._facts.borrow_timeout, function.timeout
        seconds = limits.DEFAULT_TIMEOUT if timeout is None else timeout.to_seconds()
        if borrow is not None and not Token.is_unresolved(seconds) and borrow.to_seconds() >= seconds:
            raise ArgumentError(
                f"{where}: its timeout is {seconds} s, the proxy's borrow timeout "
                f"{borrow.to_seconds():g} s: the function would be ended before it hears that no "
                f"connection is free; raise its timeout or lower borrow_timeout= ({_POOL_PAGE})"
            )

    def _check_stacks(self, function: lambda_.Function) -> None:
        """Refuse stacks that would each need the other first. What is imported needs no stack."""

    def _claim(self, function: lambda_.Function, prefix: str) -> None:
        for entry in function.node.metadata:
            if entry.type == _PREFIX_METADATA and entry.data == prefix:
                raise ArgumentError(
                    f"connect {function.node.path}: the variables {prefix}_* already name a database: "
                    f"give this one another environment_prefix= ({_CONNECTING_PAGE})"
                )
        function.node.add_metadata(_PREFIX_METADATA, prefix)


def _differ(one: ec2.IVpc, other: ec2.IVpc) -> bool:
    """Whether two VPCs are known to be two: both are made in this app, or imported by their ids."""
    if isinstance(one, ec2.Vpc) and isinstance(other, ec2.Vpc):
        return one.node.path != other.node.path
    ids = (one.vpc_id, other.vpc_id)
    if _PENDING in ids or any(Token.is_unresolved(found) for found in ids):
        return False
    return ids[0] != ids[1]


def user_arn(
    scope: Construct, resource_id: str, user: str, *, region: str | None = None, account: str | None = None
) -> str:
    """Write what `rds-db:connect` is allowed on: one user of a database or proxy.

    Args:
        scope: whose stack says Region and account where they are not given.
        resource_id: the id of the database (``db-ABC``, ``cluster-ABC``) or proxy (``prx-0123``).
        user: the user's name.
        region: Default: the stack's.
        account: Default: the stack's.
    """
    return Arn.format(
        ArnComponents(
            service="rds-db",
            region=region,
            account=account,
            resource="dbuser",
            resource_name=f"{resource_id}/{user}",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        ),
        Stack.of(scope),
    )
