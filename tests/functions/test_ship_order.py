import base64
import json
from types import ModuleType
from typing import Any

import pytest
from botocore.stub import Stubber

from tests.functions.load_handler import load


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("BUCKET", "orders")
    return load("ship_order")


def test_an_order_is_shipped(handler: ModuleType) -> None:
    stored = {
        "Bucket": "orders",
        "Key": "orders/order-17.json",
        "Body": b'{"id": "order-17", "items": ["book", "tea"]}',
        "ContentType": "application/json",
    }
    with Stubber(handler.s3) as s3:
        s3.add_response("put_object", {}, stored)
        result = handler.handler({"id": "order-17", "items": ["book", "tea"]}, None)
    assert result == {"id": "order-17", "shipped": 2}


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"id": "order-17", "items": ["book"], "fail": "no stock"}, "order order-17: no stock"),
        ({"id": "order-17", "items": []}, "order order-17 has no items"),
        (
            {"id": "a/b", "items": ["book"]},
            "id is 'a/b', it must be 1 to 64 letters, digits, dashes and underscores",
        ),
    ],
)
def test_an_order_that_cannot_be_shipped_is_raised(
    handler: ModuleType, event: dict[str, Any], message: str
) -> None:
    with pytest.raises(handler.OrderRefusedError) as caught:
        handler.handler(event, None)
    assert str(caught.value) == message


@pytest.mark.parametrize("encoded", [True, False])
def test_an_order_in_the_body_of_a_request_is_shipped_and_answered(
    handler: ModuleType,
    encoded: bool,
) -> None:
    order = b'{"id": "order-17", "items": ["book"]}'
    body = base64.b64encode(order).decode() if encoded else order.decode()
    request = {"version": "2.0", "requestContext": {}, "body": body, "isBase64Encoded": encoded}
    with Stubber(handler.s3) as s3:
        s3.add_response("put_object", {})
        answer = handler.handler(request, None)
    assert answer == {"statusCode": 200, "body": '{"id": "order-17", "shipped": 1}'}


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ('{"id": "order-17", "items": []}', "order order-17 has no items"),
        ("[]", "the body is no order"),
        (None, "Expecting value: line 1 column 1 (char 0)"),
        ("{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ],
)
def test_what_is_wrong_with_a_request_is_answered_and_not_raised(
    handler: ModuleType, body: str | None, refused: str
) -> None:
    answer = handler.handler({"requestContext": {}, "body": body}, None)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"]) == {"refused": refused}
