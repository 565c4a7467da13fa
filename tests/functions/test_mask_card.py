"""The Ruby example, run by this machine's own Ruby as Lambda's runtime would call it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

HANDLER = Path(__file__).parents[2] / "functions" / "mask_card" / "handler.rb"
CALL = "puts JSON.generate(handler(event: JSON.parse(ARGV.fetch(0)), context: nil))"
RUBY = shutil.which("ruby") or "ruby"
pytestmark = pytest.mark.skipif(shutil.which("ruby") is None, reason="this machine has no Ruby")


def call(event: object) -> subprocess.CompletedProcess[str]:
    command = [RUBY, "-r", "json", "-r", str(HANDLER), "-e", CALL, json.dumps(event)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("4111 1111-1111 1111", "************1111"),
        ("123456789012", "********9012"),
        ("1234567890123456789", "***************6789"),
    ],
)
def test_all_but_the_last_four_digits_are_masked(number: str, masked: str) -> None:
    assert json.loads(call({"number": number}).stdout) == {"number": masked}


@pytest.mark.parametrize("number", ["12345678901", "12345678901234567890", "4111 1111 1111 111x", ""])
def test_what_is_no_card_number_is_refused(number: str) -> None:
    done = call({"number": number})
    assert done.returncode == 1
    assert "number is no card number: allowed are 12-19 digits (ArgumentError)" in done.stderr
