"""RDS Proxy with its target group and endpoints, option groups, and what belongs to a secret."""

from __future__ import annotations

import json

from lambda_patterns.local.api import call
from lambda_patterns.local.ministack import module
from lambda_patterns.local.resources.handler import (
    Created,
    Handler,
    Properties,
    boolean,
    nothing,
    picked,
    whole,
)

responses = module("core.responses")

_POOL = ("MaxConnectionsPercent", "MaxIdleConnectionsPercent", "ConnectionBorrowTimeout")
_TARGETS = ("DBInstanceIdentifiers", "DBClusterIdentifiers")


def _proxy_settings(properties: Properties) -> Properties:
    settings = whole(properties, "IdleClientTimeout")
    flags = picked(properties, "RequireTLS", "DebugLogging")
    return settings | {name: boolean(value) for name, value in flags.items()}


def _proxy(answer: Properties) -> Created:
    proxy = answer["DBProxy"]
    attributes = {name: proxy.get(name, "") for name in ("DBProxyArn", "Endpoint", "VpcId")}
    return proxy["DBProxyName"], attributes


def _create_proxy(_id: str, properties: Properties, _stack: str) -> Created:
    known = {name: value for name, value in properties.items() if value is not None}
    return _proxy(call("rds", "CreateDBProxy", **_proxy_settings(known)))


def _update_proxy(name: str, old: Properties, new: Properties, stack: str) -> Created:
    changed = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    if changed & {"DBProxyName", "EngineFamily", "VpcSubnetIds"}:
        _delete_proxy(name, old)
        return _create_proxy("", new, stack)
    settings = picked(new, "Auth", "RoleArn", "IdleClientTimeout", "RequireTLS", "DebugLogging")
    if new.get("VpcSecurityGroupIds"):
        settings["SecurityGroups"] = new["VpcSecurityGroupIds"]
    return _proxy(call("rds", "ModifyDBProxy", DBProxyName=name, **_proxy_settings(settings)))


def _delete_proxy(name: str, _properties: Properties) -> None:
    call("rds", "DeleteDBProxy", DBProxyName=name)


def _create_targets(_id: str, properties: Properties, _stack: str) -> Created:
    name, pool = properties["DBProxyName"], properties.get("ConnectionPoolConfigurationInfo")
    if pool:
        call(
            "rds",
            "ModifyDBProxyTargetGroup",
            DBProxyName=name,
            TargetGroupName="default",
            ConnectionPoolConfig=whole(pool, *_POOL),
        )
    targets = picked(properties, *_TARGETS)
    if targets:
        call("rds", "RegisterDBProxyTargets", DBProxyName=name, TargetGroupName="default", **targets)
    groups = call("rds", "DescribeDBProxyTargetGroups", DBProxyName=name)["TargetGroups"]
    arn = groups[0]["TargetGroupArn"]
    return arn, {"TargetGroupArn": arn}


def _delete_targets(_arn: str, properties: Properties) -> None:
    targets = picked(properties, *_TARGETS)
    if targets:
        call(
            "rds",
            "DeregisterDBProxyTargets",
            DBProxyName=properties["DBProxyName"],
            TargetGroupName="default",
            **targets,
        )


def _create_proxy_endpoint(_id: str, properties: Properties, _stack: str) -> Created:
    endpoint = call("rds", "CreateDBProxyEndpoint", **properties)["DBProxyEndpoint"]
    return endpoint["DBProxyEndpointName"], {
        "DBProxyEndpointArn": endpoint["DBProxyEndpointArn"],
        "Endpoint": endpoint["Endpoint"],
        "IsDefault": "false",
        "VpcId": endpoint.get("VpcId", ""),
    }


def _delete_proxy_endpoint(name: str, _properties: Properties) -> None:
    call("rds", "DeleteDBProxyEndpoint", DBProxyEndpointName=name)


def _create_option_group(logical_id: str, properties: Properties, stack: str) -> Created:
    name = (properties.get("OptionGroupName") or f"{stack}-{logical_id}").lower()
    call(
        "rds",
        "CreateOptionGroup",
        OptionGroupName=name,
        EngineName=properties["EngineName"],
        MajorEngineVersion=str(properties["MajorEngineVersion"]),
        OptionGroupDescription=properties.get("OptionGroupDescription", name),
    )
    return name, {"OptionGroupName": name}


def _delete_option_group(name: str, _properties: Properties) -> None:
    call("rds", "DeleteOptionGroup", OptionGroupName=name)


def _create_rotation(_id: str, properties: Properties, _stack: str) -> Created:
    rules = picked(
        properties.get("RotationRules") or {}, "AutomaticallyAfterDays", "Duration", "ScheduleExpression"
    )
    call(
        "secretsmanager",
        "RotateSecret",
        SecretId=properties["SecretId"],
        RotationRules=whole(rules, "AutomaticallyAfterDays"),
        RotateImmediately=False,
        ClientRequestToken=responses.new_uuid(),
        **picked(properties, "RotationLambdaARN"),
    )
    return properties["SecretId"], {"Id": properties["SecretId"]}


def _create_secret_policy(_id: str, properties: Properties, _stack: str) -> Created:
    policy = properties["ResourcePolicy"]
    text = policy if isinstance(policy, str) else json.dumps(policy)
    call("secretsmanager", "PutResourcePolicy", SecretId=properties["SecretId"], ResourcePolicy=text)
    return properties["SecretId"], {"Id": properties["SecretId"]}


HANDLERS = {
    "AWS::RDS::DBProxy": Handler(create=_create_proxy, update=_update_proxy, delete=_delete_proxy),
    "AWS::RDS::DBProxyEndpoint": Handler(create=_create_proxy_endpoint, delete=_delete_proxy_endpoint),
    "AWS::RDS::DBProxyTargetGroup": Handler(create=_create_targets, delete=_delete_targets),
    "AWS::RDS::OptionGroup": Handler(create=_create_option_group, delete=_delete_option_group),
    "AWS::SecretsManager::ResourcePolicy": Handler(create=_create_secret_policy, delete=nothing),
    "AWS::SecretsManager::RotationSchedule": Handler(create=_create_rotation, delete=nothing),
}
