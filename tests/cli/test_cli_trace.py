"""`lambda-patterns trace`: hops, blockers, JSON, exit codes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lambda_patterns.cli.trace import command
from lambda_patterns.errors import ArgumentError
from lambda_patterns.model.assembly import read
from lambda_patterns.model.network.assertions import assert_blocked, assert_reaches

TEMPLATES = Path(__file__).parents[1] / "templates"
CLOSED = str(TEMPLATES / "bad/endpoint-closed.yaml")
NAT = str(TEMPLATES / "good/nat-shared-across-zones--one-in-each-zone.yaml")
TRANSIT = str(TEMPLATES / "good/internet-unreachable--transit-gateway.yaml")


def test_a_reached_path_is_printed_hop_by_hop() -> None:
    result = CliRunner().invoke(command, [NAT, "Function", "internet"])
    assert result.exit_code == 0
    every = "entry 100: allow all traffic, 0.0.0.0/0"
    assert result.output.split("\n\n")[:2] == [
        "Function -> the internet, tcp 443: REACHED",
        (
            "  from SubnetA to Nat: reached\n"
            "    ok  security group    FunctionGroup: egress all traffic to 0.0.0.0/0\n"
            f"    ok  network ACL       Vpc.DefaultNetworkAcl: out of SubnetA, {every}\n"
            "    ok  route table       Table: 0.0.0.0/0 to NAT gateway Nat\n"
            f"    ok  network ACL       Vpc.DefaultNetworkAcl: into PublicSubnet, {every}\n"
            f"    ok  network ACL       Vpc.DefaultNetworkAcl: answers out of PublicSubnet, {every}\n"
            "    ok  NAT gateway       Nat: public, in PublicSubnet\n"
            f"    ok  network ACL       Vpc.DefaultNetworkAcl: out of PublicSubnet, {every}\n"
            "    ok  route table       PublicSubnetTable: 0.0.0.0/0 to internet gateway Gateway\n"
            "    ok  internet gateway  Gateway: attached to Vpc\n"
            f"    ok  network ACL       Vpc.DefaultNetworkAcl: answers into PublicSubnet, {every}\n"
            f"    ok  network ACL       Vpc.DefaultNetworkAcl: answers into SubnetA, {every}"
        ),
    ]


def test_a_blocked_path_ends_at_its_blocker() -> None:
    result = CliRunner().invoke(command, [CLOSED, "Function", "secretsmanager"])
    assert result.exit_code == 1
    assert result.output.split("\n\n")[:2] == [
        "Function -> secretsmanager, tcp 443: BLOCKED",
        (
            "  from SubnetA to Endpoint in SubnetA: blocked\n"
            "    ok  security group  FunctionGroup: egress all traffic to 0.0.0.0/0\n"
            "    ok  route table     Table: local\n"
            "    x   security group  EndpointGroup: no rule lets tcp 443 in from FunctionGroup"
            " [SG_HAS_NO_RULES]"
        ),
    ]


def test_what_cannot_be_judged_is_named() -> None:
    result = CliRunner().invoke(command, [TRANSIT, "Function", "internet"])
    assert result.exit_code == 3
    assert "    ?   gateway  transit gateway parameter TransitGateway" in result.output


def test_the_trace_as_json() -> None:
    result = CliRunner().invoke(command, [CLOSED, "Function", "secretsmanager", "--json"])
    (trace,) = json.loads(result.output)
    assert (trace["source"], trace["target"], trace["port"]) == ("Function", "secretsmanager", 443)
    assert trace["paths"][0]["blocks"] == [
        {
            "code": "SG_HAS_NO_RULES",
            "component": "EndpointGroup",
            "kind": "security group",
            "sentence": "no rule lets tcp 443 in from FunctionGroup",
        }
    ]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["Functoin", "sqs"], "there is no resource 'Functoin': did you mean 'Function'?"),
        (["Function", "Role"], "Role (AWS::IAM::Role) has no address of its own that could be traced"),
        (["Function", "secretmanager"], "there is no resource 'secretmanager'"),
    ],
)
def test_a_word_that_names_nothing_is_told(words: list[str], problem: str) -> None:
    result = CliRunner().invoke(command, [CLOSED, *words])
    assert isinstance(result.exception, ArgumentError)
    assert str(result.exception) == problem


def test_assertions_pass_where_the_proof_says_so() -> None:
    assert_reaches(read(NAT), "Function", "internet")
    assert_blocked(read(CLOSED), "Function", "secretsmanager")


def test_a_failed_assertion_shows_the_way_to_the_blocker() -> None:
    with pytest.raises(AssertionError, match=r"expected reached, but:\nFunction -> sqs, tcp 443: BLOCKED"):
        assert_reaches(read(CLOSED), "Function", "sqs")


def test_unknown_is_neither_reached_nor_blocked() -> None:
    with pytest.raises(AssertionError, match="UNKNOWN"):
        assert_reaches(read(TRANSIT), "Function", "internet")
    with pytest.raises(AssertionError, match="UNKNOWN"):
        assert_blocked(read(TRANSIT), "Function", "internet")
