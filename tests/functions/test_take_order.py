import json
from types import ModuleType
from typing import Any

import pytest
from botocore.stub import Stubber

from tests.functions.load_handler import load

ORDER = {"id": "order-17", "items": ["lamp"]}


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("CATALOGUE", "catalogue")
    monkeypatch.setenv("ORDERS", "orders")
    monkeypatch.setenv("QUEUE_URL", "https://sqs.eu-central-1.amazonaws.com/123456789012/work")
    return load("take_order")


def looked_up(table: Stubber, product: str, *, known: bool) -> None:
    answer = {"Item": {"product": {"S": product}}} if known else {}
    table.add_response("get_item", answer, {"TableName": "catalogue", "Key": {"product": {"S": product}}})


def recorded(table: Stubber, way: str) -> None:
    item = {"id": {"S": "order-17"}, "items": {"L": [{"S": "lamp"}]}, "way": {"S": way}}
    table.add_response("put_item", {}, {"TableName": "orders", "Item": item})


@pytest.mark.parametrize(
    ("entry", "event"),
    [
        ("topic", {"Records": [{"Sns": {"Message": json.dumps(ORDER)}}]}),
        ("bus", {"detail": ORDER}),
    ],
)
def test_an_order_is_recorded_with_the_way_it_came(
    handler: ModuleType, entry: str, event: dict[str, Any]
) -> None:
    with Stubber(handler.dynamodb) as table:
        looked_up(table, "lamp", known=True)
        recorded(table, entry)
        result = getattr(handler, f"from_{entry}")(event, None)
    assert result in ({"id": "order-17", "items": 1}, [{"id": "order-17", "items": 1}])


def test_an_order_of_a_product_that_is_not_in_the_catalogue_is_raised(handler: ModuleType) -> None:
    with Stubber(handler.dynamodb) as table:
        looked_up(table, "lamp", known=False)
        with pytest.raises(handler.UnknownProductError) as caught:
            handler.from_bus({"detail": ORDER}, None)
    assert str(caught.value) == "order order-17: lamp is not in the catalogue"


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ("lamp", "id is None, it must be 1 to 64 letters, digits, dashes and underscores"),
        ({"id": "a/b"}, "id is 'a/b', it must be 1 to 64 letters, digits, dashes and underscores"),
        ({"id": "order-17", "items": [1]}, "order order-17: items is [1], it must be a list of names"),
    ],
)
def test_what_is_no_order_is_refused(handler: ModuleType, order: object, message: str) -> None:
    with pytest.raises(handler.OrderRefusedError) as caught:
        handler.take(order, "bus")
    assert str(caught.value) == message


def test_of_a_batch_what_failed_is_reported_and_shown_again_soon(handler: ModuleType) -> None:
    records = [
        {"messageId": "1", "body": json.dumps(ORDER), "receiptHandle": "a"},
        {"messageId": "2", "body": "{", "receiptHandle": "b"},
    ]
    with Stubber(handler.dynamodb) as table, Stubber(handler.sqs) as queue:
        looked_up(table, "lamp", known=True)
        recorded(table, "queue")
        queue.add_response(
            "change_message_visibility",
            {},
            {
                "QueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/work",
                "ReceiptHandle": "b",
                "VisibilityTimeout": 1,
            },
        )
        answer = handler.from_queue({"Records": records}, None)
        queue.assert_no_pending_responses()
    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
