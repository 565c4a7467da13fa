"""Credentials that sign, and a Region, for handlers that run in this process."""

import pytest


@pytest.fixture(autouse=True)
def _signing_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("DATABASE_HOST", "orders.proxy-abc.eu-central-1.rds.amazonaws.com")
    monkeypatch.setenv("DATABASE_PORT", "5432")
    monkeypatch.setenv("DATABASE_USER", "app")
    monkeypatch.setenv("DATABASE_NAME", "orders")
    monkeypatch.setenv("DATABASE_REGION", "eu-central-1")
