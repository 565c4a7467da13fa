"""Who may do what: execution roles with all that is attached to them, and the policies of resources.

A resource of a statement is matched against the ARN that the named resource will have (see
`lambda_patterns.model.matching`): ``Reference`` against ``Reference`` is decided by identity, a written ARN
against a reference by service, Region, account and name as far as they are written, ``Text`` part by part.
Whatever depends on an `Unknown`, on a role or policy that is not here, or on a condition that cannot be
evaluated, is UNKNOWN.

Not modelled: service control and session policies, policies that another account or a stack that is not here
attaches to a role, groups and users, and resource policies that AWS adds itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_patterns.model.coercions import as_list
from lambda_patterns.model.managed_policies import managed_policy
from lambda_patterns.model.matching import segments_of
from lambda_patterns.model.policies import ACCOUNT, Call, Decision, decision, permission, statements, weigh
from lambda_patterns.model.template import Resource
from lambda_patterns.model.values import Reference, Text, Unknown, every, plain, some

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.policies import Statement
    from lambda_patterns.model.values import Value

    _Invocations = dict[Resource | tuple[Resource | None, str] | None, list[Statement | None]]

_ROLE = "AWS::IAM::Role"
_MANAGED = "AWS::IAM::ManagedPolicy"
_ATTACHED_BY = (("AWS::IAM::Policy", "Roles"), (_MANAGED, "Roles"), ("AWS::IAM::RolePolicy", "RoleName"))
_POLICY_OF = {
    "AWS::SQS::Queue": (
        ("AWS::SQS::QueuePolicy", "Queues", "PolicyDocument"),
        ("AWS::SQS::QueueInlinePolicy", "Queue", "PolicyDocument"),
    ),
    "AWS::SNS::Topic": (
        ("AWS::SNS::TopicPolicy", "Topics", "PolicyDocument"),
        ("AWS::SNS::TopicInlinePolicy", "TopicArn", "PolicyDocument"),
    ),
    "AWS::S3::Bucket": (("AWS::S3::BucketPolicy", "Bucket", "PolicyDocument"),),
    "AWS::SecretsManager::Secret": (("AWS::SecretsManager::ResourcePolicy", "SecretId", "ResourcePolicy"),),
    "AWS::Events::EventBus": (("AWS::Events::EventBusPolicy", "EventBusName", "Statement"),),
}
_MORE: dict[str, Value] = {"Effect": "Allow", "Action": Unknown("not in the table"), "Resource": "*"}
"""What stands for the statements of a policy of AWS's that are not in the table: they deny nothing."""

_OWN_POLICY = {"AWS::KMS::Key": "KeyPolicy", "AWS::EC2::VPCEndpoint": "PolicyDocument"}


class Policies:
    """The statements that hold for a role or a resource.

    Attributes:
        known: the statements, None among them for each that cannot be read.
        grants: those that allow something.
        complete: whether all that could say something is known.
        refuses: whether a statement denies something, or may.
    """

    __slots__ = ("complete", "grants", "known", "refuses")

    def __init__(self, known: Iterable[Statement | None]) -> None:
        self.known = tuple(known)
        readable = [statement for statement in self.known if statement is not None]
        self.grants = tuple(statement for statement in readable if statement.allows)
        self.refuses = len(self.grants) < len(readable)
        self.complete = len(readable) == len(self.known) and not any(
            isinstance(action, Unknown) for statement in readable for action in statement.actions
        )


