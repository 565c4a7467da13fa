"""What the examples cost in Seoul: each figure is written out from the price sheet."""

from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from lambda_patterns.facts.prices import PriceSheet
from lambda_patterns.model.assembly import read
from lambda_patterns.model.cost import Estimate, estimate, parse_workload
from lambda_patterns.model.cost.workload import check_names

pytestmark = pytest.mark.cdk

# The prices that the table does not know for Seoul, as a user's file would give them.
OWN = {
    "instance-t4g.nano-hour": 0.0052,
    "sqs-standard-requests": 0.40,
    "lambda-provisioned-arm": 0.0000041,
    "lambda-provisioned-duration-arm": 0.0000096,
}
NAT, ADDRESS, ENDPOINT = 730 * 0.059, 730 * 0.005, 2 * 730 * 0.013
PROXY, SECRET, KEY = 2 * 730 * 0.018, 0.40, 1.00
ALARM, COMPOSITE = 0.10, 0.50
WORKLOAD: dict[str, Any] = {
    "free_tier": False,
    "functions": {
        "NatGateway/RecordEgressAddress": {"invocations": 1_000_000, "duration_ms": 200},
        "NatInstance/RecordEgressAddress": {"invocations": 500_000, "duration_ms": 300},
        "Edge/Headers/Fn": {"invocations": 2_000_000, "duration_ms": 4},
        "Endpoints/SignDocument": {
            "invocations": 100_000,
            "duration_ms": 40,
            "cold_starts": 0.1,
            "init_ms": 500,
        },
        "Isolated/RememberRequest": {"invocations": 3_000_000, "duration_ms": 10},
        "OnFailure/ShipOrder": {"invocations": 1_000_000, "duration_ms": 80},
        "OrderEvents/From*": {"invocations": 1_000_000, "duration_ms": 20},
        # five environments from 7:45 to 18:00 on 21 and two thirds days
        "ReadyFunction/SettleOrders": {
            "invocations": 2_000_000,
            "duration_ms": 100,
            "log_kb": 1,
            "provisioned": 5,
            "provisioned_hours": 222,
            "provisioned_share": 0.75,
        },
        "Database/QueryOrders": {"invocations": 1_000_000, "duration_ms": 50},
        "Triggers/ShipOrder": {"invocations": 250_000, "duration_ms": 200},
    },
    "nat_gateways": {"NatGateway/*": {"gb": 50}},
    "endpoints": {"Endpoints/*Secretsmanager*": {"gb": 2}},
    "queues": {"OnFailure/Failures/*": {"messages": 1000, "size_kb": 100}},
}


def bill(application: App, found: list[str], workload: dict[str, Any]) -> Estimate:
    del found  # it is synthesized by then
    (deployment,) = read(Path(application.outdir)).deployments()
    parsed = parse_workload(workload)
    check_names(parsed, [deployment])
    return estimate(deployment, parsed, PriceSheet("ap-northeast-2", OWN))


def test_what_each_example_costs_with_no_traffic(application: App, found: list[str]) -> None:
    idle = bill(application, found, {})
    assert [(line.resource, line.what) for line in idle.unknown] == [
        ("ReadyFunction/SettleOrders", "provisioned above"),
        ("NatInstance/Network/Vpc/PublicSubnet1/NatInstance", "volume"),
    ]
    assert idle.monthly == pytest.approx(idle.floor)
    assert idle.by_stack() | {"(account)": 0} == {
        "(account)": 0,
        "Database": pytest.approx(PROXY + 2 * ENDPOINT + 2 * SECRET + KEY + 8 * ALARM),
        "Edge": 0,
        "Endpoints": pytest.approx(ENDPOINT + SECRET),
        "Isolated": 0,
        "NatGateway": pytest.approx(2 * (NAT + ADDRESS)),
        "NatInstance": pytest.approx(730 * 0.0052 + ADDRESS),
        "OnFailure": pytest.approx(KEY + ALARM),
        # 34 alarms of one metric each, 4 of two, and the composite one; two keys
        "OrderEvents": pytest.approx(2 * KEY + (28 + 4 * 2) * ALARM + COMPOSITE),
        "ReadyFunction": pytest.approx(KEY + 3 * ALARM),
        "Triggers": pytest.approx(KEY + 2 * ALARM),
    }


def test_what_each_example_costs_under_a_stated_workload(application: App, found: list[str]) -> None:
    busy_bill = bill(application, found, WORKLOAD)
    idle, busy = bill(application, found, {}).by_stack(), busy_bill.by_stack()
    more = {stack: busy[stack] - idle[stack] for stack in busy}
    half_gb_second = 0.0000133334 / 2  # arm64; every example has 512 MB
    assert [line.what for line in busy_bill.unknown] == ["volume"]
    assert more == {
        "Database": pytest.approx(0.20 + 1_000_000 * 0.050 * half_gb_second),
        # at the edge 128 MB, at prices of its own
        "Edge": pytest.approx(1.20 + 2_000_000 * 0.004 * 0.125 * 0.00005001),
        # a tenth of the invocations is 500 ms longer, because the init is billed: 90 ms on average
        "Endpoints": pytest.approx(0.02 + 100_000 * 0.090 * half_gb_second + 2 * 0.01),
        "Isolated": pytest.approx(0.60 + 3_000_000 * 0.010 * half_gb_second),
        "NatGateway": pytest.approx(0.20 + 1_000_000 * 0.200 * half_gb_second + 2 * 50 * 0.059),
        "NatInstance": pytest.approx(0.10 + 500_000 * 0.300 * half_gb_second),
        # 1,000 messages of 100 KB: send, receive, delete, two chunks each
        "OnFailure": pytest.approx(
            0.20 + 1_000_000 * 0.080 * half_gb_second + 1000 * 3 * 2 * 0.40 / 1_000_000
        ),
        "OrderEvents": pytest.approx(4 * (0.20 + 1_000_000 * 0.020 * half_gb_second)),
        "ReadyFunction": pytest.approx(
            0.40
            + 5 * 0.5 * 222 * 3600 * 0.0000041
            + 1_500_000 * 0.100 * 0.5 * 0.0000096
            + 500_000 * 0.100 * half_gb_second
            + 2_000_000 / 1024**2 * 0.76
        ),
        "Triggers": pytest.approx(0.05 + 250_000 * 0.200 * half_gb_second),
    }
