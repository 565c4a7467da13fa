"""What one call connects beyond the matrix, and what it refuses at once."""

from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_rds as rds

from lambda_patterns.constructs.database_placement import Rotation
from lambda_patterns.constructs.database_sources import NewCluster, NewInstance
from lambda_patterns.constructs.database_users import DatabaseUser
from lambda_patterns.constructs.imported_database_proxy import ImportedDatabaseProxy
from lambda_patterns.constructs.network import LambdaNetwork
from lambda_patterns.constructs.proxied_database import ProxiedDatabase
from lambda_patterns.constructs.ways_out import Endpoints, NatGateways
from tests.constructs.database_wiring import (
    ENGINES,
    Wiring,
    data_stack,
    function_in,
    network_of,
    new_database,
    refusal,
    secret,
    wire,
)

pytestmark = pytest.mark.cdk

RDS = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/"


def proxied(stack: Stack, name: str = "Orders", **arguments: Any) -> ProxiedDatabase:
    defaults = {"database": new_database("postgres"), "users": ["app"], "database_name": "orders"}
    network = arguments.pop("network", None) or network_of(stack)
    return ProxiedDatabase(stack, name, network=network, **{**defaults, **arguments})


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
    assert all("KmsKeyId" in found["Properties"] for found in encrypted)
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


def prepared(wiring: Wiring, **arguments: Any) -> dict[str, Any]:
    function = function_in(wiring.code, wiring.network, "Prepare", needs=["secretsmanager"])
    wiring.database.prepare(function, **arguments)
    (resource,) = wiring.of_type(wiring.code, "Custom::PreparedDatabase").values()
    return resource


@pytest.mark.parametrize("stacks", [1, 2])
def test_preparing_connects_as_the_master_user_and_makes_the_users(stacks: int) -> None:
    wiring = wire(stacks=stacks)
    resource = prepared(wiring, schema=["CREATE TABLE IF NOT EXISTS orders (id bigint)"])
    assert resource["Statements"][0] == "CREATE TABLE IF NOT EXISTS orders (id bigint)"
    assert "ALTER ROLE \"app\" WITH LOGIN PASSWORD :'app_password'" in resource["Statements"]
    assert not any("dbadmin" in statement for statement in resource["Statements"])
    assert list(resource["Secrets"]) == ["app_password"]
    (proxy,) = wiring.of_type(wiring.data, "AWS::RDS::DBProxy").values()
    assert len(proxy["Auth"]) == 2
    functions = wiring.of_type(wiring.code, "AWS::Lambda::Function")
    (prepare,) = [
        f
        for f in functions.values()
        if f.get("Environment", {}).get("Variables", {}).get("DATABASE_USER") == "dbadmin"
    ]
    assert prepare["VpcConfig"]["SubnetIds"]


def test_preparing_with_end_to_end_iam_gives_users_no_password() -> None:
    wiring = wire(end_to_end=True)
    resource = prepared(wiring)
    assert 'GRANT rds_iam TO "app"' in resource["Statements"]
    assert resource.get("Secrets", {}) == {}


def test_a_database_that_exists_is_prepared_only_with_its_master_secret() -> None:
    wiring = wire(new=False)
    function = function_in(wiring.data, wiring.network, "Prepare")
    assert refusal(lambda: wiring.database.prepare(function)).startswith(
        "prepare Data/Prepare: the master user's secret is not known: give master_secret= with a "
        "database that "
    )


def test_the_sql_that_makes_the_users_can_be_run_by_hand() -> None:
    wiring = wire(arguments={"users": ["app", DatabaseUser(name="report", read_only=True)]})
    text = wiring.database.bootstrap_sql
    assert text.startswith("-- run as the master user; run again, it changes nothing but passwords\n")
    assert "-- :'report_password' stands for a quoted password (psql -v report_password=...)\n" in text
    assert 'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "report";\n' in text
    assert 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "app";\n' in text


