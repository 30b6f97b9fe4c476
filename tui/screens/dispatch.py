"""Dispatch (4): what has to be confirmed by when, whose it is, and what was answered.

Promises: the service's order of urgency is kept; a word of the filter is looked for beyond what
is loaded; minutes are read for the order that is open, and no other. Called by the app.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from textual.message import Message
from textual.widget import Widget

from kcjl.readmodels_dispatch import DispatchList, DispatchStory, ParcelRow
from tui.actions import Scope
from tui.bindings import bindings
from tui.model.dispatch import (
    DISPATCH_COLUMNS,
    DISPATCH_FIELDS,
    dispatch_detail,
    dispatch_row,
    dispatch_strip,
    dispatch_title,
    matching_parcels,
)
from tui.model.dispatch_proposals import dispatch_proposal
from tui.model.shapes import Column, DetailView, Row
from tui.screens.base import Read, read_overview
from tui.screens.listing import ListScreen
from tui.source import Source
from tui.state import MonitorState
from tui.widgets.strips import Preview

__all__ = ["DispatchScreen"]

ORDERS_MAX = 1_000
"""Orders asked for: more than a shift can ship; a filter finds what is beyond."""


class DispatchRead(Message):
    """The list has come."""

    def __init__(self, held: DispatchList) -> None:
        super().__init__()
        self.held = held


class DispatchStoryRead(Message):
    """All about one order's time has come; None: there is none, or none is open."""

    def __init__(self, story: DispatchStory | None) -> None:
        super().__init__()
        self.story = story


class CarriersRead(Message):
    """The marketplace's carriers have come."""

    def __init__(self, carriers: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.carriers = tuple(carriers)


class DispatchScreen(ListScreen[ParcelRow], inherit_bindings=False):
    BINDINGS = bindings(Scope.LISTS, Scope.DISPATCH)
    place = "dispatch"
    pane = "dispatch"
    tells = True
    searches = True

    def __init__(self, state: MonitorState) -> None:
        super().__init__(state, DISPATCH_FIELDS)
        self.held: DispatchList | None = None
        self.story: DispatchStory | None = None
        self.carriers: tuple[tuple[str, str], ...] = ()

    def compose_body(self) -> Iterable[Widget]:
        yield from super().compose_body()
        yield Preview()

    def columns(self) -> Sequence[Column]:
        return DISPATCH_COLUMNS

    def key_of(self, item: ParcelRow) -> str:
        return item.key

    def row_of(self, item: ParcelRow) -> Row:
        return dispatch_row(item, self.state.now())

    def detail_of(self, item: ParcelRow) -> DetailView:
        return dispatch_detail(item, self.story, self.state.now(), self.state.zone)

    def items(self) -> Sequence[ParcelRow]:
        return () if self.held is None else self.held.rows

    def matching(self) -> Sequence[ParcelRow]:
        return matching_parcels(self.held, self.wanted, self.state.now())

    def read_at(self) -> datetime | None:
        return None if self.held is None else self.held.fresh.now

    def list_title(self, matching: int | None) -> str:
        return dispatch_title(self.held, matching)

    def nothing_text(self) -> str:
        return "No order is on its way: nothing is to be confirmed."

    def forget(self) -> None:
        self.held = self.story = None
        self.carriers = ()

    def show_body(self) -> None:
        super().show_body()
        strip = self.query_one(Preview)
        strip.stale = self.state.stale
        strip.show(dispatch_strip(self.held, self.state.now(), self.state.zone))

    # ── reading ────────────────────────────────────────────────────────────────────────────

    def reads(self) -> Sequence[Read]:
        known = () if self.carriers or not self.state.may_act else (_read_carriers,)
        return (self._read_list, self._read_story, *known, read_overview)

    async def _read_list(self, source: Source) -> Message:
        return DispatchRead(await source.dispatch.list(find=self.wanted.find, limit=ORDERS_MAX))

    async def _read_story(self, source: Source) -> Message:
        if self.opened is None:
            return DispatchStoryRead(None)
        return DispatchStoryRead(await source.dispatch.story(self.opened.order_id))

    def on_dispatch_read(self, message: DispatchRead) -> None:
        self.held = message.held
        self._follow_parcel()
        self.refresh_view()

    def on_dispatch_story_read(self, message: DispatchStoryRead) -> None:
        self.story = message.story
        self.show_detail()

    def on_carriers_read(self, message: CarriersRead) -> None:
        self.carriers = message.carriers

    def _follow_parcel(self) -> None:
        """An order that is open has become a parcel: the row has another key now."""
        opened = self.opened
        if opened is None or any(row.key == opened.key for row in self.items()):
            return
        same = (row for row in self.items() if row.order_id == opened.order_id)
        self.opened = next(same, opened)

    # ── actions ────────────────────────────────────────────────────────────────────────────

    def action_dispatch_say(self, word: str) -> None:
        """Of the marked rows, or of the one under the cursor."""
        self.propose(self.of_chosen(partial(dispatch_proposal, word, carriers=self.carriers)))


async def _read_carriers(source: Source) -> Message:
    return CarriersRead(await source.dispatch.carriers())
