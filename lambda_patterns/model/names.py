"""Which resource a value names: by Ref or GetAtt, by an ARN written out, or by its physical name.

Not modelled: queue URLs and host names that are written out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.model.texts import arn_segments
from lambda_patterns.model.values import Reference, Text, plain, same

if TYPE_CHECKING:
    from lambda_patterns.model.scope import World
    from lambda_patterns.model.template import Resource
    from lambda_patterns.model.values import Value

NAMED_BY = {
    "AWS::Lambda::Function": ("lambda", "FunctionName", "function:"),
    "AWS::SQS::Queue": ("sqs", "QueueName", ""),
    "AWS::SNS::Topic": ("sns", "TopicName", ""),
    "AWS::S3::Bucket": ("s3", "BucketName", ""),
    "AWS::IAM::Role": ("iam", "RoleName", "role/"),
    "AWS::IAM::ManagedPolicy": ("iam", "ManagedPolicyName", "policy/"),
    "AWS::DynamoDB::Table": ("dynamodb", "TableName", "table/"),
    "AWS::SecretsManager::Secret": ("secretsmanager", "Name", "secret:"),
    "AWS::SSM::Parameter": ("ssm", "Name", "parameter/"),
    "AWS::Events::EventBus": ("events", "Name", "event-bus/"),
    "AWS::Events::Rule": ("events", "Name", "rule/"),
    "AWS::StepFunctions::StateMachine": ("states", "StateMachineName", "stateMachine:"),
    "AWS::Kinesis::Stream": ("kinesis", "Name", "stream/"),
    "AWS::Logs::LogGroup": ("logs", "LogGroupName", "log-group:"),
    "AWS::RDS::DBInstance": ("rds", "DBInstanceIdentifier", "db:"),
    "AWS::RDS::DBCluster": ("rds", "DBClusterIdentifier", "cluster:"),
    "AWS::RDS::DBProxy": ("rds", "DBProxyName", "db-proxy:"),
}
"""Type -> the service in its ARN, the property that names it, and what stands before the name in the ARN."""


class Names:
    """The resources of a world by the names that their templates give them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_name: dict[tuple[str, str], list[Resource]] | None = None

    def resource_of(self, value: Value, *types: str) -> Resource | None:
        """The one resource that `value` names, or None.

        Args:
            value: a reference to it or to an attribute of it, a text that is its ARN, or its physical name.
            types: the types that a bare physical name may belong to. Default: a bare name names nothing.
        """
        if isinstance(value, Reference):
            return value.resource
        if isinstance(value, str) and not value.startswith("arn:"):
            return self._only([resource for kind in types for resource in self._named(kind, value)])
        segments = arn_segments(value)
        return None if segments is None else self._by_arn(segments)

    def _by_arn(self, segments: list[Value]) -> Resource | None:
        _, _, service, region, account, rest = segments
        if not isinstance(service, str):
            return None
        if not isinstance(rest, str):
            return _named_within(rest, service)
        found = []
        for kind, (owner, _, prefix) in NAMED_BY.items():
            if owner == service and rest.startswith(prefix):
                name = rest[len(prefix) :]
                found += self._named(kind, name) or self._named(kind, name.partition(":")[0])
        return self._only([resource for resource in found if _is_there(resource, region, account)])

    def _named(self, kind: str, name: str) -> list[Resource]:
        if self._by_name is None:
            self._by_name = {}
            for scope in self._world.scopes:
                for resource in scope.resources.values():
                    named_by = NAMED_BY.get(resource.type)
                    written = named_by and plain(resource.get(named_by[1]))
                    if written:
                        self._by_name.setdefault((resource.type, written), []).append(resource)
        return self._by_name.get((kind, name), [])

    @staticmethod
    def _only(found: list[Resource]) -> Resource | None:
        return found[0] if len(found) == 1 else None


def _named_within(rest: Value, service: str) -> Resource | None:
    """The resource whose Ref or name ends an ARN: ``function:`` + Ref of a function."""
    prefix, *more = ("", rest) if not isinstance(rest, Text) else rest.parts
    if not isinstance(prefix, str):
        prefix, more = "", [prefix, *more]
    named = more[0] if more else None
    if not isinstance(named, Reference) or (more[1:] and not str(more[1]).startswith(":")):
        return None
    owner, own, before = NAMED_BY.get(named.resource.type, ("", "", ""))
    return named.resource if (owner, before) == (service, prefix) and named.attribute in (None, own) else None


def _is_there(resource: Resource, region: Value, account: Value) -> bool:
    """Whether an ARN's Region and account, empty where the service leaves them out, may be the resource's."""
    own = resource.environment
    return all(
        part == "" or same(part, mine) is not False for part, mine in zip((region, account), own, strict=True)
    )
