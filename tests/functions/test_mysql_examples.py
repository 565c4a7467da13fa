"""The MySQL examples against MariaDB itself where it is installed, and against RDS Proxy's handshake."""

import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pymysql
import pytest
import trustme

from lambda_patterns.constructs.database_users import DatabaseUser, user_statements
from lambda_patterns.facts.engines import ENGINES
from tests.functions.load_handler import load
from tests.functions.mysql_servers import HAS_MARIADB, MASTER, TokenServer, administer, mariadb

pytestmark = pytest.mark.cdk
TABLE = """CREATE TABLE IF NOT EXISTS orders (
    id bigint AUTO_INCREMENT PRIMARY KEY,
    customer varchar(64) NOT NULL,
    item varchar(64) NOT NULL,
    quantity integer NOT NULL,
    placed_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
)"""
# as long as a token is, with what has to be escaped
PASSWORDS = {MASTER: "m" * 1_200, "app": "a'b\\c%s" * 170}
needs_mariadb = pytest.mark.skipif(
    not HAS_MARIADB, reason="this machine has no mariadbd (apt-get install mariadb-server-core)"
)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def certificate(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(path)
    return path


@pytest.fixture(scope="module")
def port(certificate: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with mariadb(tmp_path_factory.mktemp("db"), PASSWORDS[MASTER], certificate=certificate) as found:
        yield found


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand for AWS: a token is the user's password, and the secret holds the one of `app`."""
    signed: list[str] = []

    def token(**asked: Any) -> str:
        signed.append(asked["DBUsername"])
        return PASSWORDS[asked["DBUsername"]]

    secret = {"SecretString": json.dumps({"username": "app", "password": PASSWORDS["app"]})}
    clients = {
        "rds": SimpleNamespace(generate_db_auth_token=token),
        "secretsmanager": SimpleNamespace(get_secret_value=lambda SecretId: secret),  # noqa: N803, ARG005  # boto3's names
    }
    monkeypatch.setattr(boto3, "client", lambda name, **_: clients[name])
    return signed


@pytest.fixture
def reach(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, tmp_path: Path
) -> Callable[[int, str], None]:
    """Point the functions at a server on this machine, with its authority trusted."""
    roots = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(roots)

    def point(port: int, user: str) -> None:
        monkeypatch.setenv("DATABASE_HOST", "localhost")
        monkeypatch.setenv("DATABASE_PORT", str(port))
        monkeypatch.setenv("DATABASE_USER", user)
        monkeypatch.setenv("SSL_CERT_FILE", str(roots))

    return point


def prepared(*statements: str) -> dict[str, Any]:
    properties = {"Statements": list(statements), "Secrets": {"app_password": "arn:app"}}
    return {"RequestType": "Create", "ResourceProperties": properties}


@pytest.fixture
def orders(port: int, tokens: list[str], reach: Callable[[int, str], None]) -> ModuleType:
    """The query example, with the table and the user that the other example and the constructs' SQL made."""
    reach(port, MASTER)
    made = user_statements(ENGINES["mariadb"], DatabaseUser(name="app"), "orders", token=False)
    for _ in range(2):
        assert load("prepare_mysql").handler(prepared(TABLE, *made), None) == {
            "PhysicalResourceId": "prepared"
        }
    administer(port, PASSWORDS[MASTER], "DELETE FROM orders.orders")
    tokens.clear()
    reach(port, "app")
    return load("query_mysql_orders")


@needs_mariadb
def test_orders_are_read_as_the_user_that_was_prepared(
    orders: ModuleType, port: int, tokens: list[str]
) -> None:
    assert orders.handler({"customer": "c-1"}, None) == {"customer": "c-1", "orders": []}
    insert = "INSERT INTO orders.orders (customer, item, quantity, placed_at) VALUES "
    administer(port, PASSWORDS[MASTER], insert + "('c-1', 'tea', 2, '2026-11-24 08:00:00')")
    administer(port, PASSWORDS[MASTER], insert + "('c-1', 'cup', 1, '2026-11-25 08:00:00')")
    found = orders.handler({"customer": "c-1", "limit": 1}, None)["orders"]
    assert [(each["item"], each["placed_at"]) for each in found] == [("cup", "2026-11-25 08:00:00")]
    # the connection was kept
    assert tokens == ["app"]


@needs_mariadb
def test_a_dropped_connection_is_opened_again_with_a_fresh_token(
    orders: ModuleType, port: int, tokens: list[str]
) -> None:
    orders.handler({"customer": "c-1"}, None)
    found = administer(
        port, PASSWORDS[MASTER], "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'app'"
    )
    for (connection,) in found:
        administer(port, PASSWORDS[MASTER], f"KILL {connection}")
    assert orders.handler({"customer": "c-1"}, None) == {"customer": "c-1", "orders": []}
    assert tokens == ["app", "app"]


@needs_mariadb
def test_a_statement_that_fails_is_not_repeated(orders: ModuleType, tokens: list[str]) -> None:
    orders.handler({"customer": "c-1"}, None)
    with pytest.raises(pymysql.ProgrammingError):
        orders.query("SELECT nothing FROM nowhere WHERE id = %(id)s", {"id": 1})
    assert tokens == ["app"]


@needs_mariadb
def test_the_user_may_do_no_more_than_was_granted(orders: ModuleType) -> None:
    with pytest.raises(pymysql.OperationalError, match="denied"):
        orders.query("DROP TABLE orders", {})


@needs_mariadb
def test_the_prepared_user_is_refused_without_tls(orders: ModuleType, port: int) -> None:
    orders.handler({"customer": "c-1"}, None)
    with pytest.raises(pymysql.OperationalError, match="Access denied"):
        pymysql.connect(host="127.0.0.1", port=port, user="app", password=PASSWORDS["app"], ssl_disabled=True)


@needs_mariadb
def test_a_statement_that_fails_fails_the_deployment(
    port: int, tokens: list[str], reach: Callable[[int, str], None]
) -> None:
    reach(port, MASTER)
    with pytest.raises(pymysql.ProgrammingError):
        load("prepare_mysql").handler(prepared("CREATE NONSENSE"), None)
    assert tokens == [MASTER]


@pytest.fixture
def proxy(certificate: Path) -> Iterator[TokenServer]:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    server = TokenServer(tls)
    yield server
    server.close()


EXAMPLES = pytest.mark.parametrize("example", ["query_mysql_orders", "prepare_mysql"])


@EXAMPLES
@pytest.mark.usefixtures("tokens")
def test_the_token_is_given_in_plain_text_behind_a_verified_certificate(
    example: str, proxy: TokenServer, reach: Callable[[int, str], None]
) -> None:
    reach(proxy.port, "app")
    load(example).connect().close()
    proxy.close()
    assert proxy.password == PASSWORDS["app"].encode()
    # what RDS Proxy tracks, and nothing that pins: AUTOCOMMIT follows where it is off
    assert {said.split(" ")[1] for said in proxy.said if said.startswith("SET")} == {"NAMES"}


@EXAMPLES
@pytest.mark.usefixtures("tokens")
def test_no_token_goes_to_a_server_without_tls(example: str, reach: Callable[[int, str], None]) -> None:
    server = TokenServer(None)
    reach(server.port, "app")
    with pytest.raises(pymysql.OperationalError, match="SSL"):
        load(example).connect()
    server.close()
    assert server.password is None


@EXAMPLES
@pytest.mark.usefixtures("tokens")
def test_no_token_goes_to_a_server_of_an_unknown_authority(
    example: str, proxy: TokenServer, reach: Callable[[int, str], None], tmp_path: Path
) -> None:
    reach(proxy.port, "app")
    trustme.CA().cert_pem.write_to_path(tmp_path / "authority.pem")
    with pytest.raises(pymysql.OperationalError, match="certificate verify failed"):
        load(example).connect()
    proxy.close()
    assert proxy.password is None


def test_deleting_leaves_the_database_as_it_is() -> None:
    event = {
        "RequestType": "Delete",
        "ResourceProperties": {"Statements": ["A"]},
        "PhysicalResourceId": "kept",
    }
    assert load("prepare_mysql").handler(event, None) == {"PhysicalResourceId": "kept"}


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({}, "customer is None, it must be a text that is not empty"),
        ({"customer": "c-1", "limit": 0}, "limit is 0, allowed are whole numbers 1-100"),
        ({"customer": "c-1", "limit": True}, "limit is True, allowed are whole numbers 1-100"),
    ],
)
def test_a_bad_event_is_refused_before_the_database_is_asked(event: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # the whole message is compared below
        load("query_mysql_orders").handler(event, None)
    assert str(refused.value) == message
