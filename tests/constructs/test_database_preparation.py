"""A function of the user's makes a database's users and schema, at each deployment that changes them."""

from typing import Any

import pytest

from lambda_patterns.constructs.database_users import DatabaseUser
from tests.constructs.database_wiring import (
    Wiring,
    function_in,
    refusal,
    wire,
)

pytestmark = pytest.mark.cdk


def prepared(wiring: Wiring, **arguments: Any) -> dict[str, Any]:
    function = function_in(wiring.code, wiring.network, "Prepare", needs=["secretsmanager"])
    wiring.database.prepare(function, **arguments)
    (resource,) = wiring.of_type(wiring.code, "Custom::PreparedDatabase").values()
    return resource


@pytest.mark.parametrize("stacks", [1, 2])
def test_preparing_connects_as_the_master_user_and_makes_the_users(stacks: int) -> None:
    wiring = wire(stacks=stacks)
    resource = prepared(wiring, schema=["CREATE TABLE IF NOT EXISTS orders (id bigint)"])
    assert resource["Statements"][0] == "CREATE TABLE IF NOT EXISTS orders (id bigint)"
    assert "ALTER ROLE \"app\" WITH LOGIN PASSWORD :'app_password'" in resource["Statements"]
    assert not any("dbadmin" in statement for statement in resource["Statements"])
    assert list(resource["Secrets"]) == ["app_password"]
    (proxy,) = wiring.of_type(wiring.data, "AWS::RDS::DBProxy").values()
    assert len(proxy["Auth"]) == 2
    functions = wiring.of_type(wiring.code, "AWS::Lambda::Function")
    (prepare,) = [
        f
        for f in functions.values()
        if f.get("Environment", {}).get("Variables", {}).get("DATABASE_USER") == "dbadmin"
    ]
    assert prepare["VpcConfig"]["SubnetIds"]


def test_preparing_with_end_to_end_iam_gives_users_no_password() -> None:
    wiring = wire(end_to_end=True)
    resource = prepared(wiring)
    assert 'GRANT rds_iam TO "app"' in resource["Statements"]
    assert resource.get("Secrets", {}) == {}


def test_a_database_that_exists_is_prepared_only_with_its_master_secret() -> None:
    wiring = wire(new=False)
    function = function_in(wiring.data, wiring.network, "Prepare")
    assert refusal(lambda: wiring.database.prepare(function)).startswith(
        "prepare Data/Prepare: the master user's secret is not known: give master_secret= with a "
        "database that "
    )


def test_the_sql_that_makes_the_users_can_be_run_by_hand() -> None:
    wiring = wire(arguments={"users": ["app", DatabaseUser(name="report", read_only=True)]})
    text = wiring.database.bootstrap_sql
    assert text.startswith("-- run as the master user; run again, it changes nothing but passwords\n")
    assert "-- :'report_password' stands for a quoted password (psql -v report_password=...)\n" in text
    assert 'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "report";\n' in text
    assert 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "app";\n' in text


def test_mysql_users_are_made_with_tls_required() -> None:
    statements = wire("aurora-mysql").database.user_statements
    assert statements == (
        "CREATE USER IF NOT EXISTS 'app'@'%' IDENTIFIED BY :'app_password'",
        "ALTER USER 'app'@'%' IDENTIFIED BY :'app_password'",
        "ALTER USER 'app'@'%' REQUIRE SSL",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON `orders`.* TO 'app'@'%'",
    )
