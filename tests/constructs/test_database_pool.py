"""When synthesis warns of a pool that is too small for the connected functions, and when it is silent."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Annotations, Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_rds as rds
from aws_cdk import aws_sqs as sqs

from lambda_patterns.constructs.database_pool import WARNING
from lambda_patterns.constructs.proxied_database import ProxiedDatabase
from tests.constructs.database_wiring import Wiring, function_in, new_database, wire

pytestmark = pytest.mark.cdk

PROXY_PAGES = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-"
SMALL = ec2.InstanceType("t4g.small")
PIN = {"pinned": True}


def warnings(wiring: Wiring) -> list[str]:
    found = wiring.app.synth().get_stack_by_name(wiring.data.stack_name).messages
    mark = f"[ack: {WARNING}]"
    return [str(each.entry.data).removesuffix(mark).strip() for each in found if mark in str(each.entry.data)]


def connected(
    percent: int = 80, *, reserved: int | None = None, pinned: bool = False, **database: Any
) -> Wiring:
    """A database of one function that is connected already, and another one with the settings."""
    engine = database.pop("engine", "postgres")
    wiring = wire(
        engine, arguments={"max_connections_percent": percent, "database": new_database(engine, **database)}
    )
    function = function_in(wiring.data, wiring.network, "Import", reserved_concurrent_executions=reserved)
    wiring.database.connect(function, user="app", pinned=pinned)
    return wiring


def test_functions_that_pin_more_connections_than_the_pool_has_are_warned_of() -> None:
    (said,) = warnings(connected(reserved=400, pinned=True))
    assert said == (
        "max_connections_percent: 80 % of 450 connections at most are a pool of 360, and functions that pin "
        "one each run 400 times at once (Data/Import 400): whoever comes when all are pinned waits for the "
        "borrow timeout and fails; reserve less concurrency for them, raise the share, take a larger "
        f"database, or avoid the session state that pins ({PROXY_PAGES}pinning.html)"
    )


def test_as_many_pinned_as_the_pool_has_are_served() -> None:
    assert warnings(connected(reserved=360, pinned=True)) == []
    assert len(warnings(connected(reserved=361, pinned=True))) == 1


def test_more_functions_than_connections_are_what_a_proxy_is_for() -> None:
    assert warnings(connected(reserved=900)) == []


def test_a_share_below_the_advised_one_is_warned_of_where_functions_need_more() -> None:
    (said,) = warnings(connected(10, reserved=100))
    assert said == (
        "max_connections_percent: 10 % of 450 connections at most are a pool of 45, and functions run 100 "
        "times at once (Data/Import 100): AWS advises 20 % or more on a database of 4 GiB, since a proxy "
        f"keeps some connections for itself ({PROXY_PAGES}connections.html)"
    )


@pytest.mark.parametrize(
    ("percent", "database", "count"),
    [
        (19, {}, 1),
        (20, {}, 0),
        (29, {"instance_type": SMALL}, 1),
        (30, {"instance_type": SMALL}, 0),
        # a small share of a large database is enough for what runs
        (10, {"instance_type": ec2.InstanceType("r6g.16xlarge")}, 0),
    ],
)
def test_the_advised_share_depends_on_the_memory(percent: int, database: Any, count: int) -> None:
    assert len(warnings(connected(percent, reserved=400, **database))) == count


@pytest.mark.parametrize(
    "wiring",
    [
        lambda: connected(1),
        lambda: connected(pinned=True),
        lambda: connected(reserved=900, pinned=True, instance_type=ec2.InstanceType("z1d.large")),
        lambda: connected(
            reserved=900, pinned=True, parameters={"max_connections": "{DBInstanceClassMemory/9}"}
        ),
        lambda: connected(1, reserved=900, parameters={"max_connections": "90000"}),
        lambda: wire(new=False),
    ],
    ids=[
        "no reservation",
        "pinned without one",
        "unknown class",
        "a formula",
        "share of a figure",
        "imported",
    ],
)
def test_what_is_not_known_is_not_warned_of(wiring: Callable[[], Wiring]) -> None:
    assert warnings(wiring()) == []


def test_a_stated_max_connections_is_taken() -> None:
    (said,) = warnings(connected(reserved=100, pinned=True, parameters={"max_connections": "100"}))
    assert said.startswith("max_connections_percent: 80 % of 100 connections at most are a pool of 80, and ")


def test_an_instance_with_parameters_of_its_own_is_not_known() -> None:
    writer = rds.ClusterInstance.serverless_v2("Writer", parameters={"max_connections": "5000"})
    stated = {"max_connections": "10"}
    for parameters in ({}, stated):
        options = {"writer": writer, "parameters": parameters, "engine": "aurora-mysql"}
        assert warnings(connected(reserved=900, pinned=True, **options)) == []


def test_readers_are_not_judged_for_they_come_and_go() -> None:
    wiring = connected(engine="aurora-mysql", serverless_v2_max_capacity=1)
    function = function_in(wiring.data, wiring.network, "Report", reserved_concurrent_executions=900)
    wiring.database.connect(function, user="app", read_only=True, pinned=True)
    assert warnings(wiring) == []


def test_a_given_parameter_group_is_not_known() -> None:
    wiring = wire()
    group = rds.ParameterGroup(wiring.data, "Given", engine=new_database("postgres").engine)
    database = ProxiedDatabase(
        wiring.data,
        "Other",
        network=wiring.network,
        database=new_database("postgres", options={"parameter_group": group}),
        users=["app"],
        database_name="orders",
    )
    function = function_in(wiring.data, wiring.network, "Import", reserved_concurrent_executions=900)
    database.connect(function, user="app", pinned=True)
    assert warnings(wiring) == []


@pytest.mark.parametrize(
    ("engine", "database", "pool"),
    [
        ("aurora-postgresql", {}, 658),
        ("aurora-mysql", {}, 108),
        ("aurora-mysql", {"serverless_v2_max_capacity": 1}, 72),
        ("aurora-mysql", {"writer": rds.ClusterInstance.provisioned("Writer", instance_type=SMALL)}, 108),
        (
            "aurora-mysql",
            {"writer": rds.ClusterInstance.provisioned("Writer", instance_type=SMALL), "readers": []},
            36,
        ),
        ("mariadb", {}, 136),
        ("mysql", {}, 272),
    ],
)
def test_each_engines_pool_is_bounded(engine: str, database: Any, pool: int) -> None:
    assert warnings(connected(engine=engine, reserved=pool, pinned=True, **database)) == []
    (said,) = warnings(connected(engine=engine, reserved=pool + 1, pinned=True, **database))
    assert f" are a pool of {pool}, " in said


def test_provisioned_environments_and_queues_say_how_many_there_are_at_least() -> None:
    wiring = wire(arguments={"database": new_database("postgres", parameters={"max_connections": "10"})})
    for name in ("Provisioned", "Polled", "Both"):
        function = function_in(wiring.data, wiring.network, name)
        wiring.database.connect(function, user="app", pinned=True)
        if name != "Polled":
            function.add_alias("live", provisioned_concurrent_executions=3)
        if name != "Provisioned":
            for index in range(2):
                function.add_event_source_mapping(
                    f"Queue{index}",
                    event_source_arn=sqs.Queue(
                        wiring.data, f"{name}Queue{index}", visibility_timeout=Duration.minutes(3)
                    ).queue_arn,
                    max_concurrency=2,
                )
    (said,) = warnings(wiring)
    assert "run 11 times at once (Data/Provisioned 3, Data/Polled 4, Data/Both 4)" in said


def test_the_warning_can_be_acknowledged() -> None:
    wiring = connected(reserved=400, pinned=True)
    Annotations.of(wiring.database).acknowledge_warning(WARNING, "the import runs alone, at night")
    assert warnings(wiring) == []


def test_a_function_of_another_stack_counts() -> None:
    wiring = wire(stacks=2)
    function = function_in(wiring.code, wiring.network, "Import", reserved_concurrent_executions=400)
    wiring.database.connect(function, user="app", **PIN)
    (said,) = warnings(wiring)
    assert "(Code/Import 400)" in said
    assert isinstance(function, lambda_.Function)