def test_mysql_users_are_made_with_tls_required() -> None:
    statements = wire("aurora-mysql").database.user_statements
    assert statements == (
        "CREATE USER IF NOT EXISTS 'app'@'%' IDENTIFIED BY :'app_password'",
        "ALTER USER 'app'@'%' IDENTIFIED BY :'app_password'",
        "ALTER USER 'app'@'%' REQUIRE SSL",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON `orders`.* TO 'app'@'%'",
    )


def test_a_rotation_that_would_not_reach_secrets_manager_is_refused() -> None:
    stack = data_stack(App())
    network = LambdaNetwork(
        stack, "Network", internet=Endpoints("sqs"), zones=["eu-central-1a", "eu-central-1b"]
    )
    assert refusal(lambda: proxied(stack, network=network)) == (
        "rotation: its function would not reach Secrets Manager from its subnets, which lead nowhere, "
        "and the passwords would never change: add 'secretsmanager' to the network's Endpoints, or "
        "rotation=None for secrets that nothing rotates "
        "(https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-function-network-access.html)"
    )
    proxied(stack, "Unrotated", network=network, rotation=None)


def test_a_rotation_goes_out_through_nat_where_there_is_one() -> None:
    stack = data_stack(App())
    network = LambdaNetwork(
        stack, "Network", internet=NatGateways(), zones=["eu-central-1a", "eu-central-1b"]
    )
    proxied(stack, network=network)


def test_a_rotation_in_a_plain_vpc_takes_the_endpoint_that_it_is_given() -> None:
    stack = data_stack(App())
    vpc = ec2.Vpc(
        stack,
        "Vpc",
        availability_zones=["eu-central-1a", "eu-central-1b"],
        nat_gateways=0,
        subnet_configuration=[
            ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        ],
    )
    assert "give Rotation(endpoint=...) the interface endpoint" in refusal(
        lambda: proxied(stack, network=vpc)
    )
    endpoint = vpc.add_interface_endpoint(
        "Secrets", service=ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER
    )
    proxied(stack, "Rotated", network=vpc, rotation=Rotation(endpoint=endpoint))


def test_a_zone_alone_and_a_public_subnet_are_refused() -> None:
    stack = data_stack(App())
    vpc = ec2.Vpc(stack, "Vpc", availability_zones=["eu-central-1a", "eu-central-1b"])
    one = ec2.SubnetSelection(availability_zones=["eu-central-1a"])
    public = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)
    assert refusal(lambda: proxied(stack, "One", network=vpc, vpc_subnets=one)) == (
        "vpc_subnets: 1 in 1 zone, needed are two or more in two zones: RDS refuses a proxy in fewer "
        f"({RDS}rds-proxy-network-prereqs.html)"
    )
    assert refusal(lambda: proxied(stack, "Public", network=vpc, vpc_subnets=public)).startswith(
        "vpc_subnets: a public subnet is chosen, allowed are isolated and private ones"
    )


def oracle() -> NewInstance:
    engine = rds.DatabaseInstanceEngine.oracle_ee(version=rds.OracleEngineVersion.VER_19)
    return NewInstance(engine=engine)


def old_mariadb() -> NewInstance:
    version = rds.MariaDbEngineVersion.of("10.4.34", "10.4")
    return NewInstance(engine=rds.DatabaseInstanceEngine.maria_db(version=version))


@pytest.mark.parametrize(
    ("database", "message"),
    [
        (
            oracle,
            (
                "engine: oracle-ee is not served, allowed are postgres, mysql, mariadb, aurora-postgresql, "
                "aurora-mysql: a proxy with IAM tokens and secrets stands before no other engine here "
                f"({RDS}Concepts.RDS_Fea_Regions_DB-eng.Feature.RDSProxy.html)"
            ),
        ),
        (
            old_mariadb,
            (
                "engine: RDS for MariaDB 10.4.34 is not served, allowed are 10.5, 10.6, 10.11, 11.4, 11.8: "
                "RDS Proxy "
                f"speaks to no other version ({RDS}Concepts.RDS_Fea_Regions_DB-eng.Feature.RDSProxy.html)"
            ),
        ),
        (
            lambda: NewCluster(engine=ENGINES["aurora-postgresql"](), serverless_v2_min_capacity=0),
            (
                "serverless_v2_min_capacity is 0 ACU, allowed are 0.5-256 ACU with a proxy: a proxy "
                "keeps connections to the database open, so a cluster that is meant to pause never does "
                "(https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html)"
            ),
        ),
    ],
)
def test_an_engine_version_or_capacity_that_a_proxy_cannot_serve_is_refused(
    database: Any, message: str
) -> None:
    stack = data_stack(App())
    assert refusal(lambda: proxied(stack, database=database())) == message


