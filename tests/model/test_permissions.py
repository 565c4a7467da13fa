"""What roles may do, and what resources let in: allowed, denied, or unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lambda_patterns.model.policies import Decision
from lambda_patterns.model.values import Reference, Unknown

if TYPE_CHECKING:
    from conftest import Deploy

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource

QUEUE = {"Type": "AWS::SQS::Queue"}
PARTITION = {"Ref": "AWS::Partition"}


def aws_policy(name: str) -> dict[str, Any]:
    return {"Fn::Join": ["", ["arn:", PARTITION, f":iam::aws:policy/{name}"]]}


def statement(effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {
        "Effect": effect,
        "Action": "sqs:SendMessage",
        "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
        **more,
    }


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def role(*statements: dict[str, Any], **properties: Any) -> dict[str, Any]:
    inline = (
        {"Policies": [{"PolicyName": "p", "PolicyDocument": document(*statements)}]} if statements else {}
    )
    return {"Type": "AWS::IAM::Role", "Properties": inline | properties}


def attached(kind: str, *statements: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {
        "Type": f"AWS::IAM::{kind}",
        "Properties": {"PolicyDocument": document(*statements), **properties},
    }


def the(deployment: Deployment, name: str) -> Resource:
    found = deployment.find(name)
    assert found is not None
    return found


def may_send(deployment: Deployment, **more: Any) -> Decision:
    queue = Reference(the(deployment, "Queue"), "Arn")
    return deployment.permissions.may(the(deployment, "Role"), "sqs:SendMessage", queue, **more)


@pytest.mark.parametrize(
    ("statements", "decision"),
    [
        ([], "denied"),
        ([statement()], "allowed"),
        ([statement(Action=["sqs:Receive*", "sqs:Send*"])], "allowed"),
        ([statement(Action="sqs:*", Resource="*")], "allowed"),
        ([statement(Resource={"Fn::GetAtt": ["Other", "Arn"]})], "denied"),
        ([statement(Action="sqs:ReceiveMessage")], "denied"),
        ([statement(), statement("Deny")], "denied"),
        ([statement(), statement("Deny", Resource={"Fn::GetAtt": ["Other", "Arn"]})], "allowed"),
        ([statement(), statement("Deny", Resource={"Fn::ImportValue": "x"})], "unknown"),
        ([statement(Resource={"Fn::ImportValue": "x"})], "unknown"),
        ([statement(Action={"Fn::ImportValue": "x"})], "unknown"),
        ([statement({"Fn::ImportValue": "x"})], "unknown"),
        ([statement(Condition={"StringEquals": {"aws:PrincipalTag/team": "a"}})], "unknown"),
        (
            [statement(), statement("Deny", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}})],
            "unknown",
        ),
        ([statement(), statement("Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})], "allowed"),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], "allowed"),
        ([{"Effect": "Allow", "NotAction": "sqs:*", "Resource": "*"}], "denied"),
        ([{"Effect": "Allow", "Action": "sqs:*", "NotResource": {"Fn::GetAtt": ["Queue", "Arn"]}}], "denied"),
        (
            [{"Effect": "Allow", "Action": "sqs:*", "NotResource": {"Fn::GetAtt": ["Other", "Arn"]}}],
            "allowed",
        ),
    ],
)
def test_statements_decide(deploy: Deploy, statements: list[Any], decision: str) -> None:
    assert may_send(deploy({"Role": role(*statements), "Queue": QUEUE, "Other": QUEUE})) == decision


@pytest.mark.parametrize(
    "policy",
    [
        attached("Policy", statement(), PolicyName="p", Roles=[{"Ref": "Role"}]),
        attached("Policy", statement(), PolicyName="p", Roles=["worker"]),
        attached("ManagedPolicy", statement(), Roles=[{"Ref": "Role"}]),
        attached("RolePolicy", statement(), PolicyName="p", RoleName={"Ref": "Role"}),
    ],
)
def test_policies_that_are_attached_from_their_side_count(deploy: Deploy, policy: dict[str, Any]) -> None:
    deployment = deploy({"Role": role(RoleName="worker"), "Queue": QUEUE, "P": policy})
    assert may_send(deployment) is Decision.ALLOWED
    (grant,) = deployment.permissions.grants(the(deployment, "Role"))
    assert (grant.resource.id, grant.path) == ("P", ("PolicyDocument", "Statement", 0))


def test_managed_policies_of_the_template_and_of_aws_count(deploy: Deploy) -> None:
    listed = role(
        ManagedPolicyArns=[{"Ref": "P"}, aws_policy("service-role/AWSLambdaVPCAccessExecutionRole")]
    )
    deployment = deploy({"Role": listed, "Queue": QUEUE, "P": attached("ManagedPolicy", statement())})
    permissions, worker = deployment.permissions, the(deployment, "Role")
    assert may_send(deployment) is Decision.ALLOWED
    assert permissions.may(worker, "ec2:CreateNetworkInterface") is Decision.ALLOWED
    assert permissions.may(worker, "s3:GetObject", "arn:aws:s3:::b/k") is Decision.DENIED


@pytest.mark.parametrize(
    "arn",
    [
        aws_policy("SomethingNew"),
        "arn:aws:iam::123456789012:policy/ours",
        {"Fn::ImportValue": "Policy"},
        {"Ref": "Given"},
        "NameOnly",
    ],
)
def test_a_managed_policy_that_is_not_here_leaves_what_is_not_allowed_unknown(
    deploy: Deploy, arn: Any
) -> None:
    given = {"Given": {"Type": "String"}}
    deployment = deploy({"Role": role(ManagedPolicyArns=[arn]), "Queue": QUEUE}, Parameters=given)
    assert may_send(deployment) is Decision.UNKNOWN
    deployment = deploy(
        {"Role": role(statement("Deny"), ManagedPolicyArns=[arn]), "Queue": QUEUE}, Parameters=given
    )
    assert may_send(deployment) is Decision.DENIED


def test_a_policy_of_awss_that_is_not_in_the_table_denies_nothing(deploy: Deploy) -> None:
    allowed = role(statement(), ManagedPolicyArns=[aws_policy("SomethingNew")])
    assert may_send(deploy({"Role": allowed, "Queue": QUEUE})) is Decision.ALLOWED


def test_a_policy_of_the_accounts_that_is_not_here_may_deny(deploy: Deploy) -> None:
    allowed = role(statement(), ManagedPolicyArns=["arn:aws:iam::123456789012:policy/ours"])
    assert may_send(deploy({"Role": allowed, "Queue": QUEUE})) is Decision.UNKNOWN


def test_a_full_access_policy_allows_its_service_and_leaves_its_neighbours_unknown(deploy: Deploy) -> None:
    deployment = deploy({"Role": role(ManagedPolicyArns=[aws_policy("AmazonSQSFullAccess")]), "Queue": QUEUE})
    assert may_send(deployment) is Decision.ALLOWED
    assert deployment.permissions.may(the(deployment, "Role"), "kms:ListAliases") is Decision.UNKNOWN


@pytest.mark.parametrize("name", ["AdministratorAccess", "PowerUserAccess"])
def test_an_administrator_may_do_everything(deploy: Deploy, name: str) -> None:
    assert (
        may_send(deploy({"Role": role(ManagedPolicyArns=[aws_policy(name)]), "Queue": QUEUE}))
        is Decision.ALLOWED
    )


@pytest.mark.parametrize(
    ("boundary", "decision"),
    [
        ({"Ref": "Boundary"}, "denied"),
        (aws_policy("AdministratorAccess"), "allowed"),
        (aws_policy("SomethingNew"), "unknown"),
        ("arn:aws:iam::123456789012:policy/boundary", "unknown"),
    ],
)
def test_a_boundary_limits_and_never_allows(deploy: Deploy, boundary: Any, decision: str) -> None:
    limit = attached("ManagedPolicy", statement(Action="sqs:ReceiveMessage"))
    worker = role(statement(), PermissionsBoundary=boundary)
    assert may_send(deploy({"Role": worker, "Queue": QUEUE, "Boundary": limit})) == decision


def test_a_role_that_is_not_here_is_unknown(deploy: Deploy) -> None:
    permissions = deploy({"Queue": QUEUE}).permissions
    for worker in ("arn:aws:iam::123456789012:role/theirs", Unknown("x"), None):
        assert permissions.may(worker, "sqs:SendMessage") is Decision.UNKNOWN
        assert permissions.grants(worker) == ()


def test_a_role_named_by_its_arn_is_found(deploy: Deploy) -> None:
    deployment = deploy({"Role": role(statement(), RoleName="worker"), "Queue": QUEUE})
    queue = Reference(the(deployment, "Queue"), "Arn")
    assert (
        deployment.permissions.may("arn:aws:iam::1:role/worker", "sqs:SendMessage", queue) is Decision.ALLOWED
    )


def test_the_documented_deny_on_own_code_does_not_stop_the_service(deploy: Deploy) -> None:
    eni = {"Action": "ec2:CreateNetworkInterface", "Resource": "*"}
    own = {"ArnEquals": {"lambda:SourceFunctionArn": {"Fn::Sub": "arn:aws:lambda:*:*:function:f"}}}
    deployment = deploy({"Role": role(statement(**eni), statement("Deny", Condition=own, **eni))})
    worker = the(deployment, "Role")
    assert deployment.permissions.may(worker, "ec2:CreateNetworkInterface") is Decision.ALLOWED
    by_code = deployment.permissions.may(worker, "ec2:CreateNetworkInterface", by_code=True)
    assert by_code is Decision.UNKNOWN


def test_a_macro_may_attach_more(deploy: Deploy) -> None:
    deployment = deploy({"Role": role(), "Queue": QUEUE}, Transform="Mine")  # type: ignore[arg-type]  # a section that is a text
    assert may_send(deployment) is Decision.UNKNOWN


def queue_policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": document(*statements)},
    }


FROM_SNS = {"Principal": {"Service": "sns.amazonaws.com"}}
OF_TOPIC = {"Condition": {"ArnEquals": {"aws:SourceArn": {"Ref": "Topic"}}}}


@pytest.mark.parametrize(
    ("statements", "decision"),
    [
        ([statement(**FROM_SNS)], "allowed"),
        ([statement(**FROM_SNS, **OF_TOPIC)], "allowed"),
        ([statement(Principal="*", **OF_TOPIC)], "allowed"),
        ([statement(Principal={"AWS": "*"}, **OF_TOPIC)], "allowed"),
        ([statement(**FROM_SNS, Condition={"ArnLike": {"aws:SourceArn": "arn:aws:sns:*"}})], "allowed"),
        (
            [
                statement(
                    **FROM_SNS, Condition={"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
                )
            ],
            "allowed",
        ),
        ([statement(**FROM_SNS, Condition={"ArnEquals": {"aws:SourceArn": {"Ref": "Another"}}})], "denied"),
        (
            [statement(**FROM_SNS, Condition={"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:1:t"}})],
            "denied",
        ),
        (
            [
                statement(
                    **FROM_SNS,
                    Condition={"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:1:app-T-1A2B3C4D5E6F"}},
                )
            ],
            "unknown",
        ),
        ([statement(Principal={"Service": "s3.amazonaws.com"})], "denied"),
        ([statement(Principal={"Service": {"Fn::ImportValue": "x"}})], "unknown"),
        ([statement(**FROM_SNS, Resource={"Fn::GetAtt": ["Other", "Arn"]})], "denied"),
        (
            [
                statement(**FROM_SNS),
                statement("Deny", Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}}),
            ],
            "allowed",
        ),
        ([statement(**FROM_SNS), statement("Deny", Principal="*")], "denied"),
    ],
)
def test_a_queue_lets_a_topic_in(deploy: Deploy, statements: list[Any], decision: str) -> None:
    topics = {"Topic": {"Type": "AWS::SNS::Topic"}, "Another": {"Type": "AWS::SNS::Topic"}}
    deployment = deploy({"Queue": QUEUE, "Other": QUEUE, "P": queue_policy(*statements), **topics})
    source = Reference(the(deployment, "Topic"))
    queue = the(deployment, "Queue")
    assert (
        deployment.permissions.admits(queue, "sns.amazonaws.com", "sqs:SendMessage", source=source)
        == decision
    )


@pytest.mark.parametrize(
    ("kind", "policy", "names"),
    [
        ("SQS::Queue", "SQS::QueuePolicy", {"Queues": [{"Ref": "It"}]}),
        ("SQS::Queue", "SQS::QueueInlinePolicy", {"Queue": {"Ref": "It"}}),
        ("SNS::Topic", "SNS::TopicPolicy", {"Topics": [{"Ref": "It"}]}),
        ("SNS::Topic", "SNS::TopicInlinePolicy", {"TopicArn": {"Ref": "It"}}),
        ("S3::Bucket", "S3::BucketPolicy", {"Bucket": {"Ref": "It"}}),
        ("SecretsManager::Secret", "SecretsManager::ResourcePolicy", {"SecretId": {"Ref": "It"}}),
        ("Events::EventBus", "Events::EventBusPolicy", {"EventBusName": {"Ref": "It"}}),
    ],
)
def test_the_policy_of_each_kind_of_resource_is_found(
    deploy: Deploy, kind: str, policy: str, names: dict[str, Any]
) -> None:
    opened = {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"Service": "a.amazonaws.com"}}
    written: dict[str, Any] = {"PolicyDocument": document(opened)}
    if kind == "SecretsManager::Secret":
        written = {"ResourcePolicy": document(opened)}
    if kind == "Events::EventBus":
        written = {"StatementId": "s", "Statement": opened}
    its = {"Type": f"AWS::{policy}", "Properties": names | written}
    deployment = deploy({"It": {"Type": f"AWS::{kind}"}, "Other": {"Type": f"AWS::{kind}"}, "Policy": its})

    def admitted(name: str, service: str) -> Decision:
        return deployment.permissions.admits(the(deployment, name), service, "any:Action")

    assert admitted("It", "a.amazonaws.com") is Decision.ALLOWED
    assert admitted("It", "b.amazonaws.com") is Decision.DENIED
    assert admitted("Other", "a.amazonaws.com") is Decision.DENIED


def test_a_queue_without_a_policy_lets_no_service_in(deploy: Deploy) -> None:
    deployment = deploy({"Queue": QUEUE})
    queue = the(deployment, "Queue")
    assert deployment.permissions.admits(queue, "sns.amazonaws.com", "sqs:SendMessage") is Decision.DENIED


def test_a_queues_own_policy_allows_a_role_without_one(deploy: Deploy) -> None:
    who = {"Principal": {"AWS": {"Fn::GetAtt": ["Role", "Arn"]}}}
    assert (
        may_send(deploy({"Role": role(), "Queue": QUEUE, "P": queue_policy(statement(**who))}))
        is Decision.ALLOWED
    )


def test_a_queues_own_policy_denies_what_a_role_allows(deploy: Deploy) -> None:
    policy = queue_policy(statement("Deny", Principal="*"))
    assert may_send(deploy({"Role": role(statement()), "Queue": QUEUE, "P": policy})) is Decision.DENIED


ROOT = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}


@pytest.mark.parametrize(
    ("principal", "granted", "decision"),
    [
        ({"AWS": ROOT}, True, "allowed"),
        ({"AWS": {"Ref": "AWS::AccountId"}}, True, "allowed"),
        ({"AWS": ROOT}, False, "denied"),
        ({"AWS": {"Fn::GetAtt": ["Role", "Arn"]}}, False, "allowed"),
        ({"Service": "sns.amazonaws.com"}, True, "denied"),
        ({"AWS": {"Fn::ImportValue": "x"}}, True, "unknown"),
    ],
)
def test_a_key_decides_unless_it_leaves_it_to_the_account(
    deploy: Deploy,
    principal: Any,
    granted: bool,
    decision: str,
) -> None:
    policy = document({"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": principal})
    allow = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": {"Fn::GetAtt": ["Key", "Arn"]}}
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}}
    deployment = deploy({"Role": role(*([allow] if granted else [])), "Key": key})
    target = Reference(the(deployment, "Key"), "Arn")
    assert deployment.permissions.may(the(deployment, "Role"), "kms:Decrypt", target) == decision


def invoke(**properties: Any) -> dict[str, Any]:
    common = {
        "Action": "lambda:InvokeFunction",
        "Principal": "sns.amazonaws.com",
        "FunctionName": {"Ref": "F"},
    }
    return {"Type": "AWS::Lambda::Permission", "Properties": common | properties}


@pytest.mark.parametrize(
    ("permission", "on", "decision"),
    [
        (invoke(), "F", "allowed"),
        (invoke(SourceArn={"Ref": "Topic"}), "F", "allowed"),
        (invoke(FunctionName={"Fn::GetAtt": ["F", "Arn"]}), "F", "allowed"),
        (invoke(FunctionName="f"), "F", "allowed"),
        (invoke(Action="lambda:*"), "F", "allowed"),
        (invoke(SourceArn={"Ref": "Another"}), "F", "denied"),
        (invoke(Principal="s3.amazonaws.com"), "F", "denied"),
        (invoke(FunctionName="g"), "F", "denied"),
        (invoke(), "Live", "denied"),
        (invoke(FunctionName={"Ref": "Live"}), "Live", "allowed"),
        (invoke(FunctionName={"Fn::Sub": "${F}:live"}), "Live", "allowed"),
        (invoke(FunctionName={"Fn::Sub": "${F}:test"}), "Live", "denied"),
        (invoke(FunctionName={"Fn::ImportValue": "x"}), "F", "unknown"),
    ],
)
def test_a_function_lets_a_topic_invoke_it(deploy: Deploy, permission: Any, on: str, decision: str) -> None:
    alias = {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "F"}, "Name": "live"}}
    function = {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "f"}}
    topics = {"Topic": {"Type": "AWS::SNS::Topic"}, "Another": {"Type": "AWS::SNS::Topic"}}
    deployment = deploy({"F": function, "Live": alias, "P": permission, **topics})
    source = Reference(the(deployment, "Topic"))
    answer = deployment.permissions.admits(
        the(deployment, on), "sns.amazonaws.com", "lambda:InvokeFunction", source=source
    )
    assert answer == decision


@pytest.mark.parametrize(
    ("policy", "decision"),
    [
        (None, "allowed"),
        (document({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}), "allowed"),
        (
            document({"Effect": "Allow", "Action": "sqs:*", "Resource": "*", "Principal": {"AWS": ROOT}}),
            "allowed",
        ),
        (
            document({"Effect": "Allow", "Action": "sqs:ReceiveMessage", "Resource": "*", "Principal": "*"}),
            "denied",
        ),
        (
            document(
                {
                    "Effect": "Allow",
                    "Action": "*",
                    "Resource": {"Fn::GetAtt": ["Other", "Arn"]},
                    "Principal": "*",
                }
            ),
            "denied",
        ),
        ({"Fn::ImportValue": "x"}, "unknown"),
    ],
)
def test_an_endpoint_lets_a_request_through(deploy: Deploy, policy: Any, decision: str) -> None:
    properties = {} if policy is None else {"PolicyDocument": policy}
    endpoint = {"Type": "AWS::EC2::VPCEndpoint", "Properties": properties}
    deployment = deploy({"Role": role(statement()), "Queue": QUEUE, "Other": QUEUE, "Endpoint": endpoint})
    queue = Reference(the(deployment, "Queue"), "Arn")
    permissions = deployment.permissions
    assert (
        permissions.passes(the(deployment, "Endpoint"), the(deployment, "Role"), "sqs:SendMessage", queue)
        == decision
    )
