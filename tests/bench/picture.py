"""The picture of the benchmark: turns a second, by the number of conversations."""

from pathlib import Path

from tests.bench.measured import SIZES, Measured
from tests.bench.runner import BODY, FLOOR, NAKED, TURNCHAT

BOUNDS = {FLOOR: "#999999", NAKED: "#000000"}
COLOURS = {TURNCHAT: "#d9480f", **BOUNDS}
OTHERS = ["#1c7ed6", "#74c0fc", "#2b8a3e", "#8ce99a", "#7048e8", "#e8a90c"]


def draw(measured: Measured, path: Path) -> None:
    """Write an SVG that can be read on a light and on a dark page."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    mpl.rcParams.update({"svg.hashsalt": "turnchat", "font.family": "sans-serif", "font.size": 11})
    figure, axes = plt.subplots(figsize=(9, 4.6), facecolor="white")
    others = iter(OTHERS)
    for name in measured.servers:
        points = [
            (size, median)
            for size in SIZES
            if (median := measured.middle(f"rate: {size} x {BODY}", name))
        ]
        if len(points) < len(SIZES) - 1:
            continue  # with another Python, or with a recording
        is_ours = name == TURNCHAT
        axes.plot(
            [size for size, _ in points],
            [rate / 1000 for _, rate in points],
            marker="o",
            markersize=7 if is_ours else 4,
            linewidth=3 if is_ours else 1.5,
            linestyle="--" if name in BOUNDS else "-",
            color=COLOURS.get(name) or next(others),
            label=name,
            zorder=3 if is_ours else 2,
        )
    axes.set_xscale("log")
    axes.set_xticks(SIZES, [f"{size:,}" for size in SIZES])
    axes.set_xlabel("conversations at a time")
    axes.set_ylabel("thousand turns a second")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
