"""What the rules on databases say, word for word, and what they leave alone."""

from collections.abc import Callable
from typing import Any

import pytest

Judge = Callable[..., list[tuple[str, str]]]
Writer = Callable[..., dict[str, Any]]

SECRET = {
    "Type": "AWS::SecretsManager::Secret",
    "Properties": {
        "GenerateSecretString": {
            "SecretStringTemplate": '{"username": "app"}',
            "GenerateStringKey": "password",
        }
    },
}
ENDPOINT = {"Fn::GetAtt": ["Proxy", "Endpoint"]}


def proxy(**properties: Any) -> dict[str, Any]:
    base = {
        "DBProxyName": "orders",
        "EngineFamily": "POSTGRESQL",
        "RoleArn": "arn:aws:iam::111122223333:role/proxy",
        "VpcSubnetIds": {"Ref": "Subnets"},
        "RequireTLS": True,
        "Auth": [{"AuthScheme": "SECRETS", "IAMAuth": "REQUIRED", "SecretArn": {"Ref": "Secret"}}],
    }
    kept = {name: value for name, value in {**base, **properties}.items() if value is not None}
    return {"Type": "AWS::RDS::DBProxy", "Properties": kept}


def targets(*databases: str, **properties: Any) -> dict[str, Any]:
    named = [{"Ref": name} for name in databases] or ["elsewhere"]
    base = {"DBProxyName": {"Ref": "Proxy"}, "TargetGroupName": "default", "DBInstanceIdentifiers": named}
    return {"Type": "AWS::RDS::DBProxyTargetGroup", "Properties": {**base, **properties}}


def instance(engine: str = "postgres", version: str = "17.4", **properties: Any) -> dict[str, Any]:
    base = {"DBInstanceClass": "db.t4g.medium", "Engine": engine, "EngineVersion": version}
    return {"Type": "AWS::RDS::DBInstance", "Properties": {**base, **properties}}


def cluster(engine: str, version: str, **properties: Any) -> dict[str, Any]:
    base = {"Engine": engine, "EngineVersion": version}
    return {"Type": "AWS::RDS::DBCluster", "Properties": {**base, **properties}}


def role(*statements: dict[str, Any]) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {},
            "Policies": [{"PolicyName": "own", "PolicyDocument": document}],
        },
    }


def user_arn(user: str) -> dict[str, Any]:
    number = {"Fn::Select": [6, {"Fn::Split": [":", {"Fn::GetAtt": ["Proxy", "DBProxyArn"]}]}]}
    head = "arn:${AWS::Partition}:rds-db:${AWS::Region}:${AWS::AccountId}:dbuser:${Id}/" + user
    return {"Fn::Sub": [head, {"Id": number}]}


PARAMETERS = {"Parameters": {"Subnets": {"Type": "List<AWS::EC2::Subnet::Id>"}}}


def subnet(zone: Any, **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::EC2::Subnet",
        "Properties": {"VpcId": "vpc-1", "AvailabilityZone": zone, **properties},
    }


def test_one_subnet_is_one_zone(judge: Judge) -> None:
    found = judge("proxy-in-one-zone", {"Proxy": proxy(VpcSubnetIds=["subnet-1"])})
    assert found == [("Proxy.VpcSubnetIds", "it has 1 subnet, needed are 2 or more in two zones")]


def test_two_subnets_in_one_zone_are_named(judge: Judge) -> None:
    resources = {
        "Proxy": proxy(VpcSubnetIds=[{"Ref": "A"}, {"Ref": "B"}]),
        "A": subnet("eu-central-1a"),
        "B": subnet("eu-central-1a"),
    }
    assert judge("proxy-in-one-zone", resources) == [
        ("Proxy.VpcSubnetIds", "its 2 subnets are all in zone eu-central-1a")
    ]


