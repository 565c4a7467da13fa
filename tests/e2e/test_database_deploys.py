"""The database stack deployed as it is: a query, a row that calls a function, and who is kept out."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest

from lambda_patterns.local.cdk import Cdk
from lambda_patterns.local.database import pooler
from lambda_patterns.local.embedded import EmbeddedAws
from lambda_patterns.local.settings import Settings
from lambda_patterns.local.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.cdk]

ROOT = Path(__file__).parents[2]
REGION = "us-east-1"
APPLICATION = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from aws_cdk import App
from stacks.database import DatabaseStack
app = App()
DatabaseStack(app, "Database")
app.synth()
"""


class Deployed:
    """The deployed stack, seen from inside its VPC: with a function's role and the functions' trust."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.aws = aws
        self.stage = Stage(aws)
        self.query = self.stage.find("Database", "QueryOrders", "AWS::Lambda::Function")
        self.variables = self.aws.client("lambda").get_function_configuration(FunctionName=self.query)[
            "Environment"
        ]["Variables"]

    def invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        name = self.stage.find("Database", function, "AWS::Lambda::Function")
        answer = self.aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
        payload: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return payload

    def token(self, function: str, user: str = "app", host: str | None = None) -> str:
        """Sign a token with the role of a function, as its code does."""
        name = self.stage.find("Database", function, "AWS::Lambda::Function")
        role = self.aws.client("lambda").get_function_configuration(FunctionName=name)["Role"]
        keys = self.aws.client("sts").assume_role(RoleArn=role, RoleSessionName=function)["Credentials"]
        session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], REGION)
        token: str = session.client("rds").generate_db_auth_token(
            DBHostname=host or self.variables["DATABASE_HOST"], Port=5432, DBUsername=user, Region=REGION
        )
        return token

    def connect(self, password: str, user: str = "app", **settings: Any) -> psycopg.Connection:
        return psycopg.connect(
            host=self.variables["DATABASE_HOST"],
            port=int(self.variables["DATABASE_PORT"]),
            user=user,
            password=password,
            dbname=self.variables["DATABASE_NAME"],
            autocommit=True,
            prepare_threshold=None,
            **{
                "sslmode": "verify-full",
                "sslrootcert": str(self.aws.server.folder / "database-authority.pem"),
                **settings,
            },
        )

    def refusal(self, password: str, user: str = "app", **settings: Any) -> str:
        with pytest.raises(psycopg.OperationalError) as refused:
            self.connect(password, user, **settings)
        return str(refused.value)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    project = tmp_path_factory.mktemp("database")
    (project / "app.py").write_text(APPLICATION)
    shutil.copy(ROOT / "cdk.json", project)
    (project / "node_modules").symlink_to(ROOT / "node_modules")
    with EmbeddedAws(Settings(region=REGION, retry_seconds=0.05, clock_seconds=0.2)) as aws:
        cdk = Cdk(aws, project, tmp_path_factory.mktemp("assembly"))
        cdk.synthesize()
        cdk.bootstrap()
        with cdk.deploying():
            pass
        yield Deployed(aws)


def test_the_deployed_function_queries_the_database_by_the_environment_it_was_given(
    deployed: Deployed,
) -> None:
    assert deployed.invoke("QueryOrders", {"customer": "nobody"})["orders"] == []
    placed = deployed.invoke("PlaceOrder", {"customer": "c-1", "item": "tea", "quantity": 2})
    (order,) = deployed.invoke("QueryOrders", {"customer": "c-1"})["orders"]
    assert (order["id"], order["item"], order["quantity"]) == (placed["id"], "tea", 2)


def test_a_changed_row_reaches_the_function_that_records_it(
    deployed: Deployed, eventually: Callable[..., Any]
) -> None:
    deployed.invoke("PlaceOrder", {"customer": "c-7", "item": "ink"})
    with deployed.connect(deployed.token("QueryOrders")) as connection:
        connection.execute("DELETE FROM orders WHERE customer = 'c-7'")

    def recorded() -> list[dict[str, Any]]:
        events = deployed.invoke("ListEvents", {"wait": 10})["events"]
        return [event for event in events if '"c-7"' in event["row"]]

    events = eventually(lambda: len(found := recorded()) == 2 and found)
    assert sorted(event["operation"] for event in events) == ["DELETE", "INSERT"]
    row = json.loads(events[0]["row"])
    assert (row["item"], row["quantity"]) == ("ink", 1)


def test_a_user_may_do_what_it_was_granted_and_no_more(deployed: Deployed) -> None:
    with deployed.connect(deployed.token("QueryOrders")) as connection:
        for statement in (
            "DROP TABLE orders",
            "CREATE ROLE other",
            "SELECT aws_lambda.invoke('f', '{}'::json)",
            "COPY orders TO PROGRAM 'true'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_a_connection_without_tls_is_refused(deployed: Deployed) -> None:
    said = deployed.refusal(deployed.token("QueryOrders"), sslmode="disable", sslrootcert="")
    assert "This RDS Proxy requires TLS connections" in said


def test_the_certificate_is_one_that_only_these_functions_trust(deployed: Deployed) -> None:
    said = deployed.refusal(deployed.token("QueryOrders"), sslrootcert="system")
    assert "certificate verify failed" in said


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (lambda _: "secret", "InvalidToken"),
        (lambda deployed: deployed.token("QueryOrders", host="other.example"), "InvalidToken"),
        (lambda deployed: deployed.token("QueryOrders", user="report"), "InvalidToken"),
        (lambda deployed: deployed.token("QueryOrders")[:-4] + "0000", "SignatureDoesNotMatch"),
    ],
    ids=["no token", "of another host", "of another user", "changed"],
)
def test_a_wrong_token_is_refused(deployed: Deployed, token: Callable[[Deployed], str], said: str) -> None:
    assert f"The IAM authentication failed for the role app: {said}" in deployed.refusal(token(deployed))


def test_a_user_that_the_proxy_has_no_secret_of_is_refused(deployed: Deployed) -> None:
    said = deployed.refusal(deployed.token("QueryOrders", user="report"), user="report")
    assert "This RDS proxy has no credentials for the role report." in said


def test_a_function_without_permission_is_refused(deployed: Deployed) -> None:
    said = deployed.refusal(deployed.token("RecordEvent"))
    assert "may not do rds-db:connect on arn:aws:rds-db:us-east-1:000000000000:dbuser:prx-" in said


def test_a_function_allowed_as_one_user_is_refused_as_another(deployed: Deployed) -> None:
    said = deployed.refusal(deployed.token("QueryOrders", user="dbadmin"), user="dbadmin")
    assert "may not do rds-db:connect" in said
    assert "/dbadmin" in said


def test_a_password_that_the_database_no_longer_takes_is_said_by_the_proxy(deployed: Deployed) -> None:
    secrets = deployed.aws.client("secretsmanager")
    arn = deployed.stage.find("Database", "OrdersSecretapp", "AWS::SecretsManager::Secret")
    before = secrets.get_secret_value(SecretId=arn)["SecretString"]
    secrets.put_secret_value(
        SecretId=arn, SecretString=json.dumps({**json.loads(before), "password": "rotated-past"})
    )
    try:
        said = deployed.refusal(deployed.token("QueryOrders"))
    finally:
        secrets.put_secret_value(SecretId=arn, SecretString=before)
    assert 'The proxy could not log in to the database: password authentication failed for user "app"' in said
    deployed.connect(deployed.token("QueryOrders")).close()


def test_what_runs_and_what_pools_is_said(deployed: Deployed) -> None:
    database, proxy = deployed.aws.status()["databases"]
    assert database["Address"].endswith(":5432")
    assert proxy["Address"] == f"{deployed.variables['DATABASE_HOST']}:5432"
    assert proxy["Pool"] == ("none" if pooler.program() is None else "pgbouncer")


def test_the_database_itself_takes_passwords_over_tls_alone(deployed: Deployed) -> None:
    address = deployed.aws.status()["databases"][0]["Address"].partition(":")[0]
    arn = deployed.stage.find("Database", "OrdersMasterSecret", "AWS::SecretsManager::Secret")
    secret = json.loads(deployed.aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    authority = str(deployed.aws.server.folder / "database-authority.pem")
    settings = {"host": address, "user": secret["username"], "dbname": "orders", "sslrootcert": authority}
    with psycopg.connect(password=secret["password"], sslmode="verify-full", **settings) as connection:
        assert connection.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'app'").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(password="wrong", sslmode="verify-full", **settings)  # noqa: S106  # it is wrong on purpose
    with pytest.raises(psycopg.OperationalError, match="the database requires TLS"):
        psycopg.connect(password=secret["password"], sslmode="disable", **{**settings, "sslrootcert": ""})
