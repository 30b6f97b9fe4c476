"""Reading the ERP, the shell: levels of what moved, is new, or is in flight; or of all.

Promises: what a read that broke off has missed is made good by the next one; a level says when
its read began and when it had ended. It holds no rule, and keeps nothing but caches.
Called by `actor.py`. Source: design 6; contract khaos b.1, b.2, b.7.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from kcjl.khaos.port import ErpPort
from kcjl.settings import StockSettings
from kcjl.stock.codes import LONG_AGO, OVERLAP
from kcjl.stock.decide import decide_level, wants_sweep
from kcjl.stock.events import LevelRead, StockRead, stock_key
from kcjl.stock.gate import ASKED_TOGETHER, StockGate
from kcjl.stock.room import StockRoom
from kcjl.stock.state import Match, Product
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
        self._sweep_every = timedelta(hours=settings.sweep_hours)
        self._sites: tuple[str, ...] = settings.sites

    async def read(self) -> None:
        """Confirm codes, then read the levels of what moved, is new, is in flight; or all."""
        began = self._room.clock.now()
        sweep = wants_sweep(self._room.last_reads, every=self._sweep_every, now=began)
        await self._gate.read(sweep=sweep)
        moved = await self._moved_products()
        changed, finished = await self._read_levels(began, self._wanted(moved, sweep=sweep))
        self._moved_seen.update(moved)
        await self._room.commit(
            (
                StockRead(
                    finished_at=finished,
                    cursor=began,
                    products=changed,
                    swept=sweep,
                    occurred_at=began,
                ),
            )
        )

    async def read_again(self, codes: Sequence[str]) -> int:
        """The levels of these codes; how many of them were news."""
        began = self._room.clock.now()
        wanted = {stock_key(code): code for code in codes}
        levels = await self._levels(began, wanted)
        events = self._news(levels)
        await self._room.commit(events)
        return len(events)

    def _sharing(self, key: str) -> list[Product]:
        """The products of a stock code, by its key."""
        return self._room.products.grouped(key)

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

    def _wanted(
        self, moved: Mapping[str, datetime | None], *, sweep: bool
    ) -> list[tuple[str, str]]:
        """Stock codes whose levels are to be read, each with its key."""
        moved_keys = {key for key, when in moved.items() if self._is_news(key, when)}
        looked_at = [product for _, product in self._room.products.watched()]
        moved_here = (each for key in sorted(moved_keys) for each in self._sharing(key))
        of_these = self._room.products.values() if sweep else (*looked_at, *moved_here)
        wanted = {
            product.code_key: product.stock_code
            for product in of_these
            if product.match == Match.CONFIRMED
        }
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
                said = msgspec.structs.replace(read, sku=product.said_of)
                events.extend(decide_level(product, said))
        return events

    async def _site_ids(self) -> tuple[str, ...]:
        if not self._sites:
            sites = await self._erp.sites()
            chosen = [site.site_id for site in sites if site.is_default]
            self._sites = tuple(chosen or [site.site_id for site in sites[:1]])
        return self._sites