def test_two_zones_by_index_and_subnets_elsewhere_are_left_alone(judge: Judge) -> None:
    zones = [{"Fn::Select": [index, {"Fn::GetAZs": ""}]} for index in (0, 1)]
    resources = {
        "Proxy": proxy(VpcSubnetIds=[{"Ref": "A"}, {"Ref": "B"}]),
        "A": subnet(zones[0]),
        "B": subnet(zones[1]),
        "Other": proxy(VpcSubnetIds=["subnet-1", "subnet-2"]),
    }
    assert judge("proxy-in-one-zone", resources) == []


def test_a_zone_without_proxies_is_named(judge: Judge) -> None:
    resources = {
        "Proxy": proxy(VpcSubnetIds=[{"Ref": "A"}, {"Ref": "B"}]),
        "A": subnet(None, AvailabilityZoneId="use1-az3"),
        "B": subnet(None, AvailabilityZoneId="use1-az4"),
    }
    assert judge("proxy-in-one-zone", resources) == [
        ("Proxy.VpcSubnetIds.0", "its subnet A is in use1-az3, in which RDS has no proxies")
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (False, "RequireTLS is false, it must be true"),
        (None, "RequireTLS is not set, which is false, it must be true"),
    ],
)
def test_tls_that_is_not_required_is_said(judge: Judge, value: Any, said: str) -> None:
    assert judge("proxy-without-tls", {"Proxy": proxy(RequireTLS=value)}, **PARAMETERS) == [
        ("Proxy.RequireTLS", said)
    ]


def test_text_that_is_true_requires_tls(judge: Judge) -> None:
    assert judge("proxy-without-tls", {"Proxy": proxy(RequireTLS="true")}, **PARAMETERS) == []


def test_each_secret_that_takes_passwords_is_found(judge: Judge) -> None:
    auth = [{"SecretArn": "arn:a"}, {"SecretArn": "arn:b", "IAMAuth": "REQUIRED"}]
    assert judge("proxy-without-iam", {"Proxy": proxy(Auth=auth)}, **PARAMETERS) == [
        ("Proxy.Auth.0.IAMAuth", "IAMAuth is DISABLED, so clients give a password; allowed is REQUIRED")
    ]


def test_neither_secret_nor_token_is_no_credential(judge: Judge) -> None:
    assert judge("proxy-without-credentials", {"Proxy": proxy(Auth=None)}, **PARAMETERS) == [
        ("Proxy.Auth", "it has neither a secret in Auth nor DefaultAuthScheme IAM_AUTH")
    ]


def test_credentials_that_are_given_at_deployment_are_not_judged(judge: Judge) -> None:
    given = proxy(Auth={"Fn::ImportValue": "auth"})
    assert judge("proxy-without-credentials", {"Proxy": given}, **PARAMETERS) == []


def test_a_secret_that_the_role_reads_through_its_attachment_is_readable(judge: Judge) -> None:
    resources = {
        "Secret": SECRET,
        "Attachment": {
            "Type": "AWS::SecretsManager::SecretTargetAttachment",
            "Properties": {
                "SecretId": {"Ref": "Secret"},
                "TargetId": "orders",
                "TargetType": "AWS::RDS::DBInstance",
            },
        },
        "Role": role({"Action": "secretsmanager:GetSecretValue", "Resource": {"Ref": "Attachment"}}),
        "Proxy": proxy(
            RoleArn={"Fn::GetAtt": ["Role", "Arn"]},
            Auth=[{"IAMAuth": "REQUIRED", "SecretArn": {"Ref": "Attachment"}}],
        ),
    }
    assert judge("proxy-without-credentials", resources, **PARAMETERS) == []


def test_a_customer_key_has_to_be_decrypted_too(judge: Judge) -> None:
    secret = {**SECRET, "Properties": {**SECRET["Properties"], "KmsKeyId": {"Ref": "Key"}}}  # type: ignore[dict-item]  # a template
    policy = {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
                "Action": "kms:*",
                "Resource": "*",
            }
        ]
    }
    resources = {
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}},
        "Secret": secret,
        "Role": role({"Action": "secretsmanager:GetSecretValue", "Resource": {"Ref": "Secret"}}),
        "Proxy": proxy(RoleArn={"Fn::GetAtt": ["Role", "Arn"]}),
    }
    assert judge("proxy-without-credentials", resources, **PARAMETERS) == [
        ("Proxy.Auth.0.SecretArn", "its role may not do kms:Decrypt on Key, which encrypts Secret")
    ]
    resources["Role"] = role(
        {"Action": "secretsmanager:GetSecretValue", "Resource": {"Ref": "Secret"}},
        {
            "Action": "kms:Decrypt",
            "Resource": {"Fn::GetAtt": ["Key", "Arn"]},
            "Condition": {"StringEquals": {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}},
        },
    )
    assert judge("proxy-without-credentials", resources, **PARAMETERS) == []


