"""The curve of oversold against withheld: one line a way of publishing, one point a policy.

It needs the extra `bench`. Called by `oversell.py`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from kcjl.errors import Misuse

__all__ = ["Point", "draw"]

SIZE_INCHES = (7.5, 4.5)
COLOURS = ("#b4491f", "#1f6f6b", "#7a7a7a", "#5b4b8a")
HEADROOM = 1.15
FOOTROOM = 0.04
"""A way that oversells nothing is a point above the edge, and seen."""


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One policy over the whole trade."""

    label: str
    withheld: float
    oversold: int


def draw(path: Path, lines: Mapping[str, Sequence[Point]]) -> None:
    """Write it in the form that the file's name asks for. Raises Misuse without the extra."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise Misuse("the plot needs matplotlib: install the extra `bench`") from None
    figure = Figure(figsize=SIZE_INCHES, layout="constrained")
    axes = figure.add_subplot()
    for (name, points), colour in zip(lines.items(), COLOURS, strict=False):
        withheld = [max(point.withheld, 1.0) for point in points]
        oversold = [point.oversold for point in points]
        axes.plot(withheld, oversold, "o-", label=name, color=colour, markersize=5)
        for point, x in zip(points, withheld, strict=True):
            axes.annotate(
                point.label,
                (x, point.oversold),
                textcoords="offset points",
                xytext=(6, 5),
                fontsize=8,
                color=colour,
            )
    axes.set_xscale("log")
    most = max((point.oversold for points in lines.values() for point in points), default=1)
    axes.set_ylim(-max(1, most) * FOOTROOM, max(1, most) * HEADROOM)
    axes.set_xlabel("withheld: units that were there and not offered, in unit-hours")
    axes.set_ylabel("units oversold")
    axes.grid(visible=True, alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="best")
    # Text stays text, and the same figures give the same file.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "kcjl"}):
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
