"""What all screens share: the source, the mode, the zone, the connection, the last overview.

Promises: one object, changed only by the app; screens and widgets read it when they draw.
It knows no terminal. Invariant: `overview_before` is the answer that `overview` replaced.
Called by the app and the screens.
"""

from datetime import datetime

import msgspec

from kcjl.readmodels import Overview
from tui.model.connection import Connection
from tui.model.freshness import AgeLimits, pace_of
from tui.model.header import HeaderView, Mode, Then, header_view, mode_of
from tui.model.moments import Zone
from tui.model.visited import Visited
from tui.source import Source

__all__ = ["MonitorState", "Said"]

SAID_MAX = 200
"""More than anybody scrolls back through in a shift."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was shown for some seconds, and is kept."""

    at: datetime
    text: str
    failed: bool


class MonitorState:
    """The monitor's own facts, apart from what each screen holds."""

    def __init__(
        self, source: Source, *, title: str, operator: str, limits: AgeLimits, tick_s: float
    ) -> None:
        self.live = source
        """The present."""
        self.past: Source | None = None
        """The time that is looked at instead, if one is."""
        self.travels = 0
        """How often another time was turned to: what was read before is of another one."""
        self.said: tuple[Said, ...] = ()
        """What was done and said in this session, newest first."""
        self.places = Visited("overview")
        self.typed: list[str] = []
        """Lines of the command line, oldest first."""
        self.title = title
        self.operator = operator
        """Who `owner:me` is."""
        self.pace = 1
        """Seconds of the world in one of ours, as measured between two ticks."""
        self._limits = limits
        self._tick_s = tick_s
        self.zone = Zone.LONDON
        self.paused = False
        self.connection = Connection(tick_s=tick_s)
        self.overview: Overview | None = None
        self.overview_before: Overview | None = None
        self._measured: tuple[datetime, float] | None = None

    @property
    def source(self) -> Source:
        return self.past or self.live

    @property
    def as_of(self) -> Then | None:
        return None if self.past is None else self.past.as_of

    @property
    def may_act(self) -> bool:
        return self.source.may_act

    @property
    def mode(self) -> Mode:
        return mode_of(self.connection, paused=self.paused, as_of=self.past is not None)

    def turn_to(self, past: Source | None) -> None:
        """Another time, or the present: what is known of the one before is let go."""
        self.past = past
        self.paused = False
        self.travels += 1
        self.overview = self.overview_before = None
        self.connection = Connection(tick_s=self._tick_s)

    def say(self, text: str, *, failed: bool = False) -> None:
        """Keep a message; the oldest go."""
        said = Said(at=self.live.now(), text=text, failed=failed)
        self.said = (said, *self.said[: SAID_MAX - 1])

    @property
    def stale(self) -> bool:
        """The figures on screen can't be refreshed: they are dimmed."""
        return self.connection.lost

    @property
    def limits(self) -> AgeLimits:
        return self._limits if self.pace <= 1 else self._limits.at_pace(self.pace, self._tick_s)

    def now(self) -> datetime:
        return self.source.now()

    def measure_pace(self, world: datetime, real_s: float) -> None:
        """Take the two clocks' readings of a tick: the pace is what lies between two."""
        before, self._measured = self._measured, (world, real_s)
        if before is not None and real_s > before[1]:
            self.pace = pace_of(world - before[0], real_s - before[1])

    def take_overview(self, overview: Overview) -> None:
        self.overview_before = self.overview
        self.overview = overview

    def header(self, crumbs: tuple[str, ...]) -> HeaderView:
        return header_view(
            title=self.title if self.live.may_act else f"{self.title} (look only)",
            crumbs=crumbs,
            overview=self.overview,
            connection=self.connection,
            paused=self.paused,
            as_of=self.as_of,
            now=self.now(),
            zone=self.zone,
            limits=self.limits,
            pace=self.pace if self.past is None else 1,
        )

    def banner(self) -> str:
        return self.connection.banner(zone=self.zone, now=self.now(), paused=self.paused)
