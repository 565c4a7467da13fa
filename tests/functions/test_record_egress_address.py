import io
import json
from types import ModuleType
from typing import Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

from tests.functions.load_handler import load


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("ADDRESS_URL", "https://checkip.amazonaws.com")
    monkeypatch.setenv("BUCKET", "addresses")
    return load("record_egress_address")


def answer(handler: ModuleType, monkeypatch: pytest.MonkeyPatch, body: bytes | Exception) -> None:
    def urlopen(url: str, timeout: float) -> io.BytesIO:
        assert (url, timeout) == ("https://checkip.amazonaws.com", 5)
        if isinstance(body, Exception):
            raise body
        return io.BytesIO(body)

    monkeypatch.setattr(handler.urllib.request, "urlopen", urlopen)


def kept(address: str) -> dict[str, Any]:
    body = json.dumps({"address": address, "since": 1}).encode()
    return {"Body": StreamingBody(io.BytesIO(body), len(body))}


def test_a_new_address_is_kept(handler: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(handler, monkeypatch, b"203.0.113.7\n")
    with Stubber(handler.s3) as s3:
        s3.add_client_error("get_object", "AccessDenied", http_status_code=403)
        stored = {"Bucket": "addresses", "Key": handler.KEY, "Body": ANY, "ContentType": "application/json"}
        s3.add_response("put_object", {}, stored)
        result = handler.handler({}, None)
        s3.assert_no_pending_responses()
    assert (result["address"], result["changed"]) == ("203.0.113.7", True)
    assert all(isinstance(result["reached"][service], int) for service in ("internet", "s3"))


def test_an_address_that_stays_is_not_written_again(
    handler: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(handler, monkeypatch, b"203.0.113.7\n")
    with Stubber(handler.s3) as s3:
        s3.add_response("get_object", kept("203.0.113.7"), {"Bucket": "addresses", "Key": handler.KEY})
        assert handler.handler({}, None)["changed"] is False


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (TimeoutError("timed out"), "TimeoutError: timed out"),
        (b"<html>", "ValueError: '<html>' does not appear to be an IPv4 or IPv6 address"),
    ],
)
def test_an_internet_that_does_not_answer_is_reported_and_nothing_is_lost(
    handler: ModuleType, monkeypatch: pytest.MonkeyPatch, body: bytes | Exception, why: str
) -> None:
    answer(handler, monkeypatch, body)
    with Stubber(handler.s3):
        result = handler.handler({}, None)
    assert result == {"address": None, "changed": False, "reached": {"internet": why}}


def test_what_is_no_https_address_is_not_asked(handler: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADDRESS_URL", "file:///etc/passwd")
    with pytest.raises(
        ValueError, match=r"^ADDRESS_URL is 'file:///etc/passwd', it must be an https address$"
    ):
        handler.handler({}, None)


def test_another_error_of_s3_is_not_taken_for_a_first_time(
    handler: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(handler, monkeypatch, b"203.0.113.7\n")
    with Stubber(handler.s3) as s3:
        s3.add_client_error("get_object", "SlowDown", http_status_code=503)
        with pytest.raises(handler.ClientError, match="SlowDown"):
            handler.handler({}, None)
