"""The clock: what AWS does by itself every minute is done here every second."""

from __future__ import annotations

import logging
import threading
import time

from lambda_patterns.local.behaviour import queue_metrics
from lambda_patterns.local.ministack import module

sqs = module("services.sqs")
cloudwatch = module("services.cloudwatch")
responses = module("core.responses")
log = logging.getLogger(__name__)

_TICKS_PER_CLEANING = 60


def start(seconds: float) -> None:
    """Tick every `seconds` until the process ends."""
    threading.Thread(target=_run, args=(seconds,), daemon=True, name="clock").start()


def tick() -> None:
    """Write the queues' metrics and judge the alarms, of every account and region."""
    scopes = {key[:2] for store in (sqs._queues, cloudwatch._alarms) for key in store.to_dict()}
    for account, region in sorted(scopes):
        with responses.request_scope(account, region):
            for queue in list(sqs._queues.values()):
                queue_metrics.publish(queue)
            cloudwatch._evaluate_all_alarms()


def _run(seconds: float) -> None:
    ticks = 0
    while True:
        time.sleep(seconds)
        ticks += 1
        try:
            tick()
            if ticks % _TICKS_PER_CLEANING == 0:
                queue_metrics.forget_old()
        except Exception:
            log.exception("the clock of queues and alarms")