def test_a_serverless_v1_cluster_is_refused() -> None:
    stack = data_stack(App())
    network = network_of(stack)
    cluster = rds.ServerlessCluster(
        stack,
        "Old",
        engine=rds.DatabaseClusterEngine.AURORA_MYSQL,
        vpc=network.vpc,
        vpc_subnets=network.subnets,
    )
    assert refusal(lambda: proxied(stack, network=network, database=cluster)) == (
        "database: an Aurora Serverless v1 cluster is refused, allowed are instances, provisioned "
        "clusters and Serverless v2: RDS Proxy does not serve v1 "
        f"({RDS}Concepts.RDS_Fea_Regions_DB-eng.Feature.RDSProxy.html)"
    )


def test_a_cluster_of_the_app_that_is_meant_to_pause_is_refused() -> None:
    stack = data_stack(App())
    network = network_of(stack)
    cluster = rds.DatabaseCluster(
        stack,
        "Cluster",
        engine=ENGINES["aurora-postgresql"](),
        writer=rds.ClusterInstance.serverless_v2("Writer"),
        serverless_v2_min_capacity=0,
        vpc=network.vpc,
        vpc_subnets=network.subnets,
    )
    assert refusal(lambda: proxied(stack, network=network, database=cluster)).startswith(
        "database: serverless_v2_min_capacity is 0 ACU, allowed are 0.5-256 ACU with a proxy"
    )


def instance_of_the_app(stack: Stack, network: LambdaNetwork, **options: Any) -> rds.DatabaseInstance:
    return rds.DatabaseInstance(
        stack,
        "Instance",
        engine=ENGINES["postgres"](),
        vpc=network.vpc,
        vpc_subnets=network.subnets,
        **options,
    )


def test_a_database_of_the_app_in_another_stack_is_proxied_without_a_cycle() -> None:
    app = App()
    data = data_stack(app)
    network = network_of(data)
    instance = instance_of_the_app(data, network, port=6000)
    proxies = data_stack(app, "Proxies")
    database = proxied(proxies, network=network, database=instance)
    database.connect(function_in(proxies, network), user="app")
    resources = app.synth().get_stack_by_name("Proxies").template["Resources"]
    logs_in = [
        found["Properties"]["FromPort"]
        for found in resources.values()
        if found["Type"] == "AWS::EC2::SecurityGroupIngress"
        and found["Properties"]["Description"] == "The proxy logs in to the database"
    ]
    assert logs_in == [6000]


def cluster_of_the_app(stack: Stack, network: LambdaNetwork, **options: Any) -> rds.DatabaseCluster:
    return rds.DatabaseCluster(
        stack,
        "Cluster",
        engine=ENGINES["aurora-mysql"](),
        writer=rds.ClusterInstance.serverless_v2("Writer"),
        vpc=network.vpc,
        vpc_subnets=network.subnets,
        **options,
    )


@pytest.mark.parametrize("make", [instance_of_the_app, cluster_of_the_app])
def test_end_to_end_iam_is_refused_where_the_database_takes_no_tokens(make: Any) -> None:
    stack = data_stack(App())
    network = network_of(stack)
    arguments = {"network": network, "default_auth_scheme": rds.DefaultAuthScheme.IAM_AUTH}
    database = make(stack, network)
    assert refusal(lambda: proxied(stack, database=database, **arguments)) == (
        "default_auth_scheme: IAM authentication is off at the database, so it refuses the proxy's "
        f"tokens: give it iam_authentication=True ({RDS}rds-proxy-iam-setup.html)"
    )


