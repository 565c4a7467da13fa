"""What invokes a function: one call for each kind of source, with its permission, filters and failures kept.

Each takes a function or an alias; what is invoked is what is given, and its asynchronous settings are set
on that very qualifier. What is made stands in the function's stack. Queues and topics have constructs of
their own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from aws_cdk import Stack
from aws_cdk import aws_apigatewayv2 as api
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from constructs import Construct

from lambda_patterns.constructs.acknowledgements import INLINE_POLICY, LOG_GROUP_KEY, acknowledge
from lambda_patterns.constructs.own_resource import own_resource
from lambda_patterns.constructs.queue_access import let_send
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts import limits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import Duration
    from aws_cdk import aws_sqs as sqs

_PARTNER = "aws.partner/"
_UNDELIVERED = "the caller gives the queue (undelivered=); without one EventBridge tries for a day, 185 times"
_THROTTLE = (
    "the function's concurrency bounds what is served; a rate is for the owner of the API to set (throttle=)"
)
_NOTIFICATIONS_HANDLER = "BucketNotificationsHandler050a0587b7544547bf325f094a3db834"
_WRITES_LOGS = "aws_cdk's own function, which runs at deployment alone: this policy lets it write its log"
_FORMAT = (
    '{"requestId":"$context.requestId","ip":"$context.identity.sourceIp","time":"$context.requestTime",'
    '"route":"$context.routeKey","status":"$context.status","error":"$context.integrationErrorMessage"}'
)


class Delivery(TypedDict, total=False):
    """How a service hands its events over.

    Args:
        on_failure: where events go that the function failed, usually an `OnFailureQueue`; it is set on
            what is invoked. Default: what the function or alias has already.
        undelivered: a queue for events that could not be handed over at all (no permission, throttled for
            too long). These never reach the function, so `on_failure` does not see them. Default: none.
        max_event_age: how long handing over is tried, 60-86,400 s. Default: AWS's own, a day.
        retry_attempts: how often, 0-185. Default: AWS's own, 185.
    """

    on_failure: lambda_.IDestination
    undelivered: sqs.IQueue
    max_event_age: Duration
    retry_attempts: int


def on_object(  # noqa: PLR0913  # which objects, of what, and what of failures
    function: lambda_.IFunction,
    bucket: s3.IBucket,
    *,
    events: Sequence[s3.EventType] = (s3.EventType.OBJECT_CREATED,),
    prefix: str | None = None,
    suffix: str | None = None,
    on_failure: lambda_.IDestination | None = None,
) -> None:
    """Invoke the function for objects of a bucket, by the bucket's own notifications.

    Args:
        function: a function or an alias.
        bucket: the bucket, of the function's own stack or imported. `on_object_event` takes any.
        events: what of an object. Default: that it was created.
        prefix: only keys that begin so. A function that writes into its own prefix invokes itself.
        suffix: only keys that end so.
        on_failure: where events go that the function failed.

    Raises:
        ArgumentError: the bucket is made in another stack, which would need the function's while the
            function, to read what it is told of, needs the bucket's.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/with-s3.html
    """
    _check_stacks(function, bucket)
    _keep_failures(function, on_failure)
    chosen = (
        [] if prefix is None and suffix is None else [s3.NotificationKeyFilter(prefix=prefix, suffix=suffix)]
    )
    for event in events:
        bucket.add_event_notification(event, notifications.LambdaDestination(function), *chosen)
    _acknowledge_notifications(bucket)


def _acknowledge_notifications(bucket: s3.IBucket) -> None:
    """Answer for the function with which aws_cdk sets a bucket's notifications, one in each stack."""
    setter = Stack.of(bucket).node.try_find_child(_NOTIFICATIONS_HANDLER)
    if setter is not None:
        basic = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
        acknowledge(setter, {f"AwsSolutions-IAM4[Policy::{basic}]": _WRITES_LOGS})
    own = bucket.node.try_find_child("Notifications")
    if own is not None:
        acknowledge(own, INLINE_POLICY)


def on_object_event(  # noqa: PLR0913  # which objects, of what, and how they are handed over
    function: lambda_.IFunction,
    construct_id: str,
    *,
    bucket: s3.IBucket,
    kinds: Sequence[str] = ("Object Created",),
    prefix: str | None = None,
    suffix: str | None = None,
    event: events.RuleTargetInput | None = None,
    **delivery: Unpack[Delivery],
) -> events.Rule:
    """Invoke the function for objects of a bucket, through EventBridge: the bucket may stand in any stack.

    The event is EventBridge's: the key is ``event["detail"]["object"]["key"]``, not encoded as a URL, and
    there is one object an event. What EventBridge cannot hand over goes to `undelivered`.

    Args:
        function: a function or an alias.
        construct_id: names the rule below the function.
        bucket: the bucket; its events are turned on.
        kinds: "Object Created", "Object Deleted" and the other detail types that S3 sends.
        prefix: only keys that begin so.
        suffix: only keys that end so.
        event: what the function is given. Default: the whole event of EventBridge.
        delivery: see `Delivery`.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html
    """
    bucket.enable_event_bridge_notification()
    detail: dict[str, Any] = {"bucket": {"name": [bucket.bucket_name]}}
    if prefix is not None or suffix is not None:
        ends = [re.sub(r"([*\\])", r"\\\1", end or "") for end in (prefix, suffix)]
        detail["object"] = {"key": events.Match.wildcard("*".join(ends))}
    pattern = events.EventPattern(source=["aws.s3"], detail_type=list(kinds), detail=detail)
    return on_event(function, construct_id, pattern=pattern, event=event, **delivery)


