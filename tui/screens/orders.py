"""Orders (3): where each stands and until when, and the life of the one that is open.

Promises: the service's order of urgency is kept; a word of the filter is looked for beyond what
is loaded; a life is read for the order that is open, and no other. Called by the app.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from textual.message import Message

from kcjl.readmodels_orders import OrderList, OrderRow, OrderStory
from tui.actions import Scope
from tui.bindings import bindings
from tui.model.order_proposals import count_proposal, order_proposal
from tui.model.orders import (
    ORDER_COLUMNS,
    ORDER_FIELDS,
    matching_orders,
    order_detail,
    order_row,
    orders_title,
)
from tui.model.shapes import Column, DetailView, Row
from tui.screens.base import Read, read_overview
from tui.screens.listing import ListScreen
from tui.source import Source
from tui.state import MonitorState

__all__ = ["OrdersScreen"]

ORDERS_MAX = 1_000
"""Rows asked for: more than a shift can work through; a filter finds what is beyond."""


class OrdersRead(Message):
    """The list has come."""

    def __init__(self, held: OrderList) -> None:
        super().__init__()
        self.held = held


class OrderStoryRead(Message):
    """All about one order has come; None: there is none of that id, or none is open."""

    def __init__(self, story: OrderStory | None) -> None:
        super().__init__()
        self.story = story


class OrdersScreen(ListScreen[OrderRow], inherit_bindings=False):
    BINDINGS = bindings(Scope.LISTS, Scope.ORDERS)
    place = "orders"
    pane = "orders"
    tells = True
    searches = True

    def __init__(self, state: MonitorState) -> None:
        super().__init__(state, ORDER_FIELDS)
        self.held: OrderList | None = None
        self.story: OrderStory | None = None

    def columns(self) -> Sequence[Column]:
        return ORDER_COLUMNS

    def key_of(self, item: OrderRow) -> str:
        return item.order_id

    def row_of(self, item: OrderRow) -> Row:
        return order_row(item, self.state.now())

    def detail_of(self, item: OrderRow) -> DetailView:
        return order_detail(item, self.story, self.state.now(), self.state.zone)

    def items(self) -> Sequence[OrderRow]:
        return () if self.held is None else self.held.rows

    def matching(self) -> Sequence[OrderRow]:
        return matching_orders(self.held, self.wanted, self.state.now())

    def read_at(self) -> datetime | None:
        return None if self.held is None else self.held.fresh.now

    def list_title(self, matching: int | None) -> str:
        return orders_title(self.held, matching)

    def nothing_text(self) -> str:
        return "No order has come yet: the marketplace is asked every few minutes."

    def forget(self) -> None:
        self.held = self.story = None

    # ── reading ────────────────────────────────────────────────────────────────────────────

    def reads(self) -> Sequence[Read]:
        return (self._read_orders, self._read_story, read_overview)

    async def _read_orders(self, source: Source) -> Message:
        return OrdersRead(await source.orders.list(find=self.wanted.find, limit=ORDERS_MAX))

    async def _read_story(self, source: Source) -> Message:
        if self.opened is None:
            return OrderStoryRead(None)
        return OrderStoryRead(await source.orders.story(self.opened.order_id))

    def on_orders_read(self, message: OrdersRead) -> None:
        self.held = message.held
        self.refresh_view()

    def on_order_story_read(self, message: OrderStoryRead) -> None:
        self.story = message.story
        self.show_detail()

    # ── actions ────────────────────────────────────────────────────────────────────────────

    def action_order_say(self, word: str) -> None:
        """Of the marked rows, or of the one under the cursor."""
        self.propose(self.of_chosen(partial(order_proposal, word)))

    def action_order_count(self) -> None:
        self.propose(count_proposal())
