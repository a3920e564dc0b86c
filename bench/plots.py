"""Pictures of two results, drawn with matplotlib (the `bench` extra)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.report import Result
from bench.stats import median

LATENCY, COPIES = "latency-against-load.png", "scaling-with-copies.png"
_STYLES = {"p50": ":", "p90": "-.", "p99": "-", "p999": "--"}
_NAMES = {"p999": "p99.9"}


class NoMatplotlib(Exception):
    """Nothing can be drawn; the message says what to install."""


def draw(results: dict[str, Result], folder: Path) -> list[Path]:
    """Those pictures whose results are there. Raises `NoMatplotlib`."""
    try:
        import matplotlib as mpl  # noqa: PLC0415  # wanted by nothing else
    except ImportError as error:
        raise NoMatplotlib(
            "matplotlib is not installed, so nothing is drawn: pip install -e '.[bench]'"
        ) from error
    mpl.use("agg")
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    if "latency" in results:
        drawn.append(_latency(results["latency"], folder / LATENCY))
    if "scale-copies" in results:
        drawn.append(_copies(results["scale-copies"], folder / COPIES))
    return drawn


def curves(data: dict[str, Any]) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """By kind and quantile: points of calls a second and milliseconds, medians of all rounds."""
    return {
        kind: {
            quantile: [
                (float(rate), median([run[quantile] for run in found]))
                for rate, found in sorted(by_rate.items(), key=lambda item: float(item[0]))
                if found
            ]
            for quantile in _STYLES
        }
        for kind, by_rate in data["runs"].items()
    }


def _latency(result: Result, path: Path) -> Path:
    from matplotlib import pyplot  # noqa: PLC0415

    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    for number, (kind, by_quantile) in enumerate(curves(result.data).items()):
        for quantile, points in by_quantile.items():
            rates, times = zip(*points, strict=True) if points else ((), ())
            name = f"{kind}, {_NAMES.get(quantile, quantile)}"
            axes.plot(rates, times, _STYLES[quantile], color=f"C{number}", marker=".", label=name)
    axes.set(xlabel="calls a second", ylabel="ms", yscale="log",
             title="From call produced to request received")  # fmt: skip
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend(handlelength=3)
    return _saved(figure, path)


def _copies(result: Result, path: Path) -> Path:
    from matplotlib import pyplot  # noqa: PLC0415

    copies, speeds = [], []
    for size, found in sorted(result.data.items(), key=lambda item: int(item[0])):
        copies.append(int(size))
        speeds.append([run["per_second"] for run in found])
    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    middle = [median(each) for each in speeds]
    axes.plot(copies, middle, marker="o", label="measured")
    axes.fill_between(copies, [min(each) for each in speeds], [max(each) for each in speeds],
                      alpha=0.2)  # fmt: skip
    if copies:
        ideal = [middle[0] / copies[0] * each for each in copies]
        axes.plot(copies, ideal, "--", color="grey", label="each as much as the first")
    axes.set(xlabel="copies of the dispatcher", ylabel="deliveries a second", xticks=copies,
             ylim=(0, None), title="Scaling with copies")  # fmt: skip
    axes.grid(visible=True, alpha=0.3)
    axes.legend(handlelength=3)
    return _saved(figure, path)


def _saved(figure: Any, path: Path) -> Path:
    from matplotlib import pyplot  # noqa: PLC0415

    # Without the version of the library in it, the same data make the same file.
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)
    return path
