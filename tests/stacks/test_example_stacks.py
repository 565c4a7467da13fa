"""What the examples deploy does not change unnoticed, and no check of theirs finds anything."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

pytestmark = pytest.mark.cdk

ROOT = Path(__file__).parents[2]
STACKS = [
    "Database",
    "Edge",
    "Endpoints",
    "Isolated",
    "NatGateway",
    "NatInstance",
    "OnFailure",
    "OrderEvents",
    "ReadyFunction",
    "Triggers",
]
NETWORK_PATHS = ["Endpoints", "Isolated", "NatGateway", "NatInstance"]


def test_no_check_finds_anything_unacknowledged(found: list[str]) -> None:
    assert found == []


def test_every_stack_has_a_snapshot(templates: dict[str, Any]) -> None:
    assert sorted(templates) == STACKS


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_is_as_its_snapshot(
    templates: dict[str, Any], template_snapshot: SnapshotAssertion, name: str
) -> None:
    assert templates[name] == template_snapshot


def test_without_account_and_network_the_application_is_synthesized(tmp_path: Path) -> None:
    keep = {"JSII_NODE", "PATH", "NODE_COMPILE_CACHE", "HOME", "TMPDIR"}
    environment = {name: value for name, value in os.environ.items() if name in keep}
    environment |= {
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_CONTEXT_JSON": json.dumps(json.loads((ROOT / "cdk.json").read_text())["context"]),
        "CDK_OUTDIR": str(tmp_path),
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    run = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "missing" not in json.loads((tmp_path / "manifest.json").read_text())


@pytest.mark.parametrize("name", NETWORK_PATHS)
def test_each_function_reports_in_two_zones_what_it_needs(templates: dict[str, Any], name: str) -> None:
    functions = [
        resource
        for resource in templates[name]["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function" and "VpcConfig" in resource["Properties"]
    ]
    (function,) = functions
    assert len(function["Properties"]["VpcConfig"]["SubnetIds"]) == 2
    assert function["Metadata"]["LambdaPatterns"]["Needs"]
