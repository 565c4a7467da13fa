"""What stands beside the functions: proxies, secrets, keys, queues, topics, alarms.

Not modelled: the databases themselves, replicas of secrets, asymmetric keys, message archives, dashboards,
metrics, and SNS deliveries to other protocols than HTTP/S and e-mail (those to Lambda and SQS cost
nothing).
"""

from __future__ import annotations

import re
from math import ceil
from typing import TYPE_CHECKING

from lambda_patterns.facts.prices import (
    FREE_SQS_REQUESTS,
    HOURS,
    MESSAGE_CHUNK,
    PROXY_LEAST_ACUS,
    PROXY_LEAST_VCPUS,
)
from lambda_patterns.model.cost.line import Line, charge
from lambda_patterns.model.cost.loads import KeyLoad, ProxyLoad, QueueLoad, SecretLoad, TopicLoad
from lambda_patterns.model.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lambda_patterns.facts.prices import PriceSheet
    from lambda_patterns.model.cost.loads import Load
    from lambda_patterns.model.cost.workload import Workload
    from lambda_patterns.model.deployment import Deployment
    from lambda_patterns.model.template import Resource

_SQS_ITEMS = ("sqs-standard-requests", "sqs-fifo-requests")


def service_lines(
    sheet: PriceSheet, deployment: Deployment, loads: Mapping[Resource, Load]
) -> Iterator[Line]:
    """The lines of proxies, secrets, keys, queues, topics and alarms."""
    for proxy in deployment.of_type("AWS::RDS::DBProxy"):
        yield from _proxy(sheet, deployment, proxy, loads.get(proxy))
    for secret in deployment.of_type("AWS::SecretsManager::Secret"):
        load = loads.get(secret)
        yield charge(sheet, secret, "secret", "secret-month", 1, floor=True)
        yield charge(
            sheet, secret, "calls", "secret-calls", load.calls if isinstance(load, SecretLoad) else 0
        )
    for key in deployment.of_type("AWS::KMS::Key"):
        load = loads.get(key)
        yield charge(sheet, key, "key", "kms-key-month", 1, floor=True)
        yield charge(
            sheet, key, "requests", "kms-requests", load.requests if isinstance(load, KeyLoad) else 0
        )
    for queue in deployment.of_type("AWS::SQS::Queue"):
        yield _queue(sheet, queue, loads.get(queue))
    for topic in deployment.of_type("AWS::SNS::Topic"):
        load = loads.get(topic)
        yield from _topic(sheet, topic, load if isinstance(load, TopicLoad) else TopicLoad())
    for alarm in deployment.of_type("AWS::CloudWatch::Alarm"):
        metrics, why = _alarm_metrics(alarm)
        yield charge(sheet, alarm, "metrics", "alarm-month", metrics, floor=True, why=why)
    for alarm in deployment.of_type("AWS::CloudWatch::CompositeAlarm"):
        yield charge(sheet, alarm, "alarm", "composite-alarm-month", 1, floor=True)


def queue_rebate(sheet: PriceSheet, workload: Workload, lines: Sequence[Line]) -> Iterator[Line]:
    """The free requests of SQS, shared among the kinds of queues by what each uses."""
    used = {item: sum(line.quantity or 0 for line in lines if line.item == item) for item in _SQS_ITEMS}
    everything = sum(used.values())
    if not workload.free_tier or not everything:
        return
    for item, requests in used.items():
        if requests and sheet.price(item):
            free = min(FREE_SQS_REQUESTS, everything) * requests / everything
            yield charge(sheet, "free tier", "requests", item, free, credit=True)


