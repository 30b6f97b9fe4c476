"""A row of counts as a row of bars, with its period and its maximum in words.

Promises: zero draws as a dot and never as a bar; when there is less room than counts the newest
are kept and the period says so. Called by the overview's view model.
"""

from collections.abc import Sequence

__all__ = ["sparkline", "sparkline_caption"]

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(counts: Sequence[int], width: int) -> str:
    """One character a count, the newest `width` of them.

    >>> sparkline((0, 1, 4, 8), 10)
    '·▁▄█'
    """
    newest = counts[-width:] if width > 0 else ()
    top = max(newest, default=0)
    return "".join(_bar(count, top) for count in newest)


def sparkline_caption(counts: Sequence[int], width: int) -> str:
    """The period and the maximum of what `sparkline` draws.

    >>> sparkline_caption((0, 1, 4, 8), 3)
    'last 3 min, max 8/min'
    """
    newest = counts[-width:] if width > 0 else ()
    if not newest:
        return "no rate yet"
    return f"last {len(newest)} min, max {max(newest):,}/min"


def _bar(count: int, top: int) -> str:
    if count <= 0:
        return "·"
    return _BARS[max(0, -(-count * len(_BARS) // top) - 1)]
