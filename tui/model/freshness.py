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

__all__ = ["AgeLimits", "age_cell", "pace_of"]

_AHEAD_S_MAX = 5
"""The service's clock may be this much ahead of ours before it is called odd."""


class AgeLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of world time at which an age changes its sign.

    For a world of the normal pace; `at_pace` widens them for one that runs faster.
    """

    pane_ageing_s: int = 10
    """Ten refreshes at the usual pace."""
    pane_stale_s: int = 60
    lane_ageing_s: int = 600
    """Two missed five-minute reads of the marketplace."""
    lane_stale_s: int = 1800

    def at_pace(self, pace: int, tick_s: float) -> "AgeLimits":
        """In a world that is faster than life a pane ages by `pace` seconds in each of ours.

        So that a demo is not stale between two refreshes, a pane is ageing after three missed
        refreshes at the earliest and stale after ten. Lanes are read by the world's own clock.
        """
        return msgspec.structs.replace(
            self,
            pane_ageing_s=max(self.pane_ageing_s, round(3 * tick_s * pace)),
            pane_stale_s=max(self.pane_stale_s, round(10 * tick_s * pace)),
        )


def pace_of(world: timedelta, real_s: float) -> int:
    """How many times faster than life a world goes: one digit, so that it stands still.

    >>> pace_of(timedelta(seconds=614), 1.02)
    600
    """
    pace = int(world.total_seconds() / real_s)
    return max(1, round(pace, 1 - len(str(abs(pace)))))


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
