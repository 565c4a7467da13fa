"""What RDS would refuse at deployment, or aws_cdk in its own words, is refused here in one line."""

from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds

from lambda_patterns.constructs.database_invoke import DatabaseInvoke
from lambda_patterns.constructs.database_placement import Rotation
from lambda_patterns.constructs.database_sources import NewCluster, NewInstance
from lambda_patterns.constructs.imported_database_proxy import ImportedDatabaseProxy
from lambda_patterns.constructs.network import LambdaNetwork
from lambda_patterns.constructs.proxied_database import ProxiedDatabase
from tests.constructs.database_wiring import (
    ENGINES,
    data_stack,
    function_in,
    imported_database,
    network_of,
    new_database,
    refusal,
    wire,
)

pytestmark = pytest.mark.cdk

CAPACITY_PAGE = (
    "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html"
)


def proxied(stack: Stack, network: LambdaNetwork | None = None, **arguments: Any) -> ProxiedDatabase:
    defaults = {"database": new_database("postgres"), "users": ["app"], "database_name": "orders"}
    return ProxiedDatabase(stack, "Orders", network=network or network_of(stack), **{**defaults, **arguments})


def cluster(**options: Any) -> NewCluster:
    return NewCluster(engine=ENGINES["aurora-postgresql"](), **options)


def aurora_mysql_2() -> rds.IClusterEngine:
    version = rds.AuroraMysqlEngineVersion.of("5.7.mysql_aurora.2.11.4", "5.7")
    return rds.DatabaseClusterEngine.aurora_mysql(version=version)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"database": lambda: cluster(serverless_v2_min_capacity=0.25)},
            "serverless_v2_min_capacity: capacity is 0.25 ACU, allowed are 0.5-256 ACU: ",
        ),
        (
            {"database": lambda: cluster(serverless_v2_max_capacity=4.2)},
            f"serverless_v2_max_capacity is 4.2 ACU, allowed are steps of 0.5 ACU ({CAPACITY_PAGE})",
        ),
        (
            {"database": lambda: cluster(serverless_v2_min_capacity=2, serverless_v2_max_capacity=1)},
            "serverless_v2_max_capacity is 1 ACU, allowed are 2-256 ACU: at least the minimum",
        ),
        (
            {"database": lambda: cluster(options={"serverless_v2_min_capacity": 0})},
            "serverless_v2_min_capacity is 0 ACU, allowed are 0.5-256 ACU with a proxy",
        ),
        (
            {"database": lambda: new_database("postgres", options={"multi_zone": True})},
            "options: 'multi_zone' is no argument that rds.DatabaseInstance takes here: did you mean 'multi",
        ),
        (
            {"database": lambda: cluster(options={"engine": None})},
            "options: 'engine' is no argument that rds.DatabaseCluster takes here: they are listed at ",
        ),
        (
            {"database": lambda: NewInstance(engine=rds.DatabaseInstanceEngine.POSTGRES)},
            "engine: RDS for PostgreSQL is given without a version, which its parameter group belongs to",
        ),
        (
            {"database": lambda: NewInstance(engine=ENGINES["aurora-mysql"]())},
            "engine: Aurora MySQL is given to NewInstance, it comes as NewCluster(engine=...)",
        ),
        (
            {"database": lambda: NewCluster(engine=ENGINES["mysql"]())},
            "engine: RDS for MySQL is given to NewCluster, it comes as NewInstance(engine=...)",
        ),
        (
            {"database_name": "my-orders"},
            "database_name: 'my-orders' is refused, allowed are 1-63 letters, digits and underscores",
        ),
        ({"users": "app"}, "users: 'app' is one text, needed is a list: users=['app']"),
        ({"users": ["rds_iam"]}, "users: 'rds_iam' is one of RDS's own: name another one"),
        (
            {"users": [f"user{number}" for number in range(201)]},
            "users: 201 are given, allowed are 200: a proxy takes no more secrets",
        ),
        (
            {"borrow_timeout": Duration.millis(500)},
            "borrow_timeout: borrow timeout is 0.5 s, allowed are 0-300 s, whole numbers only",
        ),
        (
            {"rotation": Rotation(automatically_after=Duration.hours(1))},
            "automatically_after: rotation period is 1 h, allowed are 4-24,000 h",
        ),
    ],
)
def test_a_setting_is_refused_in_one_line(arguments: dict[str, Any], message: str) -> None:
    stack = data_stack(App())
    made = {name: value() if name == "database" else value for name, value in arguments.items()}
    said = refusal(lambda: proxied(stack, **made))
    assert said.startswith(message)
    assert "\n" not in said


@pytest.mark.parametrize("capacities", [(0.5, 1), (2, 2), (128, 256)])
def test_what_serverless_v2_scales_between_is_taken(capacities: tuple[float, float]) -> None:
    least, most = capacities
    proxied(
        data_stack(App()),
        database=cluster(serverless_v2_min_capacity=least, serverless_v2_max_capacity=most),
    )


