"""What tuning writes down before it changes a function, so that a later call can restore it."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from lambda_patterns.cli.tuning.versions import TunedFunction

ARN = "arn:aws:lambda:us-east-1:123456789012:function:orders"


class Lambda:
    """A client that knows one function, and takes no change of it."""

    def get_function_configuration(self, **_named: Any) -> dict[str, Any]:
        return {"FunctionArn": ARN, "MemorySize": 512}


@pytest.mark.parametrize(
    "written", ["", '{"function": "arn:aws:lambda:us-', '{"function": "orders", "memory']
)
def test_half_a_journal_is_of_a_call_that_had_changed_nothing(
    written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAMBDA_PATTERNS_CACHE", str(tmp_path))
    client: Any = Lambda()
    function = TunedFunction(client, "orders")
    (tmp_path / "tune").mkdir()
    journal = tmp_path / "tune" / f"{sha256(ARN.encode()).hexdigest()}.json"
    journal.write_text(written)
    assert function.recover() is None
    assert not journal.exists()