def on_event(
    function: lambda_.IFunction,
    construct_id: str,
    *,
    pattern: events.EventPattern,
    bus: events.IEventBus | None = None,
    event: events.RuleTargetInput | None = None,
    **delivery: Unpack[Delivery],
) -> events.Rule:
    """Invoke the function for events of an EventBridge bus.

    Args:
        function: a function or an alias.
        construct_id: names the rule below the function.
        pattern: which events.
        bus: the bus. Default: the account's own, to which AWS services send.
        event: what the function is given, ``RuleTargetInput.from_event_path("$.detail")``. Default: the whole
            event of EventBridge.
        delivery: see `Delivery`.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html
    """
    _keep_failures(function, delivery.get("on_failure"))
    target = targets.LambdaFunction(function, event=event, **_handing_over(delivery))
    rule = events.Rule(_scope(function), construct_id, event_pattern=pattern, event_bus=bus, targets=[target])
    if "undelivered" not in delivery:
        acknowledge(rule, {"Serverless-EventBusDLQ": _UNDELIVERED})
    return rule


def on_partner_event(
    function: lambda_.IFunction,
    construct_id: str,
    *,
    source: str,
    pattern: events.EventPattern | None = None,
    event: events.RuleTargetInput | None = None,
    **delivery: Unpack[Delivery],
) -> events.Rule:
    """Invoke the function for events of a SaaS partner, on the bus of the partner's event source.

    The partner's side comes first: the source is made there for this account, and then waits here to be
    taken by the bus that this makes.

    Args:
        function: a function or an alias.
        construct_id: names the bus and the rule below the function.
        source: the name of the partner's event source, ``aws.partner/example.com/1234/orders``.
        pattern: which events. Default: every event of the partner.
        event: what the function is given. Default: the whole event of EventBridge.
        delivery: see `Delivery`.

    Raises:
        ArgumentError: the name is none of a partner's source.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-saas.html
    """
    if not source.startswith(_PARTNER):
        raise ArgumentError(
            f"source is {source!r}, the event source of a partner is named {_PARTNER}<partner>/... "
            "(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-saas.html)"
        )
    bus = events.EventBus(_scope(function), f"{construct_id}Bus", event_source_name=source)
    chosen = pattern or events.EventPattern(source=events.Match.prefix(_PARTNER))
    return on_event(function, construct_id, pattern=chosen, bus=bus, event=event, **delivery)


def on_schedule(  # when, with what, and what of failures
    function: lambda_.IFunction,
    construct_id: str,
    *,
    schedule: scheduler.ScheduleExpression,
    event: Mapping[str, Any] | None = None,
    window: Duration | None = None,
    **delivery: Unpack[Delivery],
) -> scheduler.Schedule:
    """Invoke the function by the clock, with EventBridge Scheduler.

    Args:
        function: a function or an alias.
        construct_id: names the schedule below the function.
        schedule: when, with its time zone: ``ScheduleExpression.cron(hour="6",
            time_zone=TimeZone.EUROPE_PARIS)``.
        event: what the function is given. Default: Scheduler's own event.
        window: within how long after the time it may start. Default: at the time.
        delivery: see `Delivery`.

    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html
    """
    _keep_failures(function, delivery.get("on_failure"))
    given = None if event is None else scheduler.ScheduleTargetInput.from_object(dict(event))
    handing = _handing_over(delivery)
    role = _scheduler_role(function, construct_id, delivery)
    target = scheduler_targets.LambdaInvoke(function, input=given, role=role, **handing)
    flexible = None if window is None else scheduler.TimeWindow.flexible(window)
    return scheduler.Schedule(
        _scope(function), construct_id, schedule=schedule, target=target, time_window=flexible
    )


def add_url(
    function: lambda_.Function | lambda_.Alias,
    *,
    public: bool = False,
    cors: lambda_.FunctionUrlCorsOptions | None = None,
    streamed: bool = False,
) -> lambda_.FunctionUrl:
    """Give the function an address of its own.

    Args:
        function: a function or an alias.
        public: whether anybody may call it. Default False: callers sign with IAM
            (`url.grant_invoke_url(caller)`).
        cors: which pages may call it. Default: none.
        streamed: whether the answer is streamed, up to 200 MB. Default False: whole, up to 6 MB.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html
    """
    return function.add_function_url(
        auth_type=lambda_.FunctionUrlAuthType.NONE if public else lambda_.FunctionUrlAuthType.AWS_IAM,
        cors=cors,
        invoke_mode=lambda_.InvokeMode.RESPONSE_STREAM if streamed else lambda_.InvokeMode.BUFFERED,
    )