@pytest.mark.parametrize("name", ["my-orders", "Orders 2", "2026"])
def test_a_database_that_exists_may_have_a_name_that_rds_would_not_make(name: str) -> None:
    stack = data_stack(App())
    made = proxied(stack, database=imported_database(stack, "postgres"), database_name=name)
    assert f'GRANT CONNECT ON DATABASE "{name}" TO "app"' in made.user_statements


def test_a_name_that_would_end_its_quotes_is_refused() -> None:
    stack = data_stack(App())
    database = imported_database(stack, "postgres")
    assert refusal(lambda: proxied(stack, database=database, database_name='a"; DROP')).startswith(
        "database_name: 'a\"; DROP' is refused, allowed are 1-64 characters without quotes, backslashes and "
    )


def test_an_alias_is_connected_through_its_function() -> None:
    wiring = wire()
    assert refusal(lambda: wiring.database.connect(wiring.function.add_alias("live"), user="app")).startswith(  # type: ignore[arg-type]  # on purpose
        "connect Data/Query/Aliaslive: it is an alias, a version or an imported function, whose environment "
        "cannot be changed: connect the function itself"
    )


def test_an_imported_function_cannot_be_connected() -> None:
    wiring = wire()
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:query"
    function: Any = lambda_.Function.from_function_arn(wiring.data, "Theirs", arn)
    assert "an alias, a version or an imported function" in refusal(
        lambda: wiring.database.connect(function, user="app")
    )


def imported_vpc(stack: Stack, name: str, vpc_id: str) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack,
        name,
        vpc_id=vpc_id,
        availability_zones=["eu-central-1a", "eu-central-1b"],
        private_subnet_ids=[f"subnet-{name}1", f"subnet-{name}2"],
        private_subnet_route_table_ids=[f"rtb-{name}1", f"rtb-{name}2"],
    )


def function_of(stack: Stack, vpc: ec2.IVpc) -> Any:
    network: Any = vpc
    return function_in(stack, network)


def test_imported_vpcs_are_told_apart_by_their_ids() -> None:
    stack = data_stack(App())
    database = proxied(stack, imported_vpc(stack, "a", "vpc-1"))  # type: ignore[arg-type]  # a VPC will do
    function = function_of(stack, imported_vpc(stack, "b", "vpc-2"))
    assert refusal(lambda: database.connect(function, user="app")).startswith(
        "connect Data/Query: the function is in Data/b, the proxy in Data/a: no route between them is known"
    )


@pytest.mark.parametrize("ids", [("vpc-1", "vpc-1"), ("vpc-1", "vpc-12345")], ids=["same", "not looked up"])
def test_vpcs_that_may_be_one_are_taken(ids: tuple[str, str]) -> None:
    stack = data_stack(App())
    database = proxied(stack, imported_vpc(stack, "a", ids[0]))  # type: ignore[arg-type]  # a VPC will do
    database.connect(function_of(stack, imported_vpc(stack, "b", ids[1])), user="app")


def test_a_cluster_of_the_app_with_a_writer_alone_has_no_read_only_endpoint() -> None:
    stack = data_stack(App())
    network = network_of(stack)
    made = rds.DatabaseCluster(
        stack,
        "Cluster",
        engine=ENGINES["aurora-postgresql"](),
        writer=rds.ClusterInstance.serverless_v2("Writer"),
        vpc=network.vpc,
        vpc_subnets=network.subnets,
    )
    database = proxied(stack, network, database=made)
    function = function_in(stack, network)
    assert refusal(lambda: database.connect(function, user="app", read_only=True)).startswith("read_only: ")


@pytest.mark.parametrize("kind", ["instance", "cluster"])
def test_end_to_end_iam_is_refused_for_a_restored_database_that_takes_no_tokens(kind: str) -> None:
    stack = data_stack(App())
    network = network_of(stack)
    place: Any = {"vpc": network.vpc, "vpc_subnets": network.subnets, "snapshot_identifier": "orders"}
    made = (
        rds.DatabaseInstanceFromSnapshot(stack, "Restored", engine=ENGINES["postgres"](), **place)
        if kind == "instance"
        else rds.DatabaseClusterFromSnapshot(
            stack,
            "Restored",
            engine=ENGINES["aurora-postgresql"](),
            writer=rds.ClusterInstance.serverless_v2("Writer"),
            **place,
        )
    )
    scheme = rds.DefaultAuthScheme.IAM_AUTH
    assert refusal(lambda: proxied(stack, network, database=made, default_auth_scheme=scheme)).startswith(
        "default_auth_scheme: IAM authentication is off at the database"
    )


