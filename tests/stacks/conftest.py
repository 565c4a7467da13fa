"""The example application, synthesized once, and snapshots of its templates."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from syrupy.assertion import SnapshotAssertion

from app import build
from lambda_patterns.testing import context_of, findings
from lambda_patterns.testing.snapshots import TemplateSnapshot

CDK_JSON = Path(__file__).parents[2] / "cdk.json"


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> App:
    outdir = str(tmp_path_factory.mktemp("cdk.out"))
    return build(App(outdir=outdir, context=context_of(CDK_JSON), analytics_reporting=False))


@pytest.fixture(scope="session")
def found(application: App) -> list[str]:
    """What the application's checks find; it is synthesized by then."""
    return findings(application)


@pytest.fixture(scope="session")
def templates(application: App, found: list[str]) -> dict[str, dict[str, Any]]:
    """Every stack's template, by the stack's name, whatever the checks found."""
    del found
    files = sorted(Path(application.outdir).glob("*.template.json"))
    return {file.name.removesuffix(".template.json"): json.loads(file.read_text()) for file in files}


@pytest.fixture
def template_snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(TemplateSnapshot)
