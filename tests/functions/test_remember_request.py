from types import ModuleType

import pytest
from botocore.stub import ANY, Stubber

from tests.functions.load_handler import load


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("TABLE", "requests")
    return load("remember_request")


def test_the_first_arrival_is_told_from_the_second(handler: ModuleType) -> None:
    put = {
        "TableName": "requests",
        "Item": {"id": {"S": "r-1"}, "expires": {"N": ANY}},
        "ConditionExpression": "attribute_not_exists(id) OR expires < :now",
        "ExpressionAttributeValues": {":now": {"N": ANY}},
    }
    with Stubber(handler.dynamodb) as dynamodb:
        dynamodb.add_response("put_item", {}, put)
        dynamodb.add_client_error("put_item", "ConditionalCheckFailedException")
        first, second = (handler.handler({"id": "r-1"}, None) for _ in range(2))
    assert (first["id"], first["first"], second["first"]) == ("r-1", True, False)
    assert isinstance(first["reached"]["dynamodb"], int)


def test_another_error_is_no_repetition(handler: ModuleType) -> None:
    with Stubber(handler.dynamodb) as dynamodb:
        dynamodb.add_client_error("put_item", "AccessDenied")
        with pytest.raises(handler.ClientError, match="AccessDenied"):
            handler.handler({"id": "r-1"}, None)


@pytest.mark.parametrize("request_id", [None, "", 7])
def test_a_request_without_an_id_is_refused(handler: ModuleType, request_id: object) -> None:
    with pytest.raises(ValueError, match=r"^id is .*, it must be a text that is not empty$"):
        handler.handler({"id": request_id}, None)
