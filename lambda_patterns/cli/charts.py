"""Charts, drawn with matplotlib (the extra `chart`) into PNG or SVG files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_patterns.errors import LambdaPatternsError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lambda_patterns.cli.tuning.measurement import Choice, Measurement
    from lambda_patterns.facts.prices import PriceSheet
    from lambda_patterns.model.cost.path_load import PathLoad

FORMATS = (".png", ".svg")
_STYLES = ("-", "--", "-.", ":")


def start(path: Path, panels: int) -> tuple[Any, list[Any]]:
    """An empty figure with `panels` axes side by side, for `path`.

    Raises:
        LambdaPatternsError: the file is of another kind, or matplotlib is not installed.
    """
    if path.suffix not in FORMATS:
        raise LambdaPatternsError(
            f"{path}: a chart is drawn into {' or '.join(FORMATS)}, not {path.suffix!r}"
        )
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  # an extra
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise LambdaPatternsError("charts need matplotlib: pip install 'lambda-patterns[chart]'") from error
    figure = Figure(figsize=(6.4 * panels, 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(1, panels, squeeze=False)[0])


def save(figure: Any, path: Path) -> None:  # noqa: ANN401  # matplotlib's types are not needed to call it
    """Write the figure; the same input gives the same bytes.

    Raises:
        LambdaPatternsError: the file cannot be written.
    """
    from matplotlib import rc_context  # noqa: PLC0415  # an extra

    metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
    try:
        with rc_context({"svg.hashsalt": "lambda-patterns"}):
            figure.savefig(path, metadata=metadata)
    except OSError as error:
        raise LambdaPatternsError(f"{path}: {error.strerror}") from error


def draw_paths(load: PathLoad, sheet: PriceSheet, path: Path) -> None:
    """Draw what each way out of a VPC costs: against the GB, and against the number of services.

    Raises:
        LambdaPatternsError: see `start` and `save`.
    """
    from dataclasses import replace  # noqa: PLC0415  # only here

    from lambda_patterns.model.cost import break_even, compare  # noqa: PLC0415

    figure, (by_gb, by_services) = start(path, 2)
    even = break_even(load, sheet)
    top = max(2 * (even.gb_against_nat or 0), 2 * load.gb, 2 * (even.gb_beside_nat or 0), 100)
    ways = [way for way in compare(load, sheet) if way.monthly is not None and way.name != "isolated"]
    for number, way in enumerate(ways):
        floor, per_gb = way.floor or 0.0, way.per_gb or 0.0
        label = way.name + (" (no internet)" if way.refused else "")
        by_gb.plot([0, top], [floor, floor + per_gb * top], _STYLES[number % 4], label=label)
    if even.gb_against_nat:
        by_gb.axvline(even.gb_against_nat, color="grey", linewidth=0.8)
        by_gb.annotate(f"{even.gb_against_nat:,.0f} GB", (even.gb_against_nat, 0), rotation=90, fontsize=8)
    by_gb.set(xlabel="GB a month", ylabel="USD a month", title=f"{len(load.interface_services)} services")
    by_gb.legend(fontsize=8)

    most = max(8, len(load.interface_services) + 2)
    counts = list(range(most + 1))
    names = [f"service-{count}" for count in counts]
    costs: dict[str, list[float]] = {}
    for count in counts:
        gb = dict.fromkeys(names[:count], load.gb / max(count, 1))
        for way in compare(replace(load, services=gb, internet_gb=None), sheet):
            if (
                way.name in ("nat-gateway-per-zone", "regional-nat-gateway", "endpoints")
                and way.floor is not None
            ):
                costs.setdefault(way.name, []).append(way.floor + (way.per_gb or 0.0) * load.gb)
    for number, (name, amounts) in enumerate(costs.items()):
        by_services.plot(counts, amounts, _STYLES[number % 4], marker=".", label=name)
    if even.endpoints is not None:
        by_services.axvline(even.endpoints, color="grey", linewidth=0.8)
        by_services.annotate(f"{even.endpoints:.2f}", (even.endpoints, 0), rotation=90, fontsize=8)
    title = f"{load.gb:g} GB a month, {load.zones} zones, {sheet.region}"
    by_services.set(xlabel="services with an interface endpoint", ylabel="USD a month", title=title)
    by_services.legend(fontsize=8)
    save(figure, path)


def draw_tuning(
    function: str, measured: Sequence[Measurement], choice: Choice, price: float | None, path: Path
) -> None:
    """Draw time and cost against memory, with the choices marked.

    Raises:
        LambdaPatternsError: see `start` and `save`.
    """
    figure, (time,) = start(path, 1)
    usable = [each for each in measured if each.usable]
    sizes = [each.memory for each in usable]
    costs = [each.gb_seconds * (1 if price is None else price * 1e6) for each in usable]
    times = time.plot(sizes, [each.duration for each in usable], "-o", label="median duration")
    time.set(xlabel="memory, MB", ylabel="ms", title=function, ylim=(0, None))
    cost = time.twinx()
    unit = "GB-s an invocation" if price is None else "USD a million invocations"
    spent = cost.plot(sizes, costs, "--s", color="tab:orange", label="cost")
    cost.set(ylabel=unit, ylim=(0, None))
    marks: dict[int, list[str]] = {}
    for name in ("cheapest", "fastest", "balanced"):
        marks.setdefault(getattr(choice, name), []).append(name)
    for size, names in marks.items():
        time.axvline(size, color="grey", linewidth=0.8, linestyle=":")
        place = {"xycoords": ("data", "axes fraction"), "rotation": 90, "fontsize": 8}
        time.annotate(", ".join(names), (size, 0.02), **place)
    time.legend(handles=[*times, *spent], fontsize=8)
    save(figure, path)
