"""Which databases a proxy is put before: new, of the app or imported, and which it refuses."""

from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds

from lambda_patterns.constructs.database_sources import NewCluster, NewInstance
from lambda_patterns.constructs.database_users import DatabaseUser
from lambda_patterns.constructs.network import LambdaNetwork
from tests.constructs.database_wiring import (
    ENGINES,
    data_stack,
    function_in,
    network_of,
    proxied,
    refusal,
    secret,
)

pytestmark = pytest.mark.cdk

RDS = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/"


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
