"""What validation adds to the synthesis of one application: our plugin, CDK's own rules, and cdk-nag.

The application is the sound one of 64 resources, taken in by CfnInclude. Each is alone: aws_cdk's own rules
(cloudformation-validate) are off but for their own row. What they find is counted, not printed.
"""

from __future__ import annotations

import io
import json
import tempfile
import time
from contextlib import redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from bench.templates import grown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import IPolicyValidationPlugin

RUNS = 7


def _synthesis(
    template: Path, folder: Path, plugins: Sequence[IPolicyValidationPlugin], *, own: bool
) -> float:
    """Synthesize once; give the seconds of `App.synth` alone."""
    from aws_cdk import App, Stack, Validations  # noqa: PLC0415  # needs the environment of Node first
    from aws_cdk.cloudformation_include import CfnInclude  # noqa: PLC0415  # as above

    app = App(outdir=str(folder), builtin_cloud_formation_validation=own)
    CfnInclude(Stack(app, "Application"), "Template", template_file=str(template))
    if plugins:
        Validations.of(app).add_plugins(*plugins)
    start = time.perf_counter()
    try:
        with redirect_stderr(io.TextIOWrapper(io.BytesIO())):  # aws_cdk prints every finding
            app.synth()
    except RuntimeError as error:
        assert "ValidationFailed" in str(error), error  # noqa: PT017  # findings of severity error are allowed
    return time.perf_counter() - start


def _found(folder: Path) -> int:
    report = folder / "validation-report.json"
    if not report.exists():
        return 0
    plugins = json.loads(report.read_text())["pluginReports"]
    return sum(len(one["violatingConstructs"]) for plugin in plugins for one in plugin["violations"])


def main() -> None:
    """Measure each, in turns, and print the best of each."""
    from cdk_nag import AwsSolutionsChecks  # noqa: PLC0415  # as above

    from lambda_patterns.constructs.validation import LambdaPatterns  # noqa: PLC0415  # as above

    kinds: dict[str, tuple[list[IPolicyValidationPlugin], bool]] = {
        "no validation": ([], False),
        "LambdaPatterns": ([LambdaPatterns()], False),
        "aws_cdk's own rules": ([], True),
        "cdk-nag, AwsSolutions": ([AwsSolutionsChecks()], False),
    }
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    found = dict.fromkeys(kinds, 0)
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder, "application.json")
        template.write_bytes(grown(64))
        for run in range(RUNS + 1):
            for name, (plugins, own) in kinds.items():
                outdir = Path(folder, f"{run}-{name}")
                wall = _synthesis(template, outdir, plugins, own=own)
                if run:  # the first loads what is loaded lazily
                    seconds[name].append(wall)
                found[name] = _found(outdir)
    table = Table(title=f"App.synth of 64 resources, best of {RUNS}")
    for column in ("validation", "ms", "more than without, ms", "findings"):
        table.add_column(column, justify="left" if column == "validation" else "right")
    without = min(seconds["no validation"])
    for name, taken in seconds.items():
        more = (min(taken) - without) * 1e3
        table.add_row(name, f"{min(taken) * 1e3:.0f}", f"{more:.0f}", str(found[name]))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
