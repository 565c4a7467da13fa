"""The wheel, installed alone into an empty environment and used from another project."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lambda_patterns.local.node import node_environment

ROOT = Path(__file__).parents[2]
APP = """
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from lambda_patterns.constructs import Endpoints, LambdaNetwork, OnFailureQueue, VpcFunction

app = App(outdir="cdk.out")
stack = Stack(app, "Elsewhere")
team = sns.Topic.from_topic_arn(stack, "Team", "arn:aws:sns:eu-central-1:123456789012:on-call")
network = LambdaNetwork(stack, "Network", internet=Endpoints("secretsmanager"))
VpcFunction(
    stack, "Function", network=network, needs=["secretsmanager"], handler="index.handler",
    code=lambda_.Code.from_inline("def handler(event, context): ..."),
    on_failure=OnFailureQueue(stack, "Failed", alarm_topic=team),
)
app.synth()
"""


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    result = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.e2e
def test_the_wheel_carries_the_package_its_data_and_its_types_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"lambda_patterns"}
    assert {"lambda_patterns/py.typed", "lambda_patterns/facts/prices.json"} <= set(names)


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_another_project_composes_and_checks_with_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    uv, programs = Path(sys.executable).parent / "uv", tmp_path / "env" / "bin"
    run(uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "env", cwd=tmp_path)
    run(uv, "pip", "install", "--quiet", "--python", programs / "python", wheel, cwd=tmp_path)
    (tmp_path / "app.py").write_text(APP)
    environment = node_environment(
        {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    )
    run(programs / "python", "app.py", cwd=tmp_path, env=environment)
    report = run(programs / "lambda-patterns", "check", "cdk.out", cwd=tmp_path)
    assert report.startswith("0 errors, 0 warnings, 0 notes, 0 acknowledged, in 1 template")
