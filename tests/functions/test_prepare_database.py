import json
from types import ModuleType, SimpleNamespace
from typing import Any, Self

import boto3
import psycopg
import pytest

from tests.functions.load_handler import load


class FakeConnection:
    """Notes the statements, and hashes a password in a way that shows."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.committed = False
        self.pgconn = SimpleNamespace(
            encrypt_password=lambda password, user, algorithm: b"%s of %s by %s" % (password, user, algorithm)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.committed = kind is None

    def execute(self, statement: bytes) -> None:
        if b"fail" in statement:
            raise psycopg.ProgrammingError("syntax error")
        self.ran.append(statement.decode())


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> FakeConnection:
    made, asked = FakeConnection(), boto3.client
    monkeypatch.setattr(psycopg, "connect", lambda **_: made)
    secret = {"SecretString": json.dumps({"username": "app", "password": "s3cret"})}
    reader = SimpleNamespace(get_secret_value=lambda SecretId: secret)  # noqa: N803, ARG005  # boto3's names
    monkeypatch.setattr(
        boto3, "client", lambda name, **how: reader if name == "secretsmanager" else asked(name, **how)
    )
    return made


@pytest.fixture
def prepare() -> ModuleType:
    return load("prepare_database")


def event(kind: str, *statements: str, **more: Any) -> dict[str, Any]:
    secrets = {"app_password": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:app-AbCdEf"}
    properties = {"Statements": list(statements), "Secrets": secrets}
    return {"RequestType": kind, "ResourceProperties": properties, **more}


def test_statements_run_in_order_in_one_transaction(prepare: ModuleType, connection: FakeConnection) -> None:
    assert prepare.handler(event("Create", "A", "B"), None) == {"PhysicalResourceId": "prepared"}
    assert connection.ran == ["A", "B"]
    assert connection.committed


def test_a_password_is_sent_as_what_it_hashes_to(prepare: ModuleType, connection: FakeConnection) -> None:
    prepare.handler(event("Create", "ALTER ROLE app PASSWORD :'app_password'"), None)
    assert connection.ran == ["ALTER ROLE app PASSWORD 's3cret of app by scram-sha-256'"]


def test_a_failing_statement_fails_the_deployment_and_keeps_nothing(
    prepare: ModuleType, connection: FakeConnection
) -> None:
    with pytest.raises(psycopg.ProgrammingError):
        prepare.handler(event("Update", "A", "fail", PhysicalResourceId="prepared"), None)
    assert not connection.committed


def test_deleting_leaves_the_database_as_it_is(prepare: ModuleType, connection: FakeConnection) -> None:
    answer = prepare.handler(event("Delete", "A", PhysicalResourceId="kept"), None)
    assert answer == {"PhysicalResourceId": "kept"}
    assert connection.ran == []