class Permissions:
    """The permissions of one deployment. Answers are kept."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._of_roles: dict[Resource, Policies] = {}
        self._of_resources: dict[Resource, Policies | None] = {}
        self._written: dict[Resource, tuple[Statement | None, ...]] = {}
        self._boundaries: dict[Resource, Policies] = {}
        self._managed_by: dict[str | Text, Resource | str | None] = {}
        self._of_aws: dict[str, tuple[Statement, ...]] = {}
        self._invocations: dict[str, _Invocations] = {}

    def role_of(self, function: Resource) -> Resource | None:
        """The execution role of a function, None where it is not in the deployment."""
        return self._role(function.get("Role"))

    def _role(self, value: Resource | Value) -> Resource | None:
        found = value if isinstance(value, Resource) else self._deployment.resource_of(value, _ROLE)
        return found if found is not None and found.type == _ROLE else None

    def policies(self, role: Resource) -> Policies:
        """All that is attached to a role, by whatever stack of the deployment."""
        if role not in self._of_roles:
            known = tuple(self._attached(role))
            self._of_roles[role] = Policies((*known, None) if self._deployment.incomplete else known)
        return self._of_roles[role]

    def grants(self, role: Resource | Value) -> tuple[Statement, ...]:
        """What is allowed to a role (or one that a value names), as written; nothing if it is not here."""
        found = self._role(role)
        return () if found is None else self.policies(found).grants

    def may(
        self, role: Resource | Value, action: str, target: Value = "*", *, by_code: bool = False
    ) -> Decision:
        """Decide whether a role may do `action` to `target`.

        Args:
            role: the role, or a value that names it. One that is not in the deployment: UNKNOWN.
            action: "sqs:SendMessage".
            target: a reference to the resource, or its ARN. Default: "*", for actions that know no resources.
            by_code: whether the function's code does it. Default: the Lambda service does it with the role,
                which the documented deny on the function's own code does not stop.
        """
        found = self._role(role)
        if found is None:
            return Decision.UNKNOWN
        call = Call(action, target, by_code=by_code)
        allow, deny = weigh(self.policies(found).known, call)
        named = self._deployment.resource_of(target)
        own = None if named is None else self.policy_of(named)
        if named is not None and own is not None:
            granted, refused = weigh(own.known, call._replace(principal=found))
            deny = some((deny, refused))
            if named.type == "AWS::KMS::Key":
                delegated, _ = weigh(own.known, call._replace(principal=ACCOUNT))
                allow = every((allow, delegated))
            allow = some((allow, granted))
        limit = self._boundary(found)
        if limit is not None:
            within, beyond = weigh(limit.known, call)
            allow, deny = every((allow, within)), some((deny, beyond))
        return decision(allow, deny)

    def trusts(self, role: Resource | Value, service: str) -> Decision:
        """Decide whether a role lets a service assume it. One that says nothing or is not here: UNKNOWN."""
        found, name = self._role(role), "AssumeRolePolicyDocument"
        written = () if found is None else tuple(statements(found.get(name), found, (name,)))
        return (
            decision(*weigh(written, Call("sts:AssumeRole", "*", service))) if written else Decision.UNKNOWN
        )

    def admits(
        self, resource: Resource, principal: str, action: str, *, source: Value = None, target: Value = None
    ) -> Decision:
        """Decide whether a resource's own policy lets a service do `action`.

        Args:
            resource: a queue, topic, bucket, key, secret, event bus or function.
            principal: the service ("sns.amazonaws.com").
            action: "sqs:SendMessage".
            source: what it acts for, in aws:SourceArn: a reference to the topic, say. Default: not known.
            target: the ARN in the request. Default: the resource itself.

        Returns:
            DENIED where there is no policy: a service is let in by one alone.
        """
        if resource.type.startswith("AWS::Lambda::"):
            return self._admits_invocation(resource, Call(action, "*", principal, source))
        own = self.policy_of(resource)
        call = Call(action, Reference(resource, "Arn") if target is None else target, principal, source)
        return Decision.DENIED if own is None else decision(*weigh(own.known, call))

    def policy_of(self, resource: Resource) -> Policies | None:
        """A resource's own policy, None where it has none (such an endpoint lets everything through)."""
        if resource not in self._of_resources:
            self._of_resources[resource] = self._resource_policy(resource)
        return self._of_resources[resource]

    def passes(
        self, endpoint: Resource, role: Resource | Value, action: str, target: Value = "*"
    ) -> Decision:
        """Decide whether a VPC endpoint's policy lets a role's request through. Without a policy it does."""
        own = self.policy_of(endpoint)
        if own is None:
            return Decision.ALLOWED
        call = Call(action, target, self._role(role))
        allow, deny = weigh(own.known, call)
        if call.principal is not None:
            allow = some((allow, weigh(own.known, call._replace(principal=ACCOUNT))[0]))
        return decision(allow, deny)

    def _resource_policy(self, resource: Resource) -> Policies | None:
        found: list[Statement | None] = []
        attached = False
        own = _OWN_POLICY.get(resource.type)
        if own is not None and (document := resource.get(own)) is not None:
            attached = True
            found.extend(statements(document, resource, (own,)))
        for kind, names, holds in _POLICY_OF.get(resource.type, ()):
            for policy in self._deployment.referrers(resource, kind, names):
                attached = True
                found.extend(self._of_policy(policy, holds))
        return Policies(tuple(found)) if attached else None

    def _of_policy(self, policy: Resource, holds: str = "PolicyDocument") -> tuple[Statement | None, ...]:
        """Read a policy that is a resource of its own, once for all that it is attached to."""
        if policy not in self._written:
            document = policy.get(holds)
            wrapped: Value = {"Statement": document} if holds == "Statement" else document
            unsure = () if policy.certain else (None,)
            self._written[policy] = (*statements(wrapped, policy, (holds,)), *unsure)
        return self._written[policy]

    def _admits_invocation(self, resource: Resource, call: Call) -> Decision:
        """Lambda permissions: one resource each, on the function, an alias or a version."""
        if resource.type not in self._invocations:
            self._invocations[resource.type] = self._by_invoked(resource.type)
        granted = self._invocations[resource.type]
        alias = resource.resource("FunctionName"), f":{plain(resource.get('Name'))}"
        found = (*granted.get(resource, ()), *granted.get(alias, ()), *granted.get(None, ()))
        return decision(*weigh(found, call))

    def _by_invoked(self, kind: str) -> _Invocations:
        """Resource of a type, or function and ":alias" -> its permissions; None: what may be anyone's."""
        found: _Invocations = {}
        for granted in self._deployment.of_type("AWS::Lambda::Permission"):
            on = granted.get("FunctionName")
            named = self._deployment.resource_of(on, kind)
            match on:
                case _ if named is not None:
                    found.setdefault(named, []).append(permission(granted))
                case Text(parts=(Reference() as function, str(qualifier))):
                    found.setdefault((function.resource, qualifier), []).append(permission(granted))
                case str() | Text():
                    pass
                case _:
                    found[None] = [None]
        return found

    def _attached(self, role: Resource) -> Iterator[Statement | None]:
        inline = role.list("Policies")
        if isinstance(inline, Unknown):
            yield None
        else:
            for index, policy in enumerate(inline):
                document = policy.get("PolicyDocument") if isinstance(policy, dict) else Unknown("not known")
                yield from statements(document, role, ("Policies", index, "PolicyDocument"))
        yield from self._listed(role.get("ManagedPolicyArns"), role)
        for kind, names in _ATTACHED_BY:
            for attached in self._deployment.referrers(role, kind, names):
                yield from self._of_policy(attached)

    def _listed(self, value: Value, role: Resource) -> Iterator[Statement | None]:
        listed = as_list(value)
        for arn in [listed] if isinstance(listed, Unknown) else listed:
            yield from self._managed(arn, role)

    def _managed(self, arn: Value, role: Resource) -> Iterator[Statement | None]:
        """A managed policy by its ARN: the deployment's own, one of AWS's in the table, or unknown."""
        named = self._named(arn)
        if named is None:
            yield None
        elif isinstance(named, Resource):
            yield from self._of_policy(named)
        else:
            if named not in self._of_aws:
                self._of_aws[named] = tuple(_of_aws(named, role))
            for statement in self._of_aws[named]:
                yield statement._replace(resource=role)

    def _named(self, arn: Value) -> Resource | str | None:
        """What an ARN names: the deployment's own managed policy, or one of AWS's by its name."""
        if not isinstance(arn, str | Text):
            return self._find_named(arn)
        if arn not in self._managed_by:
            self._managed_by[arn] = self._find_named(arn)
        return self._managed_by[arn]

    def _find_named(self, arn: Value) -> Resource | str | None:
        found = self._deployment.resource_of(arn, _MANAGED)
        if found is not None and found.type == _MANAGED:
            return found
        segments = segments_of(arn)
        name = segments[5] if segments is not None and segments[4] == "aws" else None
        return name if isinstance(name, str) else None

    def _boundary(self, role: Resource) -> Policies | None:
        boundary = role.get("PermissionsBoundary")
        if boundary is None:
            return None
        if role not in self._boundaries:
            self._boundaries[role] = Policies(tuple(self._managed(boundary, role)))
        return self._boundaries[role]


def _of_aws(name: str, role: Resource) -> Iterator[Statement]:
    policy = managed_policy(name.removeprefix("policy/"))
    written: list[Value] = [] if policy is None else list(policy.statements)
    if policy is None or not policy.complete:
        written.append(_MORE)
    for statement in statements({"Statement": written}, role, ("ManagedPolicyArns",)):
        if statement is not None:
            about = () if policy is None else policy.about
            yield statement._replace(managed=name.rpartition("/")[2], about=about)
