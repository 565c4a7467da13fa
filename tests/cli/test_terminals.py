"""Where the command line writes to: a full disk, a closed pipe, a terminal with few letters or colours."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

TIMEOUT = {"Type": "AWS::Lambda::Function", "Properties": {"Timeout": 901}}
REASON = {"Rule": "timeout-out-of-range", "Reason": "서울"}
ACKNOWLEDGED = {**TIMEOUT, "Metadata": {"LambdaPatterns": {"Acknowledge": [REASON]}}}
CHECK = ("check", "--only", "timeout-out-of-range", "-")
COMMAND = (sys.executable, "-c", "from lambda_patterns.cli import main; main()")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the machine has no /dev/full")
def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run([*COMMAND, "rules"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (
        2,
        "lambda-patterns: standard output: No space left on device\n",
    )


@pytest.mark.parametrize("call", ["rules", "--version"])
def test_a_pipe_that_nobody_reads_any_more_ends_the_command_without_a_word(call: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run([*COMMAND, call], stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (1, "")


def test_letters_that_a_terminal_does_not_know_are_written_as_their_numbers() -> None:
    latin = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    given = json.dumps({"Resources": {"F": ACKNOWLEDGED}})
    ran = subprocess.run(
        [*COMMAND, *CHECK], input=given, env=latin, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "\\uc11c\\uc6b8" in ran.stdout


@pytest.mark.parametrize(
    ("asked", "coloured"), [({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False)]
)
def test_a_terminal_is_coloured_unless_no_color_is_set(asked: dict[str, str], coloured: bool) -> None:
    reading, terminal = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | asked
    subprocess.run(
        [*COMMAND, *CHECK],
        input=json.dumps({"Resources": {"F": TIMEOUT}}).encode(),
        stdout=terminal,
        env=environment,
        check=False,
    )
    os.close(terminal)
    shown = os.read(reading, 100)
    os.close(reading)
    assert (b"\x1b[" in shown) is coloured
