"""The deployed examples answer over HTTP: the function's URL, the HTTP API, the distribution."""

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from lambda_patterns.local.cdk import Cdk
from lambda_patterns.local.embedded import EmbeddedAws
from lambda_patterns.local.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.cdk]

ROOT = Path(__file__).parents[2]
ORDER = {"id": "order-17", "items": ["book", "tea"]}


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: str


class Shop:
    """The stacks Triggers and Edge, deployed."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.aws, self.stage = aws, Stage(aws)

    def call(
        self, method: str, address: str, body: object = None, *, signed_for: str = "", **headers: str
    ) -> Answer:
        """Call an address of AWS's at the embedded one: the name goes into the Host header."""
        content = None if body is None else json.dumps(body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        request = AWSRequest(method, address, headers, content)
        if signed_for:
            SigV4Auth(Credentials("test", "test"), signed_for, self.aws.region).add_auth(request)
        where = urlsplit(address)
        sent = {**dict(request.headers.items()), "Host": where.netloc}
        with closing(HTTPConnection(urlsplit(self.aws.endpoint).netloc, timeout=30)) as connection:
            connection.request(method, where.path or "/", content, sent)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read().decode())

    def url(self) -> str:
        function = self.stage.find("Triggers", "ShipOrder", "AWS::Lambda::Function")
        found = self.aws.client("lambda").get_function_url_config(FunctionName=function, Qualifier="live")
        address: str = found["FunctionUrl"]
        return address

    def api(self) -> str:
        identity = self.stage.find("Triggers", "ShipOrder", "AWS::ApiGatewayV2::Api")
        address: str = self.aws.client("apigatewayv2").get_api(ApiId=identity)["ApiEndpoint"]
        return address

    def site(self) -> str:
        identity = self.stage.find("Edge", "Site", "AWS::CloudFront::Distribution")
        found = self.aws.client("cloudfront").get_distribution(Id=identity)["Distribution"]
        return f"https://{found['DomainName']}"

    def stored(self, name: str) -> Any:
        bucket = self.stage.find("Triggers", "Orders", "AWS::S3::Bucket")
        stored = self.aws.client("s3").get_object(Bucket=bucket, Key=f"orders/{name}.json")
        return json.loads(stored["Body"].read())


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with EmbeddedAws() as aws:
        cdk = Cdk(aws, ROOT, tmp_path_factory.mktemp("cdk"))
        cdk.synthesize()
        cdk.bootstrap()
        with cdk.deploying("Triggers", "Edge"):
            pass
        yield Shop(aws)


@pytest.fixture(scope="module")
def site(shop: Shop) -> Shop:
    """The shop, with a page in its bucket."""
    bucket = shop.stage.find("Edge", "Pages", "AWS::S3::Bucket")
    page = {"Key": "docs/index.html", "Body": b"<h1>docs</h1>", "ContentType": "text/html"}
    shop.aws.client("s3").put_object(Bucket=bucket, **page)
    return shop


@pytest.mark.parametrize("way", ["url", "api"])
def test_a_signed_request_is_answered_by_the_deployed_function(shop: Shop, way: str) -> None:
    address, service = (shop.url(), "lambda") if way == "url" else (f"{shop.api()}/orders", "execute-api")
    order = {**ORDER, "id": f"by-{way}"}
    answer = shop.call("POST", address, order, signed_for=service)
    assert (answer.status, json.loads(answer.body)) == (200, {"id": f"by-{way}", "shipped": 2})
    assert shop.stored(f"by-{way}") == order


@pytest.mark.parametrize("way", ["url", "api"])
def test_what_is_wrong_with_an_order_is_a_400_and_not_a_failed_invocation(shop: Shop, way: str) -> None:
    address, service = (shop.url(), "lambda") if way == "url" else (f"{shop.api()}/orders", "execute-api")
    answer = shop.call("POST", address, {"id": "order-18", "items": []}, signed_for=service)
    assert (answer.status, json.loads(answer.body)) == (400, {"refused": "order order-18 has no items"})


@pytest.mark.parametrize("way", ["url", "api"])
def test_a_request_that_nobody_signed_is_forbidden(shop: Shop, way: str) -> None:
    address = shop.url() if way == "url" else f"{shop.api()}/orders"
    answer = shop.call("POST", address, {**ORDER, "id": "unsigned"})
    assert answer.status == 403
    with pytest.raises(ClientError, match="NoSuchKey"):
        shop.stored("unsigned")


def test_the_api_serves_its_route_alone(shop: Shop) -> None:
    assert shop.call("GET", f"{shop.api()}/orders", signed_for="execute-api").status == 404


def test_the_addresses_are_in_reach_of_programs_that_cannot_set_the_host(shop: Shop) -> None:
    name = urlsplit(shop.url()).netloc.split(".")[0]
    identity = urlsplit(shop.api()).netloc.split(".")[0]
    endpoint = shop.aws.endpoint
    by_path = {
        "lambda": f"{endpoint}/_aws/lambda-url/{name}/",
        "execute-api": f"{endpoint}/_aws/execute-api/{identity}/$default/orders",
    }
    for service, address in by_path.items():
        assert shop.call("POST", address, ORDER, signed_for=service).status == 200


def test_the_distribution_asks_its_viewer_function_for_the_page_and_the_private_bucket_for_its_content(
    site: Shop,
) -> None:
    for path in ("/docs", "/docs/", "/docs/index.html"):
        answer = site.call("GET", site.site() + path, **{"X-Forwarded-Proto": "https"})
        assert (answer.status, answer.body) == (200, "<h1>docs</h1>"), path
    missing = site.call("GET", f"{site.site()}/none", **{"X-Forwarded-Proto": "https"})
    assert missing.status == 403
    assert "none/index.html" in missing.body


def test_the_distribution_sends_viewers_to_https(site: Shop) -> None:
    answer = site.call("GET", f"{site.site()}/docs")
    assert (answer.status, answer.headers["Location"]) == (301, f"{site.site()}/docs")


def test_what_the_bucket_does_not_let_the_distribution_read_is_denied(site: Shop) -> None:
    s3, bucket = site.aws.client("s3"), site.stage.find("Edge", "Pages", "AWS::S3::Bucket")
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.put_bucket_policy(Bucket=bucket, Policy=policy.replace(":distribution/", ":distribution/OTHER"))
    try:
        answer = site.call("GET", f"{site.site()}/docs", **{"X-Forwarded-Proto": "https"})
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert (answer.status, "AccessDenied" in answer.body) == (403, True)


def test_what_the_origin_answers_goes_through_lambda_at_the_edge(site: Shop) -> None:
    answer = site.call("GET", f"{site.site()}/docs", **{"X-Forwarded-Proto": "https"})
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"
    assert (headers["x-content-type-options"], headers["content-type"]) == ("nosniff", "text/html")
    assert site.aws.status()["recordedOnly"] == []
