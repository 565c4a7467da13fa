"""What one call connects beyond the matrix, and what it refuses at once."""

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_rds as rds

from lambda_patterns.constructs.database_users import DatabaseUser
from lambda_patterns.constructs.imported_database_proxy import ImportedDatabaseProxy
from tests.constructs.database_wiring import (
    data_stack,
    function_in,
    network_of,
    proxied,
    refusal,
    secret,
    wire,
)

pytestmark = pytest.mark.cdk

RDS = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/"


def test_an_unknown_user_is_refused_at_once_with_the_known_ones() -> None:
    wiring = wire()
    function = function_in(wiring.data, wiring.network, "Report")
    assert refusal(lambda: wiring.database.connect(function, user="report")) == (
        "connect Data/Report: user 'report' is not one of this proxy's (app): the proxy could not log "
        f"in as it; add it to users= ({RDS}rds-proxy-connecting.html)"
    )


def test_a_function_outside_a_vpc_is_refused() -> None:
    wiring = wire()
    function = lambda_.Function(
        wiring.data,
        "Outside",
        runtime=lambda_.Runtime.PYTHON_3_14,
        handler="index.handler",
        code=lambda_.Code.from_inline("pass"),
        timeout=Duration.seconds(30),
    )
    assert refusal(lambda: wiring.database.connect(function, user="app")).startswith(
        "connect Data/Outside: the function is outside a VPC, and a proxy is reached from inside one "
        "alone: give "
    )


def test_a_function_in_another_vpc_is_refused_unless_the_vpcs_are_said_to_be_connected() -> None:
    app = App()
    data = data_stack(app)
    other = network_of(Stack(app, "Other", env={"account": "123456789012", "region": "eu-central-1"}))
    function = function_in(Stack.of(other), other)
    database = proxied(data)
    assert refusal(lambda: database.connect(function, user="app")) == (
        "connect Other/Query: the function is in Other/Network/Vpc, the proxy in Data/Network/Vpc: no route "
        "between them is known; use one VPC, or name the function's in connected_vpcs= where they are peered "
        f"({RDS}rds-proxy.html)"
    )
    reachable = proxied(data, "Peered", network=database.network, connected_vpcs=[other.vpc])
    reachable.connect(function, user="app")


def test_a_function_that_ends_before_it_hears_of_a_full_pool_is_refused() -> None:
    wiring = wire()
    function = function_in(wiring.data, wiring.network, "Hasty", timeout=Duration.seconds(5))
    assert refusal(lambda: wiring.database.connect(function, user="app")) == (
        "connect Data/Hasty: its timeout is 5 s, the proxy's borrow timeout 5 s: the function would be ended "
        "before it hears that no connection is free; raise its timeout or lower borrow_timeout= "
        f"({RDS}rds-proxy-connections.html)"
    )


def test_a_second_database_of_a_function_needs_variables_of_its_own() -> None:
    wiring = wire()
    second = proxied(wiring.data, "Stock", network=wiring.network)
    assert refusal(lambda: second.connect(wiring.function, user="app")) == (
        "connect Data/Query: the variables DATABASE_* already name a database: give this one another "
        f"environment_prefix= ({RDS}rds-proxy-connecting.html)"
    )
    second.connect(wiring.function, user="app", environment_prefix="STOCK")
    functions = wiring.of_type(wiring.data, "AWS::Lambda::Function")
    (variables,) = [
        found["Environment"]["Variables"]
        for found in functions.values()
        if "STOCK_HOST" in found.get("Environment", {}).get("Variables", {})
    ]
    assert variables["STOCK_NAME"] == "orders"
    assert variables["STOCK_HOST"] != variables["DATABASE_HOST"]