def _proxy(sheet: PriceSheet, deployment: Deployment, proxy: Resource, load: Load | None) -> Iterator[Line]:
    instances, why = _instances(deployment, proxy)
    if not instances:
        yield charge(sheet, proxy, "vCPUs", "rds-proxy-vcpu-hour", None, floor=True, why=why)
        return
    classes = [each.get("DBInstanceClass") for each in instances]
    serverless = [each for each, kind in zip(instances, classes, strict=True) if kind == "db.serverless"]
    if serverless:
        given = load.acus if isinstance(load, ProxyLoad) else None
        cluster = serverless[0].resource("DBClusterIdentifier")
        path = ("ServerlessV2ScalingConfiguration", "MinCapacity")
        least = (
            cluster.number(*path, default=0) if cluster else Unknown("a cluster that is not in the template")
        )
        if given is None and isinstance(least, int | float):
            given = least * len(serverless)
        hours = None if given is None else max(PROXY_LEAST_ACUS, given) * HOURS
        reason = least.why if isinstance(least, Unknown) else None
        yield charge(sheet, proxy, "capacity units", "rds-proxy-acu-hour", hours, floor=True, why=reason)
    counts = [_vcpus(kind) for kind in classes if kind != "db.serverless"]
    if counts:
        known = [count for count in counts if count is not None]
        whole = sum(known) * HOURS if len(known) == len(counts) else None
        reason = "a database class whose vCPUs are not known"
        yield charge(sheet, proxy, "vCPUs", "rds-proxy-vcpu-hour", whole, floor=True, why=reason)


def _instances(deployment: Deployment, proxy: Resource) -> tuple[list[Resource], str]:
    """The database instances behind a proxy, or why they are not known."""
    found: list[Resource] = []
    for group in deployment.of_type("AWS::RDS::DBProxyTargetGroup"):
        if group.resource("DBProxyName") is not proxy:
            continue
        instance = group.resource("DBInstanceIdentifiers", 0)
        cluster = group.resource("DBClusterIdentifiers", 0)
        if instance is not None:
            found.append(instance)
        if cluster is not None:
            found += [
                each
                for each in deployment.of_type("AWS::RDS::DBInstance")
                if each.resource("DBClusterIdentifier") is cluster
            ]
    return found, "its database is not in the templates"


def _vcpus(kind: object) -> int | None:
    """The vCPUs of an instance class by its size: up to large 2, xlarge 4, 2xlarge 8.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Summary.html
    """
    size = (
        re.fullmatch(r"db\.[a-z0-9-]+\.(micro|small|medium|large|(\d*)xlarge)", kind)
        if isinstance(kind, str)
        else None
    )
    if size is None:
        return None
    if not size[1].endswith("xlarge"):
        return PROXY_LEAST_VCPUS
    return 4 * int(size[2] or 1)


def _queue(sheet: PriceSheet, queue: Resource, given: Load | None) -> Line:
    load = given if isinstance(given, QueueLoad) else QueueLoad()
    requests = load.messages * load.requests_per_message * _chunks(load.size_kb) + load.empty_receives
    fifo = queue.get("FifoQueue") in (True, "true")
    return charge(sheet, queue, "requests", _SQS_ITEMS[fifo], requests)


def _topic(sheet: PriceSheet, topic: Resource, load: TopicLoad) -> Iterator[Line]:
    yield charge(sheet, topic, "publishes", "sns-publishes", load.messages * _chunks(load.size_kb))
    yield charge(sheet, topic, "HTTP deliveries", "sns-http-deliveries", load.http_deliveries)
    yield charge(sheet, topic, "e-mails", "sns-email-deliveries", load.email_deliveries)


def _chunks(size_kb: float) -> int:
    return max(1, ceil(size_kb * 1024 / MESSAGE_CHUNK))


def _alarm_metrics(alarm: Resource) -> tuple[int | None, str | None]:
    """How many metrics an alarm watches: each that its expression reads is charged."""
    metrics = alarm.list("Metrics")
    if isinstance(metrics, Unknown):
        return None, metrics.why
    if not metrics:
        return 1, None
    return sum(1 for number in range(len(metrics)) if alarm.get("Metrics", number, "MetricStat")), None
