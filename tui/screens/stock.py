"""Stock (2): what can be sold of each SKU, what the marketplace shows, and why.

Promises: the source's order of need is kept; a SKU beyond the cut is found by its name. The
sum of the one that is open is read again when its row has changed. Called by the app.
"""

from collections.abc import Sequence
from datetime import datetime

from textual.message import Message

from kcjl.readmodels_stock import ProductRow, ProductsCut, ProductStory
from tui.actions import Scope
from tui.bindings import bindings
from tui.messages import ProductRead, ProductsRead
from tui.model.proposal import Proposal
from tui.model.shapes import Cell, Column, DetailView, Row
from tui.model.stock import (
    PRODUCT_COLUMNS,
    PRODUCT_FIELDS,
    matching_products,
    product_detail,
    product_key,
    product_row,
    products_title,
    stopped_cell,
)
from tui.model.stock_proposals import (
    alias_proposal,
    buffer_proposal,
    publishing_proposal,
    release_proposal,
    retry_proposal,
    unalias_proposal,
)
from tui.screens.base import Read, read_overview
from tui.screens.listing import NO_ROW, ListScreen
from tui.source import Source
from tui.state import MonitorState

__all__ = ["StockScreen"]


class StockScreen(ListScreen[ProductRow], inherit_bindings=False):
    BINDINGS = bindings(Scope.LISTS, Scope.STOCK)
    place = "stock"
    pane = "stock"
    tells = True
    searches = True

    def __init__(self, state: MonitorState) -> None:
        super().__init__(state, PRODUCT_FIELDS)
        self.cut: ProductsCut | None = None
        self.story: ProductStory | None = None
        self._told_of: ProductRow | None = None
        """The row as it was when its story was read."""

    def columns(self) -> Sequence[Column]:
        return PRODUCT_COLUMNS

    def key_of(self, item: ProductRow) -> str:
        return product_key(item)

    def row_of(self, item: ProductRow) -> Row:
        return product_row(item, self.state.now())

    def detail_of(self, item: ProductRow) -> DetailView:
        told = self._told_of is not None and self._told_of.key == item.key
        story = self.story if told else None
        return product_detail(item, story, self.state.now(), self.state.zone)

    def items(self) -> Sequence[ProductRow]:
        return () if self.cut is None else self.cut.rows

    def matching(self) -> Sequence[ProductRow]:
        return matching_products(self.cut, self.wanted, self.state.now())

    def read_at(self) -> datetime | None:
        return None if self.cut is None else self.cut.fresh.now

    def list_title(self, matching: int | None) -> str:
        return products_title(self.cut, matching)

    def standing(self) -> Cell:
        return stopped_cell(self.cut)

    def nothing_text(self) -> str:
        return "No SKU is known yet: the service lists the offers when it begins."

    def forget(self) -> None:
        self.cut = self.story = self._told_of = None

    # ── reading ────────────────────────────────────────────────────────────────────────────

    def reads(self) -> Sequence[Read]:
        opened = self.opened
        if opened is None or opened == self._told_of:
            return (self._read_products, read_overview)
        return (self._read_story, self._read_products, read_overview)

    async def _read_products(self, source: Source) -> Message:
        return ProductsRead(await source.stock.products(find=self.wanted.find))

    async def _read_story(self, source: Source) -> Message:
        opened = self.opened
        key = "" if opened is None else opened.key
        return ProductRead(key, await source.stock.story(key) if key else None)

    def on_products_read(self, message: ProductsRead) -> None:
        self.cut = message.cut
        self.refresh_view()

    def on_product_read(self, message: ProductRead) -> None:
        if self.opened is not None and self.opened.key == message.key:
            self.story, self._told_of = message.story, self.opened
        self.show_detail()

    # ── actions ────────────────────────────────────────────────────────────────────────────

    def action_stock(self, name: str) -> None:
        """Of the marked rows, or of the one under the cursor; or of all stock."""
        self.propose(self._proposal(name, self.chosen()))

    def _proposal(self, name: str, rows: Sequence[ProductRow]) -> Proposal | str:
        match name:
            case "release":
                return release_proposal(self.cut)
            case "publishing":
                return publishing_proposal(self.cut)
            case "buffer":
                return buffer_proposal(0 if self.cut is None else self.cut.policy_version)
            case _ if not rows:
                return NO_ROW
            case "retry":
                return retry_proposal(rows)
            case "alias" if len(rows) > 1:
                return "one SKU at a time has its stock code named: clear the marks"
            case "alias":
                return alias_proposal(rows[0])
            case _:
                return unalias_proposal(rows)