def test_a_plain_function_of_aws_cdk_in_the_vpc_is_connected_as_well() -> None:
    wiring = wire()
    function = lambda_.Function(
        wiring.data,
        "Plain",
        runtime=lambda_.Runtime.PYTHON_3_14,
        handler="index.handler",
        code=lambda_.Code.from_inline("pass"),
        timeout=Duration.seconds(30),
        vpc=wiring.network.vpc,
        vpc_subnets=wiring.network.subnets,
        allow_all_outbound=False,
    )
    wiring.database.connect(function, user="app")
    functions = wiring.of_type(wiring.data, "AWS::Lambda::Function")
    (plain,) = [found for name, found in functions.items() if name.startswith("Plain")]
    assert plain["Environment"]["Variables"]["DATABASE_USER"] == "app"


def test_each_user_has_a_secret_of_its_own_and_the_role_reads_exactly_these() -> None:
    wiring = wire(arguments={"users": ["app", DatabaseUser(name="report", read_only=True)]})
    (proxy,) = wiring.of_type(wiring.data, "AWS::RDS::DBProxy").values()
    named = [auth["SecretArn"]["Ref"] for auth in proxy["Auth"]]
    policies = wiring.of_type(wiring.data, "AWS::IAM::Policy")
    (policy,) = [found for name, found in policies.items() if name.startswith("OrdersRole")]
    assert len({*named}) == len(named) == len(wiring.database.users)
    assert [found["Resource"]["Ref"] for found in policy["PolicyDocument"]["Statement"]] == named
    templates = [
        found["GenerateSecretString"]["SecretStringTemplate"]
        for found in wiring.of_type(wiring.data, "AWS::SecretsManager::Secret").values()
    ]
    assert sorted(templates) == ['{"username":"app"}', '{"username":"dbadmin"}', '{"username":"report"}']


