"""Alarms and a dashboard for a proxy: what functions feel first when the pool runs short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from lambda_patterns.facts.limit import Limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_patterns.constructs.imported_database_proxy import ImportedDatabaseProxy
    from lambda_patterns.constructs.proxied_database import ProxiedDatabase

_PAGE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.monitoring.html"
_PERCENT = Limit("share", 1, 100, "%", "it is a share of a whole", _PAGE)
_MINUTE = Duration.minutes(1)


class ProxyMonitoring(Construct):
    """Watches a proxy: waits for connections, pinned sessions, use of the pool, availability, refused logins.

    Args:
        database: the proxied database, new or imported.
        alarm_actions: what each alarm does, usually ``aws_cloudwatch_actions.SnsAction(topic)``. An
            alarm without an action tells nobody.
        borrow_latency: how long, on average over a minute, clients may wait for a connection. Default
            500 ms: a free connection is lent within milliseconds, so whatever waits half a second waits
            for another to end.
        pinned_percent: how many of the borrowed connections may be pinned to one client. Default 20 %: a
            pinned connection serves nobody else, and above a fifth the pool is no pool any more.
        used_percent: how much of the pool may be lent at once. Default 80 %, as AWS advises 30 % of
            headroom over the usual peak: it is the last warning before clients wait.
        availability_percent: how much of a minute the database must answer the proxy's checks. Default
            99 %: one missed check of the writer already shows.
        failed_logins: how many logins a minute the proxy may refuse. Default 5: more than a mistyped
            user, few enough to see a wrong policy or a password that was rotated past the proxy.
        dashboard: whether to make a dashboard. Default True.

    Raises:
        ArgumentError: a share outside 1-100 %.

    Attributes:
        alarms: the alarms by what they watch.
        dashboard: the dashboard, or None.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.monitoring.html
    """

    def __init__(  # noqa: PLR0913  # each is one threshold
        self,
        scope: Construct,
        construct_id: str,
        *,
        database: ProxiedDatabase | ImportedDatabaseProxy,
        alarm_actions: Sequence[cloudwatch.IAlarmAction] = (),
        borrow_latency: Duration = Duration.millis(500),  # noqa: B008  # a frozen value
        pinned_percent: int = 20,
        used_percent: int = 80,
        availability_percent: int = 99,
        failed_logins: int = 5,
        dashboard: bool = True,
    ) -> None:
        for name, value in {
            "pinned_percent": pinned_percent,
            "used_percent": used_percent,
            "availability_percent": availability_percent,
        }.items():
            _PERCENT.check(value, name)
        super().__init__(scope, construct_id)
        self._name = database.proxy_name
        wait = self._metric("DatabaseConnectionsBorrowLatency", "Average")
        borrowed = self._metric("DatabaseConnectionsCurrentlyBorrowed", "Sum")
        pinned = self._metric("DatabaseConnectionsCurrentlySessionPinned", "Sum")
        allowed = self._metric("MaxDatabaseConnectionsAllowed", "Sum")
        refused = self._metric("ClientConnectionsSetupFailedAuth", "Sum")
        available = self._metric(
            "AvailabilityPercentage",
            "Average",
            {"TargetGroup": "default", "TargetRole": "READ_WRITE"},
        )
        pinned_share = _share(pinned, borrowed, "Pinned of borrowed (%)")
        used_share = _share(borrowed, allowed, "Borrowed of allowed (%)")
        above = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
        self.alarms: dict[str, cloudwatch.Alarm] = {
            "BorrowLatency": self._alarm(
                "BorrowLatency",
                wait,
                borrow_latency.to_milliseconds() * 1_000,
                above,
                "Functions wait for a database connection: the pool is too small for what runs at once, or "
                "transactions are held open",
            ),
            "PinnedSessions": self._alarm(
                "PinnedSessions",
                pinned_share,
                pinned_percent,
                above,
                "Sessions are pinned to one database connection each: a client sets session state (SET, "
                "a temporary "
                "table, a named prepared statement)",
            ),
            "PoolUse": self._alarm(
                "PoolUse",
                used_share,
                used_percent,
                above,
                "Nearly all connections of the pool are lent: bound the functions' concurrency or give "
                "the database "
                "more connections",
            ),
            "Availability": self._alarm(
                "Availability",
                available,
                availability_percent,
                cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
                "The database did not answer the proxy's checks",
            ),
            "RefusedLogins": self._alarm(
                "RefusedLogins",
                refused,
                failed_logins,
                above,
                "The proxy refuses logins: a token of another user or Region, a missing rds-db:connect, "
                "or a user "
                "that it has no credentials for",
            ),
        }
        for alarm in self.alarms.values():
            alarm.add_alarm_action(*alarm_actions)
        self.dashboard = (
            self._show([wait], [borrowed, pinned, allowed], [available], [refused]) if dashboard else None
        )

    def _metric(self, name: str, statistic: str, more: dict[str, str] | None = None) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/RDS",
            metric_name=name,
            dimensions_map={"ProxyName": self._name, **(more or {})},
            statistic=statistic,
            period=_MINUTE,
        )

    def _alarm(
        self,
        construct_id: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        operator: cloudwatch.ComparisonOperator,
        description: str,
    ) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            construct_id,
            metric=metric,
            threshold=threshold,
            comparison_operator=operator,
            evaluation_periods=5,
            # three bad minutes of five: a failover or a burst of cold starts is over sooner
            datapoints_to_alarm=3,
            # a proxy that nobody uses publishes nothing, and that is no fault
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=description,
        )

    def _show(self, *graphs: list[cloudwatch.IMetric]) -> cloudwatch.Dashboard:
        titles = ("Wait for a connection", "Connections", "Availability", "Refused logins")
        widgets = [
            cloudwatch.GraphWidget(title=title, left=metrics, width=12)
            for title, metrics in zip(titles, graphs, strict=True)
        ]
        return cloudwatch.Dashboard(self, "Dashboard", widgets=[widgets[:2], widgets[2:]])


def _share(part: cloudwatch.Metric, whole: cloudwatch.Metric, label: str) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(
        expression="IF(whole > 0, 100 * part / whole, 0)",
        using_metrics={"part": part, "whole": whole},
        period=_MINUTE,
        label=label,
    )
