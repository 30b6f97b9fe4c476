"""Reading the ERP, the shell: codes confirmed, levels of what moved, is new, or is in flight.

Promises: what a read that broke off has missed is made good by the next one; a level says when
its read began and when it had ended. It holds no rule, and keeps nothing but caches.
Called by `actor.py`. Source: design 6; contract khaos b.1, b.2, b.7.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from kcjl.khaos.port import ErpPort
from kcjl.khaos.port import Product as ErpProduct
from kcjl.settings import StockSettings
from kcjl.stock.decide import decide_confirmation, decide_level
from kcjl.stock.events import LevelRead, SkuConfirmed, SkuUnmatched, StockRead, stock_key
from kcjl.stock.nearest import nearest_codes
from kcjl.stock.room import StockRoom
from kcjl.stock.state import Match, Product
from kcjl.vocabulary import Event

__all__ = ["StockReader"]

OVERLAP = timedelta(hours=2)
"""Reads of moved and edited products reach back so far (contract khaos b.1)."""
SAME_STAMP = timedelta(minutes=2)
"""Two moves so close may carry one stamp: it is coarse, and of the ERP's own clock."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class StockReader:
    """What the stock room asks of the ERP."""

    def __init__(self, room: StockRoom, erp: ErpPort, settings: StockSettings) -> None:
        self._room = room
        self._erp = erp
        self._codes: set[str] = set()
        """Every stock code of the ERP, to propose from: a cache, read again at each start."""
        self._edited_cursor = LONG_AGO
        self._moved_seen: dict[str, datetime | None] = {}
        self._sites: tuple[str, ...] = settings.sites

    async def read(self) -> None:
        """Confirm codes, then read the levels of what moved, is new, or is in flight."""
        began = self._room.clock.now()
        edited = await self._read_catalogue()
        asked = {
            key: product
            for key, product in self._room.products.watched()
            if product.match != Match.CONFIRMED
        }
        asked.update((product.key, product) for product in self._known(edited))
        await self._confirm(list(asked.values()))
        self._edited_cursor = began - OVERLAP
        moved = await self._moved_products()
        levels = await self._changed_levels(began, moved)
        finished = self._room.clock.now()
        await self._room.commit(levels)
        self._moved_seen.update(moved)
        await self._room.commit(
            (
                StockRead(
                    finished_at=finished,
                    cursor=began,
                    products=len(levels),
                    occurred_at=began,
                ),
            )
        )

    def _known(self, keys: Iterable[str]) -> list[Product]:
        """Those of the stock keys that are ours, in an order that is no set's."""
        return [self._room.products[key] for key in sorted(keys) if key in self._room.products]

    async def _read_catalogue(self) -> set[str]:
        """The stock keys that were edited since the last look, also by an earlier process."""
        edited = await self._erp.edited_products(self._edited_cursor)
        self._codes.update(each.stock_code for each in edited)
        reads = self._room.reads.get("reads")
        since = reads.stock_cursor - OVERLAP if reads and reads.stock_cursor else LONG_AGO
        return {
            stock_key(each.stock_code)
            for each in edited
            if each.changed_at is None or each.changed_at >= since
        }

    async def ask_new_skus(self) -> None:
        """A SKU that an order names and nobody has asked the ERP about yet."""
        asked = [e for _, e in self._room.products.watched() if e.match == Match.UNASKED]
        if asked and self._codes:
            await self._confirm(asked)

    async def _confirm(self, products: Sequence[Product]) -> None:
        if not products:
            return
        by_code = {product.spelling: product for product in products}
        answers = await self._erp.products(list(by_code))
        now = self._room.clock.now()
        events: list[Event] = []
        for code, product in by_code.items():
            found = answers.get(code)
            answer = (
                self._unmatched(product, now)
                if found is None
                else _confirmed(product, found, now)
            )
            current = self._room.products.get(product.key) or product
            events.extend(decide_confirmation(current, answer))
        await self._room.commit(events)

    def _unmatched(self, product: Product, now: datetime) -> SkuUnmatched:
        nearest = nearest_codes(product.spelling, self._codes)
        return SkuUnmatched(sku=product.spelling, nearest=nearest, occurred_at=now)

    async def _moved_products(self) -> dict[str, datetime | None]:
        """By stock key, when it moved; as seen once its level is in the log, not before."""
        reads = self._room.reads.get("reads")
        since = reads.stock_cursor - OVERLAP if reads and reads.stock_cursor else LONG_AGO
        moved = await self._erp.moved_products(since)
        return {stock_key(each.stock_code): each.changed_at for each in moved}

    def _is_news(self, key: str, when: datetime | None) -> bool:
        """Not read at this stamp yet; one so near to the last read may hide a later move."""
        reads = self._room.reads.get("reads")
        if when is None or reads is None or reads.stock_began_at is None:
            return True
        return self._moved_seen.get(key) != when or when >= reads.stock_began_at - SAME_STAMP

    async def _changed_levels(
        self, began: datetime, moved: Mapping[str, datetime | None]
    ) -> list[Event]:
        moved_keys = {key for key, when in moved.items() if self._is_news(key, when)}
        looked_at = [product for _, product in self._room.products.watched()]
        wanted = dict.fromkeys(
            product.stock_code
            for product in (*looked_at, *self._known(moved_keys))
            if product.match == Match.CONFIRMED
        )
        found = await self._erp.stock_levels(list(wanted), await self._site_ids())
        finished = self._room.clock.now()
        events: list[Event] = []
        levels: dict[str, LevelRead] = {}
        for level in sorted(found, key=lambda each: each.site_id):
            key = stock_key(level.stock_code)
            before = levels.get(key)
            # A row that comes twice is one row: a site counts once, as it was told last.
            sites = dict(before.levels if before else ()) | {level.site_id: level.available}
            said_at = level.read_at or began  # a level that was pushed is as old as its push
            levels[key] = LevelRead(
                sku=level.stock_code,
                levels=tuple(sites.items()),
                status=level.status,
                finished_at=finished,
                occurred_at=min(before.occurred_at, said_at) if before else said_at,
            )
        for key, read in levels.items():
            product = self._room.products.get(key)
            if product is not None:
                events.extend(decide_level(product, read))
        return events

    async def _site_ids(self) -> tuple[str, ...]:
        if not self._sites:
            sites = await self._erp.sites()
            chosen = [site.site_id for site in sites if site.is_default]
            self._sites = tuple(chosen or [site.site_id for site in sites[:1]])
        return self._sites


def _confirmed(product: Product, found: ErpProduct, now: datetime) -> SkuConfirmed:
    return SkuConfirmed(
        sku=product.spelling,
        stock_code=found.stock_code,
        discontinued=found.discontinued,
        run_to_zero=found.run_to_zero,
        stock_controlled=found.stock_controlled,
        sales_multiple=found.sales_multiple,
        display_cap=found.display_cap,
        occurred_at=now,
    )