def test_a_customer_key_is_used_for_storage_and_secrets_and_decrypted_through_secrets_manager_alone() -> None:
    app = App()
    keys = Stack(app, "Keys", env={"account": "123456789012", "region": "eu-central-1"})
    data = data_stack(app)
    key = kms.Key(keys, "Key")
    proxied(data, encryption_key=key)
    resources = app.synth().get_stack_by_name("Data").template["Resources"]
    decrypts = [
        statement
        for name, found in resources.items()
        if name.startswith("OrdersRoleDefaultPolicy")
        for statement in found["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "kms:Decrypt"
    ]
    assert [statement["Condition"] for statement in decrypts] == [
        {"StringEquals": {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}}
    ]
    encrypted = [found for found in resources.values() if found["Type"] == "AWS::SecretsManager::Secret"]
    assert ["KmsKeyId" in found["Properties"] for found in encrypted] == [True, True]
    (database,) = [found for found in resources.values() if found["Type"] == "AWS::RDS::DBInstance"]
    assert "KmsKeyId" in database["Properties"]


def test_a_secret_that_exists_is_read_and_left_to_whoever_rotates_it() -> None:
    app = App()
    data = data_stack(app)
    proxied(data, users=[DatabaseUser(name="app", secret=secret(data))])
    resources = app.synth().get_stack_by_name("Data").template["Resources"]
    (proxy,) = [found for found in resources.values() if found["Type"] == "AWS::RDS::DBProxy"]
    assert proxy["Properties"]["Auth"][0]["SecretArn"].endswith(":secret:app-AbCdEf")
    rotated = [name for name in resources if name.startswith("OrdersRotation") and "Group" not in name]
    assert len(rotated) == 1
    assert "dbadmin" in rotated[0]


def test_a_cluster_is_read_through_a_read_only_endpoint_that_is_made_once() -> None:
    wiring = wire("aurora-postgresql")
    for name in ("First", "Second"):
        wiring.database.connect(function_in(wiring.data, wiring.network, name), user="app", read_only=True)
    (endpoint,) = wiring.of_type(wiring.data, "AWS::RDS::DBProxyEndpoint").items()
    assert endpoint[1]["TargetRole"] == "READ_ONLY"
    hosts = [
        found["Environment"]["Variables"]["DATABASE_HOST"]
        for name, found in wiring.of_type(wiring.data, "AWS::Lambda::Function").items()
        if name.startswith(("First", "Second"))
    ]
    assert hosts == [{"Fn::GetAtt": [endpoint[0], "Endpoint"]}] * 2


def test_an_instance_has_no_read_only_endpoint() -> None:
    wiring = wire()
    function = function_in(wiring.data, wiring.network, "Read")
    assert refusal(lambda: wiring.database.connect(function, user="app", read_only=True)) == (
        "read_only: this proxy has no read-only endpoint: only a proxy before an Aurora cluster with a "
        f"reader can have one ({RDS}rds-proxy-endpoints.html)"
    )


def test_pool_settings_are_passed_on() -> None:
    wiring = wire(
        "mysql",
        arguments={
            "borrow_timeout": Duration.seconds(2),
            "max_connections_percent": 50,
            "idle_client_timeout": Duration.minutes(5),
            "session_pinning_filters": [rds.SessionPinningFilter.EXCLUDE_VARIABLE_SETS],
            "init_query": "SET time_zone='UTC'",
        },
    )
    (group,) = wiring.of_type(wiring.data, "AWS::RDS::DBProxyTargetGroup").values()
    assert group["ConnectionPoolConfigurationInfo"] == {
        "ConnectionBorrowTimeout": 2,
        "MaxConnectionsPercent": 50,
        "InitQuery": "SET time_zone='UTC'",
        "SessionPinningFilters": ["EXCLUDE_VARIABLE_SETS"],
    }
    (proxy,) = wiring.of_type(wiring.data, "AWS::RDS::DBProxy").values()
    assert proxy["IdleClientTimeout"] == 300


def test_two_databases_stand_in_one_stack() -> None:
    wiring = wire()
    proxied(wiring.data, "Stock", network=wiring.network)
    names = [proxy["DBProxyName"] for proxy in wiring.of_type(wiring.data, "AWS::RDS::DBProxy").values()]
    assert len(set(names)) == 2


def test_a_proxy_made_elsewhere_is_connected_by_the_same_call() -> None:
    app = App()
    stack = data_stack(app)
    network = network_of(stack)
    database = ImportedDatabaseProxy(
        stack,
        "Orders",
        proxy_arn="arn:aws:rds:eu-central-1:123456789012:db-proxy:prx-0123",
        proxy_endpoint="orders.proxy-abc.eu-central-1.rds.amazonaws.com",
        engine_family="MYSQL",
        security_groups=[ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0")],
        users=["app"],
        database_name="orders",
        read_only_endpoint="readers.example",
    )
    database.connect(function_in(stack, network), user="app")
    database.connect(function_in(stack, network, "Read"), user="app", read_only=True)
    resources = app.synth().get_stack_by_name("Data").template["Resources"]
    opened = [
        (found["Properties"]["GroupId"], found["Properties"]["FromPort"])
        for found in resources.values()
        if found["Type"] == "AWS::EC2::SecurityGroupIngress"
    ]
    assert opened.count(("sg-0123456789abcdef0", 3306)) == 2
    granted = [
        str(statement["Resource"])
        for found in resources.values()
        if found["Type"] == "AWS::IAM::Policy"
        for statement in found["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "rds-db:connect"
    ]
    assert all("dbuser:prx-0123/app" in resource for resource in granted)
    assert len(granted) == 2


def test_an_arn_that_is_no_proxys_is_refused() -> None:
    stack = data_stack(App())
    message = refusal(
        lambda: ImportedDatabaseProxy(
            stack,
            "Orders",
            proxy_arn="arn:aws:rds:eu-central-1:123456789012:db:orders",
            proxy_endpoint="orders.example",
            engine_family="MYSQL",
            security_groups=[],
            users=["app"],
            database_name="orders",
        )
    )
    assert message == (
        "proxy_arn: 'arn:aws:rds:eu-central-1:123456789012:db:orders' is no proxy's, it looks like "
        f"arn:aws:rds:eu-central-1:123456789012:db-proxy:prx-0123 ({RDS}rds-proxy.html)"
    )