def test_end_to_end_iam_is_complete_only_with_the_role_and_the_database(judge: Judge) -> None:
    resources = {
        "Orders": instance(),
        "Role": role({"Action": "rds-db:connect", "Resource": "arn:aws:rds-db:*:*:dbuser:db-OTHER/app"}),
        "Proxy": proxy(Auth=None, DefaultAuthScheme="IAM_AUTH", RoleArn={"Fn::GetAtt": ["Role", "Arn"]}),
        "Targets": targets("Orders"),
    }
    first, *others = judge("proxy-without-credentials", resources, **PARAMETERS)
    assert first == (
        "Proxy.DefaultAuthScheme",
        "it logs in with IAM tokens (IAM_AUTH), and Orders takes none",
    )
    # a written resource id may be that of Orders: nobody knows
    assert others == []
    resources["Orders"] = instance(EnableIAMDatabaseAuthentication=True)
    resources["Role"] = role({"NotAction": "s3:*", "Resource": "*"})
    assert judge("proxy-without-credentials", resources, **PARAMETERS) == []
    resources["Role"] = role({"Action": "s3:GetObject", "Resource": "*"})
    assert judge("proxy-without-credentials", resources, **PARAMETERS) == [
        ("Proxy.RoleArn", "it logs in with IAM tokens, and its role may not do rds-db:connect on Orders")
    ]


def test_a_proxy_before_nothing_is_found(judge: Judge) -> None:
    assert judge("proxy-without-target", {"Proxy": proxy(), "Secret": SECRET}, **PARAMETERS) == [
        ("Proxy", "no target group names it, so it stands before no database")
    ]
    group = {"Type": "AWS::RDS::DBProxyTargetGroup", "Properties": {"DBProxyName": {"Ref": "Proxy"}}}
    resources = {"Proxy": proxy(), "Secret": SECRET, "Targets": group}
    assert judge("proxy-without-target", resources, **PARAMETERS) == [
        ("Targets", "it names neither an instance nor a cluster")
    ]


def network(**rules: Any) -> dict[str, Any]:
    """A VPC with a proxy's group and a database's, and the rules that a test gives them."""
    group = {"VpcId": {"Ref": "Vpc"}, "GroupDescription": "one"}
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "A": subnet("eu-central-1a", VpcId={"Ref": "Vpc"}, CidrBlock="10.0.0.0/24"),
        "B": subnet("eu-central-1b", VpcId={"Ref": "Vpc"}, CidrBlock="10.0.1.0/24"),
        "Subnets": {
            "Type": "AWS::RDS::DBSubnetGroup",
            "Properties": {"DBSubnetGroupDescription": "both", "SubnetIds": [{"Ref": "A"}, {"Ref": "B"}]},
        },
        "ProxyGroup": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {**group, "SecurityGroupEgress": rules.get("out", [])},
        },
        "DatabaseGroup": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {**group, "SecurityGroupIngress": rules.get("into", [])},
        },
        "Secret": SECRET,
        "Proxy": proxy(
            VpcSubnetIds=[{"Ref": "A"}, {"Ref": "B"}],
            VpcSecurityGroupIds=[{"Fn::GetAtt": ["ProxyGroup", "GroupId"]}],
        ),
        "Orders": instance(
            DBSubnetGroupName={"Ref": "Subnets"},
            VPCSecurityGroups=[{"Fn::GetAtt": ["DatabaseGroup", "GroupId"]}],
            PubliclyAccessible=False,
            **({"Port": rules["port"]} if "port" in rules else {}),
        ),
        "Targets": targets("Orders"),
    }