def add_http_api(
    function: lambda_.IFunction,
    construct_id: str,
    *,
    routes: Sequence[str] = ("ANY /{proxy+}",),
    authorizer: api.IHttpRouteAuthorizer | None = None,
    throttle: api.ThrottleSettings | None = None,
) -> api.HttpApi:
    """Serve an HTTP API with the function, with access logs.

    Args:
        function: a function or an alias.
        construct_id: names the API below the function.
        routes: "GET /orders/{id}", the method and the path of each. Default: everything.
        authorizer: who may call it. Default: whoever signs with IAM and may; `HttpNoneAuthorizer()` lets
            anybody.
        throttle: the rate and burst of requests that are taken. Default: the account's quota.

    Raises:
        ArgumentError: a route is no method and path.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html
    """
    wanted = [_route(route) for route in routes]
    scope = _scope(function)
    served = api.HttpApi(scope, construct_id, create_default_stage=False)
    log_group = logs.LogGroup(served, "AccessLogs", retention=logs.RetentionDays.THREE_MONTHS)
    acknowledge(log_group, LOG_GROUP_KEY)
    stage = api.HttpStage(served, "Stage", http_api=served, auto_deploy=True, throttle=throttle)
    if throttle is None:
        acknowledge(stage, {"Serverless-APIGWDefaultThrottling": _THROTTLE})
    resource = own_resource(stage, api.CfnStage)
    resource.access_log_settings = api.CfnStage.AccessLogSettingsProperty(
        destination_arn=log_group.log_group_arn, format=_FORMAT
    )
    integration = integrations.HttpLambdaIntegration("Function", function)
    for method, path in wanted:
        served.add_routes(
            path=path,
            methods=[method],
            integration=integration,
            authorizer=authorizer or authorizers.HttpIamAuthorizer(),
        )
    return served


def _check_stacks(function: lambda_.IFunction, bucket: s3.IBucket) -> None:
    """Refuse notifications of a bucket that another stack makes; an imported bucket has no resource."""
    made_in, needed_in = Stack.of(bucket), Stack.of(function)
    if made_in is not needed_in and bucket.node.default_child is not None:
        raise ArgumentError(
            f"bucket: {bucket.node.path} stands in another stack than {function.node.path}: its "
            f"notifications make {made_in.node.path} need {needed_in.node.path}, and what the function reads "
            "the other way round: use on_object_event, which goes through EventBridge, or put both into one "
            "stack"
        )


def _scheduler_role(function: lambda_.IFunction, construct_id: str, delivery: Delivery) -> iam.IRole:
    """A role that invokes this very qualifier; aws_cdk's own may invoke every version, for every schedule."""
    scope = _scope(function)
    role = iam.Role(
        scope,
        f"{construct_id}Role",
        assumed_by=iam.ServicePrincipal(
            "scheduler.amazonaws.com",
            conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}},
        ),
        inline_policies={
            "Invoke": iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.function_arn])
                ]
            )
        },
    )
    if "undelivered" in delivery:
        let_send(delivery["undelivered"], role)
    acknowledge(role, INLINE_POLICY)
    # the target would add every version of the function
    return role.without_policy_updates()


def _route(said: str) -> tuple[api.HttpMethod, str]:
    method, _, path = said.partition(" ")
    if method not in api.HttpMethod.__members__ or not path.startswith("/"):
        methods = ", ".join(api.HttpMethod.__members__)
        raise ArgumentError(
            f"routes: {said!r} is no route like 'GET /orders/{{id}}'; the methods are {methods}"
        )
    return api.HttpMethod[method], path


def _scope(function: lambda_.IFunction) -> Construct:
    assert isinstance(function, Construct)  # noqa: S101  # narrows: every function is a construct
    return function


def _keep_failures(function: lambda_.IFunction, on_failure: lambda_.IDestination | None) -> None:
    if on_failure is not None:
        function.configure_async_invoke(on_failure=on_failure)


def _handing_over(delivery: Delivery) -> dict[str, Any]:
    handing: dict[str, Any] = {}
    if "undelivered" in delivery:
        handing["dead_letter_queue"] = delivery["undelivered"]
    if "max_event_age" in delivery:
        limits.TARGET_EVENT_AGE.check(delivery["max_event_age"].to_seconds(), "max_event_age")
        handing["max_event_age"] = delivery["max_event_age"]
    if "retry_attempts" in delivery:
        limits.TARGET_RETRIES.check(delivery["retry_attempts"], "retry_attempts")
        handing["retry_attempts"] = delivery["retry_attempts"]
    return handing
