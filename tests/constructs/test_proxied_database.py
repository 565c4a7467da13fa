from itertools import product
from typing import Any

import pytest

from tests.constructs.database_wiring import ENGINES, IMPORTED_PORT, PORTS, Wiring, wire

pytestmark = pytest.mark.cdk

MATRIX = list(product(ENGINES, (True, False), (1, 2), (False, True)))
IDS = [
    f"{engine}-{'new' if new else 'imported'}-{stacks} stack{'s' * (stacks - 1)}-{'iam' if iam else 'secret'}"
    for engine, new, stacks, iam in MATRIX
]


@pytest.fixture(scope="module", params=MATRIX, ids=IDS)
def wired(request: pytest.FixtureRequest) -> tuple[Wiring, str, bool, bool]:
    engine, new, stacks, end_to_end = request.param
    return wire(engine, new=new, stacks=stacks, end_to_end=end_to_end), engine, new, end_to_end


def rules(wiring: Wiring, kind: str) -> list[dict[str, Any]]:
    stacks = {wiring.data.stack_name: wiring.data, wiring.code.stack_name: wiring.code}
    return [
        rule
        for stack in stacks.values()
        for rule in wiring.of_type(stack, f"AWS::EC2::SecurityGroup{kind}").values()
    ]


def test_every_wiring_lets_the_function_out_and_into_the_proxy_on_the_familys_port(
    wired: tuple[Wiring, str, bool, bool],
) -> None:
    wiring, engine, _, _ = wired
    port = PORTS[engine]
    opened = [r for r in rules(wiring, "Ingress") if r["Description"] == "Connections to the proxy of Orders"]
    assert [(rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) for rule in opened] == [
        (port, port, "tcp")
    ]
    let_out = [
        rule
        for rule in (
            *rules(wiring, "Egress"),
            *(
                rule
                for group in wiring.of_type(wiring.code, "AWS::EC2::SecurityGroup").values()
                for rule in group.get("SecurityGroupEgress", [])
            ),
        )
        if rule.get("Description") == "Connections to the proxy of Orders"
    ]
    assert [(rule["FromPort"], rule["ToPort"]) for rule in let_out] == [(port, port)]


def test_every_wiring_lets_the_proxy_into_the_database_on_the_databases_port(
    wired: tuple[Wiring, str, bool, bool],
) -> None:
    wiring, engine, new, _ = wired
    port = PORTS[engine] if new else IMPORTED_PORT
    opened = [r for r in rules(wiring, "Ingress") if r["Description"] == "The proxy logs in to the database"]
    assert [(rule["FromPort"], rule["ToPort"]) for rule in opened] == [(port, port)]


def test_every_wiring_requires_tls_and_an_iam_token(wired: tuple[Wiring, str, bool, bool]) -> None:
    wiring, _, _, end_to_end = wired
    (proxy,) = wiring.of_type(wiring.data, "AWS::RDS::DBProxy").values()
    assert proxy["RequireTLS"] is True
    if end_to_end:
        assert proxy["DefaultAuthScheme"] == "IAM_AUTH"
        assert "Auth" not in proxy
    else:
        assert [(auth["AuthScheme"], auth["IAMAuth"]) for auth in proxy["Auth"]] == [("SECRETS", "REQUIRED")]


def test_every_wiring_gives_the_proxys_role_what_it_needs_and_nothing_else(
    wired: tuple[Wiring, str, bool, bool],
) -> None:
    wiring, _, new, end_to_end = wired
    policies = wiring.of_type(wiring.data, "AWS::IAM::Policy")
    (policy,) = [p for name, p in policies.items() if name.startswith("OrdersRole")]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Allow"
    if not end_to_end:
        assert statement["Action"] == "secretsmanager:GetSecretValue"
        assert statement["Resource"].keys() == {"Ref"}
        return
    assert statement["Action"] == "rds-db:connect"
    if not new:
        assert str(statement["Resource"]).endswith("dbuser:cluster-ABC/app']]}") or str(
            statement["Resource"]
        ).endswith("dbuser:db-ABC/app']]}")
    else:
        attribute = statement["Resource"]["Fn::Join"][1][3]["Fn::GetAtt"][1]
        assert attribute in {"DbiResourceId", "DBClusterResourceId"}


