from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_sns as sns

from lambda_patterns.constructs.imported_database_proxy import ImportedDatabaseProxy
from lambda_patterns.constructs.proxy_monitoring import ProxyMonitoring
from lambda_patterns.errors import ArgumentError
from lambda_patterns.testing import synthesize
from tests.constructs.database_wiring import Wiring, wire

pytestmark = pytest.mark.cdk


def watched(**arguments: Any) -> Wiring:
    wiring = wire()
    ProxyMonitoring(wiring.code, "Watch", database=wiring.database, **arguments)
    return wiring


def alarms(wiring: Wiring) -> dict[str, dict[str, Any]]:
    found = wiring.of_type(wiring.code, "AWS::CloudWatch::Alarm")
    return {name.removeprefix("Watch")[:-8]: properties for name, properties in found.items()}


def test_each_thing_that_functions_feel_has_an_alarm_with_its_threshold() -> None:
    found = alarms(watched())
    assert {name: alarm["Threshold"] for name, alarm in found.items()} == {
        "BorrowLatency": 500_000,
        "PinnedSessions": 20,
        "PoolUse": 80,
        "Availability": 99,
        "RefusedLogins": 5,
    }
    assert all(alarm["TreatMissingData"] == "notBreaching" for alarm in found.values())
    assert found["Availability"]["ComparisonOperator"] == "LessThanThreshold"


def test_the_borrow_latency_is_compared_in_microseconds() -> None:
    found = alarms(watched(borrow_latency=Duration.millis(50)))
    assert found["BorrowLatency"]["Threshold"] == 50_000
    assert found["BorrowLatency"]["MetricName"] == "DatabaseConnectionsBorrowLatency"
    assert found["BorrowLatency"]["Dimensions"][0]["Name"] == "ProxyName"


def test_shares_are_of_what_is_borrowed_and_of_what_is_allowed() -> None:
    found = alarms(watched())
    for name, names in {
        "PinnedSessions": {
            "DatabaseConnectionsCurrentlySessionPinned",
            "DatabaseConnectionsCurrentlyBorrowed",
        },
        "PoolUse": {"DatabaseConnectionsCurrentlyBorrowed", "MaxDatabaseConnectionsAllowed"},
    }.items():
        metrics = found[name]["Metrics"]
        assert {m["MetricStat"]["Metric"]["MetricName"] for m in metrics if "MetricStat" in m} == names
        (expression,) = [m["Expression"] for m in metrics if "Expression" in m]
        assert expression == "IF(whole > 0, 100 * part / whole, 0)"


def test_alarms_tell_whom_they_are_told_to() -> None:
    wiring = wire()
    topic = sns.Topic(wiring.code, "Topic")
    ProxyMonitoring(wiring.code, "Watch", database=wiring.database, alarm_actions=[actions.SnsAction(topic)])
    told = [alarm["AlarmActions"] for alarm in alarms(wiring).values()]
    assert told == [[wiring.code.resolve(topic.topic_arn)]] * 5


def test_a_dashboard_shows_them_unless_it_is_not_wanted() -> None:
    wiring = watched()
    assert len(wiring.of_type(wiring.code, "AWS::CloudWatch::Dashboard")) == 1
    without = watched(dashboard=False)
    assert without.of_type(without.code, "AWS::CloudWatch::Dashboard") == {}


def test_a_share_out_of_range_is_refused() -> None:
    wiring = wire()
    with pytest.raises(ArgumentError) as refused:
        ProxyMonitoring(wiring.code, "Watch", database=wiring.database, used_percent=0)
    assert str(refused.value) == (
        "used_percent: share is 0 %, allowed are 1-100 %: it is a share of a whole "
        "(https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.monitoring.html)"
    )


def test_an_imported_proxy_is_watched_by_the_name_in_its_endpoint() -> None:
    stack = Stack(App(), "Code")
    proxy = ImportedDatabaseProxy(
        stack,
        "Orders",
        proxy_arn="arn:aws:rds:eu-central-1:123456789012:db-proxy:prx-0123",
        proxy_endpoint="orders.proxy-abc.eu-central-1.rds.amazonaws.com",
        engine_family="POSTGRESQL",
        security_groups=[ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0")],
        users=["app"],
        database_name="orders",
    )
    ProxyMonitoring(stack, "Watch", database=proxy)
    resources = synthesize(stack)["Resources"].values()
    (latency,) = [one["Properties"] for one in resources if one["Properties"].get("Threshold") == 500_000]
    assert latency["Dimensions"] == [{"Name": "ProxyName", "Value": "orders"}]
