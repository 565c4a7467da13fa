"""What Lambda@Edge is given at an origin's events, and what becomes of its answer.

Source: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-event-structure.html
"""

from __future__ import annotations

import base64
import re
from http import HTTPStatus
from typing import Any

Headers = dict[str, Any]
Request = dict[str, Any]
Answer = tuple[int, str, Headers, bytes]
_REGION = re.compile(r"\.s3[.-]([a-z]+(?:-[a-z]+)+-\d)\.amazonaws")


class EdgeFailedError(Exception):
    """A function at the edge failed (503), or gave what is no request and no response (502).

    Source:
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/troubleshooting-response-errors.html
    """

    def __init__(self, why: str, status: HTTPStatus = HTTPStatus.BAD_GATEWAY) -> None:
        super().__init__(why)
        self.status = status


def request(  # noqa: PLR0913, PLR0917  # the parts of a request
    method: str, uri: str, query: str, headers: Headers, body: bytes, client: str
) -> Request:
    """Write the request of an event, but for its origin."""
    encoded = base64.b64encode(body or b"").decode()
    return {
        "clientIp": client,
        "method": method,
        "uri": uri,
        "querystring": query,
        "headers": listed(headers),
        "body": {"action": "read-only", "data": encoded, "encoding": "base64", "inputTruncated": False},
    }


def origin(known: dict[str, Any], *, https: bool) -> dict[str, Any]:
    """Write the origin of an event from what MiniStack knows of it.

    Args:
        known: the origin as MiniStack's data plane has it.
        https: whether the viewer came over TLS, which an origin may be asked over in the same way.
    """
    place = {
        "customHeaders": listed(dict(known["custom_headers"])),
        "domainName": known["domain_name"],
        "path": known["origin_path"],
    }
    if known["s3_bucket"]:
        region = _REGION.search(known["domain_name"])
        identity = "origin-access-identity" if known["oai_id"] else "none"
        return {"s3": {**place, "authMethod": identity, "region": region[1] if region else ""}}
    secure = known["protocol_policy"] == "https-only" or (
        known["protocol_policy"] == "match-viewer" and https
    )
    return {
        "custom": {
            **place,
            "keepaliveTimeout": 5,
            "port": known["https_port" if secure else "http_port"],
            "protocol": "https" if secure else "http",
            "readTimeout": known["read_timeout"],
            "sslProtocols": ["TLSv1.2"],
        }
    }


def sent_body(given: Request, body: bytes) -> bytes:
    """Give the body that goes to the origin: the function's, if it replaced it, else the viewer's.

    Raises:
        EdgeFailedError: it is not in the encoding that it names.
    """
    replaced = given.get("body")
    if not isinstance(replaced, dict) or replaced.get("action") != "replace":
        return body
    return _decoded(replaced.get("data", ""), replaced.get("encoding", "text"))


def listed(headers: Headers) -> dict[str, list[dict[str, str]]]:
    """Write headers as the event has them: by lower-case name, each with its values."""
    return {
        name.lower(): [
            {"key": name, "value": str(each)} for each in (value if isinstance(value, list) else [value])
        ]
        for name, value in headers.items()
    }


def plain(headers: Any) -> Headers:  # noqa: ANN401  # what a function gave
    """Read headers of an event: one value, or a list of them.

    Raises:
        EdgeFailedError: they are not in the form that an event has.
    """
    try:
        values = {name.lower(): [str(each["value"]) for each in given] for name, given in headers.items()}
    except (AttributeError, KeyError, TypeError) as wrong:
        raise EdgeFailedError(
            f"it gave headers that are not {{name: [{{key, value}}]}}: {headers!r}"
        ) from wrong
    return {name: found[0] if len(found) == 1 else found for name, found in values.items() if found}


def answer(given: dict[str, Any], body: bytes) -> Answer:
    """Read the response that a function gave; without a body of its own it keeps the origin's.

    Raises:
        EdgeFailedError: it is no response.
    """
    headers = plain(given.get("headers") or {})
    try:
        status = int(given["status"])
    except (KeyError, TypeError, ValueError) as wrong:
        raise EdgeFailedError(f"it gave no status: {given.get('status')!r}") from wrong
    if "body" in given:
        body = _decoded(given["body"], given.get("bodyEncoding", "text"))
        headers.pop("content-length", None)
    return status, str(given.get("statusDescription") or _reason(status)), headers, body


def _decoded(content: object, encoding: object) -> bytes:
    if encoding != "base64":
        return str(content).encode()
    try:
        return base64.b64decode(str(content), validate=True)
    except ValueError as wrong:
        raise EdgeFailedError(f"it gave a body that is no base64: {wrong}") from wrong


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
