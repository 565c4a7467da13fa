"""A database as a process: whatever folder it is in and however it ends, it runs whole and leaves nothing."""

import json
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from botocore.exceptions import BotoCoreError

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local.database.postgres import Postgres
from lambda_patterns.local.embedded import EmbeddedAws

pytestmark = pytest.mark.e2e

SEGMENTS = Path("/proc/sysvipc/shm")
DATABASE = {
    "Resources": {
        "Orders": {
            "Type": "AWS::RDS::DBInstance",
            "Properties": {
                "Engine": "postgres",
                "DBName": "orders",
                "DBInstanceClass": "db.t4g.medium",
                "AllocatedStorage": "20",
                "MasterUsername": "owner",
                "MasterUserPassword": "only-for-this-test",
            },
        }
    },
    "Outputs": {"Host": {"Value": {"Fn::GetAtt": ["Orders", "Endpoint.Address"]}}},
}


def connected(aws: EmbeddedAws) -> psycopg.Connection:
    """Deploy a database and connect to it as its master user."""
    formation = aws.client("cloudformation")
    formation.create_stack(StackName="Orders", TemplateBody=json.dumps(DATABASE))
    formation.get_waiter("stack_create_complete").wait(StackName="Orders", WaiterConfig={"Delay": 1})
    (output,) = formation.describe_stacks(StackName="Orders")["Stacks"][0]["Outputs"]
    return psycopg.connect(
        host=output["OutputValue"],
        user="owner",
        password="only-for-this-test",  # noqa: S106  # of a database that lives for a second
        dbname="orders",
        autocommit=True,
        sslmode="verify-full",
        sslrootcert=str(aws.server.folder / "database-authority.pem"),
    )


def segment(aws: EmbeddedAws) -> int:
    """The id of the shared memory that the server's database has taken, as PostgreSQL writes it down."""
    (file,) = aws.server.folder.glob("database-*/data/postmaster.pid")
    return int(file.read_text().splitlines()[6].split()[1])


def segments() -> set[int]:
    return {int(line.split()[1]) for line in SEGMENTS.read_text().splitlines()[1:]}


@pytest.mark.skipif(not SEGMENTS.exists(), reason="this system does not list its shared memory in /proc")
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
@pytest.mark.parametrize("how", ["SIGTERM", "stop"])
def test_no_shared_memory_stays_after_the_end(how: str, busy: bool, eventually: Callable[..., Any]) -> None:
    with EmbeddedAws() as aws:
        connection = connected(aws)
        taken = segment(aws)
        assert taken in segments()
        held = [sleeping(connection), polling(aws)] if busy else []
        if how == "SIGTERM":
            os.kill(aws.server.pid, signal.SIGTERM)
            eventually(lambda: taken not in segments())
    assert taken not in segments()
    for thread in held:
        thread.join()
    connection.close()


def sleeping(connection: psycopg.Connection) -> threading.Thread:
    """Hold the database until it ends under the query."""

    def sleep() -> None:
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT pg_sleep(60)")

    thread = threading.Thread(target=sleep)
    thread.start()
    return thread


def polling(aws: EmbeddedAws) -> threading.Thread:
    """Hold a request of the server until it ends under it."""
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]

    def poll() -> None:
        with pytest.raises(BotoCoreError):
            sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)

    thread = threading.Thread(target=poll)
    thread.start()
    return thread


@pytest.fixture
def odd_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files whose name has a space and a quote, as people's names have."""
    with tempfile.TemporaryDirectory(prefix="o'brian's files ") as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def test_a_database_runs_and_calls_in_a_folder_with_an_odd_name(odd_folder: Path) -> None:
    with EmbeddedAws() as aws:
        assert aws.server.folder.parent == odd_folder
        with connected(aws) as owner:
            owner.execute("CREATE EXTENSION aws_lambda CASCADE")
            with pytest.raises(
                psycopg.errors.RaiseException, match="no role is associated with this database"
            ):
                owner.execute("SELECT aws_lambda.invoke('record', '{}'::json)")


def test_a_folder_whose_name_is_too_long_for_a_socket_is_said(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 90)
    with pytest.raises(LambdaPatternsError) as error:
        Postgres(folder, (1, "password"))
    said = str(error.value)
    assert said.startswith(f"PostgreSQL cannot start: its socket {folder}/.s.PGSQL.")
    assert said.endswith(" bytes, allowed are 103: set TMPDIR to a shorter folder")