def opened(port: int, to: str = "0.0.0.0/0") -> list[dict[str, Any]]:
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": to}]


def test_a_proxy_that_its_database_does_not_let_in_is_found_with_the_port(judge: Judge) -> None:
    assert judge("proxy-without-target", network(out=opened(6000), into=opened(5432), port=6000)) == [
        (
            "Proxy.VpcSecurityGroupIds",
            "it does not reach Orders on port 6000: no rule lets tcp 6000 in from ProxyGroup",
        )
    ]


def test_a_proxy_that_reaches_its_database_on_the_databases_port_is_left_alone(judge: Judge) -> None:
    rules = {"out": opened(6000), "into": opened(6000, "10.0.0.0/16"), "port": 6000}
    assert judge("proxy-without-target", network(**rules)) == []


def using(function: Writer, **properties: Any) -> dict[str, Any]:
    variables = properties.pop("variables", {"DATABASE_HOST": ENDPOINT, "DATABASE_USER": "app"})
    return function(
        Role={"Fn::GetAtt": ["Role", "Arn"]}, Environment={"Variables": variables}, Timeout=30, **properties
    )


def connecting(function: Writer, resource: Any, **properties: Any) -> dict[str, Any]:
    return {
        "Secret": SECRET,
        "Proxy": proxy(),
        "Role": role({"Action": "rds-db:connect", "Resource": resource}),
        "Query": using(function, **properties),
        "Targets": targets(ConnectionPoolConfigurationInfo={"ConnectionBorrowTimeout": 5}),
    }


def test_a_function_allowed_as_another_user_may_not_connect(judge: Judge, function: Writer) -> None:
    resources = connecting(function, user_arn("report"))
    assert judge("proxy-connect-denied", resources, **PARAMETERS) == [
        ("Query.Environment.Variables.DATABASE_HOST", "its role may not do rds-db:connect on Proxy as app")
    ]


@pytest.mark.parametrize("user", ["app", "*"])
def test_a_function_allowed_as_its_user_or_as_any_may_connect(
    judge: Judge, function: Writer, user: str
) -> None:
    assert judge("proxy-connect-denied", connecting(function, user_arn(user)), **PARAMETERS) == []


def test_a_function_connecting_as_a_user_that_the_proxy_does_not_know_is_found(
    judge: Judge, function: Writer
) -> None:
    resources = connecting(
        function, user_arn("report"), variables={"DATABASE_HOST": ENDPOINT, "DATABASE_USER": "report"}
    )
    assert judge("proxy-connect-denied", resources, **PARAMETERS) == [
        (
            "Query.Environment.Variables.DATABASE_HOST",
            "it connects as report, and Proxy has credentials of app alone",
        )
    ]


def test_a_user_that_is_named_nowhere_is_one_of_the_proxys(judge: Judge, function: Writer) -> None:
    resources = connecting(function, user_arn("app"), variables={"HOST": ENDPOINT})
    assert judge("proxy-connect-denied", resources, **PARAMETERS) == []
    resources = connecting(function, "arn:aws:rds-db:*:*:dbuser:db-OTHER/*", variables={"HOST": ENDPOINT})
    resources["Role"] = role({"Action": "s3:GetObject", "Resource": "*"})
    assert judge("proxy-connect-denied", resources, **PARAMETERS) == [
        ("Query.Environment.Variables.HOST", "its role may not do rds-db:connect on Proxy as app")
    ]


def both_users() -> dict[str, Any]:
    """A second secret, and a proxy that has the credentials of app and of report."""
    made = {"GenerateSecretString": {"SecretStringTemplate": '{"username": "report"}'}}
    auth = [{"IAMAuth": "REQUIRED", "SecretArn": {"Ref": name}} for name in ("Reports", "Secret")]
    return {
        "Reports": {"Type": "AWS::SecretsManager::Secret", "Properties": made},
        "Proxy": proxy(Auth=auth),
    }


