"""A proxy that exists already, as something that functions can be connected to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from aws_cdk import Token

from lambda_patterns.constructs.database_connection import ConnectableDatabase, ProxyFacts
from lambda_patterns.constructs.database_users import DatabaseUser, checked_users
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import engines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import Duration
    from aws_cdk import aws_ec2 as ec2
    from constructs import Construct


class ImportedDatabaseProxy(ConnectableDatabase):
    """A proxy made elsewhere. `connect` works on it as on a `ProxiedDatabase`.

    The proxy must require IAM authentication. In aws_cdk an imported proxy cannot be connected: its
    groups are dropped, and its port is not known.

    Args:
        proxy_arn: ``arn:aws:rds:<region>:<account>:db-proxy:prx-<id>``.
        proxy_endpoint: the host name of its default endpoint.
        engine_family: "POSTGRESQL" or "MYSQL", which decides the port.
        security_groups: its groups; functions are let in by all of them.
        users: the names of the users that it can log in as.
        database_name: the database that functions use.
        read_only_endpoint: the host name of its read-only endpoint. Default: it has none.
        vpc: its VPC. Default: not known, and a function in any VPC is taken.
        connected_vpcs: VPCs that are routed to it.
        borrow_timeout: its borrow timeout. Default: not known, and not compared with functions' timeouts.

    Raises:
        ArgumentError: an ARN that is no proxy's, another engine family, no group or no user.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-connecting.html
    """

    def __init__(  # noqa: PLR0913  # each is one fact of the proxy
        self,
        scope: Construct,
        construct_id: str,
        *,
        proxy_arn: str,
        proxy_endpoint: str,
        engine_family: Literal["POSTGRESQL", "MYSQL"],
        security_groups: Sequence[ec2.ISecurityGroup],
        users: Sequence[str],
        database_name: str,
        read_only_endpoint: str | None = None,
        vpc: ec2.IVpc | None = None,
        connected_vpcs: Sequence[ec2.IVpc] = (),
        borrow_timeout: Duration | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        if not Token.is_unresolved(proxy_arn) and ":db-proxy:prx-" not in proxy_arn:
            raise ArgumentError(
                f"proxy_arn: {proxy_arn!r} is no proxy's, it looks like "
                f"arn:aws:rds:eu-central-1:123456789012:db-proxy:prx-0123 ({engines.PROXY_PAGE})"
            )
        if engine_family not in {"POSTGRESQL", "MYSQL"}:
            raise ArgumentError(
                f"engine_family: {engine_family!r} is refused, allowed are POSTGRESQL and MYSQL "
                f"({engines.PROXY_PAGE})"
            )
        if not security_groups:
            raise ArgumentError(
                f"security_groups: none is given, so no function could be let in ({engines.PROXY_PAGE})"
            )
        self._host_of_readers = read_only_endpoint
        self._facts = ProxyFacts(
            arn=proxy_arn,
            endpoint=proxy_endpoint,
            engine_family=engine_family,
            security_groups=security_groups,
            users=checked_users([DatabaseUser(name=name) for name in users], engine_family),
            database_name=database_name,
            vpcs=[] if vpc is None else [vpc, *connected_vpcs],
            borrow_timeout=borrow_timeout,
        )

    def _read_only_endpoint(self) -> str:
        if self._host_of_readers is None:
            return super()._read_only_endpoint()
        return self._host_of_readers
