from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_rds as rds

from lambda_patterns.constructs.database_invoke import DatabaseInvoke
from lambda_patterns.constructs.network import LambdaNetwork
from lambda_patterns.constructs.proxied_database import ProxiedDatabase
from lambda_patterns.constructs.ways_out import Endpoints
from tests.constructs.database_wiring import (
    ENGINES,
    Wiring,
    data_stack,
    function_in,
    imported_database,
    network_of,
    new_database,
    refusal,
    wire,
)

pytestmark = pytest.mark.cdk

INVOKING = ("postgres", "aurora-postgresql", "aurora-mysql")
RDS = "https://docs.aws.amazon.com/AmazonRDS/latest/"


def invoked(engine: str, stacks: int, **arguments: Any) -> tuple[Wiring, DatabaseInvoke]:
    wiring = wire(engine, stacks=stacks)
    invoke = DatabaseInvoke(
        wiring.code, "Report", database=wiring.database, function=wiring.function, **arguments
    )
    return wiring, invoke


@pytest.fixture(
    scope="module",
    params=[(engine, stacks) for engine in INVOKING for stacks in (1, 2)],
    ids=lambda found: f"{found[0]}-{found[1]}",
)
def reporting(request: pytest.FixtureRequest) -> tuple[Wiring, str]:
    """The hard wiring: the function that is called also connects to the database that calls it."""
    engine, stacks = request.param
    return invoked(engine, stacks)[0], engine


