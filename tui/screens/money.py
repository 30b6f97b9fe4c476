"""Money (5): payouts, what builds up for the next, each one's account, and what is said of it.

Promises: what a row has no room for is read when it is opened, and again when it has changed;
what builds up is summed at most once a minute of the world.
Called by the app.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from textual.message import Message

from kcjl.readmodels_money import BuildUp, MoneyReading, PayoutRow, PayoutStory, PennyWay
from tui.actions import Scope
from tui.bindings import bindings
from tui.messages import ReadWanted
from tui.messages_money import BuildUpRead, PayoutRead, PayoutsRead, WaysRead
from tui.model.money import (
    MONEY_COLUMNS,
    MONEY_FIELDS,
    MoneyItem,
    matching_money,
    money_items,
    money_key,
    money_row,
    money_title,
)
from tui.model.money_acting import money_proposal
from tui.model.money_detail import open_detail, payout_detail, ways_detail
from tui.model.shapes import Column, DetailView, Row
from tui.screens.base import Read, read_overview
from tui.screens.listing import ListScreen
from tui.source import Source
from tui.state import MonitorState

__all__ = ["MoneyScreen"]

PAYOUTS_MAX = 500
"""At three a month, more than ten years of them."""
WAYS_MAX = 20
BUILD_UP_EVERY = timedelta(minutes=1)


class MoneyScreen(ListScreen[MoneyItem], inherit_bindings=False):
    BINDINGS = bindings(Scope.LISTS, Scope.MONEY)
    place = "money"
    pane = "money"
    tells = True

    def __init__(self, state: MonitorState) -> None:
        super().__init__(state, MONEY_FIELDS)
        self.reading: MoneyReading | None = None
        self.build_up: BuildUp | None = None
        self.story: PayoutStory | None = None
        """The account of the one that is open."""
        self.ways: tuple[str, tuple[PennyWay, ...]] = ("", ())
        """Of which payout, and its pennies' ways."""
        self.why = False
        """The ways stand in the detail instead of the account."""

    # ── the list ───────────────────────────────────────────────────────────────────────────

    def columns(self) -> Sequence[Column]:
        return MONEY_COLUMNS

    def key_of(self, item: MoneyItem) -> str:
        return money_key(item)

    def row_of(self, item: MoneyItem) -> Row:
        return money_row(item, self.state.now(), self.state.zone)

    def items(self) -> Sequence[MoneyItem]:
        return money_items(self.reading, self.build_up)

    def matching(self) -> Sequence[MoneyItem]:
        return matching_money(self.items(), self.wanted, self.state.now())

    def read_at(self) -> datetime | None:
        return None if self.reading is None else self.reading.fresh.now

    def list_title(self, matching: int | None) -> str:
        return money_title(self.reading, self.build_up, matching)

    def nothing_text(self) -> str:
        return "No payout yet, and nothing that one could be made of."

    def forget(self) -> None:
        self.reading = self.build_up = self.story = None
        self.ways = ("", ())

    def detail_of(self, item: MoneyItem) -> DetailView:
        now, zone = self.state.now(), self.state.zone
        if isinstance(item, BuildUp):
            return open_detail(item, now, zone)
        known = self.story is not None and self.story.payout.payout == item.payout
        story = self.story if known else None
        if self.why:
            payout, ways = self.ways
            return ways_detail(item, story, ways if payout == item.payout else None)
        return payout_detail(item, story, now, zone)

    # ── reading ────────────────────────────────────────────────────────────────────────────

    def reads(self) -> Sequence[Read]:
        return (
            self._read_payouts,
            self._read_story,
            self._read_ways,
            self._read_build_up,
            read_overview,
        )

    async def _read_payouts(self, source: Source) -> Message:
        find = self.wanted.find if self.searches else ""
        return PayoutsRead(await source.money.payouts(find=find, limit=PAYOUTS_MAX), find=find)

    async def _read_story(self, source: Source) -> Message:
        opened = self.opened
        if not isinstance(opened, PayoutRow):
            return PayoutRead(None)
        if self.story is not None and self.story.payout == opened:
            return PayoutRead(None)  # nothing of it has changed since
        return PayoutRead(await source.money.story(opened.payout))

    async def _read_ways(self, source: Source) -> Message:
        opened = self.opened
        if not self.why or not isinstance(opened, PayoutRow) or self.ways[0] == opened.payout:
            return WaysRead("", ())
        found = await source.money.ways(opened.payout, limit=WAYS_MAX)
        return WaysRead(opened.payout, found)

    async def _read_build_up(self, source: Source) -> Message:
        held = self.build_up
        if held is not None and source.now() - held.fresh.now < BUILD_UP_EVERY:
            return BuildUpRead(None)
        return BuildUpRead(await source.money.build_up())

    def on_payouts_read(self, message: PayoutsRead) -> None:
        self.reading = message.reading
        if not message.find:
            self.searches = message.reading.total > len(message.reading.payouts)
        self.refresh_view()

    def on_payout_read(self, message: PayoutRead) -> None:
        if message.story is None:
            return
        if self.ways[0] == message.story.payout.payout:
            self.ways = ("", ())  # its journals may have changed
        self.story = message.story
        self.show_detail()

    def on_ways_read(self, message: WaysRead) -> None:
        if message.payout:
            self.ways = (message.payout, message.ways)
            self.show_detail()

    def on_build_up_read(self, message: BuildUpRead) -> None:
        if message.build_up is not None:
            self.build_up = message.build_up
            self.refresh_view()

    def close_detail(self) -> None:
        """What is opened next is shown with its account."""
        self.why = False
        super().close_detail()

    # ── actions ────────────────────────────────────────────────────────────────────────────

    def action_why(self) -> None:
        """Of the row under the cursor: it opens."""
        if self.opened is None:
            self.why = True
            self.table.action_open_row()
        else:
            self.why = not self.why
            self.show_detail()
        self.post_message(ReadWanted())

    def action_payout(self, verb: str) -> None:
        """Of the marked rows, or of the one under the cursor."""
        self.propose(self.of_chosen(partial(money_proposal, verb)))
