"""An alias whose environments are ready before the requests come, and whose versions change gradually."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from lambda_patterns.constructs.acknowledgements import acknowledge
from lambda_patterns.constructs.alarms import alarm_from
from lambda_patterns.constructs.function_options import check_alias_name
from lambda_patterns.constructs.own_resource import own_resource
from lambda_patterns.constructs.provisioned_concurrency import (
    Concurrency,
    FixedConcurrency,
    ScheduledConcurrency,
    check_concurrency,
)
from lambda_patterns.errors import ArgumentError
from lambda_patterns.facts.limit import Limit
from lambda_patterns.facts.limits import CONCURRENT_EXECUTIONS, SNAP_START_PAGE, UNRESERVED_MINIMUM

if TYPE_CHECKING:
    from collections.abc import Sequence

_ERRORS = Limit(
    "threshold",
    1,
    1_000_000,
    "errors a minute",
    "an alarm on less is always on, and takes every new version back",
    "https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-groups-configure-advanced-options.html",
)
_CODE_DEPLOY = (
    "CodeDeploy's own policy for Lambda: it may shift any alias, as AWS keeps it, and CodeDeploy alone has it"
)


@dataclass(frozen=True, slots=True)
class GradualDeployment:
    """A new version takes over by degrees, and the old one comes back when errors show.

    Args:
        steps: how. Default a tenth of the traffic for 5 minutes, then all of it: an error of a new version
            shows in minutes, and nine of ten callers do not meet it.
        alarms: alarms beside the one on the alias' errors that also take the new version back.
        errors: how many errors in a minute of the alias take the new version back, 1 or more. Default 1.
        before_traffic: a function that CodeDeploy calls before traffic goes to the new version, to refuse it.
        after_traffic: a function that CodeDeploy calls when all traffic goes to the new version.

    Raises:
        ArgumentError: no error at all would already take every new version back.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-lambda.html
    """

    steps: codedeploy.ILambdaDeploymentConfig | None = None
    alarms: Sequence[cloudwatch.IAlarm] = ()
    errors: int = 1
    before_traffic: lambda_.IFunction | None = None
    after_traffic: lambda_.IFunction | None = None

    def __post_init__(self) -> None:
        _ERRORS.check(self.errors, "deployment: errors")


class ProvisionedAlias(Construct):
    """An alias of a function's current version with environments that are ready before the requests come.

    **It answers** requests through the alias with no cold start, as long as no more of them run at once
    than are ready; what is above that starts environments as any function does, which the alarm on
    spill-over tells. Callers have to call `alias` and not the function: provisioned concurrency is for a
    published version alone.

    **It costs** by the hour, with or without requests, and less for each GB-second that runs on it
    (`lambda-patterns cost` counts both).

    Args:
        function: any `lambda_.Function` of this app: its current version is published.
        alias_name: letters, digits, `_` and `-`, and no number. Default "live".
        concurrency: `FixedConcurrency`, `ScheduledConcurrency` or `FollowedConcurrency`. None: none; the
            alias and its gradual deployment alone, which is what a function with SnapStart takes.
        deployment: a `GradualDeployment`. Default None: a new version takes all traffic at once.
        alarm_actions: what the alarms do, usually ``aws_cloudwatch_actions.SnsAction(topic)``. An alarm
            without an action tells nobody.
        account_concurrency: the account's quota of concurrent executions in the Region. Default 1,000,
            which AWS gives; new accounts have less until AWS raises it. Up to 100 of them stay unreserved.

    Raises:
        ArgumentError: a name that no alias may have, SnapStart and provisioned concurrency on one function,
            or more environments than the reservation or the account allows.

    Attributes:
        alias: what callers call.
        spillover_alarm: the alarm on requests that found no ready environment, or None without concurrency.
        errors_alarm: the alarm on the alias' errors that takes a new version back, or None.
        deployment_group: the CodeDeploy deployment group, or None.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
    """

    def __init__(  # noqa: PLR0913  # each is one answer
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: lambda_.Function,
        alias_name: str = "live",
        concurrency: Concurrency | None = None,
        deployment: GradualDeployment | None = None,
        alarm_actions: Sequence[cloudwatch.IAlarmAction] = (),
        account_concurrency: int = CONCURRENT_EXECUTIONS,
    ) -> None:
        if not isinstance(function, lambda_.Function):
            raise ArgumentError(
                "function: a version can be published of a function of this app alone, not of an imported one"
            )
        check_alias_name(alias_name)
        resource = own_resource(function, lambda_.CfnFunction)
        if concurrency is not None:
            if resource.snap_start is not None:
                raise ArgumentError(
                    "concurrency: a function with SnapStart takes no provisioned concurrency: "
                    f"leave one of them out ({SNAP_START_PAGE})"
                )
            check_concurrency(
                concurrency,
                reserved=resource.reserved_concurrent_executions,
                account_concurrency=account_concurrency,
                unreserved=min(UNRESERVED_MINIMUM, account_concurrency),
            )
        super().__init__(scope, construct_id)
        self.alias: lambda_.Alias = (
            function.add_alias(alias_name, provisioned_concurrent_executions=concurrency.environments)
            if isinstance(concurrency, FixedConcurrency)
            else function.add_alias(alias_name)
        )
        if concurrency is not None and not isinstance(concurrency, FixedConcurrency):
            self._scale(concurrency)
        self.spillover_alarm = self._watch_spillover(alarm_actions) if concurrency is not None else None
        self.errors_alarm: cloudwatch.Alarm | None = None
        self.deployment_group: codedeploy.LambdaDeploymentGroup | None = None
        if deployment is not None:
            self._deploy_gradually(deployment, alarm_actions)

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody invoke the alias, and neither another version nor ``$LATEST``."""
        return self.alias.grant_invoke(grantee)

    def _scale(self, concurrency: Concurrency) -> None:
        """Leave the number to Application Auto Scaling; one in the template would win at each deployment."""
        if isinstance(concurrency, ScheduledConcurrency):
            target = self.alias.add_auto_scaling(
                min_capacity=concurrency.initially, max_capacity=max(1, concurrency.initially)
            )
            for name, (schedule, environments) in concurrency.changes.items():
                target.scale_on_schedule(
                    name,
                    schedule=schedule,
                    min_capacity=environments,
                    max_capacity=environments,
                    time_zone=concurrency.time_zone,
                )
        elif not isinstance(concurrency, FixedConcurrency):
            target = self.alias.add_auto_scaling(
                min_capacity=concurrency.least, max_capacity=concurrency.most
            )
            target.scale_on_utilization(utilization_target=concurrency.target)

    def _watch_spillover(self, alarm_actions: Sequence[cloudwatch.IAlarmAction]) -> cloudwatch.Alarm:
        return self._alarm(
            "Spillover",
            "ProvisionedConcurrencySpilloverInvocations",
            Duration.minutes(5),
            1,
            "Requests found no ready environment of the alias and started one: more has to be ready",
            alarm_actions,
        )

    def _deploy_gradually(
        self, deployment: GradualDeployment, alarm_actions: Sequence[cloudwatch.IAlarmAction]
    ) -> None:
        self.errors_alarm = self._alarm(
            "Errors",
            "Errors",
            Duration.minutes(1),
            deployment.errors,
            "The alias fails: a new version that is taking over is taken back",
            alarm_actions,
        )
        self.deployment_group = codedeploy.LambdaDeploymentGroup(
            self,
            "Deployment",
            alias=self.alias,
            alarms=[self.errors_alarm, *deployment.alarms],
            deployment_config=deployment.steps
            or codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
            auto_rollback=codedeploy.AutoRollbackConfig(
                deployment_in_alarm=True, failed_deployment=True, stopped_deployment=True
            ),
            pre_hook=deployment.before_traffic,
            post_hook=deployment.after_traffic,
        )
        policy = "service-role/AWSCodeDeployRoleForLambdaLimited"
        acknowledge(
            self.deployment_group,
            {f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{policy}]": _CODE_DEPLOY},
        )

    def _alarm(  # noqa: PLR0913, PLR0917  # what, how long, how many, and what then
        self,
        name: str,
        metric: str,
        period: Duration,
        threshold: int,
        description: str,
        alarm_actions: Sequence[cloudwatch.IAlarmAction],
    ) -> cloudwatch.Alarm:
        watched = self.alias.metric(metric, statistic="Sum", period=period)
        alarm = alarm_from(self, name, watched, threshold, description)
        if alarm_actions:
            alarm.add_alarm_action(*alarm_actions)
        else:
            acknowledge(
                alarm, {"compliance/CloudWatchAlarmAction": "the caller gives the actions (alarm_actions=)"}
            )
        return alarm
