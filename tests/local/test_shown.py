"""What people read of an embedded AWS says how to reach it from their own shell, and what it is not."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from lambda_patterns.local import programme, show
from lambda_patterns.local.background import Running
from lambda_patterns.local.connection import Connection
from lambda_patterns.local.proof import Proved


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=80)


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_shell_that_finds_none_of_the_programs_is_told_their_folders(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "node_modules" / ".bin"
    folder.mkdir(parents=True)
    (folder / "cdk").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", "/my tools/bin/python")
    monkeypatch.setattr(show, "node_binary", lambda: Path("/node/bin/node"))
    show.how_to_use(console, Connection("http://127.0.0.1:1", "us-east-1"))
    assert f"\n  export PATH=/node/bin:'/my tools/bin':{folder}:$PATH\n" in said(console)


def test_a_shell_that_finds_them_all_keeps_its_path(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("node", "cdk", "lambda-patterns"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    show.how_to_use(console, Connection("http://127.0.0.1:1", "us-east-1"))
    assert "PATH=" not in said(console)
    assert "  export AWS_ENDPOINT_URL=http://127.0.0.1:1\n" in said(console)


def test_what_is_not_what_it_seems_takes_one_line_each(console: Console) -> None:
    long = "A" * 80
    show.not_what_it_seems(
        console,
        [{"Type": "AWS::Budgets::Budget", "LogicalId": long, "Stack": "Shop"}],
        ["F: python3.14 runs on Python 3.11", "G: python3.14 runs on Python 3.11"],
    )
    assert said(console).splitlines() == [
        "",
        "recorded only, nothing is behind it here:",
        f"  AWS::Budgets::Budget {long} (Shop)",
        "",
        "functions on another version than they ask for:",
        "  2: python3.14 runs on Python 3.11",
    ]


def test_a_proxy_that_has_no_pool_here_says_so(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    databases = [
        {"Database": "orders", "Address": "127.3.2.1:5432"},
        {"Proxy": "pooled", "Address": "127.3.2.2:5432", "Pool": "pgbouncer"},
        {"Proxy": "bare", "Address": "127.3.2.3:5432", "Pool": "none"},
    ]
    answer = {"peakMemoryMiB": 90, "retrySeconds": 1.0, "ministack": "1", "python": "3.11.7"}
    nothing = {"recordedOnly": [], "otherRuntime": [], "databases": databases}
    monkeypatch.setattr(Connection, "status", lambda _self: {**answer, **nothing})
    running = Running(pid=1, port=4566, folder="/f", region="us-east-1", started=0.0)
    show.status(console, running, responds=True)
    told = " ".join(said(console).split())
    assert "database orders, at 127.3.2.1:5432 proxy pooled, at 127.3.2.2:5432 proxy bare" in told
    assert "bare, at 127.3.2.3:5432, without a pool: each client has a connection of its own" in told


def test_what_is_proved_takes_one_line_each_in_80_columns(console: Console) -> None:
    function, through = "NatInstance/RecordEgressAddress", "through NAT instance, internet gateway"
    rows = [("internet", "reached", through, True), ("s3", "blocked", "no route leads to s3", False)]
    proved = [
        Proved(function=function, target=target, verdict=verdict, how=how, needed=needed)
        for target, verdict, how, needed in rows
    ]
    programme.summary(console, programme.Result(proved=proved), 1.0, 1.0)
    lines = [line.rstrip() for line in said(console).splitlines()]
    start = lines.index(function)
    assert lines[start + 1 : start + 3] == [
        "  internet                       reached through NAT instance, internet gateway",
        "  s3 (not needed)                blocked: no route leads to s3",
    ]


def test_a_narrow_terminal_cuts_no_name_that_is_proved() -> None:
    console = Console(file=io.StringIO(), width=30)
    names = "Database/QueryOrdersOfCustomers", "Database/Orders/Proxy:5432"
    proved = Proved(function=names[0], target=names[1], verdict="reached", how="through proxy", needed=True)
    programme.summary(console, programme.Result(proved=[proved]), 1.0, 1.0)
    told = "".join(said(console).split())
    assert names[0] in told
    assert "..." not in told
    assert "\u2026" not in told
