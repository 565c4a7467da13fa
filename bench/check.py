"""`lambda-patterns check` beside cfn-lint and checkov on one template; its growth beside `json.loads`.

Budgets: at most a tenth of cfn-lint's time on 64 resources; at most linear from 64 to 6,400 resources, the
checking itself at most 25 times `json.loads` on the same bytes; importing the rules under 50 ms.
"""

from __future__ import annotations

import gc
import json
import os
import re
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from bench.peers import programs
from bench.templates import grown
from bench.variants import VARIANTS
from lambda_patterns.cli import COLLECTIONS
from lambda_patterns.model.assembly import from_templates, read
from lambda_patterns.model.deployment import Settings
from lambda_patterns.rules.engine import check
from lambda_patterns.rules.rule import Severity

HERE = Path(__file__).parent
MINE = Path(sys.executable).parent / "lambda-patterns"
RUNS = 7
SIZES = (400, 1600)
SETTINGS = Settings(today=date(2026, 11, 24))
# as a user has it: what is compiled once is kept
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


Command = tuple[str | Path, ...]


class Run(NamedTuple):
    """What a whole process took: the least wall and processor time in s, the largest memory peak in MiB."""

    wall: float
    processor: float
    peak: float


def _once(command: Command) -> Run:
    quiet = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
    start = time.perf_counter()
    child = os.posix_spawn(command[0], command, ENVIRONMENT, file_actions=quiet)
    peak, ended = 0.0, 0
    while not ended:
        # read while it runs: what wait4 says counts this process's memory before the exec
        peak = max(peak, _high_water(child))
        time.sleep(0.002)
        ended, status, usage = os.wait4(child, os.WNOHANG)
    wall = time.perf_counter() - start
    assert os.waitstatus_to_exitcode(status) in (0, 1), command
    return Run(wall, usage.ru_utime + usage.ru_stime, peak)


def _high_water(pid: int) -> float:
    """Give the peak memory of a running process in MiB, 0 where it is over."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def _measured(commands: dict[str, Command], runs: int = RUNS) -> dict[str, Run]:
    """Run whole processes in turns; give the best of each, which other work on the machine disturbs least."""
    rounds = [{name: _once(command) for name, command in commands.items()} for _ in range(runs)]
    best = {}
    for name in commands:
        walls, processors, peaks = zip(*(each[name] for each in rounds), strict=True)
        best[name] = Run(min(walls), min(processors), max(peaks))
    return best


def _whole_process(console: Console, folder: Path) -> None:
    template = folder / "application.json"
    template.write_bytes(grown(64))
    peers = programs()
    checkov = (peers / "checkov", "--compact", "--quiet", "-f", template, "--framework", "cloudformation")
    measured = _measured(
        {
            "lambda-patterns check": (MINE, "check", template),
            "cfn-lint": (peers / "cfn-lint", template),
            "checkov": checkov,
            "python -c pass": (sys.executable, "-c", "pass"),
        }
    )
    table = Table(title=f"one template, 64 resources: whole process, best of {RUNS}")
    for column in ("program", "wall, s", "processor, s", "of cfn-lint's", "peak, MiB"):
        table.add_column(column, justify="left" if column == "program" else "right")
    for name, run in measured.items():
        share = run.processor / measured["cfn-lint"].processor
        table.add_row(name, f"{run.wall:.3f}", f"{run.processor:.3f}", f"{share:.3f}", f"{run.peak:.0f}")
    console.print(table)


def _growth(console: Console, folder: Path) -> None:
    """Time in this process, memory in a process of its own, both of the sound application."""
    table = Table(title="growth: reading and checking beside json.loads on the same bytes, best of 5")
    for column in ("resources", "bytes", "json.loads, ms", "read, ms", "check, ms", "check / json.loads"):
        table.add_column(column, justify="right")
    table.add_column("peak, MiB over Python's", justify="right")
    table.add_column("of the text", justify="right")
    empty = _measured({"": (sys.executable, "-c", "pass")})[""]
    for resources in (64, 640, 6400):
        content = grown(resources)
        path = folder / f"{resources}.json"
        path.write_bytes(content)
        loads, reads, checks = [], [], []
        for _ in range(5):
            start = time.process_time()
            json.loads(content)
            loads.append(time.process_time() - start)
            start = time.process_time()
            assembly = read(path)
            reads.append(time.process_time() - start)
            start = time.process_time()
            report = check(assembly, SETTINGS)
            checks.append(time.process_time() - start)
            assert not report.reaching(Severity.WARNING)
        peak = _measured({"": (MINE, "check", path)}, runs=1)[""].peak - empty.peak
        table.add_row(
            f"{resources:,}",
            f"{len(content):,}",
            f"{min(loads) * 1e3:.1f}",
            f"{min(reads) * 1e3:.1f}",
            f"{min(checks) * 1e3:.1f}",
            f"{min(checks) / min(loads):.1f}",
            f"{peak:.1f}",
            f"{peak * 2**20 / len(content):.0f}",
        )
    console.print(table)


def _variants(console: Console) -> None:
    """What four times the resources take: 4 is linear, 16 quadratic."""
    table = Table(title="large in one way each: the checking itself, best of 3")
    for column in ("template", "resources", "check, ms", "check / json.loads", "of a quarter's time"):
        table.add_column(column, justify="left" if column == "template" else "right")
    for name, make in VARIANTS.items():
        quarter = None
        for size in SIZES:
            templates = make(size)
            content = json.dumps(templates)
            loads, taken = [], []
            for _ in range(3):
                start = time.process_time()
                json.loads(content)
                loads.append(time.process_time() - start)
                start = time.process_time()
                report = check(from_templates(templates), SETTINGS)
                taken.append(time.process_time() - start)
            assert not [finding for finding in report.findings if finding.rule == "rule-crashed"]
            grew = "" if quarter is None else f"{min(taken) / quarter:.1f}"
            quarter = min(taken)
            resources = f"{report.checked['resources']:,}"
            table.add_row(name, resources, f"{quarter * 1e3:.0f}", f"{quarter / min(loads):.0f}", grew)
    console.print(table)


def _imports(console: Console) -> None:
    table = Table(title=f"importing in a fresh process, best of {3 * RUNS}, less an empty process")
    table.add_column("module")
    table.add_column("ms", justify="right")
    names = (
        "lambda_patterns.facts.limits",
        "lambda_patterns.model.assembly",
        "lambda_patterns.rules.catalogue",
    )
    commands: dict[str, Command] = {name: (sys.executable, "-c", f"import {name}") for name in names}
    measured = _measured({**commands, "": (sys.executable, "-c", "pass")}, runs=3 * RUNS)
    for name in names:
        table.add_row(name, f"{(measured[name].processor - measured[''].processor) * 1e3:.1f}")
    console.print(table)


def main() -> None:
    """Measure and print all four."""
    gc.set_threshold(*COLLECTIONS)  # as `lambda-patterns check` does
    console = Console(width=110)
    with tempfile.TemporaryDirectory() as folder:
        _whole_process(console, Path(folder))
        _growth(console, Path(folder))
    _variants(console)
    _imports(console)


if __name__ == "__main__":
    main()
