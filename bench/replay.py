"""Replay throughput beside the endpoint's own limit: the same calls, made raw, in the same run.

Three loads, each measured as raw calls and as a replay of the same messages, with the same number of threads:
- queue: receive ten, send ten, delete ten, which is what bringing a dead-letter queue back costs;
- function: receive ten, invoke ten times, delete ten, which is what replaying failure records costs;
- look: receive ten, make ten visible, which is what `failures list` costs.
Beside the queue load stands phoenix-letter, a tool that moves one queue into another, from its start to its
end. It can do nothing else of this: none that was found (sqs-mover, dlq-redeem, replay-aws-dlq, AWS's own
move task) reads a failure record, so none can replay one to its function.
Budget: at least 500 messages a second where the endpoint can, AWS's own move task doing 500; the ratio says
how much of the endpoint's limit the replay reaches. Client and endpoint share this machine.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from bench.peers import programs
from lambda_patterns.local.embedded import EmbeddedAws
from lambda_patterns.redrive.aws import Aws
from lambda_patterns.redrive.delivery import Delivery
from lambda_patterns.redrive.filters import Filter
from lambda_patterns.redrive.queue import Queue
from lambda_patterns.redrive.replay import Plan, Run, look, replay
from lambda_patterns.redrive.sources import KnownSources

if TYPE_CHECKING:
    from collections.abc import Callable

HANDS = 16
RUNS = 3
PEER_MESSAGES = 3_000
MINE = Path(sys.executable).parent / "lambda-patterns"
MESSAGES = {"queue": 6_000, "function": 1_000, "look": 6_000}
CODE = "def handler(event, context):\n    return None\n"


class Bench:
    """One embedded AWS, with a failure queue, a work queue and a function."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.failures = self._queue("failures")
        self.work = self._queue("work")
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("index.py", CODE)
        created = aws.lambda_.create_function(
            FunctionName="nothing",
            Runtime="python3.11",
            Handler="index.handler",
            Role="arn:aws:iam::000000000000:role/bench",
            Code={"ZipFile": buffer.getvalue()},
        )
        self.function = created["FunctionArn"]

    def _queue(self, name: str) -> Queue:
        return Queue(self.aws.sqs, self.aws.sqs.create_queue(QueueName=name)["QueueUrl"])

    def arrived(self) -> int:
        """Count what is in the work queue now; a queue remembers what it was when it was opened."""
        return Queue(self.aws.sqs, self.work.url).depth.total

    def fill(self, load: str) -> int:
        """Empty both queues and put the messages in."""
        for queue in (self.failures, self.work):
            self.aws.sqs.purge_queue(QueueUrl=queue.url)
        number = MESSAGES[load]
        bodies = [self._body(load, index) for index in range(number)]

        def send(start: int) -> None:
            part = enumerate(bodies[start : start + 10])
            entries: Any = [{"Id": str(index), "MessageBody": body} for index, body in part]
            self.aws.sqs.send_message_batch(QueueUrl=self.failures.url, Entries=entries)

        with ThreadPoolExecutor(HANDS) as pool:
            list(pool.map(send, range(0, number, 10)))
        return number

    def _body(self, load: str, index: int) -> str:
        event = {"id": index, "text": "x" * 500}
        if load != "function":
            return json.dumps(event)
        context = {"functionArn": self.function, "condition": "RetriesExhausted", "approximateInvokeCount": 3}
        return json.dumps({"requestContext": context, "requestPayload": event})

    def raw(self, load: str) -> None:
        """Make the calls that the load needs, and nothing else."""

        def hand(_number: int) -> None:
            sqs, url = self.aws.sqs, self.failures.url
            while True:
                answer = sqs.receive_message(
                    QueueUrl=url,
                    MaxNumberOfMessages=10,
                    WaitTimeSeconds=1,
                    VisibilityTimeout=300,
                    MessageSystemAttributeNames=["All"],
                )
                messages = answer.get("Messages", [])
                if not messages:
                    return
                handles = [(str(i), m["ReceiptHandle"]) for i, m in enumerate(messages)]
                if load == "look":
                    seen.extend(handle for _, handle in handles)
                    continue
                if load == "queue":
                    entries: Any = [{"Id": str(i), "MessageBody": m["Body"]} for i, m in enumerate(messages)]
                    sqs.send_message_batch(QueueUrl=self.work.url, Entries=entries)
                else:
                    for message in messages:
                        event = json.dumps(json.loads(message["Body"])["requestPayload"]).encode()
                        asked: Any = {"FunctionName": self.function, "InvocationType": "Event"}
                        self.aws.lambda_.invoke(**asked, Payload=event)
                gone: Any = [{"Id": name, "ReceiptHandle": handle} for name, handle in handles]
                sqs.delete_message_batch(QueueUrl=url, Entries=gone)

        seen: list[str] = []
        with ThreadPoolExecutor(HANDS) as pool:
            list(pool.map(hand, range(HANDS)))

            def release(start: int) -> None:
                part = enumerate(seen[start : start + 10])
                entries: Any = [{"Id": str(i), "ReceiptHandle": h, "VisibilityTimeout": 0} for i, h in part]
                self.aws.sqs.change_message_visibility_batch(QueueUrl=self.failures.url, Entries=entries)

            list(pool.map(release, range(0, len(seen), 10)))

    def ours(self, load: str) -> None:
        """Do the same with what the command line uses."""
        store = Queue(self.aws.sqs, self.failures.url)
        run = Run(Filter(), hands=HANDS)
        if load == "look":
            report = look(store, run, lambda _message, _record: None)
        else:
            plan = Plan(KnownSources(known_queues=(self.work.arn,)))
            report = replay(store, plan, Delivery(self.aws), run)
        assert report.accepted.total() == MESSAGES[load], report
        assert report.is_clean, report


