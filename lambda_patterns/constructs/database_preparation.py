"""The custom resource that makes a database's tables and users at deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnResource, CustomResource, Stack, custom_resources

from lambda_patterns.constructs.database_reasons import acknowledge_provider
from lambda_patterns.constructs.own_resource import own_resource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_lambda as lambda_
    from constructs import IDependable


def prepared_by(
    function: lambda_.Function,
    *,
    statements: Sequence[str],
    passwords: Mapping[str, str],
    after: IDependable,
) -> CustomResource:
    """Have `function` run `statements` at each deployment that changes them.

    Args:
        function: the handler, as of `ProxiedDatabase.prepare`.
        statements: idempotent SQL, in order.
        passwords: the ARN of the secret with the password that a variable in the SQL stands for.
        after: what has to exist first.
    """
    provider = custom_resources.Provider(function, "PreparationProvider", on_event_handler=function)
    resource = own_resource(function, CfnResource)
    acknowledge_provider(provider, Stack.of(function).get_logical_id(resource))
    prepared = CustomResource(
        function,
        "Preparation",
        resource_type="Custom::PreparedDatabase",
        service_token=provider.service_token,
        properties={"Statements": list(statements), "Secrets": dict(passwords)},
    )
    prepared.node.add_dependency(after)
    return prepared
