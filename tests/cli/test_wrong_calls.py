"""What is called wrongly is answered in one line on standard error, with exit code 2."""

import subprocess
import sys
from pathlib import Path

import pytest

from lambda_patterns.cli import main


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


@pytest.mark.parametrize(
    ("call", "missing", "extra"),
    [
        ("failures list orders", "boto3", "redrive"),
        ("failures list orders", "rich", "redrive"),
        ("tune orders --payload {payload}", "boto3", "redrive"),
        ("tune orders --payload {payload}", "botocore", "redrive"),
        ("local status", "psutil", "local"),
    ],
)
def test_what_is_not_installed_is_named_with_the_extra_that_brings_it(
    call: str, missing: str, extra: str, tmp_path: Path
) -> None:
    payload = tmp_path / "event.json"
    payload.write_text("{}")
    hidden = f"""
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {missing!r}:
            raise ModuleNotFoundError(name=name)
sys.meta_path.insert(0, Hidden())
from lambda_patterns.cli import main
main()
"""
    words = call.format(payload=payload).split()
    ran = subprocess.run([sys.executable, "-c", hidden, *words], capture_output=True, text=True, check=False)
    line = f"lambda-patterns: {missing} is not installed: pip install 'lambda-patterns[{extra}]'\n"
    assert (ran.returncode, ran.stderr) == (2, line)
