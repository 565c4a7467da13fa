"""In whichever stacks network, database and function stand: no cycle, or one line that says what to move."""

from itertools import permutations
from typing import Any

import pytest
from aws_cdk import App, Environment, NestedStack, Stack, Stage
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_rds as rds

from lambda_patterns.constructs.database_invoke import DatabaseInvoke
from lambda_patterns.constructs.network import LambdaNetwork
from lambda_patterns.constructs.proxied_database import ProxiedDatabase
from tests.constructs.database_wiring import (
    ENVIRONMENT,
    data_stack,
    function_in,
    network_of,
    new_database,
    refusal,
    wire,
)

pytestmark = pytest.mark.cdk

NAMED = {"AWS::RDS::DBProxy": "DBProxyName", "AWS::RDS::DBInstance": "DBInstanceIdentifier"}


def proxied(stack: Stack, network: LambdaNetwork, **arguments: Any) -> ProxiedDatabase:
    defaults = {"database": new_database("postgres"), "users": ["app"], "database_name": "orders"}
    return ProxiedDatabase(stack, "Orders", network=network, **{**defaults, **arguments})


@pytest.mark.parametrize("scope", ["Code", "Data"])
@pytest.mark.parametrize("order", [list(order) for order in permutations(["Shared", "Data", "Code"])])
def test_a_function_that_queries_what_calls_it_makes_no_cycle(order: list[str], scope: str) -> None:
    app = App()
    stacks = {name: data_stack(app, name) for name in order}
    network = network_of(stacks["Shared"])
    function = function_in(stacks["Code"], network)
    database = proxied(stacks["Data"], network)
    database.connect(function, user="app")
    DatabaseInvoke(stacks[scope], "Report", database=database, function=function)
    assembly = app.synth()
    needed = {
        stack.id: {found.id for found in stack.dependencies} & stacks.keys() for stack in assembly.stacks
    }
    assert needed == {"Shared": set(), "Data": {"Shared"}, "Code": {"Shared", "Data"}}


@pytest.mark.parametrize(("data", "code"), [("A", "B"), ("A", "Root"), ("Root", "A")])
def test_nested_stacks_make_no_cycle(data: str, code: str) -> None:
    app = App()
    root = data_stack(app, "Root")
    stacks = {"Root": root, "A": NestedStack(root, "A"), "B": NestedStack(root, "B")}
    network = network_of(root)
    database = proxied(stacks[data], network)
    function = function_in(stacks[code], network)
    database.connect(function, user="app")
    DatabaseInvoke(stacks[code], "Report", database=database, function=function)
    app.synth()


def test_stages_have_proxies_and_databases_of_their_own_names() -> None:
    app = App()
    for name in ("Test", "Live"):
        stack = Stack(Stage(app, name, env=ENVIRONMENT), "Data")
        proxied(stack, network_of(stack))
    assembly = app.synth()
    names = [
        found["Properties"][NAMED[found["Type"]]]
        for name in ("Test", "Live")
        for stack in assembly.get_nested_assembly(f"assembly-{name}").stacks
        for found in stack.template["Resources"].values()
        if found["Type"] in NAMED
    ]
    assert len(set(names)) == len(names) == 4


def test_a_network_in_the_functions_stack_is_refused_where_the_database_is_in_another() -> None:
    app = App()
    code = data_stack(app, "Code")
    network = network_of(code)
    database = proxied(data_stack(app), network)
    function = function_in(code, network)
    assert refusal(lambda: database.connect(function, user="app")) == (
        "connect Code/Query: the network is in the function's stack Code, which the database's stack Data "
        "then needs, as the function needs that one: put the network into a stack of its own or the "
        "database's "
        "(https://docs.aws.amazon.com/cdk/v2/guide/resources.html#resource-stack)"
    )


def test_further_functions_are_added_to_the_databases_one_role() -> None:
    wiring = wire()
    for name in ("First", "Second"):
        function = function_in(wiring.data, wiring.network, name)
        DatabaseInvoke(wiring.data, f"{name}Call", database=wiring.database, function=function)
    (database,) = wiring.of_type(wiring.data, "AWS::RDS::DBInstance").values()
    called = [
        policy["Roles"]
        for policy in wiring.of_type(wiring.data, "AWS::IAM::Policy").values()
        if "lambda:InvokeFunction" in str(policy)
    ]
    assert len(database["AssociatedRoles"]) == 1
    assert len(called) == 2
    assert called[0] == called[1]


def test_what_a_function_of_an_account_outside_the_app_needs_is_an_output() -> None:
    wiring = wire()
    arn = "arn:aws:lambda:eu-central-1:210987654321:function:record"
    function = lambda_.Function.from_function_arn(wiring.data, "Theirs", arn)
    DatabaseInvoke(wiring.data, "Report", database=wiring.database, function=function)
    outputs = wiring.template(wiring.data)["Outputs"]
    (output,) = [found for name, found in outputs.items() if name.startswith("ReportPermission")]
    assert output["Description"] == "Run once in account 210987654321, which the function is in"
    command = "".join(part if isinstance(part, str) else "ROLE" for part in output["Value"]["Fn::Join"][1])
    assert command.startswith(
        "aws lambda add-permission --action lambda:InvokeFunction --statement-id database-"
    )
    assert f" --function-name {arn} --principal " in command


def test_a_function_of_another_region_is_not_behind_the_endpoint() -> None:
    wiring = wire()
    arn = "arn:aws:lambda:us-east-1:123456789012:function:record"
    function = lambda_.Function.from_function_arn(wiring.data, "Far", arn)
    assert refusal(
        lambda: DatabaseInvoke(wiring.data, "Report", database=wiring.database, function=function)
    ).startswith(
        "function: it is in us-east-1, the database in eu-central-1, and the endpoint of Lambda leads to "
        "eu-central-1 alone"
    )


def test_a_database_goes_out_through_nat_to_a_function_of_another_region() -> None:
    stack = data_stack(App())
    arn = "arn:aws:lambda:us-east-1:123456789012:function:record"
    database = rds.DatabaseInstance.from_database_instance_attributes(
        stack,
        "Imported",
        instance_identifier="orders",
        instance_endpoint_address="orders.example",
        port=5432,
        engine=new_database("postgres").engine,  # type: ignore[arg-type]  # that of an instance
        security_groups=[],
    )
    invoke = DatabaseInvoke(
        stack,
        "Report",
        database=database,
        function=lambda_.Function.from_function_arn(stack, "Far", arn),
        role=iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::123456789012:role/orders-invoke"),
    )
    assert f"create_lambda_function_arn('{arn}', 'us-east-1')" in invoke.trigger_statements("orders")[0]


def test_an_account_of_the_app_takes_the_role_that_calls_by_its_name() -> None:
    app = App()
    data = data_stack(app)
    database = proxied(data, network_of(data))
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
    resources = app.synth().get_stack_by_name("Data").template["Resources"]
    (policy,) = [
        found["Properties"]["PolicyDocument"]["Statement"]
        for found in resources.values()
        if found["Type"] == "AWS::IAM::Policy" and "lambda:InvokeFunction" in str(found)
    ]
    assert "function:record" in str(policy[0]["Resource"])
