"""How old what is shown is, by the world's clock, and when that becomes worrying.

Promises: each age has a sign beside its tone (● fresh, ▲ ageing, ✖ stale, ? never read), and
the seconds at which it changes are `AgeLimits`, which the help writes out.
Invariant: an age is worked out anew on every tick, also while nothing is read.
Called by the view models of panes, lanes and the header.
"""

from datetime import datetime, timedelta

import msgspec

from tui.model.moments import span_text
from tui.model.shapes import Cell, Tone

__all__ = ["AgeLimits", "age_cell"]

_AHEAD_S_MAX = 5
"""The service's clock may be this much ahead of ours before it is called odd."""


class AgeLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of world time at which an age changes its sign.

    A demo whose world runs faster than life passes wider ones.
    """

    pane_ageing_s: int = 10
    """Ten missed refreshes."""
    pane_stale_s: int = 60
    lane_ageing_s: int = 600
    """Two missed five-minute reads of the marketplace."""
    lane_stale_s: int = 1800


def age_cell(since: datetime | None, now: datetime, *, ageing_s: int, stale_s: int) -> Cell:
    """The age of something that was true at `since`."""
    if since is None:
        return Cell("? never read", Tone.MUTED)
    age_s = (now - since).total_seconds()
    if age_s < -_AHEAD_S_MAX:
        return Cell(f"▲ {span_text(since - now)} ahead", Tone.WARN)
    text = span_text(timedelta(seconds=max(0.0, age_s)))
    if age_s >= stale_s:
        return Cell(f"✖ {text}", Tone.BAD)
    if age_s >= ageing_s:
        return Cell(f"▲ {text}", Tone.WARN)
    return Cell(f"● {text}", Tone.GOOD)
