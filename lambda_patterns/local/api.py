"""Calls of the AWS API inside the server's own process: botocore writes the request and reads the answer.

CloudFormation's handlers run on the event loop, where a request over HTTP to ourselves would wait for itself.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.session import get_session

from lambda_patterns.local.ministack import module

# service -> MiniStack's module, the protocol to speak to it
_SERVICES = {
    "ec2": ("ec2", "ec2"),
    "rds": ("rds", "query"),
    "cloudwatch": ("cloudwatch", "query"),
    "secretsmanager": ("secretsmanager", "json"),
    "events": ("eventbridge", "json"),
    "s3": ("s3", "rest-xml"),
}
_OK = 300


class ApiError(ValueError):
    """An answer that is an error; CloudFormation shows a ValueError as the reason of a failed resource."""

    def __init__(self, action: str, code: str, message: str) -> None:
        super().__init__(f"{action}: {code}: {message}")
        self.code = code


@functools.cache
def _model(service: str) -> ServiceModel:
    loader = get_session().get_component("data_loader")
    return ServiceModel(loader.load_service_model(service, "service-2"), service)


def call(service: str, action: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401  # any shape of the API
    """Do `action` of `service` and give its answer, in the caller's account and region.

    Raises:
        ApiError: the service refuses.
    """
    name, protocol = _SERVICES[service]
    operation = _model(service).operation_model(action)
    request = create_serializer(protocol, include_validation=False).serialize_to_request(
        parameters, operation
    )
    raw = request["body"] or b""
    body = (
        urlencode(raw).encode() if isinstance(raw, dict) else raw if isinstance(raw, bytes) else raw.encode()
    )
    headers = {key.lower(): value for key, value in dict(request["headers"]).items()}
    path, _, flags = request["url_path"].partition("?")
    query = {key: [str(value)] for key, value in dict(request["query_string"]).items()}
    query |= parse_qs(flags, keep_blank_values=True)
    answer = _in_own_loop(
        module(f"services.{name}").handle_request, request["method"], unquote(path), headers, body, query
    )
    status, answer_headers, content = answer
    content = content.encode() if isinstance(content, str) else content
    parser: Any = create_parser(protocol)
    parsed: dict[str, Any] = parser.parse(
        {"status_code": status, "headers": dict(answer_headers), "body": content}, operation.output_shape
    )
    if status >= _OK:
        error = parsed.get("Error", {})
        raise ApiError(action, str(error.get("Code")), str(error.get("Message")))
    return parsed


def _in_own_loop(handler: Any, *arguments: object) -> Any:  # noqa: ANN401  # MiniStack has no types
    """Run a coroutine to its end in a thread of its own, whether or not this thread has a loop."""
    answers: list[Any] = []
    failures: list[BaseException] = []
    context = contextvars.copy_context()

    def run() -> None:
        try:
            answers.append(asyncio.run(handler(*arguments)))
        except BaseException as error:  # noqa: BLE001  # raised again in the caller's thread
            failures.append(error)

    thread = threading.Thread(target=context.run, args=(run,))
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return answers[0]