def test_a_function_may_connect_as_one_of_the_proxys_users(judge: Judge, function: Writer) -> None:
    resources = connecting(function, user_arn("app"), variables={"HOST": ENDPOINT}) | both_users()
    assert judge("proxy-connect-denied", resources, **PARAMETERS) == []
    resources["Role"] = role({"Action": "s3:GetObject", "Resource": "*"})
    assert judge("proxy-connect-denied", resources, **PARAMETERS) == [
        ("Query.Environment.Variables.HOST", "its role may not do rds-db:connect on Proxy as app or report")
    ]
    resources["Query"] = using(function, variables={"DATABASE_HOST": ENDPOINT, "DATABASE_USER": "admin"})
    assert judge("proxy-connect-denied", resources, **PARAMETERS) == [
        (
            "Query.Environment.Variables.DATABASE_HOST",
            "it connects as admin, and Proxy has credentials of app, report alone",
        )
    ]


def test_where_no_user_is_known_any_grant_on_the_proxy_will_do(judge: Judge, function: Writer) -> None:
    resources = connecting(function, user_arn("report"), variables={"HOST": ENDPOINT})
    elsewhere = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app-AbCdEf"
    resources["Proxy"] = proxy(Auth=[{"IAMAuth": "REQUIRED", "SecretArn": elsewhere}])
    assert judge("proxy-connect-denied", resources, **PARAMETERS) == []
    resources["Role"] = role({"Action": "s3:GetObject", "Resource": "*"})
    assert judge("proxy-connect-denied", resources, **PARAMETERS) == [
        ("Query.Environment.Variables.HOST", "its role may not do rds-db:connect on Proxy as any user")
    ]


def test_a_proxy_that_takes_passwords_needs_no_permission(judge: Judge, function: Writer) -> None:
    resources = connecting(function, "arn:aws:rds-db:*:*:dbuser:db-OTHER/app")
    resources["Proxy"] = proxy(Auth=[{"IAMAuth": "DISABLED", "SecretArn": {"Ref": "Secret"}}])
    assert judge("proxy-connect-denied", resources, **PARAMETERS) == []


def test_another_engine_family_is_said_with_the_allowed_one(judge: Judge) -> None:
    resources = {
        "Proxy": proxy(),
        "Secret": SECRET,
        "Targets": targets("Orders"),
        "Orders": instance("mariadb", "11.4.5"),
    }
    assert judge("proxy-engine-mismatch", resources, **PARAMETERS) == [
        ("Proxy.EngineFamily", "EngineFamily is POSTGRESQL, Orders is RDS for MariaDB, allowed is MYSQL")
    ]


def test_an_engine_that_no_proxy_serves_is_said(judge: Judge) -> None:
    resources = {"Proxy": proxy(), "Targets": targets("Orders"), "Orders": instance("oracle-ee", "19")}
    assert judge("proxy-engine-mismatch", resources, **PARAMETERS) == [
        (
            "Proxy.EngineFamily",
            (
                "EngineFamily is POSTGRESQL, Orders is RDS for Oracle, "
                "allowed is none: RDS Proxy does not serve it"
            ),
        )
    ]


def test_a_borrow_timeout_that_is_not_set_is_two_minutes(judge: Judge, function: Writer) -> None:
    resources = {**connecting(function, user_arn("app")), "Targets": targets()}
    assert judge("borrow-timeout-over-function", resources, **PARAMETERS) == [
        (
            "Targets.ConnectionPoolConfigurationInfo.ConnectionBorrowTimeout",
            "the borrow timeout is 120 s (the default), Query runs for 30 s at most",
        )
    ]


def direct(function: Writer, **properties: Any) -> dict[str, Any]:
    address = {"Fn::GetAtt": ["Orders", "Endpoint.Address"]}
    engine = properties.pop("engine", "postgres")
    variables = {"HOST": address}
    return {
        "Orders": instance(engine),
        "Query": function(Environment={"Variables": variables}, **properties),
    }


