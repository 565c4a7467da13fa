"""What a proxy's pool can give, against the functions that are connected."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import jsii
from aws_cdk import Annotations, IAspect, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_rds as rds

from lambda_patterns.constructs.function_options import is_token
from lambda_patterns.facts import connections, engines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import IConstruct

    from lambda_patterns.constructs.database_sources import Source

_PINNING_PAGE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-pinning.html"
WARNING = "LambdaPatterns:pool-under-concurrency"
"""The id of the warning, for ``Annotations.of(database).acknowledge_warning``."""


class Client(NamedTuple):
    """A function on the default endpoint, and whether each of its connections keeps one of the pool.

    Who reads from the readers has a pool for each of them, and readers come and go: that is not judged.
    """

    function: lambda_.Function
    pinned: bool


class Size(NamedTuple):
    """How many connections a database takes at most, and its memory in GiB where that bounds them."""

    connections: int
    memory: float | None


def size_of(source: Source) -> Size | None:
    """Give the size of a database as far as this app decides it; None for what is not known."""
    if source.parameters is None:
        return None
    instances = [child for child in source.database.node.find_all() if isinstance(child, rds.CfnDBInstance)]
    if source.is_cluster and any(one.db_parameter_group_name is not None for one in instances):
        # it overrides the cluster's
        return None
    stated = source.parameters.get("max_connections")
    if stated is not None:
        return Size(int(stated), None) if stated.isdecimal() else None
    sizes = [_size(source, instance) for instance in instances]
    if None in sizes or not sizes:
        return None
    # the largest of a cluster: each may become the writer
    return max(size for size in sizes if size is not None)


def _size(source: Source, instance: rds.CfnDBInstance) -> Size | None:
    # aws_cdk writes it lazily; what is no text then is for deployment to decide
    name = Stack.of(instance).resolve(instance.db_instance_class)
    if not isinstance(name, str):
        return None
    if name != connections.SERVERLESS_CLASS:
        most = connections.most_connections(source.engine.name, name)
        return None if most is None else Size(most, connections.class_memory(name))
    if source.capacity is None:
        return None
    least, highest = source.capacity
    found = connections.serverless_connections(source.engine.name, least, highest)
    # an ACU is about 2 GiB
    return None if found is None else Size(found, 2 * highest)


def concurrency(function: lambda_.Function) -> int | None:
    """Give how many environments of a function may run at once; None where only the account bounds them.

    A reservation says it; without one the provisioned environments and the concurrency of its queues say
    how many there are at least.
    """
    resource = function.node.default_child
    reserved = resource.reserved_concurrent_executions if isinstance(resource, lambda_.CfnFunction) else None
    if reserved is not None:
        return None if is_token(reserved) else int(reserved)
    provisioned = polled = 0.0
    for child in function.node.find_all():
        if isinstance(child, lambda_.CfnAlias | lambda_.CfnVersion):
            provisioned += _number(child.provisioned_concurrency_config, "provisioned_concurrent_executions")
        elif isinstance(child, lambda_.CfnEventSourceMapping):
            polled += _number(child.scaling_config, "maximum_concurrency")
    return int(max(provisioned, polled)) or None


def _number(settings: object, name: str) -> float:
    found: float | None = getattr(settings, name, None)
    return 0 if found is None or is_token(found) else found


@jsii.implements(IAspect)
class PoolCheck:
    """Warns at synthesis, when all functions are connected, where the pool is plainly too small for them."""

    def __init__(self, source: Source, percent: int, clients: Sequence[Client]) -> None:
        self._source = source
        self._percent = percent
        self._clients = clients

    def visit(self, node: IConstruct) -> None:
        """Judge the target group that this is added to."""
        suspect = self._percent < connections.least_percent(0) or any(one.pinned for one in self._clients)
        # each look at a construct is a call into aws_cdk, and nearly no database needs one
        if suspect and isinstance(node, rds.CfnDBProxyTargetGroup):
            for problem in problems(size_of(self._source), self._percent, self._clients):
                Annotations.of(node).add_warning_v2(WARNING, problem)


def problems(size: Size | None, percent: int, clients: Sequence[Client]) -> list[str]:
    """Say what is plainly wrong; nothing where the size or the concurrency is not known.

    More functions than connections are what a proxy is for. They fail where each keeps its connection, or
    where the share is below what AWS advises at all.

    Args:
        size: the database's.
        percent: the pool's share of its connections, in %.
        clients: the functions.
    """
    if size is None:
        return []
    pool = size.connections * percent // 100
    what = f"{percent} % of {size.connections:,} connections at most are a pool of {pool:,}"
    found = []
    pinned, names = _at_once([client for client in clients if client.pinned])
    if pinned > pool:
        found.append(
            f"max_connections_percent: {what}, and functions that pin one each run {pinned:,} times at once "
            f"({names}): whoever comes when all are pinned waits for the borrow timeout and fails; reserve "
            "less concurrency for them, raise the share, take a larger database, or avoid the session state "
            f"that pins ({_PINNING_PAGE})"
        )
    least = None if size.memory is None else connections.least_percent(size.memory)
    running, names = _at_once(clients)
    if not found and least is not None and percent < least and running > pool:
        found.append(
            f"max_connections_percent: {what}, and functions run {running:,} times at once ({names}): AWS "
            f"advises {least} % or more on a database of {size.memory:g} GiB, since a proxy keeps some "
            f"connections for itself ({engines.POOL_PAGE})"
        )
    return found


def _at_once(clients: Sequence[Client]) -> tuple[int, str]:
    known = {client.function.node.path: concurrency(client.function) for client in clients}
    counted = {path: count for path, count in known.items() if count is not None}
    return sum(counted.values()), ", ".join(f"{path} {count:,}" for path, count in counted.items())
