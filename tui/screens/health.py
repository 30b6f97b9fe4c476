"""Health (8): who works, what is read, what goes wrong; by what was recorded.

Promises: the source's order is kept, what is wrong first; it changes nothing.
Called by the app.
"""

from collections.abc import Sequence
from datetime import datetime

from textual.message import Message

from kcjl.readmodels_health import HealthReading, HealthRow
from tui.actions import Scope
from tui.bindings import bindings
from tui.messages_health import HealthRead
from tui.model.health import (
    HEALTH_COLUMNS,
    HEALTH_FIELDS,
    health_detail,
    health_row,
    health_title,
    matching_health,
)
from tui.model.shapes import Column, DetailView, Row
from tui.screens.base import Read, read_overview
from tui.screens.listing import ListScreen
from tui.source import Source
from tui.state import MonitorState

__all__ = ["HealthScreen"]


class HealthScreen(ListScreen[HealthRow], inherit_bindings=False):
    BINDINGS = bindings(Scope.LISTS, Scope.HEALTH)
    place = "health"
    pane = "health"

    def __init__(self, state: MonitorState) -> None:
        super().__init__(state, HEALTH_FIELDS)
        self.reading: HealthReading | None = None

    def columns(self) -> Sequence[Column]:
        return HEALTH_COLUMNS

    def key_of(self, item: HealthRow) -> str:
        return item.key

    def row_of(self, item: HealthRow) -> Row:
        return health_row(item, self.state.now(), past=self.state.past is not None)

    def detail_of(self, item: HealthRow) -> DetailView:
        past = self.state.past is not None
        return health_detail(item, self.state.now(), self.state.zone, past=past)

    def items(self) -> Sequence[HealthRow]:
        return () if self.reading is None else self.reading.rows

    def matching(self) -> Sequence[HealthRow]:
        return matching_health(self.reading, self.wanted, self.state.now())

    def read_at(self) -> datetime | None:
        return None if self.reading is None else self.reading.fresh.now

    def list_title(self, matching: int | None) -> str:
        return health_title(self.reading, matching)

    def nothing_text(self) -> str:
        return "Nothing is watched yet: the service has not begun."

    def forget(self) -> None:
        self.reading = None

    def reads(self) -> Sequence[Read]:
        return (_read_health, read_overview)

    def on_health_read(self, message: HealthRead) -> None:
        self.reading = message.reading
        self.refresh_view()


async def _read_health(source: Source) -> Message:
    return HealthRead(await source.health.reading())
