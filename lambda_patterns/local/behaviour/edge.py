"""Lambda@Edge: a distribution calls the version of a function at its origin request and origin response.

Every request reaches the origin here, because nothing is cached, so the functions run for every request.

Not modelled: viewer events (see `resources.distribution`), another origin than the behavior's (whoever
chooses one is told so), logs in the viewer's Region, what is read-only, the limits of bodies and headers.

Source: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-at-the-edge.html
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from lambda_patterns.facts.edge import REGION
from lambda_patterns.local.behaviour import edge_events, invocation
from lambda_patterns.local.behaviour.edge_events import Answer, EdgeFailedError, Headers, Request
from lambda_patterns.local.ministack import module

cloudfront = module("services.cloudfront")
concurrency = module("core.concurrency")
lam = module("services.lambda_svc")
responses = module("core.responses")
log = logging.getLogger(__name__)

EVENTS = ("origin-request", "origin-response")


@dataclass(frozen=True, slots=True)
class _Viewing:
    """The request of a viewer that is being served: by which distribution, with which functions."""

    distribution: dict[str, Any]
    functions: dict[str, tuple[str, bool]]
    request_id: str


_VIEWING: ContextVar[_Viewing | None] = ContextVar("viewing", default=None)


def install() -> None:
    """Call the functions around MiniStack's way to the origin."""
    behavior_of, view = cloudfront._dataplane_behavior, cloudfront.handle_viewer_request
    fetch = cloudfront._fetch_from_origin

    def behavior_with_functions(element: Any, *pattern: Any) -> dict[str, Any]:  # noqa: ANN401  # MiniStack has no types
        return {**behavior_of(element, *pattern), "at_edge": _associations(element)}

    async def viewed(distribution: dict[str, Any], method: str, path: str, *rest: Any, **named: Any) -> Any:  # noqa: ANN401  # theirs
        parsed = cloudfront.parse_distribution_dataplane_config(distribution)
        behavior = cloudfront._match_behavior(parsed, path) or {}
        viewing = _Viewing(distribution, behavior.get("at_edge") or {}, responses.new_uuid())
        token = _VIEWING.set(viewing if viewing.functions else None)
        try:
            return await view(distribution, method, path, *rest, **named)
        finally:
            _VIEWING.reset(token)

    async def fetched(  # noqa: PLR0913, PLR0917  # MiniStack's signature
        origin: dict[str, Any],
        method: str,
        uri: str,
        query: str,
        headers: Headers,
        body: bytes,
        https: bool,  # noqa: FBT001  # MiniStack's signature
        client: str,
        *rest: Any,  # noqa: ANN401  # passed on
    ) -> Answer:
        viewing = _VIEWING.get()
        if viewing is None:
            answered: Answer = await fetch(origin, method, uri, query, headers, body, https, client, *rest)
            return answered
        request = edge_events.request(method, uri, query, headers, body, client)
        request["origin"] = edge_events.origin(origin, https=https)
        try:
            request, answer = await _before(viewing, request)
            if answer is None:
                to = (request["uri"], request["querystring"], edge_events.plain(request["headers"]))
                sent = edge_events.sent_body(request, body)
                answer = await fetch(origin, method, *to, sent, https, client, *rest)
                answer = await _after(viewing, request, answer)
        except EdgeFailedError as failed:
            log.warning("%s: %s", viewing.distribution["DomainName"], failed)
            told = f"The Lambda function failed: {failed}".encode()
            return failed.status, failed.status.phrase, {"content-type": "text/plain"}, told
        return answer

    cloudfront._dataplane_behavior = behavior_with_functions
    cloudfront.handle_viewer_request = viewed
    cloudfront._fetch_from_origin = fetched


def _associations(element: Any) -> dict[str, tuple[str, bool]]:  # noqa: ANN401  # an XML element of theirs
    """Give event -> ARN of the version, and whether it is given the body."""
    listed = cloudfront._find(element, "LambdaFunctionAssociations")
    items = None if listed is None else cloudfront._find(listed, "Items")
    found: dict[str, tuple[str, bool]] = {}
    for item in () if items is None else items:
        arn = cloudfront._text(item, "LambdaFunctionARN")
        with_body = cloudfront._text(item, "IncludeBody").lower() == "true"
        found[cloudfront._text(item, "EventType")] = (arn, with_body)
    return {event: found[event] for event in EVENTS if event in found}


async def _before(viewing: _Viewing, request: Request) -> tuple[Request, Answer | None]:
    """Call the function at the origin request: it changes the request, or answers itself."""
    given = await _call(viewing, "origin-request", {"request": request})
    if given is None:
        return request, None
    if "status" in given:
        return request, edge_events.answer(given, b"")
    if not {"uri", "headers"} <= given.keys():
        raise EdgeFailedError("at the origin request it gave neither a request nor a response")
    if given.get("origin", request["origin"]) != request["origin"]:
        raise EdgeFailedError("it chose another origin, which the embedded AWS does not go to")
    return {**request, **given}, None


async def _after(viewing: _Viewing, request: Request, answer: Answer) -> Answer:
    """Call the function at the origin response: it changes the response."""
    status, reason, headers, body = answer
    response = {"status": str(status), "statusDescription": reason, "headers": edge_events.listed(headers)}
    shown = {name: value for name, value in request.items() if name != "body"}
    given = await _call(viewing, "origin-response", {"request": shown, "response": response})
    if given is None:
        return answer
    if "status" not in given:
        raise EdgeFailedError("at the origin response it gave no response")
    return edge_events.answer(given, body)


async def _call(viewing: _Viewing, event: str, content: dict[str, Any]) -> dict[str, Any] | None:
    """Run the function of an event, if the behavior has one."""
    if event not in viewing.functions:
        return None
    arn, with_body = viewing.functions[event]
    if not with_body:
        content = {**content, "request": {k: v for k, v in content["request"].items() if k != "body"}}
    config = {
        "distributionDomainName": viewing.distribution["DomainName"],
        "distributionId": viewing.distribution["Id"],
        "eventType": event,
        "requestId": viewing.request_id,
    }
    whole = {"Records": [{"cf": {"config": config, **content}}]}
    result = await concurrency.run_reentrant(_run, arn, whole, thread_name="lambda-at-edge")
    given = result.get("body")
    if result.get("error"):
        raise EdgeFailedError(f"{arn} at the {event}: {given}", HTTPStatus.SERVICE_UNAVAILABLE)
    if not isinstance(given, dict):
        raise EdgeFailedError(f"{arn} at the {event} gave no object: {given}")
    return given


def _run(arn: str, event: dict[str, Any]) -> dict[str, Any]:
    name, _, version = arn.partition(":function:")[2].partition(":")
    with responses.request_scope(responses.get_account_id(), REGION):
        record, config, _ = lam._get_func_record_for_ref(f"{name}:{version}")
        if record is None or config is None:
            raise EdgeFailedError(f"there is no {arn}", HTTPStatus.SERVICE_UNAVAILABLE)
        return invocation.execute({**record, "config": config}, event)
