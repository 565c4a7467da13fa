"""It runs beside others, and leaves no process and no folder, however its starter ends."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import psutil
import pytest

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.local import process
from lambda_patterns.local.embedded import EmbeddedAws
from lambda_patterns.local.settings import Settings

pytestmark = pytest.mark.e2e

# a program that starts one with a running function, says where its folder is, and waits
STARTER = """
import sys, time
sys.path.insert(0, {tests!r})
from conftest import Workshop
from lambda_patterns.local.embedded import EmbeddedAws
with EmbeddedAws() as aws:
    shop = Workshop(aws)
    shop.lam.invoke(FunctionName=shop.function(), Payload=b'"warm"')
    print(aws.server.pid, aws.server.folder, flush=True)
    {then}
"""


def started(then: str) -> subprocess.Popen[str]:
    code = textwrap.dedent(STARTER).format(tests=str(Path(__file__).parent), then=then)
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def group_members(group: int) -> list[str]:
    members = []
    for member in psutil.process_iter(["cmdline", "status"]):
        with contextlib.suppress(OSError):
            if os.getpgid(member.pid) == group and member.info["status"] != psutil.STATUS_ZOMBIE:
                members.append(" ".join(member.info["cmdline"] or ()))
    return members


@pytest.mark.parametrize(
    ("then", "kill"),
    [
        ("pass", None),
        ("raise SystemExit(3)", None),
        ("time.sleep(60)", signal.SIGINT),
        ("time.sleep(60)", signal.SIGTERM),
        ("time.sleep(60)", signal.SIGKILL),
    ],
    ids=["end", "exception", "ctrl-c", "terminated", "killed"],
)
def test_nothing_is_left_however_the_starter_ends(
    then: str, kill: signal.Signals | None, eventually: Any
) -> None:
    with started(then) as starter:
        assert starter.stdout is not None
        words = starter.stdout.readline().split()
        group, folder = int(words[0]), Path(words[1])
        if kill is not None:
            assert len(group_members(group)) >= 2, "the server and the function that it runs"
            starter.send_signal(kill)
        starter.communicate(timeout=120)
    eventually(lambda: not group_members(group))
    eventually(lambda: not folder.exists())


def test_two_run_side_by_side_and_know_nothing_of_each_other() -> None:
    with EmbeddedAws() as one, EmbeddedAws() as other:
        assert one.endpoint != other.endpoint
        one.client("sqs").create_queue(QueueName="orders")
        assert not other.client("sqs").list_queues().get("QueueUrls")


def test_it_listens_on_this_machine_alone(embedded_aws: EmbeddedAws) -> None:
    port = int(embedded_aws.endpoint.rsplit(":", 1)[1])
    outside = [
        address
        for *_rest, (address, *_more) in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET)
        if not address.startswith("127.")
    ]
    for address in outside:
        with socket.socket() as client, pytest.raises(OSError, match="refused"):
            client.connect((address, port))


def test_a_port_that_is_taken_is_said() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(LambdaPatternsError) as error, EmbeddedAws(Settings(port=port)):
            pass
    assert str(error.value) == (
        f"port {port} on 127.0.0.1 is taken by another program: give another one, or 0 to use a free one"
    )


def test_another_ministack_is_said_by_the_starter_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.metadata\nimportlib.metadata.version = lambda name: '1.6.0'\n"
    )
    environment = process.child_environment
    folders: list[Path] = []

    def with_other_version(folder: Path) -> dict[str, str]:
        folders.append(folder)
        return environment(folder) | {"PYTHONPATH": str(tmp_path)}

    monkeypatch.setattr(process, "child_environment", with_other_version)
    with pytest.raises(
        LambdaPatternsError, match=r"^ministack is 1\.6\.0: .* pip install 'ministack==1\.5\.33'$"
    ):
        EmbeddedAws().__enter__()
    assert not folders[0].exists()


def test_reset_forgets_everything() -> None:
    with EmbeddedAws() as aws:
        aws.client("sqs").create_queue(QueueName="orders")
        aws.reset()
        assert not aws.client("sqs").list_queues().get("QueueUrls")


def test_outside_the_block_it_says_that_it_does_not_run() -> None:
    with pytest.raises(LambdaPatternsError, match="the embedded AWS is not running"):
        _ = EmbeddedAws().endpoint


@pytest.fixture
def local(tmp_path: Path) -> Any:
    """Run `lambda-patterns local` with a runtime folder of its own; ends what a test leaves running."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).parent / "lambda-patterns", "local", *arguments],
            env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "COLUMNS": "40"},
            capture_output=True,
            text=True,
            check=False,
        )

    yield run
    for file in (tmp_path / "lambda-patterns").glob("*.json"):
        run("stop", "--port", file.stem)


def test_start_status_reset_stop(local: Any, tmp_path: Path, eventually: Any) -> None:
    begun = local("start", "--port", "0")
    assert begun.returncode == 0, begun.stderr
    found = re.search(r"export AWS_ENDPOINT_URL=(http://127\.0\.0\.1:(\d+))", begun.stdout)
    assert found is not None
    kept = json.loads((tmp_path / "lambda-patterns" / f"{found[2]}.json").read_text())
    shown = local("status").stdout
    assert found[1] in shown
    assert "answers" in shown
    assert local("reset").stdout == f"the embedded AWS on port {found[2]} is empty\n"
    again = local("start", "--port", found[2])
    assert again.returncode == 2
    assert again.stderr == (
        f"lambda-patterns: an embedded AWS runs on port {found[2]} already (process {kept['pid']}): use it, "
        f"end it with 'lambda-patterns local stop --port {found[2]}', or start another with --port\n"
    )
    assert local("stop").stdout == f"the embedded AWS on port {found[2]} has ended\n"
    assert not Path(kept["folder"]).exists()
    assert not (tmp_path / "lambda-patterns").exists()
    eventually(lambda: not group_members(kept["pid"]))


def test_without_one_every_command_says_how_to_start_one(local: Any) -> None:
    for name in ("status", "stop", "reset"):
        ended = local(name)
        assert ended.returncode == 2
        assert ended.stderr == (
            "lambda-patterns: no embedded AWS runs: start one with 'lambda-patterns local start'\n"
        )


def test_with_several_a_port_has_to_say_which(local: Any) -> None:
    local("start", "--port", "0")
    local("start", "--port", "0")
    ended = local("stop")
    assert ended.returncode == 2
    assert re.fullmatch(
        r"lambda-patterns: several embedded AWS run, on ports \d+, \d+: say which with --port\n", ended.stderr
    )


def test_a_file_of_one_that_is_gone_is_no_hindrance(local: Any, tmp_path: Path) -> None:
    begun = local("start", "--port", "0").stdout
    port = begun.split("--port ")[1].split()[0]
    kept = json.loads((tmp_path / "lambda-patterns" / f"{port}.json").read_text())
    os.killpg(kept["pid"], signal.SIGKILL)
    assert local("status").returncode == 2
    assert not Path(kept["folder"]).exists()
    assert local("start", "--port", port).returncode == 0
