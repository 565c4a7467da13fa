"""The ways out of a VPC: figures written out from the price sheet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_patterns.facts.prices import PriceSheet
from lambda_patterns.model.cost import break_even, compare
from lambda_patterns.model.cost.path_load import PathLoad

SEOUL = PriceSheet("ap-northeast-2")
VIRGINIA = PriceSheet("us-east-1")


def monthly(load: PathLoad, sheet: PriceSheet = SEOUL) -> dict[str, float | None]:
    return {way.name: way.monthly for way in compare(load, sheet)}


def test_every_path_of_two_services_in_seoul() -> None:
    found = monthly(PathLoad(services={"secretsmanager": 1, "sqs": 20, "s3": 300}))
    # S3 goes through its gateway endpoint on every path: 21 GB are left.
    assert found == {
        "nat-gateway-per-zone": pytest.approx(2 * (43.07 + 3.65) + 21 * 0.059),
        "nat-gateway": pytest.approx(43.07 + 3.65 + 21 * 0.059),
        "regional-nat-gateway": pytest.approx(2 * (43.07 + 3.65) + 21 * 0.059),
        "nat-instance-per-zone": pytest.approx(2 * (7.592 + 3.65)),
        "nat-instance": pytest.approx(7.592 + 3.65),
        "endpoints": pytest.approx(2 * 18.98 + 21 * 0.01),
        "isolated": 0.0,
    }


def test_four_endpoints_cost_less_than_two_nat_gateways_in_seoul_and_five_cost_more() -> None:
    """The gateways and their addresses are 2 x (43.07 + 3.65); an endpoint in two zones is 18.98."""
    even = break_even(PathLoad(services={"sqs": 0}), SEOUL)
    assert even.endpoints == pytest.approx((86.14 + 7.30) / 18.98)
    assert even.endpoints is not None
    assert 4 < even.endpoints < 5
    for count, cheaper in ((4, True), (5, False)):
        found = monthly(PathLoad(services={f"service-{number}": 0 for number in range(count)}))
        nat, endpoints = found["nat-gateway-per-zone"], found["endpoints"]
        assert nat is not None
        assert endpoints is not None
        assert (endpoints < nat) is cheaper


def test_the_gb_from_which_one_endpoint_pays_for_itself_beside_a_nat_gateway() -> None:
    even = break_even(PathLoad(services={"sqs": 10}), SEOUL)
    # an endpoint is 18.98 and saves 0.059 - 0.01 a GB
    assert even.gb_beside_nat == pytest.approx(387.3469, abs=0.001)


def test_many_endpoints_pay_only_from_some_traffic_on() -> None:
    many = PathLoad(services={f"service-{number}": 0 for number in range(8)})
    even = break_even(many, SEOUL)
    # (8 x 18.98 - 93.44) / 0.049
    assert even.gb_against_nat == pytest.approx(1191.836, abs=0.001)
    assert break_even(PathLoad(services={"sqs": 0}), SEOUL).gb_against_nat == 0


def test_a_path_that_cannot_carry_the_workload_says_why() -> None:
    refused = {way.name: way.refused for way in compare(PathLoad(services={"sqs": 1}, internet_gb=0), SEOUL)}
    assert refused["endpoints"] == "it does not reach the internet"
    assert refused["isolated"] == "it does not reach the internet"
    assert refused["nat-gateway"] is None
    closed = {way.name: way.refused for way in compare(PathLoad(services={"sqs": 1, "kms": 1}), SEOUL)}
    assert closed["isolated"] == "it does not reach kms, sqs"
    assert closed["endpoints"] is None


def test_isolation_carries_what_only_gateway_endpoints_carry() -> None:
    (isolated,) = [
        way for way in compare(PathLoad(services={"s3": 900, "dynamodb": 1}), SEOUL) if way.name == "isolated"
    ]
    assert (isolated.refused, isolated.monthly) == (None, 0.0)


def test_an_instance_without_a_price_is_unknown_and_named() -> None:
    (way,) = [way for way in compare(PathLoad(instance="t4g.nano"), SEOUL) if way.name == "nat-instance"]
    assert (way.floor, way.monthly, way.unknown) == (None, None, ("instance-t4g.nano-hour",))


def test_prices_that_are_missing_leave_the_break_even_unknown() -> None:
    sheet = PriceSheet("mars-west-1", {"nat-gateway-hour": 1.0})
    assert break_even(PathLoad(services={"sqs": 1}), sheet).endpoints is None


@given(
    count=st.integers(1, 12),
    gb=st.floats(0, 1e5),
    zones=st.integers(1, 4),
    sheet=st.sampled_from((SEOUL, VIRGINIA)),
)
def test_the_break_even_is_where_the_cheaper_path_changes(
    count: int, gb: float, zones: int, sheet: PriceSheet
) -> None:
    load = PathLoad(services={f"service-{number}": gb / count for number in range(count)}, zones=zones)
    found, even = monthly(load, sheet), break_even(load, sheet)
    nat, endpoints = found["nat-gateway-per-zone"], found["endpoints"]
    assert nat is not None
    assert endpoints is not None
    assert even.endpoints is not None
    if abs(count - even.endpoints) > 1e-6:
        assert (endpoints < nat) is (count < even.endpoints)


def test_endpoints_do_not_carry_what_has_none_in_the_region() -> None:
    def refused(service: str, sheet: PriceSheet) -> str | None:
        (way,) = [way for way in compare(PathLoad(services={service: 1}), sheet) if way.name == "endpoints"]
        return way.refused

    assert refused("iam", SEOUL) == "no endpoint leads to iam in ap-northeast-2"
    assert refused("iam", VIRGINIA) is None
    assert refused("route53", VIRGINIA) == "no endpoint leads to route53 in us-east-1"
    assert refused("a-service-of-tomorrow", SEOUL) is None
