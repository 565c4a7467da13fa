"""The examples as they are packaged, deployed and invoked: Python, Node.js, the OS-only runtime."""

import io
import json
import platform
import shutil
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_lambda as lambda_

from lambda_patterns.constructs.built_package import built_package
from lambda_patterns.constructs.package import Package, directory_package
from lambda_patterns.constructs.python_package import python_package
from stacks.builds import BUILDS
from stacks.handlers import FUNCTIONS

pytestmark = [pytest.mark.e2e, pytest.mark.cdk]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMBDA_PATTERNS_CACHE", str(tmp_path / "cache"))


def deploy(workshop: Any, package: Package, runtime: str, handler: str) -> str:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for path in sorted(package.path.rglob("*")):
            file.write(path, path.relative_to(package.path))
    name: str = workshop.lam.create_function(
        FunctionName=workshop.name("packaged"),
        Runtime=runtime,
        Handler=handler,
        Role="arn:aws:iam::000000000000:role/functions",
        Code={"ZipFile": content.getvalue()},
        Timeout=20,
    )["FunctionName"]
    return name


def invoke(workshop: Any, name: str, event: object) -> Any:
    answer = workshop.lam.invoke(FunctionName=name, Payload=json.dumps(event))
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload


def test_a_python_function_runs_with_the_dependencies_of_its_lock_file(workshop: Any, tmp_path: Path) -> None:
    """The embedded AWS runs the machine's own Python, so the package is made for that one."""
    root = tmp_path / "function"
    root.mkdir()
    shutil.copy(FUNCTIONS / "query_orders" / "requirements.txt", root)
    (root / "handler.py").write_text(
        "import psycopg\n\n\ndef handler(event, context):\n    return {'driver': psycopg.pq.__impl__}\n",
        encoding="utf-8",
    )
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    arm = platform.machine() in ("aarch64", "arm64")
    package = python_package(
        root,
        runtime=lambda_.Runtime(version, lambda_.RuntimeFamily.PYTHON),
        architecture=lambda_.Architecture.ARM_64 if arm else lambda_.Architecture.X86_64,
    )
    assert package.parts[0][0] == "psycopg_binary.libs"
    name = deploy(workshop, package, version, "handler.handler")
    assert invoke(workshop, name, {}) == {"driver": "binary"}


def test_the_node_example_settles_a_batch_and_reports_the_order_that_it_cannot_settle(workshop: Any) -> None:
    name = deploy(workshop, directory_package(FUNCTIONS / "settle_orders"), "nodejs24.x", "handler.handler")
    good = {"messageId": "1", "body": json.dumps({"id": "a", "lines": [{"quantity": 2, "price": "3.50"}]})}
    bad = {"messageId": "2", "body": json.dumps({"id": "b", "lines": [{"quantity": 1, "price": "free"}]})}
    assert invoke(workshop, name, {"Records": [good, bad]}) == {
        "batchItemFailures": [{"itemIdentifier": "2"}]
    }


def os_only(name: str, made: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """An example of the OS-only runtime for this machine: built here, or as it was kept."""
    root, build = tmp_path / name, BUILDS[name]
    shutil.copytree(FUNCTIONS / name, root, ignore=shutil.ignore_patterns("target", "build"))
    if made == "kept":
        if platform.machine() != "x86_64":
            pytest.skip(f"what is kept runs on x86_64, and this machine is {platform.machine()}")
        with monkeypatch.context() as machine:
            machine.setenv("PATH", "")
            return built_package(root, **build)
    if shutil.which(build["command"][0]) is None:
        pytest.skip(f"this machine has no {build['command'][0]}")
    here = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    return built_package(
        root,
        command=build["command"],
        output=build["output"],
        environment={**build.get("environment", {}), "GOARCH": here},
    )


@pytest.mark.parametrize("made", ["built", "kept"])
def test_the_rust_example_answers_with_the_checksum_of_its_event(
    workshop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str
) -> None:
    package = os_only("checksum_event", made, tmp_path, monkeypatch)
    assert [name for name, _ in package.parts] == ["bootstrap"]
    name = deploy(workshop, package, "provided.al2023", "bootstrap")
    for event in ({"order": 17}, {"order": "é" * 2000}):
        sent = json.dumps(event).encode()
        assert invoke(workshop, name, event) == {"bytes": len(sent), "crc32": f"{zlib.crc32(sent):08x}"}


@pytest.mark.parametrize("made", ["built", "kept"])
def test_the_go_example_counts_words_and_refuses_what_is_no_text(
    workshop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str
) -> None:
    package = os_only("count_words", made, tmp_path, monkeypatch)
    assert [name for name, _ in package.parts] == ["bootstrap"]
    name = deploy(workshop, package, "provided.al2023", "bootstrap")
    assert invoke(workshop, name, {"text": "one  two\nthree"}) == {"words": 3}
    assert invoke(workshop, name, {"text": "wörd " * 2000}) == {"words": 2000}
    failed = workshop.lam.invoke(FunctionName=name, Payload=json.dumps({"text": 17}))
    assert failed["FunctionError"] == "Unhandled"
    assert json.loads(failed["Payload"].read())["errorType"] == "InvalidEvent"


@pytest.mark.parametrize(
    ("architecture", "machine"),
    [(lambda_.Architecture.ARM_64, "aarch64"), (lambda_.Architecture.X86_64, "x86_64")],
    ids=["arm64", "x86_64"],
)
@pytest.mark.parametrize("example", ["query_orders", "prepare_database"])
def test_the_database_examples_hold_the_driver_of_the_functions_platform_alone(
    example: str, architecture: lambda_.Architecture, machine: str
) -> None:
    package = python_package(
        FUNCTIONS / example, runtime=lambda_.Runtime.PYTHON_3_14, architecture=architecture
    )
    extensions = sorted(package.path.glob("psycopg_binary/*.so"))
    assert {found.name.split(".", 1)[1] for found in extensions} == {f"cpython-314-{machine}-linux-gnu.so"}
    libraries = [*extensions, *package.path.glob("psycopg_binary.libs/*")]
    assert len(libraries) > len(extensions) > 0
    # the ELF header's machine: 62 is x86-64, 183 is AArch64 (https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html)
    machines = {int.from_bytes(found.read_bytes()[18:20], "little") for found in libraries}
    assert machines == {{"x86_64": 62, "aarch64": 183}[machine]}
