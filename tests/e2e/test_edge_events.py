"""Lambda@Edge at the origin's events, between a distribution and an origin that says what it was asked."""

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.e2e

CODE = """
def handler(event, context):
    cf = event["Records"][0]["cf"]
    request, kind = cf["request"], cf["config"]["eventType"]
    ask = request["headers"].get("x-ask", [{"value": ""}])[0]["value"]
    if ask == "fail":
        raise ValueError("out of stock")
    if ask == "nonsense":
        return {"neither": "request nor response"}
    if ask == "headers":
        return {**request, "headers": {"x-flat": "value"}}
    if ask == "elsewhere":
        request["origin"]["custom"]["domainName"] = "elsewhere.example.com"
        return request
    if kind == "origin-response":
        response = cf["response"]
        seen = response["status"] + " " + request["uri"]
        response["headers"]["x-seen"] = [{"key": "X-Seen", "value": seen}]
        response["headers"].pop("x-secret", None)
        if ask == "replace":
            response.update(status="203", body="replaced")
        return response
    if ask == "answer":
        headers = {"content-type": [{"key": "Content-Type", "value": "text/plain"}]}
        return {"status": "418", "headers": headers, "body": "dGVh", "bodyEncoding": "base64"}
    request["uri"] = "/changed" + request["uri"]
    request["headers"]["x-body"] = [{"key": "X-Body", "value": request.get("body", {}).get("data", "none")}]
    if ask == "other-body":
        request["body"].update(action="replace", encoding="text", data="one pot")
    return request
"""


class _Origin(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        said = {"path": self.path, "body": self.headers.get("X-Body"), "sent": sent}
        content = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Secret", "origin")
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:  # type: ignore[override]  # say nothing
        pass


@pytest.fixture(scope="module")
def origin() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Origin) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: str


def template(port: int, associations: list[dict[str, Any]]) -> str:
    behavior = {
        "TargetOriginId": "shop",
        "ViewerProtocolPolicy": "allow-all",
        "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",  # caches nothing
        "OriginRequestPolicyId": "b689b0a8-53d0-40ab-baf2-68738e2966ac",  # every header but the Host
        "AllowedMethods": ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"],
        "LambdaFunctionAssociations": associations,
    }
    shop = {
        "Id": "shop",
        "DomainName": "127.0.0.1",
        "CustomOriginConfig": {"OriginProtocolPolicy": "http-only", "HTTPPort": port},
    }
    function = {
        "Handler": "index.handler",
        "Runtime": "python3.13",
        "Role": "arn:aws:iam::000000000000:role/functions",
        "Code": {"ZipFile": CODE},
    }
    config = {"Enabled": True, "Origins": [shop], "DefaultCacheBehavior": behavior}
    return json.dumps(
        {
            "Resources": {
                "Fn": {"Type": "AWS::Lambda::Function", "Properties": function},
                "One": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Fn"}}},
                "Site": {
                    "Type": "AWS::CloudFront::Distribution",
                    "Properties": {"DistributionConfig": config},
                },
            },
            "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Site", "DomainName"]}}},
        }
    )


def at(*events: str, body: bool = False) -> list[dict[str, Any]]:
    return [
        {"EventType": event, "LambdaFunctionARN": {"Ref": "One"}, "IncludeBody": body and "request" in event}
        for event in events
    ]


class Site:
    def __init__(self, workshop: Any, eventually: Any, port: int, associations: list[dict[str, Any]]) -> None:
        self.endpoint = urlsplit(workshop.aws.endpoint).netloc
        self.formation, self.stack = workshop.aws.client("cloudformation"), workshop.name("edge")
        self.formation.create_stack(StackName=self.stack, TemplateBody=template(port, associations))

        def outputs() -> Any:
            stack = self.formation.describe_stacks(StackName=self.stack)["Stacks"][0]
            assert stack["StackStatus"] in {"CREATE_IN_PROGRESS", "CREATE_COMPLETE"}, stack
            return stack["StackStatus"] == "CREATE_COMPLETE" and stack["Outputs"]

        self.name = eventually(outputs)[0]["OutputValue"]

    def ask(self, path: str, ask: str = "", body: str | None = None) -> Answer:
        with closing(HTTPConnection(self.endpoint, timeout=30)) as connection:
            headers = {"Host": self.name, "X-Ask": ask}
            connection.request("GET" if body is None else "POST", path, body, headers)
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, headers, answer.read().decode())


@pytest.fixture
def site(workshop: Any, eventually: Any, origin: int) -> Site:
    return Site(workshop, eventually, origin, at("origin-request", "origin-response"))


def test_the_function_changes_the_request_and_the_response(site: Site) -> None:
    answer = site.ask("/tea?size=2")
    asked = {"path": "/changed/tea?size=2", "body": "none", "sent": ""}
    assert (answer.status, json.loads(answer.body)) == (200, asked)
    assert answer.headers["x-seen"] == "200 /changed/tea"
    assert "x-secret" not in answer.headers


def test_the_function_answers_instead_of_the_origin(site: Site) -> None:
    answer = site.ask("/tea", "answer")
    assert (answer.status, answer.body, answer.headers["content-type"]) == (418, "tea", "text/plain")
    assert "x-seen" not in answer.headers


def test_the_function_replaces_what_the_origin_answered(site: Site) -> None:
    answer = site.ask("/tea", "replace")
    assert (answer.status, answer.body) == (203, "replaced")


@pytest.mark.parametrize(
    ("ask", "status", "why"),
    [
        ("fail", 503, "out of stock"),
        ("nonsense", 502, "neither a request nor a response"),
        ("headers", 502, "headers that are not {name: [{key, value}]}: {'x-flat': 'value'}"),
        ("elsewhere", 502, "it chose another origin, which the embedded AWS does not go to"),
    ],
)
def test_a_function_that_fails_is_a_503_and_one_that_answers_wrongly_a_502(
    site: Site, ask: str, status: int, why: str
) -> None:
    answer = site.ask("/tea", ask)
    assert answer.status == status
    assert why in answer.body


def test_the_body_is_given_where_the_behavior_says_so(workshop: Any, eventually: Any, origin: int) -> None:
    site = Site(workshop, eventually, origin, at("origin-request", body=True))
    answer = site.ask("/tea", body="two cups")
    seen = {"path": "/changed/tea", "body": "dHdvIGN1cHM="}
    assert json.loads(answer.body) == {**seen, "sent": "two cups"}
    assert answer.headers["x-secret"] == "origin"
    assert json.loads(site.ask("/tea", "other-body", "two cups").body) == {**seen, "sent": "one pot"}


def test_at_viewer_events_nothing_is_called_and_that_is_said(
    workshop: Any, eventually: Any, origin: int
) -> None:
    def said() -> list[str]:
        recorded = workshop.aws.status()["recordedOnly"]
        return [each["Type"] for each in recorded if each["Stack"] == site.stack]

    site = Site(workshop, eventually, origin, at("viewer-request", "origin-response"))
    assert json.loads(site.ask("/tea", "answer").body)["path"] == "/tea"
    assert said() == ["AWS::CloudFront::Distribution LambdaFunctionAssociations at viewer events"]
    changed = template(origin, at("origin-response"))
    site.formation.update_stack(StackName=site.stack, TemplateBody=changed)
    eventually(lambda: said() == [])
    site.formation.delete_stack(StackName=site.stack)
    eventually(lambda: site.ask("/tea").status != 200)
