"""Reading the ERP, the shell: levels of what moved, is new, or is in flight; or of all.

Promises: what a read that broke off has missed is made good by the next one; a level says when
its read began and when it had ended; of a sweep, what has moved is read first. It holds no
rule, and keeps nothing but caches.
Called by `actor.py`. Source: design 6; contract khaos b.1, b.2, b.7.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from kcjl.khaos.port import ErpPort
from kcjl.settings import StockSettings
from kcjl.stock.codes import LONG_AGO, OVERLAP
from kcjl.stock.decide import Look, decide_level
from kcjl.stock.events import LevelRead, StockRead, stock_key
from kcjl.stock.gate import ASKED_TOGETHER, StockGate
from kcjl.stock.room import StockRoom
from kcjl.stock.state import Match, Product
from kcjl.stock.sweeps import sweep_part
from kcjl.vocabulary import Event

__all__ = ["StockReader"]

SAME_STAMP = timedelta(minutes=2)
"""Two moves so close may carry one stamp: it is coarse, and of the ERP's own clock."""


class StockReader:
    """What the stock room asks of the ERP."""

    def __init__(
        self, room: StockRoom, erp: ErpPort, gate: StockGate, settings: StockSettings
    ) -> None:
        self._room = room
        self._erp = erp
        self._gate = gate
        self._moved_seen: dict[str, datetime | None] = {}
        self._moved_asked_at: datetime | None = None
        """When this process last asked what has moved, and then read the levels of it."""
        self._newest: datetime | None = None
        self._newest_at: datetime | None = None
        """The newest stamp of a move that was read, by the ERP's clock; when by ours."""
        self.has_polled = False
        self._sweep_every = timedelta(hours=settings.sweep_hours)
        self._poll_every = timedelta(seconds=settings.poll_s)
        self._sites: tuple[str, ...] = settings.sites

    async def read(self) -> None:
        """Confirm codes, then read the levels of what moved, is new, is in flight, is swept."""
        began, products = self._room.clock.now(), self._room.products
        part = sweep_part(
            self._room.last_reads,
            list(products),
            every=self._sweep_every,
            poll=self._poll_every,
            now=began,
        )
        keys = part.keys if part else ()
        await self._gate.read([products[key] for key in keys])
        asked_at = self._room.clock.now()
        moved = await self._moved_products()
        swept = [products[key] for key in keys]
        changed, finished = await self._read_levels(began, self._wanted(moved, swept))
        self._have_read(moved, asked_at)
        self.has_polled = True
        await self._room.commit(
            (
                StockRead(
                    finished_at=finished,
                    cursor=began,
                    products=changed,
                    swept=part is not None and part.is_last,
                    swept_to=part.swept_to if part else "",
                    occurred_at=began,
                ),
            )
        )

    async def read_moved(self, *, codes_max: int) -> Look:
        """The levels of what has moved since the last look, where that is not too much."""
        began = self._room.clock.now()
        moved = await self._moved_products(self._unseen_since(began))
        wanted = _by_code(self._moved_here(moved))
        if len(wanted) > codes_max:
            return Look(codes=len(wanted), changed=None)
        events = self._news(await self._levels(began, wanted)) if wanted else []
        await self._room.commit(events)
        self._have_read(moved, began)
        return Look(codes=len(wanted), changed=len(events))

    def _sharing(self, key: str) -> list[Product]:
        """The products of a stock code, by its key."""
        return self._room.products.grouped(key)

    def _unseen_since(self, now: datetime) -> datetime | None:
        """By the ERP's own clock: all that it has stamped before was read."""
        if self._newest is None or self._newest_at is None:
            return None
        if now - self._newest_at > SAME_STAMP:
            return self._newest + timedelta(seconds=1)
        return self._newest - SAME_STAMP

    async def _moved_products(
        self, unseen_since: datetime | None = None
    ) -> dict[str, datetime | None]:
        """By stock key, when it moved; as seen once its level is in the log, not before."""
        reads = self._room.reads.get("reads")
        since = reads.stock_cursor - OVERLAP if reads and reads.stock_cursor else LONG_AGO
        if unseen_since is not None:
            since = max(since, unseen_since)
        moved = await self._erp.moved_products(since)
        return {stock_key(each.stock_code): each.changed_at for each in moved}

    def _is_news(self, key: str, when: datetime | None) -> bool:
        """Not read at this stamp yet; one so near to the last read may hide a later move."""
        asked_at = self._moved_asked_at
        if when is None or asked_at is None:
            return True
        return self._moved_seen.get(key) != when or when >= asked_at - SAME_STAMP

    def _have_read(self, moved: Mapping[str, datetime | None], asked_at: datetime) -> None:
        self._moved_seen.update(moved)
        self._moved_asked_at = max(asked_at, self._moved_asked_at or asked_at)
        newest = max((when for when in moved.values() if when is not None), default=None)
        if newest is not None and (self._newest is None or newest > self._newest):
            self._newest, self._newest_at = newest, asked_at

    def _moved_here(self, moved: Mapping[str, datetime | None]) -> Iterator[Product]:
        """Products of the stock codes that have moved and were not read since."""
        news = sorted(key for key, when in moved.items() if self._is_news(key, when))
        return (each for key in news for each in self._sharing(key))

    def _wanted(
        self, moved: Mapping[str, datetime | None], swept: Sequence[Product]
    ) -> list[tuple[str, str]]:
        """Stock codes whose levels are to be read, each with its key."""
        looked_at = (product for _, product in self._room.products.watched())
        wanted = _by_code((*looked_at, *self._moved_here(moved), *swept))
        return list(wanted.items())

    async def _read_levels(
        self, began: datetime, codes: Sequence[tuple[str, str]]
    ) -> tuple[int, datetime]:
        """How many of them were news, and when the ERP had answered."""
        changed, finished = 0, self._room.clock.now()
        for start in range(0, len(codes), ASKED_TOGETHER):
            wanted = dict(codes[start : start + ASKED_TOGETHER])
            levels = await self._levels(began, wanted)
            events = self._news(levels)
            await self._gate.ask_about_missing(wanted.keys() - levels.keys())
            finished = self._room.clock.now()
            await self._room.commit(events)
            changed += len(events)
        return changed, finished

    async def _levels(self, began: datetime, wanted: Mapping[str, str]) -> dict[str, LevelRead]:
        """By stock key, as the ERP tells them now."""
        found = await self._erp.stock_levels(list(wanted.values()), await self._site_ids())
        finished = self._room.clock.now()
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
        return levels

    def _news(self, levels: Mapping[str, LevelRead]) -> list[Event]:
        events: list[Event] = []
        for key, read in levels.items():
            for product in self._sharing(key):  # an alias shares the levels
                events.extend(
                    msgspec.structs.replace(news, sku=product.said_of)
                    for news in decide_level(product, read)
                )
        return events

    async def _site_ids(self) -> tuple[str, ...]:
        if not self._sites:
            sites = await self._erp.sites()
            chosen = [site.site_id for site in sites if site.is_default]
            self._sites = tuple(chosen or [site.site_id for site in sites[:1]])
        return self._sites


def _by_code(products: Iterable[Product]) -> dict[str, str]:
    """The confirmed stock codes of these products, by key."""
    return {
        product.code_key: product.stock_code
        for product in products
        if product.match == Match.CONFIRMED
    }
