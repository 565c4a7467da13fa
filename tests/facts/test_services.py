"""Which service an action, a host name or an ARN speaks of."""

import pytest

from lambda_patterns.facts.services import SERVICES, Endpoint, by_name, of_action, of_arn, of_host


def test_names_are_sorted_unique_and_sourced() -> None:
    names = [service.name for service in SERVICES]
    assert names == sorted(set(names))
    assert all(service.source.startswith("https://docs.aws.amazon.com/") for service in SERVICES)


def test_no_prefix_and_no_host_belongs_to_two_services() -> None:
    for pieces in ([s.prefixes for s in SERVICES], [s.hosts for s in SERVICES]):
        flat = [piece for piece_group in pieces for piece in piece_group]
        assert len(flat) == len(set(flat))


@pytest.mark.parametrize(
    ("action", "name"),
    [
        ("secretsmanager:GetSecretValue", "secretsmanager"),
        ("dynamodb:GetItem", "dynamodb"),
        ("dynamodb:*", "dynamodb"),
        ("DynamoDB:getrecords", "dynamodb-streams"),
        ("bedrock:InvokeModelWithResponseStream", "bedrock-runtime"),
        ("bedrock:ListFoundationModels", "bedrock"),
        ("states:StartExecution", "states"),
        ("states:StartSyncExecution", "sync-states"),
        ("cloudwatch:PutMetricData", "monitoring"),
        ("ses:SendEmail", "email"),
        ("rds-db:connect", None),
        ("madeup:Call", None),
    ],
)
def test_an_action_speaks_of_a_service(action: str, name: str | None) -> None:
    found = of_action(action)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("sqs.eu-west-1.amazonaws.com", "sqs"),
        ("eu-west-1.queue.amazonaws.com", "sqs"),
        ("sqs.eu-west-1.api.aws", "sqs"),
        ("orders.s3.ap-northeast-2.amazonaws.com", "s3"),
        ("s3.amazonaws.com", "s3"),
        ("sts.us-gov-west-1.amazonaws.com", "sts"),
        ("secretsmanager.cn-north-1.amazonaws.com.cn", "secretsmanager"),
        ("orders.cluster-c1.eu-west-1.rds.amazonaws.com", None),
        ("orders.c1.euw1.cache.amazonaws.com", None),
        ("example.com", None),
    ],
)
def test_a_host_belongs_to_a_service(host: str, name: str | None) -> None:
    found = of_host(host)
    assert (found.name if found else None) == name


def test_an_arn_names_its_service_where_that_can_be_reached() -> None:
    assert of_arn("sqs") is by_name("sqs")
    assert of_arn("iam") is None


def test_global_services_have_no_endpoint_in_every_region() -> None:
    by_endpoint = {service.name: service.endpoint for service in SERVICES}
    assert by_endpoint["route53"] is Endpoint.NONE
    assert by_endpoint["iam"] is Endpoint.HOME
    assert by_endpoint["s3"] is Endpoint.GATEWAY
    route53, sts = by_name("route53"), by_name("sts")
    assert route53 is not None
    assert sts is not None
    assert (route53.has_endpoint, sts.has_endpoint) == (False, True)
