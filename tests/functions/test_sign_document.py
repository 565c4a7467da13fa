import hashlib
import hmac
from types import ModuleType
from typing import Any

import pytest
from botocore.stub import Stubber

from tests.functions.load_handler import load

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key-abc"


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("BUCKET", "documents")
    monkeypatch.setenv("SIGNING_KEY_ARN", ARN)
    return load("sign_document")


def test_a_document_is_stored_with_its_signature_and_the_key_is_fetched_once(handler: ModuleType) -> None:
    body = b'{"a": 1, "b": 2}'
    signature = hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    stored = {
        "Bucket": "documents",
        "Key": "signed/invoice-17.json",
        "Body": body,
        "ContentType": "application/json",
        "Metadata": {"hmac-sha256": signature},
    }
    with Stubber(handler.s3) as s3, Stubber(handler.secrets) as secrets:
        secrets.add_response("get_secret_value", {"SecretString": "secret"}, {"SecretId": ARN})
        for _ in range(2):
            s3.add_response("put_object", {}, stored)
            result = handler.handler({"name": "invoice-17", "document": {"b": 2, "a": 1}}, None)
        s3.assert_no_pending_responses()
    assert (result["key"], result["signature"]) == ("signed/invoice-17.json", signature)
    assert set(result["reached"]) == {"secretsmanager", "s3"}


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (
            {"name": "../x", "document": {}},
            "name is '../x', it must be 1 to 64 letters, digits, dashes and underscores",
        ),
        ({"document": {}}, "name is None, it must be 1 to 64 letters, digits, dashes and underscores"),
        ({"name": "x"}, "the event lacks document"),
    ],
)
def test_what_cannot_be_signed_is_refused(handler: ModuleType, event: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        handler.handler(event, None)
    assert str(caught.value) == message
