"""Composite alarms, and metric alarms over metric math."""

from __future__ import annotations

from typing import Any

from lambda_patterns.local.api import call
from lambda_patterns.local.behaviour import alarms
from lambda_patterns.local.ministack import module
from lambda_patterns.local.resources.handler import Created, Handler, Properties, picked

provisioners = module("services.cloudformation.provisioners")
cloudwatch = module("services.cloudwatch")


def _put_composite(name: str, properties: Properties) -> Created:
    call(
        "cloudwatch",
        "PutCompositeAlarm",
        AlarmName=name,
        **picked(
            properties,
            "AlarmRule",
            "AlarmDescription",
            "AlarmActions",
            "OKActions",
            "InsufficientDataActions",
            "ActionsEnabled",
        ),
    )
    found = call("cloudwatch", "DescribeAlarms", AlarmNames=[name], AlarmTypes=["CompositeAlarm"])
    return name, {"Arn": found["CompositeAlarms"][0]["AlarmArn"]}


def _create_composite(logical_id: str, properties: Properties, stack: str) -> Created:
    return _put_composite(
        properties.get("AlarmName") or provisioners._physical_name(stack, logical_id), properties
    )


def _update_composite(name: str, old: Properties, new: Properties, stack: str) -> Created:
    if new.get("AlarmName") not in {None, name}:
        _delete_composite(name, old)
        return _create_composite("", new, stack)
    return _put_composite(name, new)


def _delete_composite(name: str, _properties: Properties) -> None:
    call("cloudwatch", "DeleteAlarms", AlarmNames=[name])


HANDLERS = {
    "AWS::CloudWatch::CompositeAlarm": Handler(
        create=_create_composite, update=_update_composite, delete=_delete_composite
    )
}


def install_metric_math() -> None:
    """Let a metric alarm carry `Metrics`, which MiniStack refuses."""
    original = provisioners._cw_metric_alarm_record

    def record(name: str, properties: Properties) -> dict[str, Any]:
        queries = properties.get("Metrics")
        if not queries:
            plain: dict[str, Any] = original(name, properties)
            return plain
        stand_in = {"MetricName": "-", "Namespace": "-"}
        alarm: dict[str, Any] = original(name, {**properties, "Metrics": None, **stand_in})
        del alarm["MetricName"], alarm["Namespace"], alarm["Statistic"]
        alarm["Metrics"] = queries
        alarms.series(alarm, 0.0)  # an expression that is not known fails the resource now
        return alarm

    provisioners._cw_metric_alarm_record = record
