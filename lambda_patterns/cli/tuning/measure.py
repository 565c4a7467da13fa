"""Invoking each version with the payload: sizes at the same time, the runs of a size one after another."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import replace
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lambda_patterns.cli.tuning.measurement import Measurement, Run, parse_report
from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.redrive.aws import code, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_lambda import LambdaClient

_TRIES = 6
_ERROR_TEXT = 200


def measure(  # noqa: PLR0913  # what to invoke, with what, and how often
    client: LambdaClient,
    name: str,
    versions: Mapping[int, str],
    payload: bytes,
    *,
    runs: int,
    workers: int,
    done: Callable[[Measurement], None],
) -> list[Measurement]:
    """Measure every size; the first run of each starts an environment, so `runs` warm ones follow it.

    Args:
        client: a boto3 Lambda client that does not retry invocations.
        name: the function's name or ARN.
        versions: memory size -> version, or "!" and why there is none.
        payload: the event, JSON.
        runs: warm runs of each size.
        workers: sizes measured at the same time.
        done: called with each size as it is finished.

    Raises:
        LambdaPatternsError: an invocation is refused, or a function's log tail has no report.
    """
    waiting: SimpleQueue[tuple[int, str]] = SimpleQueue()
    answers: SimpleQueue[Measurement | Exception] = SimpleQueue()
    stop = Event()
    for each in versions.items():
        waiting.put(each)

    def work() -> None:
        while not stop.is_set():
            try:
                size, version = waiting.get_nowait()
                answers.put(_measure_one(client, name, size, version, payload, runs, stop))
            except Empty:
                return
            except Exception as error:  # noqa: BLE001  # raised in the thread that asked
                answers.put(error)

    # Daemons: whoever interrupts does not wait for a function that may run for 15 minutes.
    for _ in range(workers):
        Thread(target=work, daemon=True).start()
    found: list[Measurement] = []
    try:
        for _ in versions:
            answer = answers.get()
            if isinstance(answer, Exception):
                raise answer
            found.append(answer)
            done(answer)
    finally:
        stop.set()
    return sorted(found, key=lambda measured: measured.memory)


def _measure_one(  # noqa: PLR0913, PLR0917  # as above
    client: LambdaClient, name: str, size: int, version: str, payload: bytes, runs: int, stop: Event
) -> Measurement:
    if version.startswith("!"):
        return Measurement(size, refused=version[1:])
    found: list[Run] = []
    for _ in range(runs + 1):
        if stop.is_set():
            break
        found.append(_run(client, name, version, payload))
        if found[-1].error is not None:
            break  # too little memory, or a timeout: the other runs would end alike
    return Measurement(size, tuple(found))


def _run(client: LambdaClient, name: str, version: str, payload: bytes) -> Run:
    for attempt in range(_TRIES):
        try:
            answer = client.invoke(FunctionName=name, Qualifier=version, LogType="Tail", Payload=payload)
            body = answer["Payload"].read().decode(errors="replace")
            break
        except (ClientError, BotoCoreError) as error:
            if code(error) == "TooManyRequestsException" and attempt < _TRIES - 1:
                time.sleep(2**attempt / 4)  # nothing ran: throttled invocations may be repeated
                continue
            raise refusal(error, f"invoking version {version} of {name}") from error
    log = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")
    run = parse_report(log)
    failed = "FunctionError" in answer
    if run is None:
        if not failed:
            raise LambdaPatternsError(
                f"the log of {name} has no REPORT line: set its system log level to INFO "
                "(https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html)"
            )
        run = Run(0, 0, 0)
    return replace(run, error=_error(body)) if failed else run


def _error(body: str) -> str:
    """The error of a function's answer in a few words: ``Runtime.ExitError: ... signal: killed``."""
    try:
        said = json.loads(body)
        text = ": ".join(str(said[key]) for key in ("errorType", "errorMessage") if said.get(key))
    except (ValueError, AttributeError, TypeError):
        text = body
    return (text or body)[:_ERROR_TEXT]
