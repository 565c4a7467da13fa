"""Which resource a value names: by Ref or GetAtt, by an ARN written out, or by its physical name.

Not modelled: host names that are written out; the Region and account in a queue URL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.model.texts import arn_segments, join
from lambda_patterns.model.values import Reference, Text, Unknown, plain, same

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


_Name = str | Text | Unknown


class Names:
    """The resources of a world by the names that their templates give them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_name: dict[tuple[str, _Name], list[Resource]] | None = None

    def resource_of(self, value: Value, *types: str) -> Resource | None:
        """The one resource that `value` names, or None.

        Args:
            value: a reference to it or to an attribute of it, a text that is its ARN or queue URL, or its
                physical name, even one that deployment decides, where that decides the resource's name too.
            types: the types that a bare physical name may belong to. Default: a bare name names nothing.
        """
        if isinstance(value, Reference):
            return value.resource
        segments = arn_segments(value)
        if segments is not None:
            return self._by_arn(segments)
        queue = _queue_name(value)
        if queue is not None:
            return self._only(self._named("AWS::SQS::Queue", queue))
        return self._only([resource for kind in types for resource in self._named(kind, value)])

    def _by_arn(self, segments: list[Value]) -> Resource | None:
        _, _, service, region, account, rest = segments
        if not isinstance(service, str):
            return None
        if not isinstance(rest, str) and (named := _named_within(rest, service)) is not None:
            return named
        found = []
        for kind, (owner, _, prefix) in NAMED_BY.items():
            name = _without(rest, prefix) if owner == service else None
            if isinstance(name, str):
                found += self._named(kind, name) or self._named(kind, name.partition(":")[0])
            else:
                found += self._named(kind, name)
        return self._only([resource for resource in found if _is_there(resource, region, account)])

    def _named(self, kind: str, name: Value) -> list[Resource]:
        key = _key(name)
        if key is None:
            return []
        if self._by_name is None:
            self._by_name = {}
            for scope in self._world.scopes:
                for resource in scope.resources.values():
                    named_by = NAMED_BY.get(resource.type)
                    written = _key(resource.get(named_by[1])) if named_by else None
                    if written is not None:
                        self._by_name.setdefault((resource.type, written), []).append(resource)
        return self._by_name.get((kind, key), [])

    @staticmethod
    def _only(found: list[Resource]) -> Resource | None:
        return found[0] if len(found) == 1 else None


def _key(name: Value) -> _Name | None:
    """A name as it compares with others; None where nothing says what decides it."""
    if isinstance(name, Unknown):
        return name if name.name else None
    if isinstance(name, Text):
        return name if all(part.name for part in name.parts if isinstance(part, Unknown)) else None
    return plain(name) or None


def _queue_name(value: Value) -> Value:
    """The name at the end of a queue URL, "https://sqs.<region>.amazonaws.com/<account>/<name>"."""
    parts = value.parts if isinstance(value, Text) else (value,)
    if not (isinstance(parts[0], str) and parts[0].startswith("https://sqs.")):
        return None
    last = max(index for index, part in enumerate(parts) if isinstance(part, str) and "/" in part)
    return join([str(parts[last]).rpartition("/")[2], *parts[last + 1 :]])


def _without(rest: Value, prefix: str) -> Value:
    """What stands behind a prefix; None where something else stands before it."""
    first, *more = rest.parts if isinstance(rest, Text) else (rest,)
    if not prefix:
        return rest
    if not isinstance(first, str) or not first.startswith(prefix):
        return None
    return join([first[len(prefix) :], *more])


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