def test_a_function_that_connects_by_itself_is_found(judge: Judge, function: Writer) -> None:
    assert judge("database-without-proxy", direct(function)) == [
        (
            "Query.Environment.Variables.HOST",
            "it connects to the instance Orders itself: one connection for each environment",
        )
    ]


@pytest.mark.parametrize(
    "properties", [{"ReservedConcurrentExecutions": 5}, {"engine": "oracle-ee"}, {"engine": "db2-se"}]
)
def test_a_few_environments_and_engines_without_proxies_are_left_alone(
    judge: Judge, function: Writer, properties: dict[str, Any]
) -> None:
    assert judge("database-without-proxy", direct(function, **properties)) == []


def test_six_environments_are_not_a_few(judge: Judge, function: Writer) -> None:
    assert judge("database-without-proxy", direct(function, ReservedConcurrentExecutions=6)) != []


def test_a_public_member_of_a_cluster_is_public(judge: Judge, function: Writer) -> None:
    resources = {
        "Orders": cluster("aurora-postgresql", "16.6"),
        "Writer": instance(
            "aurora-postgresql", "16.6", DBClusterIdentifier={"Ref": "Orders"}, PubliclyAccessible=True
        ),
        "Query": function(
            Environment={"Variables": {"HOST": {"Fn::GetAtt": ["Orders", "Endpoint.Address"]}}}
        ),
    }
    assert judge("database-public", resources) == [
        ("Writer.PubliclyAccessible", "PubliclyAccessible is true, it must be false")
    ]


CALLS = role({"Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:*:*:function:record"})
LAMBDA_ROLE = {"RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}, "FeatureName": "Lambda"}


def test_an_engine_and_a_version_that_cannot_invoke_are_said(judge: Judge) -> None:
    resources = {"Role": CALLS, "Orders": instance("mariadb", "11.4.5", AssociatedRoles=[LAMBDA_ROLE])}
    assert judge("invoke-engine-unsupported", resources) == [
        ("Orders.AssociatedRoles.0", "it is set to invoke functions, and RDS for MariaDB cannot")
    ]
    resources["Orders"] = instance("postgres", "12.4", AssociatedRoles=[LAMBDA_ROLE])
    assert judge("invoke-engine-unsupported", resources) == [
        (
            "Orders.EngineVersion",
            (
                "it is set to invoke functions, and RDS for PostgreSQL 12.4 cannot, "
                "allowed are 12.6, 13.2, 14.1, 15.0 up"
            ),
        )
    ]


def test_a_role_without_the_feature_is_said(judge: Judge) -> None:
    association = {"RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}
    resources = {"Role": CALLS, "Orders": cluster("aurora-postgresql", "16.6", AssociatedRoles=[association])}
    assert judge("invoke-permission-missing", resources) == [
        (
            "Orders.AssociatedRoles.0.FeatureName",
            "its role may invoke functions, and is not associated for the feature Lambda",
        )
    ]


def test_aurora_mysql_needs_the_role_in_both_places(judge: Judge) -> None:
    group = {
        "Type": "AWS::RDS::DBClusterParameterGroup",
        "Properties": {
            "Family": "aurora-mysql8.0",
            "Parameters": {"aws_default_lambda_role": {"Fn::GetAtt": ["Role", "Arn"]}},
        },
    }
    resources = {
        "Role": CALLS,
        "Parameters": group,
        "Orders": cluster(
            "aurora-mysql", "8.0.mysql_aurora.3.08.0", DBClusterParameterGroupName={"Ref": "Parameters"}
        ),
    }
    assert judge("invoke-permission-missing", resources) == [
        (
            "Orders.AssociatedRoles",
            "aws_default_lambda_role names a role that is not associated with the cluster",
        )
    ]
    association = {"RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}
    resources["Orders"]["Properties"]["AssociatedRoles"] = [association]
    assert judge("invoke-permission-missing", resources) == []
    del resources["Orders"]["Properties"]["DBClusterParameterGroupName"]
    assert judge("invoke-parameter-missing", resources) == [
        ("Orders.DBClusterParameterGroupName", "its cluster parameters do not set aws_default_lambda_role")
    ]


def test_a_database_that_may_not_leave_its_subnets_does_not_reach_lambda(judge: Judge) -> None:
    resources = network()
    resources["Role"] = CALLS
    resources["Orders"]["Properties"]["AssociatedRoles"] = [LAMBDA_ROLE]
    ((place, said),) = judge("invoke-path-missing", resources)
    assert place == "Orders"
    assert said.startswith("it does not reach the Lambda API on 443: ")


def test_a_grant_on_the_database_behind_a_proxy_is_no_grant_on_the_proxy(judge: Judge) -> None:
    target = {"Fn::Sub": "arn:aws:rds-db:us-east-1:111122223333:dbuser:${Db.DbiResourceId}/app"}
    resources = {
        "Db": instance(),
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {}},
        "Proxy": proxy(),
        "Targets": targets("Db"),
        "Role": role({"Action": "rds-db:connect", "Resource": target}),
        "F": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Environment": {"Variables": {"DATABASE_HOST": ENDPOINT}},
            },
        },
    }
    assert [place for place, _ in judge("proxy-connect-denied", resources, **PARAMETERS)] == [
        "F.Environment.Variables.DATABASE_HOST"
    ]
    assert judge("database-without-proxy", resources, **PARAMETERS) == []


