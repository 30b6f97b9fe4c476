"""What a benchmark says: one row a measure, ours beside a peer's of the same run.

Figures are medians over the rounds, with the least and the most; `ratio` is the median of the
rounds' own ratios, because absolute figures wander with the machine and ratios do not.
"""

from collections.abc import Sequence
from statistics import median
from typing import Literal

import msgspec

__all__ = ["Figure", "Row", "figure", "row"]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a row."""

    median: float
    least: float
    most: float


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One measure."""

    name: str
    unit: str
    ours: Figure
    peer: Figure | None
    peer_name: str
    ratio: float | None
    goal: str
    holds: bool | None
    """None: measured without a goal."""


def figure(samples: Sequence[float]) -> Figure:
    return Figure(median=median(samples), least=min(samples), most=max(samples))


def row(
    name: str,
    unit: str,
    ours: Sequence[float],
    *,
    peer: Sequence[float] = (),
    peer_name: str = "",
    goal: float | None = None,
    goal_is: Literal["ratio of at least", "ratio of at most", "at least", "at most"] = (
        "ratio of at least"
    ),
) -> Row:
    """Compare the rounds of two sides, and the outcome with the goal."""
    ratio = median(a / b for a, b in zip(ours, peer, strict=True)) if peer else None
    measured = ratio if goal_is.startswith("ratio") else median(ours)
    holds: bool | None = None
    if goal is not None and measured is not None:
        holds = measured >= goal if goal_is.endswith("at least") else measured <= goal
    return Row(
        name=name,
        unit=unit,
        ours=figure(ours),
        peer=figure(peer) if peer else None,
        peer_name=peer_name,
        ratio=ratio,
        goal="" if goal is None else f"{goal_is} {goal:g}",
        holds=holds,
    )
