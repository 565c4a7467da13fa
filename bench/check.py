"""`lambda-patterns check` beside cfn-lint and checkov on one template; its growth beside `json.loads`.

Budgets: at most a tenth of cfn-lint's wall time on 64 resources; at most linear from 64 to 6,400 resources,
the checking itself at most 25 times `json.loads` on the same bytes; importing the pure layers under 50 ms.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.templates import grown
from lambda_patterns.model.assembly import read
from lambda_patterns.model.deployment import Settings
from lambda_patterns.rules.engine import check
from lambda_patterns.rules.rule import Severity

HERE = Path(__file__).parent
PEERS = HERE.parent / ".venv-bench"
RUNS = 5
DAY = date(2026, 11, 24)


def _peers() -> Path:
    """Make the peers' environment, once, from the pinned list; give its folder of programs."""
    programs = PEERS / "bin"
    if not (PEERS / ".done").exists():
        venv.create(PEERS, with_pip=True)
        subprocess.run(
            [programs / "pip", "install", "-q", "--require-hashes", "-r", HERE / "requirements.txt"],
            check=True,
        )
        (PEERS / ".done").touch()
    return programs


def _measured(command: list[str | Path]) -> tuple[float, float]:
    """Run a whole process `RUNS` times; give the median wall time in s and the largest peak memory in MiB.

    The peak is read from /proc while it runs: what wait4 says counts this process's memory before the exec.
    """
    walls, peak = [], 0.0
    for _ in range(RUNS):
        start = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None:
                peak = max(peak, _high_water(process.pid))
                time.sleep(0.005)
        walls.append(time.perf_counter() - start)
    return statistics.median(walls), peak


def _high_water(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def _whole_process(console: Console, folder: Path) -> None:
    template = folder / "application.json"
    template.write_bytes(grown(64))
    peers = _peers()
    mine = Path(sys.executable).parent
    commands: dict[str, list[str | Path]] = {
        "lambda-patterns check": [mine / "lambda-patterns", "check", template],
        "cfn-lint": [peers / "cfn-lint", template],
        "checkov": [
            peers / "checkov",
            "--compact",
            "--quiet",
            "-f",
            template,
            "--framework",
            "cloudformation",
        ],
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    measured = {name: _measured(command) for name, command in commands.items()}
    table = Table(title=f"one template, 64 resources: whole process, median of {RUNS}")
    for column in ("program", "wall, s", "of cfn-lint's", "peak, MiB"):
        table.add_column(column, justify="left" if column == "program" else "right")
    for name, (wall, peak) in measured.items():
        table.add_row(name, f"{wall:.3f}", f"{wall / measured['cfn-lint'][0]:.3f}", f"{peak:.0f}")
    console.print(table)


def _growth(console: Console, folder: Path) -> None:
    table = Table(title="growth: reading and checking beside json.loads on the same bytes, best of 3")
    for column in ("resources", "bytes", "json.loads, ms", "read, ms", "check, ms", "check / json.loads"):
        table.add_column(column, justify="right")
    for resources in (64, 640, 6400):
        content = grown(resources)
        path = folder / f"{resources}.json"
        path.write_bytes(content)
        loads, reads, checks = [], [], []
        for _ in range(3):
            start = time.perf_counter()
            json.loads(content)
            loads.append(time.perf_counter() - start)
            start = time.perf_counter()
            assembly = read(path)
            reads.append(time.perf_counter() - start)
            start = time.perf_counter()
            report = check(assembly, Settings(today=DAY))
            checks.append(time.perf_counter() - start)
            assert not report.reaching(Severity.WARNING)
        table.add_row(
            f"{resources:,}",
            f"{len(content):,}",
            f"{min(loads) * 1e3:.1f}",
            f"{min(reads) * 1e3:.1f}",
            f"{min(checks) * 1e3:.1f}",
            f"{min(checks) / min(loads):.1f}",
        )
    console.print(table)


def _imports(console: Console) -> None:
    table = Table(title="importing in a fresh process, median of 9, less an empty process")
    table.add_column("module")
    table.add_column("ms", justify="right")
    names = ("lambda_patterns.facts", "lambda_patterns.model", "lambda_patterns.rules.catalogue")

    def wall(code: str) -> float:
        walls = []
        for _ in range(9):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            walls.append(time.perf_counter() - start)
        return statistics.median(walls)

    empty = wall("pass")
    for name in names:
        table.add_row(name, f"{(wall(f'import {name}') - empty) * 1e3:.1f}")
    console.print(table)


def main() -> None:
    """Measure and print all three."""
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        _whole_process(console, Path(folder))
        _growth(console, Path(folder))
        _imports(console)


if __name__ == "__main__":
    main()
