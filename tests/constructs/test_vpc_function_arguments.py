"""What is wrong is said in one line, before aws_cdk makes anything."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Aws, CfnParameter, Duration, Fn, Size, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from lambda_patterns.constructs import Endpoints, Isolated, LambdaNetwork, OnFailureQueue, VpcFunction
from lambda_patterns.errors import ArgumentError
from lambda_patterns.testing import synthesize
from tests.constructs.template_queries import code, of_type

pytestmark = pytest.mark.cdk

_DG = "https://docs.aws.amazon.com/lambda/latest/dg"


def refused(stack: Stack, network: LambdaNetwork | ec2.IVpc, **arguments: Any) -> str:
    with pytest.raises(ArgumentError) as caught:
        VpcFunction(stack, "Fetch", network=network, **{**code(), **arguments})
    for made in ("Fetch", "FetchRole", "FetchLogs"):
        assert stack.node.try_find_child(made) is None
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            lambda: {"memory_size": 64},
            (
                "memory_size: memory is 64 MB, allowed are 128-10,240 MB: Lambda offers memory in steps of 1 "
                f"MB within this range ({_DG}/gettingstarted-limits.html)"
            ),
        ),
        (
            lambda: {"timeout": Duration.minutes(16)},
            (
                "timeout: timeout is 960 s, allowed are 1-900 s: Lambda ends every invocation after 900 s at "
                f"the latest ({_DG}/gettingstarted-limits.html)"
            ),
        ),
        (
            lambda: {"ephemeral_storage_size": Size.mebibytes(256)},
            (
                "ephemeral_storage_size: ephemeral storage is 256 MB, allowed are 512-10,240 MB: Lambda "
                f"offers /tmp in steps of 1 MB within this range ({_DG}/gettingstarted-limits.html)"
            ),
        ),
        (
            lambda: {"retry_attempts": 3},
            (
                "retry_attempts: retries are 3, allowed are 0-2: Lambda retries a failed "
                f"event at most twice ({_DG}/invocation-async-error-handling.html)"
            ),
        ),
        (
            lambda: {"environment": {"AWS_REGION": "eu-west-1"}},
            (
                "environment: AWS_REGION is a name that Lambda sets itself: choose another "
                f"({_DG}/configuration-envvars.html)"
            ),
        ),
        (
            lambda: {"environment": {"X": "1"}},
            (
                "environment: 'X' is refused as a name: a letter comes first, then at least one more letter, "
                f"digit or underscore ({_DG}/configuration-envvars.html)"
            ),
        ),
        (
            lambda: {"needs": ["secretmanager"]},
            "needs: no service is called 'secretmanager': did you mean 'secretsmanager'?",
        ),
    ],
)
def test_a_value_that_lambda_refuses_is_refused(
    stack: Stack, network: LambdaNetwork, arguments: Callable[[], dict[str, Any]], message: str
) -> None:
    assert refused(stack, network, **arguments()) == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"function_name": "a" * 65},
            f"function_name is '{'a' * 65}', allowed are 1-64 letters, digits, _ and -",
        ),
        ({"function_name": "fetch orders"}, "function_name is 'fetch orders', allowed are 1-64 letters, dig"),
        ({"function_name": ""}, "function_name is '', allowed are 1-64 letters, digits, _ and - ("),
        ({"handler": "h" * 129}, f"handler is '{'h' * 129}', allowed are 1-128 characters without spaces ("),
        ({"handler": "app. handler"}, "handler is 'app. handler', allowed are 1-128 characters without"),
        (
            {"description": "d" * 257},
            "description: length of the description is 257 characters, allowed are 0-256 characters: Lambda",
        ),
    ],
)
def test_a_text_that_lambda_refuses_is_refused(
    stack: Stack, network: LambdaNetwork, arguments: dict[str, str], message: str
) -> None:
    assert refused(stack, network, **arguments).startswith(message)


def test_texts_of_exactly_the_length_are_taken(stack: Stack, network: LambdaNetwork) -> None:
    arguments = code() | {"function_name": "a" * 64, "description": "d" * 256, "handler": "h" * 128}
    function = VpcFunction(stack, "Fetch", network=network, **arguments)
    function.add_alias("a" * 128)
    for name in ("a" * 129, "17", "a b", ""):
        with pytest.raises(ArgumentError, match=r"alias_name is .*, allowed are 1-128 letters"):
            function.add_alias(name)


def test_an_event_age_out_of_range_is_refused(stack: Stack, network: LambdaNetwork) -> None:
    message = refused(stack, network, max_event_age=Duration.seconds(59))
    assert message.startswith("max_event_age: event age is 59 s, allowed are 60-21,600 s: ")


def test_six_layers_are_refused(stack: Stack, network: LambdaNetwork) -> None:
    arn = "arn:aws:lambda:eu-west-1:123456789012:layer:tools:1"
    layers = [lambda_.LayerVersion.from_layer_version_arn(stack, f"Layer{n}", arn) for n in range(6)]
    message = refused(stack, network, layers=layers)
    assert message.startswith("layers: layers are 6, allowed are 0-5: ")


def test_six_groups_are_refused(stack: Stack, network: LambdaNetwork) -> None:
    groups = [ec2.SecurityGroup.from_security_group_id(stack, f"Group{n}", f"sg-{n}") for n in range(6)]
    message = refused(stack, network, security_groups=groups)
    assert message.startswith("security_groups: security groups are 6, allowed are 1-5: ")


def test_the_environment_is_measured_as_compact_json(stack: Stack, network: LambdaNetwork) -> None:
    exact = {"KEY": "x" * (4096 - len('{"KEY":""}'))}
    VpcFunction(stack, "Fits", network=network, environment=exact, **code())
    message = refused(stack, network, environment={"KEY": exact["KEY"] + "x"})
    assert message.startswith(
        "environment: environment as compact JSON is 4,097 bytes, allowed are 0-4,096 bytes: "
    )


def test_what_is_not_known_yet_is_not_wrong(stack: Stack, network: LambdaNetwork) -> None:
    number = CfnParameter(stack, "Memory", type="Number")
    text = CfnParameter(stack, "Text").value_as_string
    VpcFunction(
        stack,
        "Fetch",
        network=network,
        memory_size=number.value_as_number,
        timeout=Duration.seconds(number.value_as_number),
        environment={"PARTITION": Aws.PARTITION * 500},
        function_name=f"{text} of a stack",
        description=text * 20,
        **code() | {"handler": f"{text} handler"},
    )
    made = next(f for f in of_type(synthesize(stack), "AWS::Lambda::Function") if "VpcConfig" in f)
    assert made["MemorySize"] == {"Ref": "Memory"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"timeout": 30}, "timeout: 30 has no unit: give a Duration, Duration.seconds(30)"),
        ({"max_event_age": 60}, "max_event_age: 60 has no unit: give a Duration, Duration.seconds(30)"),
        (
            {"ephemeral_storage_size": 1024},
            "ephemeral_storage_size: 1024 has no unit: give a Size, Size.mebibytes(1024)",
        ),
        ({"needs": "sqs"}, "needs: 'sqs' is one text: give a list, needs=['sqs']"),
        (
            {"on_success": "topic"},
            (
                "on_success: 'topic' is no destination: give an OnFailureQueue, or one of "
                "aws_lambda_destinations, SqsDestination(queue)"
            ),
        ),
    ],
)
def test_a_value_of_another_kind_is_refused_with_what_to_give(
    stack: Stack, network: LambdaNetwork, arguments: dict[str, Any], message: str
) -> None:
    assert refused(stack, network, **arguments) == message


def test_a_queue_that_cannot_be_a_destination_is_refused(stack: Stack, network: LambdaNetwork) -> None:
    queue = sqs.Queue(stack, "Failures")
    assert refused(stack, network, on_failure=queue) == (
        "on_failure: Queue Stack/Failures is no destination: give an OnFailureQueue, or one of "
        "aws_lambda_destinations, SqsDestination(queue)"
    )
    fifo = OnFailureQueue(stack, "Fifo", role="source", fifo=True)
    assert refused(stack, network, on_failure=fifo) == (
        "on_failure: OnFailureQueue Stack/Fifo is FIFO, and Lambda writes to standard queues only: give a "
        f"standard one ({_DG}/invocation-async-retain-records.html)"
    )


@pytest.mark.parametrize("name", ["dead_letter_queue", "dead_letter_topic"])
def test_fifo_is_refused_for_dead_letters(stack: Stack, network: LambdaNetwork, name: str) -> None:
    queue = sqs.Queue(stack, "Queue", fifo=True) if name == "dead_letter_queue" else None
    target = queue or sns.Topic(stack, "Topic", fifo=True)
    assert refused(stack, network, **{name: target}) == (
        f"{name}: it is FIFO, and Lambda writes failed events to standard queues and topics only: give a "
        f"standard one ({_DG}/invocation-async-retain-records.html)"
    )


@pytest.mark.parametrize("way", [Endpoints("s3"), Isolated("s3")])
def test_the_internet_is_refused_where_nothing_leads_out(stack: Stack, way: Endpoints) -> None:
    network = LambdaNetwork(stack, "Closed", internet=way)
    assert refused(stack, network, internet=True) == (
        "internet: nothing leads out of this network: give it internet=NatGateways(), NatInstances() or "
        f"EgressOnlyGateway() ({_DG}/configuration-vpc-internet.html)"
    )


def test_a_need_without_endpoint_or_internet_is_refused(stack: Stack) -> None:
    network = LambdaNetwork(stack, "Closed", internet=Endpoints("s3"))
    assert refused(stack, network, needs=["sqs"]) == (
        "needs: this network has no endpoint for 'sqs' and no way to the internet: add 'sqs' to its "
        f"Endpoints, or call network.add_endpoints('sqs') first ({_DG}/configuration-vpc-internet.html)"
    )
    network.add_endpoints("sqs")
    VpcFunction(stack, "Fetch", network=network, needs=["sqs"], **code())


def test_subnets_of_a_lambda_network_are_its_own(stack: Stack, network: LambdaNetwork) -> None:
    message = refused(stack, network, vpc_subnets=ec2.SubnetSelection())
    assert message == (
        "vpc_subnets: a LambdaNetwork has its own subnets: leave it out, or say it in "
        "LambdaNetwork.from_vpc(..., vpc_subnets=...)"
    )


def test_public_subnets_are_refused(stack: Stack) -> None:
    vpc = ec2.Vpc(stack, "Vpc")
    public = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)
    assert refused(stack, vpc, vpc_subnets=public) == (
        "vpc_subnets: a public subnet is among them, and it gives a function neither a public address nor "
        f"the internet: select private subnets ({_DG}/configuration-vpc-internet.html)"
    )


def imported_vpc(stack: Stack, zones: list[str]) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Imported",
        vpc_id="vpc-1",
        availability_zones=zones,
        private_subnet_ids=[f"subnet-{zone}-{n}" for n, zone in enumerate(zones)],
        private_subnet_route_table_ids=[f"rtb-{n}" for n, _ in enumerate(zones)],
    )


def test_one_subnet_is_refused(stack: Stack) -> None:
    assert refused(stack, imported_vpc(stack, ["eu-west-1a"])) == (
        "vpc_subnets: 1 subnet, needed are 2 or more in two zones: functions in one zone stop when it is "
        "lost (https://docs.aws.amazon.com/lambda/latest/operatorguide/networking-vpc.html)"
    )


def test_two_subnets_in_one_zone_are_refused(stack: Stack) -> None:
    vpc = imported_vpc(stack, ["eu-west-1a", "eu-west-1b"])
    same = [
        ec2.Subnet.from_subnet_attributes(
            stack, f"Same{n}", subnet_id=f"subnet-{n}", availability_zone="eu-west-1a", route_table_id="rtb-1"
        )
        for n in range(2)
    ]
    message = refused(stack, vpc, vpc_subnets=ec2.SubnetSelection(subnets=same))
    assert message == (
        "vpc_subnets: all 2 are in eu-west-1a, needed are two zones: functions in one zone stop when it is "
        "lost (https://docs.aws.amazon.com/lambda/latest/operatorguide/networking-vpc.html)"
    )


def test_zones_that_are_not_known_may_be_two(stack: Stack) -> None:
    zone = CfnParameter(stack, "Zone").value_as_string
    vpc = imported_vpc(stack, ["eu-west-1a", "eu-west-1b"])
    subnets = [
        ec2.Subnet.from_subnet_attributes(
            stack, f"Some{n}", subnet_id=f"subnet-{n}", availability_zone=zone, route_table_id="rtb-1"
        )
        for n in range(2)
    ]
    VpcFunction(stack, "Fetch", network=vpc, vpc_subnets=ec2.SubnetSelection(subnets=subnets), **code())


def test_subnets_that_are_known_by_id_alone_may_be_in_two_zones(stack: Stack) -> None:
    vpc = imported_vpc(stack, ["eu-west-1a", "eu-west-1b"])
    subnets = [ec2.Subnet.from_subnet_id(stack, f"Some{n}", f"subnet-0123456789abcdef{n}") for n in range(2)]
    VpcFunction(stack, "Fetch", network=vpc, vpc_subnets=ec2.SubnetSelection(subnets=subnets), **code())


def test_one_subnet_that_is_named_twice_is_one(stack: Stack) -> None:
    vpc = ec2.Vpc(stack, "Vpc")
    chosen = [ec2.Subnet.from_subnet_id(stack, name, "subnet-0123456789abcdef0") for name in ("One", "Two")]
    selection = ec2.SubnetSelection(subnets=chosen)
    assert refused(stack, vpc, vpc_subnets=selection).startswith(
        "vpc_subnets: 1 subnet, needed are 2 or more"
    )


def test_subnets_that_deployment_lists_are_not_counted(stack: Stack) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Exported",
        vpc_id=Fn.import_value("vpc"),
        availability_zones=Fn.split(",", Fn.import_value("zones")),
        private_subnet_ids=Fn.split(",", Fn.import_value("subnets")),
    )
    VpcFunction(stack, "Fetch", network=vpc, **code())


def test_a_vpc_that_is_still_to_be_looked_up_is_not_judged(app: Any) -> None:
    stack = Stack(app, "Somewhere", env={"account": "123456789012", "region": "eu-west-1"})
    vpc = ec2.Vpc.from_lookup(stack, "Vpc", vpc_id="vpc-1")
    VpcFunction(stack, "Fetch", network=vpc, **code())
