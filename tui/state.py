"""What all screens share: the source, the mode, the zone, the connection, the last overview.

Promises: one object, changed only by the app; screens and widgets read it when they draw.
It knows no terminal. Invariant: `overview_before` is the answer that `overview` replaced.
Called by the app and the screens.
"""

from datetime import datetime

from kcjl.readmodels import Overview
from tui.model.connection import Connection
from tui.model.freshness import AgeLimits
from tui.model.header import HeaderView, Mode, header_view, mode_of
from tui.model.moments import Zone
from tui.source import Source

__all__ = ["MonitorState"]


class MonitorState:
    """The monitor's own facts, apart from what each screen holds."""

    def __init__(
        self, source: Source, *, title: str, operator: str, limits: AgeLimits, tick_s: float
    ) -> None:
        self.source = source
        self.title = title
        self.operator = operator
        """Who `owner:me` is."""
        self.limits = limits
        self.zone = Zone.LONDON
        self.paused = False
        self.connection = Connection(tick_s=tick_s)
        self.overview: Overview | None = None
        self.overview_before: Overview | None = None

    @property
    def mode(self) -> Mode:
        return mode_of(self.connection, paused=self.paused)

    @property
    def stale(self) -> bool:
        """The figures on screen can't be refreshed: they are dimmed."""
        return self.connection.lost

    def now(self) -> datetime:
        return self.source.now()

    def take_overview(self, overview: Overview) -> None:
        self.overview_before = self.overview
        self.overview = overview

    def header(self, crumbs: tuple[str, ...]) -> HeaderView:
        return header_view(
            title=self.title,
            crumbs=crumbs,
            overview=self.overview,
            connection=self.connection,
            paused=self.paused,
            now=self.now(),
            zone=self.zone,
            limits=self.limits,
        )

    def banner(self) -> str:
        return self.connection.banner(zone=self.zone, now=self.now(), paused=self.paused)