@pytest.mark.parametrize("make", [instance_of_the_app, cluster_of_the_app])
def test_end_to_end_iam_is_taken_where_the_database_takes_tokens(make: Any) -> None:
    stack = data_stack(App())
    network = network_of(stack)
    database = make(stack, network, iam_authentication=True)
    made = proxied(
        stack, network=network, database=database, default_auth_scheme=rds.DefaultAuthScheme.IAM_AUTH
    )
    assert made.secrets == {}


@pytest.mark.parametrize("engine", ["postgres", "aurora-mysql"])
def test_end_to_end_iam_needs_the_resource_id_of_an_imported_database(engine: str) -> None:
    stack = data_stack(App())
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0")
    database: Any = (
        rds.DatabaseCluster.from_database_cluster_attributes(
            stack, "Imported", cluster_identifier="orders", engine=ENGINES[engine](), security_groups=[group]
        )
        if engine.startswith("aurora")
        else rds.DatabaseInstance.from_database_instance_attributes(
            stack,
            "Imported",
            instance_identifier="orders",
            instance_endpoint_address="orders.example",
            engine=ENGINES[engine](),
            port=5432,
            security_groups=[group],
        )
    )
    message = refusal(
        lambda: proxied(stack, database=database, default_auth_scheme=rds.DefaultAuthScheme.IAM_AUTH)
    )
    assert message.startswith(
        "default_auth_scheme: the database was imported without its resource id, which the proxy's role "
        "must name"
    )


def test_an_imported_database_without_engine_or_groups_is_refused() -> None:
    stack = data_stack(App())
    network = network_of(stack)
    bare = rds.DatabaseInstance.from_database_instance_attributes(
        stack,
        "Bare",
        instance_identifier="orders",
        instance_endpoint_address="orders.example",
        port=5432,
        security_groups=[],
    )
    closed = rds.DatabaseInstance.from_database_instance_attributes(
        stack,
        "Closed",
        instance_identifier="orders",
        instance_endpoint_address="orders.example",
        port=5432,
        engine=ENGINES["postgres"](),
        security_groups=[],
    )
    assert "imported without its engine" in refusal(
        lambda: proxied(stack, "A", network=network, database=bare)
    )
    assert "imported without its security groups" in refusal(
        lambda: proxied(stack, "B", network=network, database=closed)
    )


def test_something_that_is_no_database_is_refused() -> None:
    stack = data_stack(App())
    assert refusal(lambda: proxied(stack, database="orders")).startswith(
        "database: str is refused, allowed are "
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"users": []}, "users: none is given, at least one is needed"),
        ({"users": ["app", "app"]}, "users: 'app' is given twice"),
        ({"users": ["dbadmin"]}, "users: 'dbadmin' is the master user, which may do everything"),
        (
            {"users": ["app; drop"]},
            "users: 'app; drop' is refused, allowed are 1-63 letters, digits and underscores",
        ),
        (
            {"borrow_timeout": Duration.minutes(6)},
            "borrow_timeout: borrow timeout is 360 s, allowed are 0-300 s",
        ),
        (
            {"max_connections_percent": 0},
            "max_connections_percent: maximum connections is 0 %, allowed are 1-100 %",
        ),
        (
            {"idle_client_timeout": Duration.hours(9)},
            "idle_client_timeout: idle client timeout is 32,400 s, allowed are 1-28,800 s",
        ),
        (
            {"session_pinning_filters": [rds.SessionPinningFilter.EXCLUDE_VARIABLE_SETS]},
            "session_pinning_filters: RDS for PostgreSQL takes none, MySQL and MariaDB do",
        ),
    ],
)
def test_settings_that_a_proxy_refuses_are_refused(arguments: dict[str, Any], message: str) -> None:
    stack = data_stack(App())
    assert refusal(lambda: proxied(stack, **arguments)).startswith(message)


def test_a_secret_of_a_user_is_refused_with_end_to_end_iam() -> None:
    stack = data_stack(App())
    users = [DatabaseUser(name="app", secret=secret(stack))]
    assert refusal(
        lambda: proxied(stack, users=users, default_auth_scheme=rds.DefaultAuthScheme.IAM_AUTH)
    ).startswith("users: app has a secret, none is used with end-to-end IAM authentication")
