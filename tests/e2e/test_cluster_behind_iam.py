"""An Aurora cluster whose proxy logs in with IAM tokens, end to end: made, changed and taken away."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import psycopg
import pytest

from lambda_patterns.local.embedded import EmbeddedAws

pytestmark = pytest.mark.e2e

NAME = "Cluster"


def template(password: str, engine: str = "aurora-postgresql") -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "rds.amazonaws.com"}, "Action": "sts:AssumeRole"}
    connect = {"Effect": "Allow", "Action": "rds-db:connect", "Resource": "*"}
    subnets = {
        f"Subnet{number}": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "CidrBlock": f"10.0.{number}.0/24",
                "AvailabilityZone": {"Fn::Select": [number, {"Fn::GetAZs": ""}]},
            },
        }
        for number in (0, 1)
    }
    places = [{"Ref": name} for name in subnets]
    family = "POSTGRESQL" if engine == "aurora-postgresql" else "MYSQL"
    return {
        "Resources": {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
            **subnets,
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": {"Statement": [trust]},
                    "Policies": [{"PolicyName": "own", "PolicyDocument": {"Statement": [connect]}}],
                },
            },
            "Orders": {
                "Type": "AWS::RDS::DBCluster",
                "Properties": {
                    "Engine": engine,
                    "DatabaseName": "orders",
                    "MasterUsername": "owner",
                    "MasterUserPassword": password,
                    "EnableIAMDatabaseAuthentication": True,
                },
            },
            "Writer": {
                "Type": "AWS::RDS::DBInstance",
                "Properties": {
                    "DBClusterIdentifier": {"Ref": "Orders"},
                    "DBInstanceClass": "db.serverless",
                    "Engine": engine,
                },
            },
            "Proxy": {
                "Type": "AWS::RDS::DBProxy",
                "Properties": {
                    "DBProxyName": "orders",
                    "EngineFamily": family,
                    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    "RequireTLS": True,
                    "DefaultAuthScheme": "IAM_AUTH",
                    "VpcSubnetIds": places,
                },
            },
            "Targets": {
                "Type": "AWS::RDS::DBProxyTargetGroup",
                "DependsOn": ["Writer"],
                "Properties": {
                    "DBProxyName": {"Ref": "Proxy"},
                    "TargetGroupName": "default",
                    "DBClusterIdentifiers": [{"Ref": "Orders"}],
                },
            },
            "Readers": {
                "Type": "AWS::RDS::DBProxyEndpoint",
                "DependsOn": ["Targets"],
                "Properties": {
                    "DBProxyName": {"Ref": "Proxy"},
                    "DBProxyEndpointName": "readers",
                    "TargetRole": "READ_ONLY",
                    "VpcSubnetIds": places,
                },
            },
        },
        "Outputs": {
            "Cluster": {"Value": {"Fn::GetAtt": ["Orders", "Endpoint.Address"]}},
            "Proxy": {"Value": {"Fn::GetAtt": ["Proxy", "Endpoint"]}},
            "Readers": {"Value": {"Fn::GetAtt": ["Readers", "Endpoint"]}},
            "Role": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}},
        },
    }


class Stack:
    """A stack of this template, with its outputs."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.aws = aws
        self.formation = aws.client("cloudformation")

    def deploy(self, engine: str = "aurora-postgresql") -> None:
        body = json.dumps(template("first-password", engine))
        self.formation.create_stack(StackName=NAME, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
        self._wait("stack_create_complete")

    def change(self, password: str) -> None:
        body = json.dumps(template(password))
        self.formation.update_stack(StackName=NAME, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
        self._wait("stack_update_complete")

    def delete(self) -> None:
        self.formation.delete_stack(StackName=NAME)
        self._wait("stack_delete_complete")

    def _wait(self, state: str) -> None:
        self.formation.get_waiter(state).wait(StackName=NAME, WaiterConfig={"Delay": 1})

    @property
    def outputs(self) -> dict[str, str]:
        found = self.formation.describe_stacks(StackName=NAME)["Stacks"][0]["Outputs"]
        return {output["OutputKey"]: output["OutputValue"] for output in found}

    def connect(self, host: str, user: str, password: str) -> psycopg.Connection:
        return psycopg.connect(
            host=host,
            port=5432,
            user=user,
            password=password,
            dbname="orders",
            autocommit=True,
            prepare_threshold=None,
            sslmode="verify-full",
            sslrootcert=str(self.aws.server.folder / "database-authority.pem"),
        )

    def with_token(self, host: str, user: str) -> psycopg.Connection:
        keys = self.aws.client("sts").assume_role(RoleArn=self.outputs["Role"], RoleSessionName="query")
        given = keys["Credentials"]
        region = self.aws.region
        session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region)
        token = session.client("rds").generate_db_auth_token(
            DBHostname=host, Port=5432, DBUsername=user, Region=region
        )
        return self.connect(host, user, token)


@pytest.fixture
def stack() -> Iterator[Stack]:
    with EmbeddedAws() as aws:
        yield Stack(aws)


def test_a_user_comes_in_with_a_token_once_it_is_granted_rds_iam(stack: Stack) -> None:
    stack.deploy()
    places = stack.outputs
    with stack.connect(places["Cluster"], "owner", "first-password") as owner:
        owner.execute("CREATE ROLE app LOGIN")
        with pytest.raises(psycopg.OperationalError, match='role "app" is not granted rds_iam'):
            stack.with_token(places["Proxy"], "app")
        owner.execute("GRANT rds_iam TO app")
    for endpoint in ("Proxy", "Readers"):
        with stack.with_token(places[endpoint], "app") as app:
            assert app.execute("SELECT current_user, current_database()").fetchone() == ("app", "orders")


def test_a_changed_password_is_the_servers_too_and_nothing_is_started_anew(stack: Stack) -> None:
    stack.deploy()
    before = stack.outputs
    stack.change("second-password")
    assert stack.outputs == before
    stack.connect(before["Cluster"], "owner", "second-password").close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        stack.connect(before["Cluster"], "owner", "first-password")


def test_what_is_deleted_runs_no_more(stack: Stack) -> None:
    stack.deploy()
    places = stack.outputs
    assert len(stack.aws.status()["databases"]) == 2
    stack.delete()
    assert stack.aws.status()["databases"] == []
    with pytest.raises(psycopg.OperationalError, match="onnection refused"):
        stack.connect(places["Cluster"], "owner", "first-password")


def test_a_reset_stops_what_runs(stack: Stack) -> None:
    stack.deploy()
    stack.aws.reset()
    assert stack.aws.status()["databases"] == []


def test_an_engine_without_a_server_here_is_recorded_and_said(stack: Stack) -> None:
    stack.deploy("aurora-mysql")
    assert stack.aws.status()["databases"] == []
    log = stack.aws.server.log.read_text()
    assert "a database of aurora-mysql: recorded only, there is no server of it here" in log
    assert "the proxy orders: recorded only, there is no server of its engine here" in log