def test_the_databases_role_may_invoke_this_function_and_nothing_else(reporting: tuple[Wiring, str]) -> None:
    wiring, _ = reporting
    statements = [
        statement
        for policy in wiring.of_type(wiring.code, "AWS::IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if "lambda:InvokeFunction" in statement["Action"]
    ]
    functions = wiring.of_type(wiring.code, "AWS::Lambda::Function")
    (function,) = [name for name in functions if name.startswith("Query")]
    assert statements == [
        {
            "Action": "lambda:InvokeFunction",
            "Effect": "Allow",
            "Resource": {"Fn::GetAtt": [function, "Arn"]},
        }
    ]


def test_the_role_is_associated_as_the_engine_needs_it(reporting: tuple[Wiring, str]) -> None:
    wiring, engine = reporting
    kind = "AWS::RDS::DBCluster" if engine.startswith("aurora") else "AWS::RDS::DBInstance"
    (database,) = wiring.of_type(wiring.data, kind).values()
    (association,) = database["AssociatedRoles"]
    assert association.get("FeatureName") == (None if engine == "aurora-mysql" else "Lambda")
    assert "InvokeRole" in association["RoleArn"]["Fn::GetAtt"][0]


def test_the_parameters_are_those_that_the_engine_needs(reporting: tuple[Wiring, str]) -> None:
    wiring, engine = reporting
    (parameters,) = [
        group["Parameters"]
        for kind in ("AWS::RDS::DBParameterGroup", "AWS::RDS::DBClusterParameterGroup")
        for group in wiring.of_type(wiring.data, kind).values()
    ]
    if engine == "postgres":
        assert parameters == {"rds.force_ssl": "1", "rds.custom_dns_resolution": "1"}
    elif engine == "aurora-postgresql":
        assert parameters == {"rds.force_ssl": "1"}
    else:
        assert parameters.pop("aws_default_lambda_role").keys() == {"Fn::GetAtt"}
        assert parameters == {"require_secure_transport": "ON", "activate_all_roles_on_login": "ON"}


def test_the_database_is_let_out_to_the_endpoint_of_lambda_and_into_it(
    reporting: tuple[Wiring, str],
) -> None:
    wiring, _ = reporting
    opened = [
        rule
        for rule in wiring.of_type(wiring.data, "AWS::EC2::SecurityGroupIngress").values()
        if rule["Description"] == "443 to the endpoint of lambda"
    ]
    assert [(rule["FromPort"], rule["ToPort"]) for rule in opened] == [(443, 443)]
    assert "DatabaseSecurityGroup" in opened[0]["SourceSecurityGroupId"]["Fn::GetAtt"][0]
    let_out = [
        rule
        for found in wiring.of_type(wiring.data, "AWS::EC2::SecurityGroup").values()
        for rule in found.get("SecurityGroupEgress", [])
        if rule.get("Description") == "443 to the endpoint of lambda"
    ] + [
        rule
        for rule in wiring.of_type(wiring.data, "AWS::EC2::SecurityGroupEgress").values()
        if rule["Description"] == "443 to the endpoint of lambda"
    ]
    assert [rule["FromPort"] for rule in let_out] == [443]


def test_an_alias_is_invoked_alone() -> None:
    wiring = wire()
    alias = wiring.function.add_alias("live")
    DatabaseInvoke(wiring.data, "Report", database=wiring.database, function=alias)
    (statement,) = [
        statement
        for policy in wiring.of_type(wiring.data, "AWS::IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "lambda:InvokeFunction"
    ]
    assert "Alias" in statement["Resource"]["Ref"]


def test_the_sql_to_run_is_an_output() -> None:
    wiring, _ = invoked("postgres", 1, users=["app"])
    (output,) = [
        v for name, v in wiring.template(wiring.data)["Outputs"].items() if name.startswith("Report")
    ]
    assert output["Value"] == (
        "CREATE EXTENSION IF NOT EXISTS aws_lambda CASCADE; "
        'GRANT USAGE ON SCHEMA aws_lambda TO "app"; '
        'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA aws_lambda TO "app";'
    )


def test_aurora_mysql_grants_the_role_that_calls() -> None:
    _, invoke = invoked("aurora-mysql", 1, users=["app"])
    assert invoke.setup_statements == ("GRANT AWS_LAMBDA_ACCESS TO 'app'@'%'",)


def test_a_trigger_reports_each_row_asynchronously() -> None:
    wiring, invoke = invoked("postgres", 1)
    function, dropped, made = (wiring.data.resolve(text) for text in invoke.trigger_statements("orders"))
    text = "".join(part if isinstance(part, str) else "ARN" for part in function["Fn::Join"][1])
    assert text == (
        "CREATE OR REPLACE FUNCTION report_orders() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
        "SET search_path = pg_catalog, pg_temp AS $$ BEGIN PERFORM aws_lambda.invoke("
        "aws_commons.create_lambda_function_arn('ARN', 'eu-central-1'), "
        "json_build_object('id', gen_random_uuid(), 'table', TG_TABLE_NAME, 'operation', TG_OP, 'row', "
        "CASE TG_OP WHEN 'DELETE' THEN to_json(OLD) ELSE to_json(NEW) END), 'Event'); RETURN NULL; END $$"
    )
    assert dropped == "DROP TRIGGER IF EXISTS report_orders ON orders"
    assert made == (
        "CREATE TRIGGER report_orders AFTER INSERT OR UPDATE OR DELETE ON orders "
        "FOR EACH ROW EXECUTE FUNCTION report_orders()"
    )


def test_a_trigger_of_aurora_mysql_sends_the_columns_that_are_named() -> None:
    wiring, invoke = invoked("aurora-mysql", 1)
    statements = [wiring.data.resolve(text) for text in invoke.trigger_statements("orders", columns=["id"])]
    assert len(statements) == 6
    made = "".join(part if isinstance(part, str) else "ARN" for part in statements[5]["Fn::Join"][1])
    assert made == (
        "CREATE TRIGGER report_orders_delete AFTER DELETE ON orders FOR EACH ROW BEGIN DECLARE taken "
        "LONGBLOB; SET taken = lambda_async('ARN', JSON_OBJECT('id', UUID(), 'table', 'orders', "
        "'operation', 'DELETE', 'row', JSON_OBJECT('id', OLD.id))); END"
    )
    assert refusal(lambda: invoke.trigger_statements("orders")) == (
        "columns: none is given for orders, at least one is needed: a trigger of Aurora MySQL cannot send a "
        f"whole row ({RDS}AuroraUserGuide/AuroraMySQL.Integrating.Lambda.html)"
    )


def test_a_table_whose_name_is_no_identifier_is_refused() -> None:
    _, invoke = invoked("postgres", 1)
    assert refusal(lambda: invoke.trigger_statements("orders; drop")).startswith(
        "table: 'orders; drop' is refused, allowed are 1-63 letters, digits and underscores"
    )


@pytest.mark.parametrize(("engine", "title"), [("mysql", "RDS for MySQL"), ("mariadb", "RDS for MariaDB")])
def test_an_engine_that_cannot_invoke_is_refused(engine: str, title: str) -> None:
    assert refusal(lambda: invoked(engine, 1)) == (
        f"engine: {title} cannot invoke functions, RDS for PostgreSQL, Aurora PostgreSQL, Aurora MySQL can "
        f"({RDS}UserGuide/PostgreSQL-Lambda.html)"
    )


def test_a_version_that_cannot_invoke_is_refused() -> None:
    stack = data_stack(App())
    network = network_of(stack)
    version = rds.PostgresEngineVersion.of("12.4", "12")
    database = rds.DatabaseInstance(
        stack,
        "Old",
        engine=rds.DatabaseInstanceEngine.postgres(version=version),
        vpc=network.vpc,
        vpc_subnets=network.subnets,
    )
    assert refusal(
        lambda: DatabaseInvoke(stack, "Report", database=database, function=function_in(stack, network))
    ) == (
        "engine: RDS for PostgreSQL 12.4 cannot invoke functions, the first versions that can are 12.6, "
        f"13.2, 14.1, 15.0 ({RDS}UserGuide/PostgreSQL-Lambda.html)"
    )


def test_a_database_that_would_not_reach_the_lambda_api_is_refused() -> None:
    stack = data_stack(App())
    network = LambdaNetwork(
        stack,
        "Network",
        internet=Endpoints("secretsmanager"),
        zones=["eu-central-1a", "eu-central-1b"],
    )
    database = ProxiedDatabase(
        stack,
        "Orders",
        network=network,
        database=new_database("postgres"),
        users=["app"],
        database_name="orders",
    )
    assert refusal(
        lambda: DatabaseInvoke(stack, "Report", database=database, function=function_in(stack, network))
    ) == (
        "network: the database does not reach the Lambda API: nothing leads out of this network, and it "
        f"has no endpoint for it: add 'lambda' to its Endpoints ({RDS}UserGuide/PostgreSQL-Lambda.html)"
    )


def test_an_imported_database_needs_the_role_that_it_has() -> None:
    stack = data_stack(App())
    network = network_of(stack)
    database = imported_database(stack, "postgres")
    function = function_in(stack, network)
    assert refusal(
        lambda: DatabaseInvoke(stack, "Refused", database=database, function=function, network=network)
    ).startswith("role: the database was imported, and CloudFormation cannot associate a role with it")


def test_an_imported_databases_role_is_given_the_permission() -> None:
    app = App()
    stack = data_stack(app)
    network = network_of(stack)
    role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::123456789012:role/orders-invoke")
    DatabaseInvoke(
        stack,
        "Report",
        database=imported_database(stack, "aurora-postgresql"),
        function=function_in(stack, network),
        network=network,
        role=role,
    )
    resources = app.synth().get_stack_by_name("Data").template["Resources"]
    attached = [
        found["Properties"]["Roles"]
        for found in resources.values()
        if found["Type"] == "AWS::IAM::Policy" and "lambda:InvokeFunction" in str(found)
    ]
    assert attached == [["orders-invoke"]]


def test_parameters_that_cannot_be_set_are_named() -> None:
    stack = data_stack(App())
    network = network_of(stack)
    database = rds.DatabaseInstance(
        stack, "Instance", engine=ENGINES["postgres"](), vpc=network.vpc, vpc_subnets=network.subnets
    )
    function = function_in(stack, network)
    assert refusal(
        lambda: DatabaseInvoke(stack, "Report", database=database, function=function, network=network)
    ) == (
        "parameter_group: RDS for PostgreSQL needs rds.custom_dns_resolution here: give the database a "
        "parameter group of its own, and that group as parameter_group= "
        f"({RDS}UserGuide/PostgreSQL-Lambda.html)"
    )


def test_a_database_in_a_plain_vpc_goes_out_through_nat_and_needs_no_parameter() -> None:
    app = App()
    stack = data_stack(app)
    vpc = ec2.Vpc(stack, "Vpc", availability_zones=["eu-central-1a", "eu-central-1b"])
    group = ec2.SecurityGroup(stack, "Group", vpc=vpc, allow_all_outbound=False)
    database = rds.DatabaseInstance(
        stack, "Instance", engine=ENGINES["postgres"](), vpc=vpc, security_groups=[group]
    )
    function = lambda_.Function(
        stack,
        "Record",
        runtime=lambda_.Runtime.PYTHON_3_14,
        handler="index.handler",
        code=lambda_.Code.from_inline("pass"),
    )
    DatabaseInvoke(stack, "Report", database=database, function=function)
    resources = app.synth().get_stack_by_name("Data").template["Resources"]
    (found,) = [
        found["Properties"]["SecurityGroupEgress"]
        for name, found in resources.items()
        if name.startswith("Group")
    ]
    assert [(rule["CidrIp"], rule["FromPort"]) for rule in found] == [("0.0.0.0/0", 443)]


def test_a_function_in_another_account_lets_the_databases_role_in() -> None:
    app = App()
    data = data_stack(app)
    network = network_of(data)
    database = ProxiedDatabase(
        data,
        "Orders",
        network=network,
        database=new_database("postgres"),
        users=["app"],
        database_name="orders",
    )
    other = Stack(app, "Other", env=Environment(account="210987654321", region="eu-central-1"))
    function = lambda_.Function(
        other,
        "Record",
        function_name="record",
        runtime=lambda_.Runtime.PYTHON_3_14,
        handler="index.handler",
        code=lambda_.Code.from_inline("pass"),
    )
    DatabaseInvoke(data, "Report", database=database, function=function)
    assembly = app.synth()
    permissions = [
        found["Properties"]
        for found in assembly.get_stack_by_name("Other").template["Resources"].values()
        if found["Type"] == "AWS::Lambda::Permission"
    ]
    assert len(permissions) == 1
    assert "123456789012" in str(permissions[0]["Principal"])
