"""What a function's code must reach: what it calls itself, never what Lambda does in its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Deploy

    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.needs import Need
    from lambda_patterns.model.template import Resource

QUEUE = {"Type": "AWS::SQS::Queue"}
TOPIC = {"Type": "AWS::SNS::Topic"}
SECRET = {"Type": "AWS::SecretsManager::Secret"}
OTHERS: dict[str, Any] = {
    "Queue": QUEUE,
    "Other": QUEUE,
    "Topic": TOPIC,
    "Secret": SECRET,
    "Table": {"Type": "AWS::DynamoDB::Table"},
    "Bucket": {"Type": "AWS::S3::Bucket"},
    "Database": {"Type": "AWS::RDS::DBInstance"},
    "Proxy": {"Type": "AWS::RDS::DBProxy"},
    "Alias": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "F"}, "Name": "live"}},
}


def arn(name: str, attribute: str = "Arn") -> dict[str, Any]:
    return {"Fn::GetAtt": [name, attribute]}


def allow(actions: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def resources(
    *statements: dict[str, Any],
    managed: list[Any] | None = None,
    variables: dict[str, Any] | None = None,
    declared: Any = None,
    function: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    role = {
        "Policies": [{"PolicyDocument": {"Statement": list(statements)}}],
        "ManagedPolicyArns": managed or [],
    }
    properties = {"Role": arn("Role"), "Environment": {"Variables": variables or {}}, **(function or {})}
    made = {
        "Type": "AWS::Lambda::Function",
        "Properties": properties,
        "Metadata": {"LambdaPatterns": declared or {}},
    }
    return {"F": made, "Role": {"Type": "AWS::IAM::Role", "Properties": role}, **OTHERS, **more}


def the(deployment: Deployment, name: str) -> Resource:
    found = deployment.find(name)
    assert found is not None
    return found


def needs(deployment: Deployment) -> tuple[Need, ...]:
    return deployment.needs.of(the(deployment, "F"))


def names(deployment: Deployment) -> list[str]:
    return [need.name for need in needs(deployment)]


@pytest.mark.parametrize(
    ("action", "resource", "needed"),
    [
        ("secretsmanager:GetSecretValue", {"Ref": "Secret"}, ["secretsmanager"]),
        ("s3:GetObject*", {"Fn::Sub": "${Bucket.Arn}/*"}, ["s3"]),
        ("s3:*", "*", ["s3"]),
        (["dynamodb:GetItem", "dynamodb:GetRecords"], arn("Table"), ["dynamodb"]),
        (["dynamodb:GetItem", "dynamodb:DescribeStream"], arn("Table"), ["dynamodb", "dynamodb-streams"]),
        ("sqs:SendMessage", arn("Queue"), ["sqs"]),
        ("sns:Publish", {"Ref": "Topic"}, ["sns"]),
        ("states:StartExecution", "*", ["states"]),
        ("states:StartSyncExecution", "*", ["sync-states"]),
        ("kms:Sign", "*", ["kms"]),
        ("cloudwatch:PutMetricData", "*", ["monitoring"]),
        ("sts:AssumeRole", "*", ["sts"]),
    ],
)
def test_what_the_code_calls_is_needed(deploy: Deploy, action: Any, resource: Any, needed: list[str]) -> None:
    assert names(deploy(resources(allow(action, resource)))) == needed


@pytest.mark.parametrize(
    "action",
    [
        "*",
        "*:*",
        "s*:Get*",
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        "logs:*",
        ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
        "ec2:CreateNetworkInterface",
        "ec2:*",
        ["kms:Decrypt", "kms:Encrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"],
        "kms:*",
        "rds-db:connect",
        "nonsense",
        "unheardof:DoIt",
        "",
        {"Fn::ImportValue": "x"},
    ],
)
def test_what_aws_does_in_the_roles_name_or_may_do_is_not_needed(deploy: Deploy, action: Any) -> None:
    assert names(deploy(resources(allow(action)))) == []


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"},
        allow(
            "kms:Sign",
            Condition={"StringEquals": {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"}},
        ),
    ],
)
def test_a_statement_that_says_nothing_about_the_code_makes_no_need(deploy: Deploy, statement: Any) -> None:
    assert names(deploy(resources(statement))) == []


def test_what_another_statement_denies_is_not_needed(deploy: Deploy) -> None:
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    assert names(deploy(resources(allow("s3:GetObject"), allow("sns:Publish"), deny))) == ["sns"]


def test_what_a_boundary_does_not_allow_is_not_needed(deploy: Deploy) -> None:
    made = resources(allow("s3:GetObject"), allow("sns:Publish"))
    made["Limit"] = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"PolicyDocument": {"Statement": allow("sns:*")}},
    }
    made["Role"]["Properties"]["PermissionsBoundary"] = {"Ref": "Limit"}
    assert names(deploy(made)) == ["sns"]


@pytest.mark.parametrize(
    ("policy", "needed"),
    [
        ("service-role/AWSLambdaVPCAccessExecutionRole", []),
        ("service-role/AWSLambdaSQSQueueExecutionRole", []),
        ("AWSXRayDaemonWriteAccess", []),
        ("AdministratorAccess", []),
        ("SomethingNew", []),
        ("AmazonDynamoDBFullAccess", ["dynamodb"]),
        ("SecretsManagerReadWrite", ["secretsmanager"]),
    ],
)
def test_a_managed_policy_of_awss_is_attached_for_its_subject(
    deploy: Deploy, policy: str, needed: list[str]
) -> None:
    assert names(deploy(resources(managed=[f"arn:aws:iam::aws:policy/{policy}"]))) == needed


POLLING = [
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ChangeMessageVisibility",
]
SENDING = ["sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"]


def mapping(function: Any, source: Any, **more: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {"FunctionName": function, "EventSourceArn": source, **more},
    }


def outcome(function: Any, **to: Any) -> dict[str, Any]:
    config = {name: {"Destination": target} for name, target in to.items()}
    return {
        "Type": "AWS::Lambda::EventInvokeConfig",
        "Properties": {"FunctionName": function, "Qualifier": "$LATEST", "DestinationConfig": config},
    }


@pytest.mark.parametrize("function", [{"Ref": "F"}, arn("F"), {"Ref": "Alias"}, {"Fn::Sub": "${F}:live"}])
def test_polling_an_event_source_is_not_the_codes(deploy: Deploy, function: Any) -> None:
    made = resources(allow(POLLING, arn("Queue")), M=mapping(function, arn("Queue")))
    assert names(deploy(made)) == []


def test_polling_another_queue_is_the_codes(deploy: Deploy) -> None:
    made = resources(allow(POLLING, [arn("Queue"), arn("Other")]), M=mapping({"Ref": "F"}, arn("Queue")))
    (need,) = needs(deploy(made))
    assert need.name == "sqs"
    assert {target.resource.id for reason in need.reasons for target in reason.targets} == {"Other"}  # type: ignore[union-attr]  # they are references


def test_sending_to_an_event_source_is_the_codes(deploy: Deploy) -> None:
    made = resources(allow("sqs:SendMessage", arn("Queue")), M=mapping({"Ref": "F"}, arn("Queue")))
    assert names(deploy(made)) == ["sqs"]


def test_polling_everything_may_be_meant_for_the_event_source_alone(deploy: Deploy) -> None:
    assert names(deploy(resources(allow(POLLING), M=mapping({"Ref": "F"}, arn("Queue"))))) == []
    assert names(deploy(resources(allow(POLLING)))) == ["sqs"]


def test_reading_a_tables_stream_is_not_the_codes(deploy: Deploy) -> None:
    actions = ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"]
    stream = arn("Table", "StreamArn")
    made = resources(allow(actions, stream), allow("dynamodb:ListStreams"), M=mapping({"Ref": "F"}, stream))
    assert names(deploy(made)) == []


@pytest.mark.parametrize(
    "more",
    [
        {"I": outcome({"Ref": "F"}, OnFailure=arn("Queue"))},
        {"I": outcome({"Ref": "F"}, OnSuccess=arn("Queue"))},
        {"I": outcome({"Ref": "Alias"}, OnFailure=arn("Queue"))},
        {"function": {"DeadLetterConfig": {"TargetArn": arn("Queue")}}},
        {
            "M": mapping(
                {"Ref": "F"},
                "arn:aws:kinesis:eu-west-1:1:stream/s",
                DestinationConfig={"OnFailure": {"Destination": arn("Queue")}},
            )
        },
    ],
)
def test_delivering_to_a_destination_is_not_the_codes(deploy: Deploy, more: Any) -> None:
    assert names(deploy(resources(allow(SENDING, arn("Queue")), **more))) == []
    assert names(deploy(resources(allow(SENDING, arn("Other")), **more))) == ["sqs"]


@pytest.mark.parametrize(
    ("value", "needed"),
    [
        (arn("Queue"), ["sqs"]),
        ({"Ref": "Queue"}, ["sqs"]),
        (arn("Queue", "QueueUrl"), ["sqs"]),
        (arn("Queue", "QueueName"), []),
        ({"Ref": "Topic"}, ["sns"]),
        ({"Ref": "Secret"}, ["secretsmanager"]),
        ({"Ref": "Table"}, []),
        (arn("Table"), ["dynamodb"]),
        ({"Fn::Sub": "https://sqs.${AWS::Region}.${AWS::URLSuffix}/${AWS::AccountId}/q"}, ["sqs"]),
        ("https://secretsmanager.eu-west-1.amazonaws.com", ["secretsmanager"]),
        ({"Fn::Sub": "arn:aws:ssm:${AWS::Region}:${AWS::AccountId}:parameter/x"}, ["ssm"]),
        ("https://api.example.org/sqs", []),
        ("amazonaws.com", []),
        (arn("Database", "Endpoint.Address"), []),
        ({"Ref": "AWS::Region"}, []),
        (5, []),
    ],
)
def test_an_address_in_the_environment_of_a_role_that_is_not_here_is_needed(
    deploy: Deploy, value: Any, needed: list[str]
) -> None:
    made = resources(variables={"V": value}, function={"Role": "arn:aws:iam::1:role/theirs"})
    assert names(deploy(made)) == needed


def test_an_address_is_needed_without_a_grant_too_because_the_resource_may_let_the_role_in(
    deploy: Deploy,
) -> None:
    assert names(deploy(resources(variables={"V": {"Ref": "Queue"}}))) == ["sqs"]


def test_code_that_is_given_a_key_calls_kms(deploy: Deploy) -> None:
    made = resources(allow("kms:Decrypt", {"Fn::GetAtt": ["Key", "Arn"]}), variables={"V": {"Ref": "Key"}})
    made["Key"] = {"Type": "AWS::KMS::Key", "Properties": {}}
    assert names(deploy(made)) == ["kms"]


def test_an_arn_of_another_region_is_another_matter(deploy: Deploy) -> None:
    elsewhere = "arn:aws:sqs:us-west-2:111111111111:q"
    made = resources(allow("sqs:SendMessage", elsewhere), variables={"V": elsewhere})
    assert names(deploy(made, region="eu-west-1")) == []
    assert names(deploy(made, region="us-west-2")) == ["sqs"]


def test_every_need_says_where_it_is_written(deploy: Deploy) -> None:
    made = resources(
        allow("sns:Publish", {"Ref": "Topic"}), variables={"T": {"Ref": "Topic"}}, declared={"Needs": ["sns"]}
    )
    (need,) = needs(deploy(made))
    assert [(reason.resource.id, reason.path, reason.what) for reason in need.reasons] == [
        ("F", (), "declares it"),
        ("Role", ("Policies", 0, "PolicyDocument", "Statement", 0), "allows sns:Publish"),
        ("F", ("Environment", "Variables", "T"), "carries the ARN or address of SNS"),
    ]
    assert need.service is not None
    assert need.service.title == "SNS"


def test_declarations_add_and_take_away(deploy: Deploy) -> None:
    declared = {"Needs": ["internet"], "Unreachable": [{"Service": "sns", "Reason": "only in production"}]}
    deployment = deploy(resources(allow("sns:Publish"), declared=declared))
    function = the(deployment, "F")
    assert names(deployment) == ["internet"]
    assert deployment.needs.unreachable(function) == {"sns": "only in production"}
    assert not deployment.needs.isolated(function)
    assert deployment.needs.isolated(the(deploy(resources(declared={"Isolated": True})), "F"))


@pytest.mark.parametrize(
    "declared", [5, "x", [], {"Needs": 5, "Unreachable": "x", "Isolated": []}, {"Unreachable": [{}]}]
)
def test_odd_declarations_declare_nothing(deploy: Deploy, declared: Any) -> None:
    deployment = deploy(resources(declared=declared))
    assert names(deployment) == []
    assert deployment.needs.unreachable(the(deployment, "F")) == {}


def test_a_function_without_a_role_here_needs_what_is_declared_alone(deploy: Deploy) -> None:
    made = resources(function={"Role": {"Fn::ImportValue": "role"}}, declared={"Needs": ["sqs"]})
    assert names(deploy(made)) == ["sqs"]


def test_peers_are_what_the_environment_or_a_grant_to_connect_names(deploy: Deploy) -> None:
    user = {
        "Fn::Sub": [
            "arn:aws:rds-db:*:*:dbuser:${p}/app",
            {"p": {"Fn::Select": [6, {"Fn::Split": [":", arn("Proxy", "DBProxyArn")]}]}},
        ]
    }
    variables = {
        "HOST": {"Fn::Sub": "postgres://${Database.Endpoint.Address}:5432"},
        "NAME": {"Ref": "Proxy"},
    }
    deployment = deploy(resources(allow("rds-db:connect", user), variables=variables))
    found = {
        peer.resource.id: [reason.what for reason in peer.reasons]
        for peer in deployment.needs.peers(the(deployment, "F"))
    }
    assert found == {"Database": ["carries the address of Database"], "Proxy": ["allows rds-db:connect"]}


def peers(deployment: Deployment) -> set[str]:
    return {peer.resource.id for peer in deployment.needs.peers(the(deployment, "F"))}


@pytest.mark.parametrize(
    ("kind", "attribute", "needed"),
    [
        ("RDS::DBProxy", "Endpoint", True),
        ("RDS::DBCluster", "ReadEndpoint.Address", True),
        ("ElastiCache::ReplicationGroup", "PrimaryEndPoint.Address", True),
        ("ElastiCache::CacheCluster", "ConfigurationEndpoint.Address", True),
        ("ElasticLoadBalancingV2::LoadBalancer", "DNSName", True),
        ("EC2::Instance", "PrivateIp", True),
        ("EC2::Instance", "PrivateDnsName", True),
        ("OpenSearchService::Domain", "DomainEndpoint", True),
        ("RDS::DBInstance", "DbiResourceId", True),
        ("RDS::DBCluster", "DBClusterResourceId", True),
        ("RDS::DBProxy", "DBProxyArn", False),
        ("EC2::Instance", "AvailabilityZone", False),
        ("ElasticLoadBalancingV2::LoadBalancer", "LoadBalancerFullName", False),
        ("SQS::Queue", "QueueName", False),
    ],
)
def test_a_peer_is_whose_address_the_environment_carries(
    deploy: Deploy, kind: str, attribute: str, needed: bool
) -> None:
    variables = {"HOST": arn("Peer", attribute)}
    deployment = deploy(resources(variables=variables, Peer={"Type": f"AWS::{kind}"}))
    assert peers(deployment) == ({"Peer"} if needed else set())


def test_a_grant_on_the_database_of_a_proxy_that_the_code_is_given_is_meant_for_the_proxy(
    deploy: Deploy,
) -> None:
    group = {"DBProxyName": {"Ref": "Proxy"}, "DBInstanceIdentifiers": [{"Ref": "Database"}]}
    user = {"Fn::Sub": "arn:aws:rds-db:*:*:dbuser:${Database.DbiResourceId}/app"}
    grant = allow("rds-db:connect", user)
    target = {"Type": "AWS::RDS::DBProxyTargetGroup", "Properties": group}
    given = {"HOST": arn("Proxy", "Endpoint")}
    assert peers(deploy(resources(grant, variables=given, Group=target))) == {"Proxy"}
    assert peers(deploy(resources(grant, Group=target))) == {"Database"}
    both = given | {"DIRECT": arn("Database", "Endpoint.Address")}
    assert peers(deploy(resources(grant, variables=both, Group=target))) == {"Proxy", "Database"}


OUTSIDE: list[tuple[Any, Any]] = [
    ({"Ref": "Jobs"}, {"Ref": "Failed"}),
    ({"Fn::ImportValue": "jobs"}, {"Fn::ImportValue": "failed"}),
    ("arn:aws:sqs:eu-west-1:111122223333:jobs", "arn:aws:sqs:eu-west-1:111122223333:failed"),
    (
        {"Fn::Sub": "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:jobs"},
        {"Fn::Sub": "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:failed"},
    ),
]


@pytest.mark.parametrize(("jobs", "failed"), OUTSIDE, ids=["parameter", "import", "literal", "sub"])
def test_queues_outside_of_the_template_are_polled_and_delivered_to_by_lambda_too(
    deploy: Deploy, jobs: Any, failed: Any
) -> None:
    mapping = {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {"FunctionName": {"Ref": "F"}, "EventSourceArn": jobs},
    }
    kept = {"DeadLetterConfig": {"TargetArn": failed}}
    polling = allow(["sqs:ReceiveMessage", "sqs:DeleteMessage"], jobs)
    delivering = allow("sqs:SendMessage", failed)
    sections = {"Parameters": {name: {"Type": "String"} for name in ("Jobs", "Failed")}}
    given = resources(polling, delivering, Mapping=mapping, function=kept)
    assert names(deploy(given, **sections)) == []
    sends = resources(
        polling, delivering, allow("sqs:SendMessage", arn("Other")), Mapping=mapping, function=kept
    )
    assert names(deploy(sends, **sections)) == ["sqs"]
    assert names(deploy(resources(delivering), **sections)) == ["sqs"]


def test_a_destination_written_out_in_another_way_is_the_same(deploy: Deploy) -> None:
    written = {"Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:failed"}
    kept = {"DeadLetterConfig": {"TargetArn": "arn:aws:sqs:eu-west-1:111122223333:failed"}}
    assert names(deploy(resources(allow("sqs:SendMessage", written), function=kept))) == []
    other = "arn:aws:sqs:eu-west-1:111122223333:other"
    assert names(deploy(resources(allow("sqs:SendMessage", other), function=kept))) == ["sqs"]