def trusting(service: str, *statements: dict[str, Any]) -> dict[str, Any]:
    made = role(*statements)
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    made["Properties"]["AssumeRolePolicyDocument"] = {"Statement": [trust]}
    return made


@pytest.mark.parametrize("service", ["rds.amazonaws.com", "ec2.amazonaws.com"])
def test_rds_has_to_be_let_into_its_role(judge: Judge, service: str) -> None:
    arn = {"Fn::GetAtt": ["Role", "Arn"]}
    said = "does not let rds.amazonaws.com assume it"
    invokes = {
        "Orders": instance(AssociatedRoles=[{"FeatureName": "Lambda", "RoleArn": arn}]),
        "Role": trusting(service, {"Action": "lambda:InvokeFunction", "Resource": "*"}),
    }
    found = judge("invoke-permission-missing", invokes)
    wrong = service.startswith("ec2")
    assert found == ([("Orders.AssociatedRoles.0", f"its role for Lambda {said}")] if wrong else [])
    reads = {
        "Proxy": proxy(RoleArn=arn),
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {}},
        "Role": trusting(service, {"Action": "secretsmanager:GetSecretValue", "Resource": "*"}),
    }
    found = judge("proxy-without-credentials", reads, **PARAMETERS)
    assert found == ([("Proxy.RoleArn", f"its role {said}")] if wrong else [])


def test_the_default_role_of_aurora_mysql_has_to_invoke(judge: Judge) -> None:
    arn = {"Fn::GetAtt": ["Role", "Arn"]}
    resources = {
        "Orders": cluster(
            "aurora-mysql",
            "8.0.mysql_aurora.3.08.0",
            AssociatedRoles=[{"RoleArn": arn}],
            DBClusterParameterGroupName={"Ref": "Group"},
        ),
        "Group": {
            "Type": "AWS::RDS::DBClusterParameterGroup",
            "Properties": {"Parameters": {"aws_default_lambda_role": arn}},
        },
        "Role": role({"Action": "s3:GetObject", "Resource": "*"}),
    }
    assert judge("invoke-permission-missing", resources) == [
        ("Orders.AssociatedRoles", "its role for Lambda may not do lambda:InvokeFunction")
    ]


def test_two_subnets_in_one_zone_by_its_id_are_in_one_zone(judge: Judge) -> None:
    made = {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": "vpc-1", "AvailabilityZoneId": "use1-az4"}}
    resources = {"A": made, "B": made, "Proxy": proxy(VpcSubnetIds=[{"Ref": "A"}, {"Ref": "B"}])}
    assert judge("proxy-in-one-zone", resources) == [
        ("Proxy.VpcSubnetIds", "its 2 subnets are all in zone use1-az4")
    ]
