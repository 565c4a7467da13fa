"""Settings survive the way into the child; what cannot be is refused with the value and the range."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_patterns.errors import ArgumentError
from lambda_patterns.local.environment import client_environment
from lambda_patterns.local.settings import Settings


@given(
    st.builds(
        Settings,
        port=st.integers(0, 65535),
        region=st.sampled_from(["us-east-1", "ap-northeast-2"]),
        retry_seconds=st.floats(0, 100),
        clock_seconds=st.floats(0.01, 100),
    )
)
def test_settings_are_the_same_after_the_way_through_json(settings: Settings) -> None:
    assert Settings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"port": 65536}, "port is 65536: allowed are 1-65535, or 0 for a free one"),
        ({"port": -1}, "port is -1: allowed are 1-65535, or 0 for a free one"),
        ({"retry_seconds": -0.5}, "retry_seconds is -0.5: a wait is 0 seconds or more"),
        ({"retry_seconds": float("nan")}, "retry_seconds is nan: a wait is 0 seconds or more"),
        ({"retry_seconds": float("inf")}, "retry_seconds is inf: a wait is 0 seconds or more"),
        ({"clock_seconds": float("nan")}, "clock_seconds is nan: the clock needs more than 0 seconds a step"),
        ({"clock_seconds": 0}, "clock_seconds is 0: the clock needs more than 0 seconds a step"),
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        Settings(**wrong)  # type: ignore[arg-type]  # wrong on purpose
    assert str(error.value) == message


def test_no_variable_of_a_real_account_is_left_to_a_child() -> None:
    real = {
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "secret",
        "AWS_ENDPOINT_URL_SQS": "https://sqs.eu-west-1.amazonaws.com",
        "CDK_DEFAULT_ACCOUNT": "123456789012",
        "HOME": "/home/me",
    }
    environment = client_environment("http://127.0.0.1:1", "us-east-1", real)
    assert "AWS_PROFILE" not in environment
    assert "AWS_SESSION_TOKEN" not in environment
    assert "AWS_ENDPOINT_URL_SQS" not in environment
    assert environment["CDK_DEFAULT_ACCOUNT"] == "000000000000"
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert environment["HOME"] == "/home/me"


def test_a_proxy_is_not_asked_for_the_way_to_this_machine() -> None:
    environment = client_environment("http://127.0.0.1:1", "us-east-1", {"NO_PROXY": "corp.example"})
    assert environment["NO_PROXY"] == "corp.example,127.0.0.1,localhost"
