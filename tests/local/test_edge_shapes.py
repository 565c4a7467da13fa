"""What Lambda@Edge is given and may give, apart from the distribution that calls it."""

from typing import Any

import pytest

from lambda_patterns.local.behaviour import edge_events

KNOWN: dict[str, Any] = {
    "domain_name": "shop.example.com",
    "origin_path": "/v1",
    "custom_headers": [("X-Key", "k")],
    "s3_bucket": None,
    "oai_id": "",
    "http_port": 8080,
    "https_port": 8443,
    "protocol_policy": "match-viewer",
    "read_timeout": 30,
}


@pytest.mark.parametrize(
    ("policy", "https", "protocol", "port"),
    [
        ("match-viewer", True, "https", 8443),
        ("match-viewer", False, "http", 8080),
        ("http-only", True, "http", 8080),
        ("https-only", False, "https", 8443),
    ],
)
def test_a_custom_origin_is_shown_with_the_port_that_is_asked(
    policy: str, https: bool, protocol: str, port: int
) -> None:
    shown = edge_events.origin({**KNOWN, "protocol_policy": policy}, https=https)["custom"]
    assert (shown["protocol"], shown["port"]) == (protocol, port)
    assert (shown["domainName"], shown["path"], shown["readTimeout"]) == ("shop.example.com", "/v1", 30)
    assert shown["customHeaders"] == {"x-key": [{"key": "X-Key", "value": "k"}]}


@pytest.mark.parametrize(
    ("domain", "region"),
    [
        ("pages.s3.eu-central-1.amazonaws.com", "eu-central-1"),
        ("pages.s3-us-west-2.amazonaws.com", "us-west-2"),
        ("pages.s3.amazonaws.com", ""),
    ],
)
def test_a_bucket_is_shown_with_the_region_that_its_name_has(domain: str, region: str) -> None:
    shown = edge_events.origin({**KNOWN, "domain_name": domain, "s3_bucket": "pages"}, https=True)["s3"]
    assert (shown["region"], shown["authMethod"]) == (region, "none")


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, b"viewer"),
        ({"body": {"action": "read-only", "data": "b3RoZXI=", "encoding": "base64"}}, b"viewer"),
        ({"body": {"action": "replace", "data": "b3RoZXI=", "encoding": "base64"}}, b"other"),
        ({"body": {"action": "replace", "data": "other", "encoding": "text"}}, b"other"),
        ({"body": {"action": "replace"}}, b""),
    ],
)
def test_the_origin_gets_the_body_that_the_function_put_in_its_place(
    given: dict[str, Any], sent: bytes
) -> None:
    assert edge_events.sent_body(given, b"viewer") == sent


@pytest.mark.parametrize("headers", [{"a": "b"}, {"a": [{"key": "A"}]}, {"a": 1}, [], "a"])
def test_headers_in_another_form_are_refused(headers: object) -> None:
    with pytest.raises(edge_events.EdgeFailedError, match=r"it gave headers that are not {name: ") as caught:
        edge_events.plain(headers)
    assert caught.value.status == 502


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "it gave no status: None"),
        ({"status": "ok"}, "it gave no status: 'ok'"),
        ({"status": 200, "body": "=x", "bodyEncoding": "base64"}, "it gave a body that is no base64: "),
    ],
)
def test_what_is_no_response_is_a_502(given: dict[str, Any], why: str) -> None:
    with pytest.raises(edge_events.EdgeFailedError) as caught:
        edge_events.answer(given, b"")
    assert str(caught.value).startswith(why)
    assert caught.value.status == 502


def test_headers_survive_the_way_through_an_event() -> None:
    headers = {"set-cookie": ["a=1", "b=2"], "age": "3"}
    assert edge_events.plain(edge_events.listed(headers)) == headers
