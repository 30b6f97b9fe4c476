"""What a channel still has to say: runs of posts, and what was said before.

Promises: an order is said again when its state differs from what was said last, a level and
an item likewise; a run that was not answered 200 is said again before anything newer. It
speaks to nobody. Invariant: a run is over when each of its posts was taken.
Called by the channel. Source: contract khaos b.2, b.5, b.10.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

from kcjl.errors import Misuse
from kcjl.sandbox.khaos_cloud.order_desk import OrderDesk
from kcjl.sandbox.khaos_cloud.settings import ChannelSettings
from kcjl.sandbox.khaos_cloud.status_document import StatusWriter
from kcjl.sandbox.khaos_cloud.writing import Rows, Value, write_document
from kcjl.sandbox.warehouse import StockItem, Warehouse

__all__ = ["POSTS", "Outgoing", "PostKind", "Run"]

PostKind: TypeAlias = Literal["OrderStatusUpload", "StockStatusUpload", "StockUpload"]
POSTS: tuple[PostKind, ...] = ("StockUpload", "StockStatusUpload", "OrderStatusUpload")
Level: TypeAlias = tuple[Decimal, Decimal]


class Run(msgspec.Struct, kw_only=True):
    """Posts that belong together, and how far they have been taken."""

    bodies: list[str]
    taken: int = 0

    @property
    def next_body(self) -> str | None:
        return self.bodies[self.taken] if self.taken < len(self.bodies) else None


class Outgoing:
    """Looks for what has changed, and keeps it until it was taken."""

    def __init__(
        self, warehouse: Warehouse, settings: ChannelSettings, orders: OrderDesk
    ) -> None:
        self._warehouse = warehouse
        self._settings = settings
        self._orders = orders
        self._writer = StatusWriter(warehouse, settings)
        self._orders_said: dict[str, str] = {}
        self._orders_over: set[str] = set()
        self._levels_said: dict[tuple[int, int], Level] = {}
        self._items_said: dict[int, datetime] = {}
        self._unlisted: dict[int, bool] = {}
        """Items that were taken off the channel: whether that was said."""
        self._levels_known = settings.levels_at_first_link
        self.runs: dict[PostKind, Run] = {}

    def look(self, kind: PostKind, form: str) -> int:
        """Make a run of what has changed; returns how many posts it has."""
        collected: Callable[[str], Iterator[str]] = {
            "OrderStatusUpload": self._order_statuses,
            "StockStatusUpload": self._levels,
            "StockUpload": self._items,
        }[kind]
        bodies = list(collected(form))
        if bodies:
            self.runs[kind] = Run(bodies=bodies)
        return len(bodies)

    def unlist(self, code: str) -> None:
        """Take an item off the channel: it is said to be deleted."""
        item = self._warehouse.stock.get(code)
        if item.item_id in self._unlisted:
            raise Misuse(f"{code} is off the channel already")
        self._unlisted[item.item_id] = False

    # ── orders ──

    def _order_statuses(self, form: str) -> Iterator[str]:
        changed: list[Value] = []
        for ref, taken in self._orders.taken.items():
            if ref in self._orders_over:
                continue
            plain = self._settings.associated_ref_sent == "plain"
            said = self._writer.order(
                taken.sales_order, ref if plain else taken.associated_ref, taken.custom_data
            )
            written = write_document("SalesOrderStatus", said, "JSON")
            if self._orders_said.get(ref) != written:
                self._orders_said[ref] = written
                changed.append(said)
            if taken.sales_order.complete:
                self._orders_over.add(ref)
        for group in _groups(changed, self._settings.statuses_per_post):
            rows = Rows(called="SalesOrderStatus", rows=tuple(group))
            yield write_document("OrderStatuses", {"Statuses": rows}, form)

    # ── stock ──

    def _levels(self, form: str) -> Iterator[str]:
        changed: list[Value] = []
        sites = [site.site_id for site in self._warehouse.settings.sites]
        for item in self._listed():
            for site_id in sites:
                level = self._level(item, site_id)
                if self._levels_said.get((item.item_id, site_id)) != level:
                    self._levels_said[item.item_id, site_id] = level
                    changed.append(self._writer.level(item, site_id))
        if not self._levels_known:
            self._levels_known = True
            return
        groups = list(_groups(changed, self._settings.levels_per_post))
        if not groups and self._settings.sends_empty_levels:
            groups = [[]]
        for group in groups:
            rows = Rows(called="StockStatus", rows=tuple(group))
            yield write_document("StockStatuses", {"Statuses": rows}, form)

    def _level(self, item: StockItem, site_id: int) -> Level:
        """What a level is known again by; a pack's by the levels of its children."""
        if not item.pack_of:
            return item.level(site_id), item.units_on_order()
        stock = self._warehouse.stock
        children = (stock.get(code).level(site_id) // each for code, each in item.pack_of)
        return min(children), Decimal(0)

    def _items(self, form: str) -> Iterator[str]:
        most = self._settings.items_per_post * self._settings.posts_per_round
        changed: list[Value] = []
        for item in self._listed():
            if len(changed) == most:
                break
            if self._items_said.get(item.item_id) != item.revised_at:
                self._items_said[item.item_id] = item.revised_at
                changed.append(self._writer.item(item))
        deleted = self._deleted()
        groups = list(_groups(changed, self._settings.items_per_post))
        for turn, group in enumerate(groups or ([[]] if deleted.rows else [])):
            items: Value = Rows(called="StockItem", rows=tuple(group))
            if self._settings.stock_items_form == "object" and form == "JSON":
                items = {"Items": items}
            gone = deleted if turn == 0 else Rows(called=deleted.called, rows=())
            yield write_document("StockItems", {"Items": items, "Deleted": gone}, form)

    def _deleted(self) -> Rows:
        gone = [str(item_id) for item_id, said in self._unlisted.items() if not said]
        self._unlisted = dict.fromkeys(self._unlisted, True)
        if self._settings.deleted_form == "ids":
            return Rows(called="StockID", rows=tuple(gone))
        return Rows(called="DeletedItem", rows=tuple({"StockID": each} for each in gone))

    def _listed(self) -> Iterator[StockItem]:
        return (item for item in self._warehouse.stock if item.item_id not in self._unlisted)


def _groups(rows: list[Value], size: int) -> Iterator[list[Value]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
