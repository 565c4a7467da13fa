"""The drivers of the database examples, packaged for each architecture and imported by a Python of it."""

import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_lambda as lambda_

from lambda_patterns.constructs.python_package import python_package
from tests.packaging.foreign_python import Interpreter, UnavailableError, foreign_python, other_machine

pytestmark = [pytest.mark.e2e, pytest.mark.cdk, pytest.mark.timeout(600)]
FUNCTIONS = Path(__file__).parents[2] / "functions"
ARCHITECTURES = {"x86_64": lambda_.Architecture.X86_64, "aarch64": lambda_.Architecture.ARM_64}
IMPORT = """
import json, platform, sys
sys.path.insert(0, sys.argv[1])
import psycopg, psycopg_binary
parsed = {option.keyword.decode(): option.val for option in psycopg.pq.Conninfo.parse(b"host=orders")}
print(json.dumps({
    "machine": platform.machine(),
    "driver": psycopg.pq.__impl__,
    "host": parsed["host"].decode(),
    "places": sorted({module.__file__.removeprefix(sys.argv[1]).split("/")[1]
                      for module in (psycopg, psycopg_binary, psycopg_binary._psycopg)}),
    "extension": psycopg_binary._psycopg.__file__.rpartition(".cpython-")[2],
}))
"""


def imported(interpreter: Interpreter, example: str, machine: str) -> subprocess.CompletedProcess[str]:
    runtime = lambda_.Runtime(f"python{interpreter.version}", lambda_.RuntimeFamily.PYTHON)
    package = python_package(FUNCTIONS / example, runtime=runtime, architecture=ARCHITECTURES[machine])
    command = (*interpreter.command, "-c", IMPORT, str(package.path))
    return subprocess.run(command, check=False, capture_output=True, text=True)


def shown(interpreter: Interpreter, machine: str) -> dict[str, Any]:
    tag = f"{interpreter.version.replace('.', '')}-{machine}-linux-gnu.so"
    return {
        "machine": machine,
        "driver": "binary",
        "host": "orders",
        "places": ["psycopg", "psycopg_binary"],
        "extension": tag,
    }


@pytest.fixture(scope="module")
def foreign(request: pytest.FixtureRequest) -> Interpreter:
    assert request.config.cache is not None
    try:
        return foreign_python(other_machine(), request.config.cache.mkdir("foreign-python"))
    except UnavailableError as reason:
        pytest.skip(str(reason))


EXAMPLES = pytest.mark.parametrize("example", ["query_orders", "prepare_database"])


@pytest.mark.skipif(sys.platform != "linux", reason="this machine is no Linux, for which the packages are")
@EXAMPLES
def test_the_package_for_this_architecture_is_imported_here(example: str) -> None:
    machine = platform.machine()
    own = Interpreter((sys.executable, "-I", "-B"), f"{sys.version_info.major}.{sys.version_info.minor}")
    done = imported(own, example, machine)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == shown(own, machine)


@EXAMPLES
def test_the_package_for_the_other_architecture_is_imported_by_a_python_of_it(
    foreign: Interpreter, example: str
) -> None:
    machine = other_machine()
    done = imported(foreign, example, machine)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == shown(foreign, machine)


def test_the_package_of_one_architecture_is_of_no_use_to_the_other(foreign: Interpreter) -> None:
    done = imported(foreign, "query_orders", platform.machine())
    assert done.returncode == 1
    assert "couldn't import psycopg 'binary' implementation" in done.stderr


@pytest.mark.parametrize("example", ["query_mysql_orders", "prepare_mysql"])
def test_the_mysql_driver_is_one_package_for_both_architectures(example: str) -> None:
    made = [python_package(FUNCTIONS / example, architecture=each) for each in ARCHITECTURES.values()]
    assert made[0] == made[1]
    assert made[0].parts[0][0] == "pymysql"
    assert not list(made[0].path.rglob("*.so"))