def test_every_new_database_is_private_encrypted_protected_and_takes_iam_tokens_and_tls_alone(
    wired: tuple[Wiring, str, bool, bool],
) -> None:
    wiring, engine, new, _ = wired
    kind = "AWS::RDS::DBCluster" if engine.startswith("aurora") else "AWS::RDS::DBInstance"
    found = list(wiring.of_type(wiring.data, kind).values())
    if not new:
        assert found == []
        return
    (database,) = found
    assert database["StorageEncrypted"] is True
    assert database["DeletionProtection"] is True
    assert database["EnableIAMDatabaseAuthentication"] is True
    assert database.get("PubliclyAccessible", False) is False
    groups = [
        properties["Parameters"]
        for group in ("AWS::RDS::DBParameterGroup", "AWS::RDS::DBClusterParameterGroup")
        for properties in wiring.of_type(wiring.data, group).values()
    ]
    expected = (
        {"rds.force_ssl": "1"} if PORTS[engine] == PORTS["postgres"] else {"require_secure_transport": "ON"}
    )
    assert groups == [expected]


def test_every_wiring_tells_the_function_where_and_as_whom_to_connect(
    wired: tuple[Wiring, str, bool, bool],
) -> None:
    wiring, engine, _, _ = wired
    (function,) = [
        f
        for f in wiring.of_type(wiring.code, "AWS::Lambda::Function").values()
        if "DATABASE_HOST" in f.get("Environment", {}).get("Variables", {})
    ]
    variables = function["Environment"]["Variables"]
    assert {name: value for name, value in variables.items() if name != "DATABASE_HOST"} == {
        "DATABASE_PORT": str(PORTS[engine]),
        "DATABASE_USER": "app",
        "DATABASE_NAME": "orders",
        "DATABASE_REGION": "eu-central-1",
    }


def test_every_wiring_lets_the_function_connect_as_this_user_of_this_proxy_alone(
    wired: tuple[Wiring, str, bool, bool],
) -> None:
    wiring, _, _, _ = wired
    statements = [
        statement
        for policy in wiring.of_type(wiring.code, "AWS::IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "rds-db:connect" and "Fn::Select" in str(statement)
    ]
    (statement,) = statements
    parts = statement["Resource"]["Fn::Join"][1]
    assert parts[-1] == "/app"
    assert parts[-2]["Fn::Select"][0] == 6


def test_secrets_rotate_in_a_group_that_reaches_the_database_and_secrets_manager_alone(
    wired: tuple[Wiring, str, bool, bool],
) -> None:
    wiring, engine, new, end_to_end = wired
    schedules = wiring.of_type(wiring.data, "AWS::SecretsManager::RotationSchedule")
    assert len(schedules) == (0 if end_to_end else 1) + (1 if new else 0)
    if not schedules:
        return
    kinds = {schedule["HostedRotationLambda"]["RotationType"] for schedule in schedules.values()}
    assert kinds == {
        {"mariadb": "MariaDBSingleUser", "mysql": "MySQLSingleUser", "aurora-mysql": "MySQLSingleUser"}.get(
            engine, "PostgreSQLSingleUser"
        )
    }
    groups = wiring.of_type(wiring.data, "AWS::EC2::SecurityGroup")
    (name,) = [found for found in groups if found.startswith("OrdersRotationSecurityGroup")]
    port = PORTS[engine] if new else IMPORTED_PORT
    opened = [
        rule["FromPort"]
        for rule in rules(wiring, "Ingress")
        if rule["SourceSecurityGroupId"] == {"Fn::GetAtt": [name, "GroupId"]}
    ]
    assert sorted(opened) == [443, port]