def test_a_parameter_group_that_is_given_gets_what_is_needed() -> None:
    stack = data_stack(App())
    network = network_of(stack)
    group = rds.ParameterGroup(
        stack, "Group", engine=ENGINES["postgres"](), parameters={"log_statement": "ddl"}
    )
    options = {"parameter_group": group}
    database = proxied(stack, network, database=new_database("postgres", options=options))
    DatabaseInvoke(stack, "Report", database=database, function=function_in(stack, network))
    template = stack.node.root.synth().get_stack_by_name("Data").template  # type: ignore[attr-defined]  # an App
    (found,) = [
        resource["Properties"]["Parameters"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::RDS::DBParameterGroup"
    ]
    assert found == {"log_statement": "ddl", "rds.force_ssl": "1", "rds.custom_dns_resolution": "1"}


def test_nothing_can_be_added_to_a_parameter_group_that_was_imported() -> None:
    stack = data_stack(App())
    network = network_of(stack)
    group = rds.ParameterGroup.from_parameter_group_name(stack, "Group", "orders")
    options = {"parameter_group": group}
    database = proxied(stack, network, database=new_database("postgres", options=options))
    assert refusal(
        lambda: DatabaseInvoke(stack, "Report", database=database, function=function_in(stack, network))
    ).startswith("parameter_group: RDS for PostgreSQL needs rds.custom_dns_resolution here: ")


def test_aurora_mysql_2_has_no_roles_to_grant_or_to_activate() -> None:
    stack = data_stack(App())
    network = network_of(stack)
    writer = rds.ClusterInstance.provisioned("Writer")
    made = NewCluster(engine=aurora_mysql_2(), writer=writer, readers=[])
    database = proxied(stack, network, database=made)
    invoke = DatabaseInvoke(
        stack, "Report", database=database, function=function_in(stack, network), users=["app"]
    )
    assert invoke.setup_statements == ("GRANT INVOKE LAMBDA ON *.* TO 'app'@'%'",)
    template = stack.node.root.synth().get_stack_by_name("Data").template  # type: ignore[attr-defined]  # an App
    (found,) = [
        resource["Properties"]["Parameters"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::RDS::DBClusterParameterGroup"
    ]
    assert sorted(found) == ["aws_default_lambda_role", "require_secure_transport"]


def test_a_user_who_may_call_functions_has_a_plain_name() -> None:
    wiring = wire()
    assert refusal(
        lambda: DatabaseInvoke(
            wiring.data, "Report", database=wiring.database, function=wiring.function, users=["a'; DROP"]
        )
    ).startswith('users: "a\'; DROP" is refused')


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_the_logs_that_rds_exports_are_kept_for_as_long_as_is_said(engine: str) -> None:
    wiring = wire(
        engine, arguments={"database": new_database(engine, log_retention=logs.RetentionDays.ONE_MONTH)}
    )
    kind = "Cluster" if engine.startswith("aurora") else "Instance"
    (database,) = [
        found
        for found in wiring.of_type(wiring.data, f"AWS::RDS::DB{kind}").values()
        if "EnableCloudwatchLogsExports" in found
    ]
    name = database[f"DB{kind}Identifier"]
    kept = {
        found["LogGroupName"]: found["RetentionInDays"]
        for found in wiring.of_type(wiring.data, "AWS::Logs::LogGroup").values()
        if str(found.get("LogGroupName")).startswith("/aws/rds/")
    }
    assert kept == {
        f"/aws/rds/{kind.lower()}/{name}/{log}": 30 for log in database["EnableCloudwatchLogsExports"]
    }


def test_a_log_retention_of_aws_cdk_is_left_to_it() -> None:
    options = {"cloudwatch_logs_retention": logs.RetentionDays.ONE_WEEK}
    wiring = wire(arguments={"database": new_database("postgres", options=options)})
    assert len(wiring.of_type(wiring.data, "Custom::LogRetention")) == 2


def test_passwords_are_not_rotated_before_the_users_are_made() -> None:
    wiring = wire()
    schedules = wiring.of_type(wiring.data, "AWS::SecretsManager::RotationSchedule")
    assert [found["RotateImmediatelyOnUpdate"] for found in schedules.values()] == [False, False]


def test_an_imported_proxy_is_named_by_its_own_region_and_account() -> None:
    stack = data_stack(App())
    network = network_of(stack)
    proxy = ImportedDatabaseProxy(
        stack,
        "Theirs",
        proxy_arn="arn:aws:rds:us-east-1:210987654321:db-proxy:prx-0123",
        proxy_endpoint="orders.proxy-abc.us-east-1.rds.amazonaws.com",
        engine_family="POSTGRESQL",
        security_groups=[ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0")],
        users=["app"],
        database_name="orders",
    )
    proxy.connect(function_in(stack, network), user="app")
    template = str(stack.node.root.synth().get_stack_by_name("Data").template)  # type: ignore[attr-defined]  # an App
    assert ":rds-db:us-east-1:210987654321:dbuser:prx-0123/app" in template
    assert "'DATABASE_REGION': 'us-east-1'" in template