def _peer(bench: Bench) -> float:
    """Give messages a second of phoenix-letter, its start included."""
    number = MESSAGES["queue"] = PEER_MESSAGES
    bench.fill("queue")
    command = [programs() / "phoenix_letter", "--src", bench.failures.name, "--dst", bench.work.name]
    asked = ["--region", bench.aws.region, "--max", str(number)]
    started = time.perf_counter()
    # It ends with the number of its reason to stop; whether all were moved is asked of the queue.
    subprocess.run([*command, *asked], check=False, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - started
    assert bench.arrived() == number, "it has moved everything"
    return number / seconds


def _rate(bench: Bench, load: str, work: Callable[[str], None]) -> float:
    number = bench.fill(load)
    started = time.perf_counter()
    work(load)
    # Both end with every hand waiting a second for a message that does not come; that is nobody's work.
    return number / (time.perf_counter() - started - 1.0)


def _alone(bench: Bench) -> float:
    """Give the seconds that `lambda-patterns failures replay` takes for the same, as a command."""
    bench.fill("queue")
    replay_ = [
        "failures",
        "replay",
        f"queue:{bench.failures.name}",
        "--to",
        f"queue:{bench.work.name}",
        "--yes",
    ]
    started = time.perf_counter()
    subprocess.run([MINE, *replay_], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - started
    assert bench.arrived() == PEER_MESSAGES, "it has moved everything"
    return seconds


def _peak_memory(bench: Bench, number: int) -> int:
    """Measure the most memory that Python holds while replaying `number` messages, in KiB above the start."""
    MESSAGES["queue"], kept = number, MESSAGES["queue"]
    bench.fill("queue")
    tracemalloc.start()
    bench.ours("queue")
    peak = tracemalloc.get_traced_memory()[1] // 1024
    tracemalloc.stop()
    MESSAGES["queue"] = kept
    return peak


def main() -> None:
    """Measure and print."""
    with EmbeddedAws() as embedded:
        os.environ.update(embedded.variables())
        bench = Bench(Aws(endpoint_url=embedded.endpoint, region=embedded.region, connections=HANDS + 2))
        table = Table(title=f"messages a second, median of {RUNS}, {HANDS} threads, {os.cpu_count()} cores")
        for column in ("load", "messages", "raw calls", "replay", "replay / raw"):
            table.add_column(column, justify="right")
        for load in sys.argv[1:] or MESSAGES:
            pairs = [(_rate(bench, load, bench.raw), _rate(bench, load, bench.ours)) for _ in range(RUNS)]
            raw, ours = (statistics.median(values) for values in zip(*pairs, strict=True))
            ratio = statistics.median(ours / raw for raw, ours in pairs)
            table.add_row(load, f"{MESSAGES[load]:,}", f"{raw:,.0f}", f"{ours:,.0f}", f"{ratio:.2f}")
        before = MESSAGES["queue"]
        peer = _peer(bench)
        ours = PEER_MESSAGES / _alone(bench)
        MESSAGES["queue"] = before
        small, large = _peak_memory(bench, 1_000), _peak_memory(bench, 8_000)
        console = Console(width=110)
        console.print(table)
        console.print(
            f"{PEER_MESSAGES:,} messages from queue to queue, each as a command, start included: "
            f"phoenix-letter {peer:,.0f}/s, `failures replay` {ours:,.0f}/s, {ours / peer:.1f} times as many"
        )
        console.print(f"memory while replaying: {small:,} KiB for 1,000 messages, {large:,} KiB for 8,000")


if __name__ == "__main__":
    main()
