"""Tuning a function on the embedded AWS: logic only, because its times are those of this machine."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e


@pytest.fixture
def payload(tmp_path: Path) -> Path:
    file = tmp_path / "event.json"
    file.write_text(json.dumps({"order": 17}), encoding="utf-8")
    return file


@pytest.fixture
def tune(workshop: Any, tmp_path: Path) -> Any:
    """Start the command in a process of its own, because it handles signals."""

    def started(*arguments: object) -> subprocess.Popen[str]:
        code = "import sys; from lambda_patterns.cli import main; sys.argv[0] = 'lambda-patterns'; main()"
        return subprocess.Popen(
            [sys.executable, "-c", code, "tune", *map(str, arguments)],
            env={**workshop.aws.environment(), "LAMBDA_PATTERNS_CACHE": str(tmp_path / "cache")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return started


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=40)
    return process.returncode, out, err


def state(workshop: Any, name: str) -> tuple[int, list[str]]:
    memory = workshop.lam.get_function_configuration(FunctionName=name)["MemorySize"]
    versions = workshop.lam.list_versions_by_function(FunctionName=name)["Versions"]
    return memory, [each["Version"] for each in versions if each["Version"] != "$LATEST"]


def test_every_size_is_measured_and_the_function_keeps_its_own_and_its_versions(
    workshop: Any, tune: Any, payload: Path, tmp_path: Path
) -> None:
    name = workshop.function("tuned", MemorySize=300).rsplit(":", 1)[1]
    kept = workshop.lam.publish_version(FunctionName=name)["Version"]
    chart = tmp_path / "tune.svg"
    code, out, err = finished(
        tune(
            name,
            "--payload",
            payload,
            "--memory",
            "128,300,1024",
            "--runs",
            3,
            "--yes",
            "--json",
            "--chart",
            chart,
        )
    )
    assert code == 0, err
    found = json.loads(out)
    assert found["memory_now"] == 300
    assert [each["memory"] for each in found["sizes"]] == [128, 300, 1024]
    assert all(each["duration_ms"] > 0 and each["usd_per_million"] > 0 for each in found["sizes"])
    assert all(each["runs"] >= 3 for each in found["sizes"])
    assert {found["cheapest"], found["fastest"], found["balanced"]} <= {128, 300, 1024}
    assert state(workshop, name) == (300, [kept])
    assert chart.read_text(encoding="utf-8").startswith("<?xml")
    assert "this is no AWS: what is measured is this machine" in err


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_function_has_its_memory_again_and_no_version_is_left_after_an_interruption(
    workshop: Any, tune: Any, tmp_path: Path, end: signal.Signals
) -> None:
    name = workshop.function("interrupted", MemorySize=300, Timeout=20).rsplit(":", 1)[1]
    slow = tmp_path / "slow.json"
    slow.write_text(json.dumps({"sleep": 3}), encoding="utf-8")
    process = tune(name, "--payload", slow, "--memory", "128,256", "--runs", 50, "--yes")
    wait_for(lambda: len(state(workshop, name)[1]) == 2)
    process.send_signal(end)
    code, _, _ = finished(process)
    assert code != 0
    assert state(workshop, name) == (300, [])


def test_after_a_crash_the_next_call_restores_what_was_left_behind(
    workshop: Any, tune: Any, payload: Path, tmp_path: Path
) -> None:
    name = workshop.function("crashed", MemorySize=300, Timeout=20).rsplit(":", 1)[1]
    arn = workshop.lam.get_function_configuration(FunctionName=name)["FunctionArn"]
    crash = (
        "import os, sys; from lambda_patterns.cli.tuning.versions import TunedFunction as T\n"
        "from lambda_patterns.redrive.aws import Aws\n"
        "f = T(Aws(endpoint_url=os.environ['AWS_ENDPOINT_URL']).lambda_, sys.argv[1])\n"
        "f._client.get_waiter = lambda *a: os._exit(9)\n"
        "f.versions([128]).__enter__()\n"
    )
    died = subprocess.run(
        [sys.executable, "-c", crash, name],
        env={**workshop.aws.environment(), "LAMBDA_PATTERNS_CACHE": str(tmp_path / "cache")},
        check=False,
    )
    assert died.returncode == 9
    assert state(workshop, name)[0] == 128
    code, _, err = finished(tune(arn, "--payload", payload, "--memory", "512", "--runs", 1, "--yes"))
    assert code == 0, err
    assert f"an earlier call had ended early: {arn} has its 300 MB again" in err
    assert state(workshop, name) == (300, [])


def test_a_function_that_fails_is_not_run_again_and_its_error_is_told(
    workshop: Any, tune: Any, tmp_path: Path
) -> None:
    name = workshop.function("failing").rsplit(":", 1)[1]
    event = tmp_path / "event.json"
    event.write_text('{"order": "boom"}', encoding="utf-8")
    code, out, err = finished(tune(name, "--payload", event, "--memory", "128,256", "--yes"))
    assert (code, out) == (2, "")
    assert f"{name} failed at every memory size: OrderRefused: no such order" in err
    assert state(workshop, name)[1] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--memory", "64"), "--memory: memory is 64 MB, allowed are 128-10,240 MB"),
        (("--memory", "128,much"), "--memory: 'much' is no number of MB, like 128,256,512,1024,1769,3008"),
        (("--chart", "tune.gif"), "tune.gif: a chart is drawn into .png or .svg, not '.gif'"),
    ],
)
def test_arguments_that_make_no_sense_are_one_line_before_anything_is_invoked(
    tune: Any, payload: Path, arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = finished(tune("no-such-function", "--payload", payload, "--yes", *arguments))
    assert (code, out) == (2, "")
    assert err.startswith(f"lambda-patterns: {message}")
    assert err.count("\n") == 1


def test_a_payload_that_is_no_json_and_a_function_that_is_not_there_are_one_line(
    tune: Any, payload: Path
) -> None:
    code, _, err = finished(tune("no-such-function", "--payload", payload, "--yes"))
    assert (code, err) == (2, "lambda-patterns: there is no function 'no-such-function' in us-east-1\n")
    payload.write_text("{order: 17}", encoding="utf-8")
    code, _, err = finished(tune("no-such-function", "--payload", payload, "--yes"))
    assert code == 2
    assert err.startswith(f"lambda-patterns: --payload: {payload} is no JSON: Expecting property name")


@pytest.mark.parametrize("name", ["orders:live", "arn:aws:lambda:us-east-1:000000000000:function:orders:7"])
def test_an_alias_or_a_version_is_not_tuned(tune: Any, payload: Path, name: str) -> None:
    code, _, err = finished(tune(name, "--payload", payload, "--yes"))
    assert code == 2
    assert err == (
        f"lambda-patterns: {name!r} names an alias or version: "
        "give the function, whose versions are made here\n"
    )


def test_nothing_is_invoked_without_consent(workshop: Any, tune: Any, payload: Path) -> None:
    name = workshop.function("asked").rsplit(":", 1)[1]
    process = tune(name, "--payload", payload, "--memory", "128", "--runs", 4)
    _, err = process.communicate("n\n", timeout=60)
    assert process.returncode == 1
    assert f"function:{name} will be invoked 5 times with {payload}" in err
    assert workshop.metric("AWS/Lambda", "Invocations", FunctionName=name) == 0


def wait_for(look: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, f"nothing after {seconds} s"
        time.sleep(0.05)
