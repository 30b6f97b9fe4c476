"""The two lines at the top: where we are, what mode, how old, and whether we may write.

Promises: exactly one mode is named, in words; LIVE is never said while the source is silent.
Called by every screen on every tick.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from kcjl.readmodels import Overview
from tui.model.amounts import count_text, money_text
from tui.model.connection import Connection
from tui.model.freshness import AgeLimits, age_cell
from tui.model.moments import Zone, clock_text, date_text, zone_name
from tui.model.plain import plain
from tui.model.shapes import Cell, TextLine, Tone

__all__ = ["HeaderView", "Mode", "Then", "header_view", "mode_of"]

_SIGNS = {"READING": "…", "LIVE": "●", "PAUSED": "‖", "AS-OF": "◀", "DISCONNECTED": "✖"}


class Mode(StrEnum):
    """What the figures on screen are."""

    READING = "READING"
    """Nothing has come yet."""
    LIVE = "LIVE"
    PAUSED = "PAUSED"
    AS_OF = "AS-OF"
    """As things stood at another time."""
    DISCONNECTED = "DISCONNECTED"


class Then(msgspec.Struct, frozen=True, kw_only=True):
    """The time that is looked at."""

    position: int
    at: datetime
    """When the event at that position was recorded."""


class HeaderView(msgspec.Struct, frozen=True, kw_only=True):
    mode: Mode
    mode_text: str
    age: Cell
    """Age of the overview figures, by the world's clock."""
    crumbs: str
    writes: Cell
    date: str
    clock: str
    position: str
    open_exceptions: Cell
    at_risk: Cell

    def summary(self) -> TextLine:
        """The figures of the second line."""
        return (Cell(self.position, Tone.MUTED), self.at_risk, self.open_exceptions)


def mode_of(connection: Connection, *, paused: bool, as_of: bool = False) -> Mode:
    if as_of:
        return Mode.DISCONNECTED if connection.lost else Mode.AS_OF
    if paused:
        return Mode.PAUSED
    if connection.lost:
        return Mode.DISCONNECTED
    return Mode.LIVE if connection.answered else Mode.READING


def header_view(
    *,
    title: str,
    crumbs: tuple[str, ...],
    overview: Overview | None,
    connection: Connection,
    paused: bool,
    as_of: Then | None = None,
    now: datetime,
    zone: Zone,
    limits: AgeLimits,
    pace: int = 1,
) -> HeaderView:
    mode = mode_of(connection, paused=paused, as_of=as_of is not None)
    merchant = () if overview is None else (overview.merchant,)
    age = age_cell(
        None if overview is None else overview.fresh.now,
        now,
        ageing_s=limits.pane_ageing_s,
        stale_s=limits.pane_stale_s,
    )
    return HeaderView(
        mode=mode,
        mode_text=f"{_SIGNS[mode]} {mode}{'' if as_of is None else f' #{as_of.position:,}'}",
        age=age if as_of is None else Cell(""),
        crumbs=" › ".join(plain(crumb) for crumb in (title, *merchant, *crumbs)),
        writes=_writes(overview),
        date=date_text(now, zone),
        clock=f"{clock_text(now, zone, now)} {zone_name(now, zone)}{_pace_text(pace)}",
        position="" if overview is None else f"#{count_text(overview.fresh.position)}",
        open_exceptions=_open_exceptions(overview),
        at_risk=_at_risk(overview),
    )


def _pace_text(pace: int) -> str:
    """A world that is not of the normal pace says so beside its clock."""
    return f" ×{count_text(pace)}" if pace > 1 else ""


def _writes(overview: Overview | None) -> Cell:
    if overview is None:
        return Cell("writes ?", Tone.MUTED)
    if overview.writes_allowed:
        return Cell("writes ON", Tone.GOOD)
    return Cell("✖ writes OFF", Tone.BAD)


def _open_exceptions(overview: Overview | None) -> Cell:
    if overview is None:
        return Cell("")
    if not overview.exceptions_open:
        return Cell("● 0 open", Tone.GOOD)
    return Cell(f"▲ {count_text(overview.exceptions_open)} open", Tone.WARN)


def _at_risk(overview: Overview | None) -> Cell:
    if overview is None:
        return Cell("")
    amounts = [each for each in overview.money_at_risk if each]
    if not amounts:
        return Cell("nothing at risk", Tone.MUTED)
    return Cell(f"{' + '.join(money_text(each) for each in amounts)} at risk", Tone.WARN)
