"""Which columns fit into a width, and how wide each becomes.

Promises: columns of rank 0 are never left out; others leave, highest rank first, until the rest
fits, so nothing scrolls sideways; what is left over goes to the last column shown.
Called by the table widget.
"""

from collections.abc import Sequence

import msgspec

from tui.model.shapes import Column

__all__ = ["EXTRA_RANK", "Fitted", "column_gap", "fit"]

EXTRA_RANK = 2
"""Columns above this rank are shown only when all below it are shown in full."""

_WIDE = 100


def column_gap(width: int) -> int:
    """Cells between two columns: air where there is room for it."""
    return 2 if width >= _WIDE else 1


class Fitted(msgspec.Struct, frozen=True):
    """One column that is shown: its index in the full list, and its width in cells."""

    index: int
    width: int


def fit(columns: Sequence[Column], wanted: Sequence[int], width: int) -> tuple[Fitted, ...]:
    """`wanted`: the widest text that each column has to show; 0 while that is not known."""
    gap = column_gap(width)
    shown = list(range(len(columns)))
    wishes = [
        min(max(wanted[index] or column.width_min, len(column.title)), column.width_max)
        for index, column in enumerate(columns)
    ]
    least = [min(column.width_min, wishes[i]) for i, column in enumerate(columns)]
    need = [
        wishes[i] if column.rank < EXTRA_RANK else least[i] for i, column in enumerate(columns)
    ]
    while _total(need, shown, gap) > width:
        rank, victim = max((columns[index].rank, index) for index in shown)
        if rank <= EXTRA_RANK:
            break
        shown.remove(victim)
    while _total(least, shown, gap) > width:
        rank, victim = max((columns[index].rank, index) for index in shown)
        if rank == 0:
            break
        shown.remove(victim)
    widths = {index: least[index] for index in shown}
    spare = width - _total(least, shown, gap)
    for index in sorted(shown, key=lambda index: (columns[index].rank, index)):
        more = max(0, min(wishes[index] - widths[index], spare))
        widths[index] += more
        spare -= more
    if shown:
        last = shown[-1]
        widths[last] = max(1, widths[last] + spare)
    return tuple(Fitted(index, widths[index]) for index in shown)


def _total(widths: Sequence[int], shown: Sequence[int], gap: int) -> int:
    return sum(widths[index] for index in shown) + gap * max(0, len(shown) - 1)
