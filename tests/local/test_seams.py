"""What we use of MiniStack is listed, all of it and no more, and its absence is one clear line."""

import ast
import importlib
import socket
from collections import defaultdict
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local import ministack, server
from lambda_patterns.local.settings import Settings

FOLDER = Path(ministack.__file__).parent


def used() -> dict[str, set[str]]:
    """Find `name = module("services.x")`, then every `name.attribute`; and `module("app").app` at once."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in FOLDER.rglob("*.py"):
        tree = ast.parse(path.read_text())
        names: dict[str, str] = {}
        for node in ast.walk(tree):
            match node:
                case ast.Assign(
                    targets=[ast.Name(id=name)],
                    value=ast.Call(func=ast.Name(id="module"), args=[ast.Constant(value=str(source))]),
                ):
                    names[name] = source
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in names:
                    found[names[name]].add(attribute)
                case ast.Attribute(
                    value=ast.Call(
                        func=ast.Attribute(attr="module") | ast.Name(id="module"),
                        args=[ast.Constant(value=str(source))],
                    ),
                    attr=attribute,
                ):
                    found[source].add(attribute)
    return found


def test_every_name_that_is_used_is_checked_and_no_other() -> None:
    expected = used()
    for service in ("cloudwatch", "ec2", "eventbridge", "rds", "s3", "secretsmanager"):
        expected[f"services.{service}"].add("handle_request")  # by the table of lambda_patterns.local.api
    assert {name: set(attributes) for name, attributes in ministack.SEAMS.items()} == expected


def test_the_installed_ministack_has_every_seam() -> None:
    ministack.check()


def test_a_missing_seam_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(importlib.import_module("ministack.services.sqs"), "_collect_msgs")
    with pytest.raises(LambdaPatternsError) as error:
        ministack.check()
    assert str(error.value) == (
        "ministack 1.5.33 has no services.sqs._collect_msgs; pip install 'ministack==1.5.33'"
    )


def test_another_version_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda _name: "1.6.0")
    with pytest.raises(LambdaPatternsError) as error:
        ministack.check()
    assert str(error.value) == (
        "ministack is 1.6.0: the embedded AWS adds to the inner parts of 1.5.33 alone; "
        "pip install 'ministack==1.5.33'"
    )


def test_without_ministack_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", absent)
    with pytest.raises(LambdaPatternsError, match=r"pip install 'lambda-patterns\[local\]'"):
        ministack.check()


def test_the_server_says_what_is_wrong_in_one_line_and_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise LambdaPatternsError("ministack 1.5.33 has no services.sqs._collect_msgs")

    monkeypatch.setattr(ministack, "check", refuse)
    with socket.socket() as listener, pytest.raises(SystemExit) as ended:
        server.serve(listener, Settings())
    assert ended.value.code == 2
    assert capsys.readouterr().out == "ministack 1.5.33 has no services.sqs._collect_msgs\n"
