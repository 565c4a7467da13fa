"""Node is the binary itself, in front of PATH; what the user set stays."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local.node import cdk_command, node_binary, node_environment


def test_the_node_of_the_wheel_is_a_binary_and_not_the_script_beside_python() -> None:
    assert node_binary().read_bytes()[:4] == b"\x7fELF" or sys.platform != "linux"


def test_a_child_process_finds_the_same_node_by_name() -> None:
    environment = node_environment()
    version = subprocess.run(
        ["node", "--version"],  # noqa: S607  # by name on purpose
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    direct = subprocess.run(
        [environment["JSII_NODE"], "--version"], capture_output=True, text=True, check=True
    )
    assert version.stdout == direct.stdout


def test_variables_that_the_user_set_stay() -> None:
    environment = node_environment({"JSII_NODE": "/mine", "NODE_COMPILE_CACHE": "/cache", "OTHER": "kept"})
    assert environment["JSII_NODE"] == "/mine"
    assert environment["NODE_COMPILE_CACHE"] == "/cache"
    assert environment["OTHER"] == "kept"


def test_asking_twice_puts_node_on_path_once() -> None:
    once = node_environment({"PATH": "/bin"})
    assert node_environment(once) == once
    assert once["PATH"].split(os.pathsep)[1:] == ["/bin"]


def test_without_a_wheel_the_node_on_path_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = tmp_path / "node"
    node.touch(mode=0o755)
    monkeypatch.setattr("lambda_patterns.local.node.find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert node_binary() == node


def test_without_any_node_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lambda_patterns.local.node.find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LambdaPatternsError) as error:
        node_binary()
    assert str(error.value) == (
        "node is missing: aws_cdk and the cdk command need it; "
        "pip install 'lambda-patterns[local]' brings it, or put Node.js 22 or newer on PATH"
    )


def test_the_cdk_command_is_found_above_a_folder(tmp_path: Path) -> None:
    command = tmp_path / "node_modules" / ".bin" / "cdk"
    command.parent.mkdir(parents=True)
    command.touch()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert cdk_command(tmp_path / "a" / "b") == command


def test_without_the_cdk_command_one_line_says_where_it_was_sought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LambdaPatternsError) as error:
        cdk_command(tmp_path)
    assert str(error.value) == (
        f"the cdk command is missing: there is no node_modules/.bin/cdk in {tmp_path} or above it, "
        "and none on PATH; run 'npm ci' beside package.json"
    )
