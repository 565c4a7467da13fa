import json
from pathlib import Path

import pytest

import lambda_patterns.facts
from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.facts import prices
from lambda_patterns.facts.prices import PriceSheet

TABLE = json.loads((Path(lambda_patterns.facts.__file__).parent / "prices.json").read_text(encoding="utf-8"))
SEOUL, VIRGINIA = "ap-northeast-2", "us-east-1"


@pytest.mark.parametrize("item", TABLE["items"])
def test_every_price_has_a_value_a_unit_and_a_dated_source(item: str) -> None:
    entry = TABLE["items"][item]
    assert entry["unit"]
    assert entry["what"]
    assert entry["usd"], "an item without any price is unknown everywhere"
    for region, price in entry["usd"].items():
        assert region in prices.regions()
        assert price["value"] > 0
        source = TABLE["sources"][price["source"]]
        assert source["address"].startswith("https://")
        assert source["as_of"].startswith("2026")


def test_every_source_is_used() -> None:
    used = {price["source"] for item in TABLE["items"].values() for price in item["usd"].values()}
    assert used == set(TABLE["sources"])


@pytest.mark.parametrize(
    ("region", "item", "value"),
    [
        (VIRGINIA, "lambda-requests", 0.20),
        (VIRGINIA, "lambda-duration-x86-1", 0.0000166667),
        (SEOUL, "lambda-duration-arm-1", 0.0000133334),
        (SEOUL, "lambda-provisioned-x86", 0.0000051254),
        (SEOUL, "nat-gateway-hour", 0.059),
        (SEOUL, "interface-endpoint-hour", 0.013),
        (SEOUL, "rds-proxy-vcpu-hour", 0.018),
        (SEOUL, "rds-proxy-acu-hour", 0.025),
        (SEOUL, "logs-ingest-gb", 0.76),
        (VIRGINIA, "sqs-fifo-requests", 0.50),
    ],
)
def test_the_table_says_what_its_sources_say(region: str, item: str, value: float) -> None:
    price = PriceSheet(region).price(item)
    assert price is not None
    assert price.value == value


@pytest.mark.parametrize(
    "item",
    [
        "lambda-ephemeral-storage",
        "lambda-snap-start-cache",
        "lambda-provisioned-arm",
        "lambda-duration-x86-2",
        "sqs-standard-requests",
        "sns-publishes",
        "lambda-savings-no-upfront-x86",
    ],
)
def test_what_no_source_gives_for_seoul_is_unknown_and_not_the_price_of_virginia(item: str) -> None:
    assert PriceSheet(VIRGINIA).price(item) is not None
    assert PriceSheet(SEOUL).price(item) is None


def test_a_price_for_a_million_is_a_millionth_for_each() -> None:
    price = PriceSheet(VIRGINIA).price("lambda-requests")
    assert price is not None
    assert price.each == pytest.approx(0.20 / 1_000_000)


def test_the_users_price_wins_and_names_its_source() -> None:
    price = PriceSheet(SEOUL, {"sqs-standard-requests": 0.38}, source="ours.yaml").price(
        "sqs-standard-requests"
    )
    assert price is not None
    assert (price.value, price.unit, price.source) == (0.38, "1,000,000 requests", "ours.yaml")


def test_a_region_without_prices_is_refused_and_taken_with_the_users_prices() -> None:
    with pytest.raises(LambdaPatternsError) as refused:
        PriceSheet("mars-west-1")
    assert str(refused.value) == (
        "region 'mars-west-1' has no prices: the table knows ap-northeast-2, us-east-1; "
        "give yours with --prices FILE"
    )
    sheet = PriceSheet("mars-west-1", {"nat-gateway-hour": 1.0})
    assert sheet.price("nat-gateway-gb") is None


def test_the_hour_of_any_instance_type_is_an_item_and_a_misspelt_item_is_none() -> None:
    assert PriceSheet(VIRGINIA).price("instance-m7g.large-hour") is None
    priced = PriceSheet(VIRGINIA, {"instance-m7g.large-hour": 0.08}).price("instance-m7g.large-hour")
    assert priced is not None
    assert priced.unit == "hour"
    with pytest.raises(KeyError):
        PriceSheet(VIRGINIA).price("nat-gatway-hour")
