"""What is called wrongly is answered in one line on standard error, with exit code 2."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_patterns.cli import main

COMMAND = (sys.executable, "-c", "from lambda_patterns.cli import main; main()")


def answer(call: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["lambda-patterns", *call.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capsys.readouterr()
    assert shown.out == ""
    return int(ended.value.code or 0), shown.err


@pytest.mark.parametrize(
    ("call", "line"),
    [
        ("chekc", "No such command 'chekc'"),
        ("check --quotas mine", "'mine' is not one of 'default', 'new-account'."),
        ("check gone.yaml", "gone.yaml: cannot be read: No such file or directory"),
        ("compare-paths --zones two", "Invalid value for '--zones': 'two' is not a valid integer."),
        ("cost", "Missing argument 'TEMPLATE'."),
        ("cost gone.yaml", "gone.yaml: cannot be read: No such file or directory"),
        ("trace template.yaml", "Missing argument 'SOURCE'."),
        ("trace template.yaml F internet --region Seoul", "--region is 'Seoul', no Region's name"),
        ("local start --region Seoul", "--region is 'Seoul', no Region's name"),
        ("local start --port 0 --retry-seconds nan", "retry_seconds is nan: a wait is 0 seconds or more"),
        (
            "tune F --payload /dev/null --region s",
            "--payload: /dev/null is no JSON: Expecting value: line 1 column 1 (char 0)",
        ),
    ],
)
def test_a_wrong_call_is_answered_in_one_line(
    call: str, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, shown = answer(call, monkeypatch, capsys)
    assert code == 2
    assert shown.startswith("lambda-patterns: ")
    assert line in shown
    assert shown.count("\n") == 1


def test_a_command_of_commands_without_one_shows_what_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, shown = answer("failures", monkeypatch, capsys)
    assert code == 2
    assert "Commands:" in shown


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


def test_letters_that_a_terminal_does_not_know_are_written_as_their_numbers(tmp_path: Path) -> None:
    template = tmp_path / "template.json"
    acknowledged = {"Rule": "timeout-out-of-range", "Reason": "서울"}
    function = {
        "Type": "AWS::Lambda::Function",
        "Metadata": {"LambdaPatterns": {"Acknowledge": [acknowledged]}},
        "Properties": {"Timeout": 901},
    }
    template.write_text(json.dumps({"Resources": {"F": function}}), encoding="utf-8")
    call = ["check", "--only", "timeout-out-of-range", str(template)]
    latin = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    ran = subprocess.run([*COMMAND, *call], env=latin, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "\\uc11c\\uc6b8" in ran.stdout
