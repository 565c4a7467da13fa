"""Charts, drawn with matplotlib (the extra `chart`) into PNG or SVG files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_patterns.errors import LambdaPatternsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lambda_patterns.cli.tuning.measurement import Choice, Measurement
    from lambda_patterns.facts.prices import PriceSheet
    from lambda_patterns.model.cost.path_load import PathLoad

FORMATS = (".png", ".svg")
_STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 2)))


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
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
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
    from matplotlib import rc_context

    metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
    try:
        with rc_context({"svg.hashsalt": "lambda-patterns"}):
            figure.savefig(path, metadata=metadata)
    except OSError as error:
        raise LambdaPatternsError(f"--chart {path}: cannot be written: {error.strerror}") from error


def draw_paths(load: PathLoad, sheet: PriceSheet, path: Path) -> None:
    """Draw what each way out costs: against the GB of a month, and against the number of services.

    Raises:
        LambdaPatternsError: see `start` and `save`.
    """
    from lambda_patterns.model.cost import break_even, compare

    figure, (by_gb, by_services) = start(path, 2)
    even = break_even(load, sheet)
    most = max(2 * (even.gb_against_nat or 0), 2 * load.gb, 2 * (even.gb_beside_nat or 0), 100)
    curves: dict[tuple[float, ...], list[str]] = {}
    for way in compare(load, sheet):
        if way.floor is not None and way.per_gb is not None:
            name = way.name + (" (cannot carry this)" if way.refused else "")
            curves.setdefault((way.floor, way.floor + way.per_gb * most), []).append(name)
    where = f"{load.zones} zones, {sheet.region}"
    _draw(by_gb, [0, most], curves, even.gb_against_nat or None, "{:,.0f} GB")
    services = len(load.interface_services)
    by_gb.set(xlabel="GB a month", title=f"{services} service{'' if services == 1 else 's'}, {where}")

    counts = list(range(1, max(8, len(load.interface_services) + 2) + 1))
    _draw(by_services, counts, _by_services(load, sheet, counts), even.endpoints, "{:.2f} services")
    by_services.set(
        xlabel="AWS services, each with an interface endpoint", title=f"{load.gb:g} GB a month, {where}"
    )
    save(figure, path)


def _by_services(
    load: PathLoad, sheet: PriceSheet, counts: Sequence[int]
) -> dict[tuple[float, ...], list[str]]:
    """USD a month of each way for so many services that share the GB of the load."""
    from dataclasses import replace

    from lambda_patterns.model.cost import compare

    costs: dict[str, list[float]] = {}
    for count in counts:
        shared = {f"service-{number}": load.gb / count for number in range(count)}
        for way in compare(replace(load, services=shared, internet_gb=None), sheet):
            if way.monthly is not None and way.name != "isolated":
                costs.setdefault(way.name, []).append(way.monthly)
    curves: dict[tuple[float, ...], list[str]] = {}
    for name, amounts in costs.items():
        curves.setdefault(tuple(amounts), []).append(name)
    return curves


def _draw(  # what is drawn, and where two of it meet
    axes: Any,  # noqa: ANN401  # matplotlib's types are not needed to call it
    positions: Sequence[float],
    curves: Mapping[tuple[float, ...], Sequence[str]],
    even: float | None,
    words: str,
) -> None:
    """Draw curves, those that are equal as one, with the legend below and the break-even said in words."""
    for number, (amounts, names) in enumerate(curves.items()):
        axes.plot(positions, amounts, linestyle=_STYLES[number % len(_STYLES)], label=" = ".join(names))
    if even is not None and positions[0] <= even <= positions[-1]:
        said = "break-even with NAT gateways: " + words.format(even)
        axes.axvline(even, color="black", linewidth=0.8, label=said)
    axes.set(ylabel="USD a month", xlim=(positions[0], positions[-1]), ylim=(0, None))
    axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2)


_ROOM = 1.5
"""What stands above the highest point of a chart of times, in its heights: the names of the choices."""


def draw_tuning(
    title: str, measured: Sequence[Measurement], choice: Choice, price: float | None, path: Path
) -> None:
    """Draw time and cost against memory, with the choices marked.

    Raises:
        LambdaPatternsError: see `start` and `save`.
    """
    figure, (time,) = start(path, 1)
    usable = [each for each in measured if each.usable]
    sizes = [each.memory for each in usable]
    durations = [each.duration for each in usable]
    costs = [each.gb_seconds * (1 if price is None else price * 1e6) for each in usable]
    times = time.plot(sizes, durations, "-o", label="median duration (left)")
    time.set(xlabel="memory, MB", ylabel="ms", title=title, ylim=(0, _ROOM * max(durations)), xscale="log")
    time.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=45, fontsize=8)
    time.minorticks_off()
    cost = time.twinx()
    unit = "GB-s an invocation" if price is None else "USD a million invocations, without requests"
    spent = cost.plot(sizes, costs, "--s", color="tab:orange", label="cost of duration (right)")
    cost.set(ylabel=unit, ylim=(0, _ROOM * max(costs)))
    marks: dict[int, list[str]] = {}
    for name in ("cheapest", "fastest", "balanced"):
        marks.setdefault(getattr(choice, name), []).append(name)
    for size, names in marks.items():
        time.axvline(size, color="grey", linewidth=0.8, linestyle=":")
        place = {"xycoords": ("data", "axes fraction"), "rotation": 90, "fontsize": 8, "ha": "right"}
        time.annotate(", ".join(names), (size, 0.98), va="top", **place)
    time.legend(
        handles=[*times, *spent], fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2
    )
    save(figure, path)
