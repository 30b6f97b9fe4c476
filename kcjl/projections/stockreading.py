"""The stock room's read models, as they stand: for the CLI.

Promises: every answer is read from rows of the live projection; a list is read a page at a
time, in order of the stock key, none missed and none twice. It changes nothing.
Called by `kcjl stock` and the monitor's reading.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from kcjl.database import Database
from kcjl.exceptions.events import WritesSwitched
from kcjl.fold import Fold
from kcjl.log.port import LogQueries, Selection
from kcjl.stock.conditions import Conditions, conditions_told
from kcjl.stock.events import (
    PublishHeld,
    PublishHoldEnded,
    PublishReleased,
    StockFeedStale,
    StockImportIntended,
    StockPublishingSwitched,
    stock_key,
)
from kcjl.stock.policy_book import POLICY_BOOK, PolicyBook
from kcjl.stock.projection import PRODUCTS_SHOWN
from kcjl.stock.reads import READS, Reads
from kcjl.stock.state import Product
from kcjl.vocabulary import Event

__all__ = ["StockRows", "held", "stopped", "switched_off"]

S = TypeVar("S")

PAGE_ROWS = 2_000
NEVER = datetime.min.replace(tzinfo=UTC)


class StockRows:
    """One merchant's products."""

    def __init__(self, database: Database, merchant: str) -> None:
        self._database = database
        self._merchant = merchant

    async def position(self) -> int:
        """Up to which position of the log the rows are folded."""
        found = await self._database.fetchval(
            """
            select position from projection_checkpoint
            where merchant = $1 and projection = 'stock' and live
            """,
            self._merchant,
        )
        return int(found or 0)

    async def product(self, sku: str) -> Product | None:
        """By SKU, in any spelling."""
        rows = await self._database.fetch(
            """
            select data::text as data from projection_row
            join projection_checkpoint using (merchant, projection, version)
            where merchant = $1 and projection = 'stock' and live and key = $2
            """,
            self._merchant,
            stock_key(sku),
        )
        return PRODUCTS_SHOWN.entry(rows[0]["data"]) if rows else None

    async def sharing(self, product: Product) -> Sequence[Product]:
        """All products of this one's stock code, itself among them."""
        if not product.code_key:
            return (product,)
        rows = await self._database.fetch(
            """
            select data::text as data from projection_row
            join projection_checkpoint using (merchant, projection, version)
            where merchant = $1 and projection = 'stock' and live
            and data->'row'->>'stock_code' = $2
            order by key
            """,
            self._merchant,
            product.stock_code,
        )
        found = [PRODUCTS_SHOWN.entry(row["data"]) for row in rows]
        return [each for each in found if each.code_key == product.code_key]

    async def products(self) -> AsyncIterator[Sequence[Product]]:
        """Every product, a page at a time."""
        after = ""
        while True:
            rows = await self._database.fetch(
                """
                select key, data::text as data from projection_row
                join projection_checkpoint using (merchant, projection, version)
                where merchant = $1 and projection = 'stock' and live and key > $2
                order by key limit $3
                """,
                self._merchant,
                after,
                PAGE_ROWS,
            )
            if rows:
                yield [PRODUCTS_SHOWN.entry(row["data"]) for row in rows]
            if len(rows) < PAGE_ROWS:
                return
            after = rows[-1]["key"]

    async def conditions(
        self, log: LogQueries, *, to: int, at: datetime | None = None
    ) -> Conditions:
        """What figures are worked out under at a position, at a time: the log's own, if none
        is named.
        """
        moment = at or await _recorded_at(log, to)
        book = await self.book(log, to=to)
        intended = await _newest(log, to, types=("StockImportIntended",))
        feed = await _newest(log, to, stream="stock-feed")
        return conditions_told(
            book.in_force(moment),
            await self.reads(log, to),
            moment,
            lag_s=float(intended.lag_s) if isinstance(intended, StockImportIntended) else 0.0,
            stale=feed.grade if isinstance(feed, StockFeedStale) else "",
        )

    async def book(self, log: LogQueries, *, to: int | None = None) -> PolicyBook:
        """What is proposed and approved, as of a position."""
        return (await _folded(log, POLICY_BOOK, "stock-policy", to)).get("policy", PolicyBook())

    async def reads(self, log: LogQueries, to: int) -> Reads | None:
        """When both sides were last read, as of a position."""
        entry: Reads | None = None
        for stream, kind in (("stock-reads", "StockRead"), ("orders-intake", "OrdersRead")):
            async for page in log.select(
                Selection(stream=stream, types=(kind,), to=to, backward=True, page=1)
            ):
                entry = READS.evolve(entry, page[0].event, "reads")
                break
        return entry

    async def aliases(self) -> dict[str, str]:
        """Stock code by stock key of the SKU that stands for it."""
        rows = await self._database.fetch(
            """
            select key, data->'row'->>'alias' as alias from projection_row
            join projection_checkpoint using (merchant, projection, version)
            where merchant = $1 and projection = 'stock' and live
            and coalesce(data->'row'->>'alias', '') <> ''
            """,
            self._merchant,
        )
        return {row["key"]: row["alias"] for row in rows}


async def _folded(log: LogQueries, fold: Fold[S], stream: str, to: int | None) -> dict[str, S]:
    """What a stream of its own makes of a fold."""
    entries: dict[str, S] = {}
    async for page in log.select(Selection(stream=stream, to=to)):
        for recorded in page:
            for key in fold.keys(recorded.event):
                entry = fold.evolve(entries.get(key), recorded.event, key)
                if entry is not None:
                    entries[key] = entry
    return entries


async def _newest(
    log: LogQueries, to: int, *, stream: str | None = None, types: tuple[str, ...] = ()
) -> Event | None:
    asked = Selection(stream=stream, types=types, to=to, backward=True, page=1)
    async for page in log.select(asked):
        return page[0].event
    return None


async def _recorded_at(log: LogQueries, to: int) -> datetime:
    async for page in log.select(Selection(to=to, backward=True, page=1)):
        return page[0].recorded_at
    return NEVER


async def held(log: LogQueries) -> PublishHeld | None:
    """What a guard holds now, and nobody has let through."""
    holding: PublishHeld | None = None
    async for page in log.select(Selection(stream="stock-guard")):
        for recorded in page:
            event = recorded.event
            if isinstance(event, PublishHeld):
                holding = event
            elif isinstance(event, PublishReleased | PublishHoldEnded):
                holding = None
    return holding


async def stopped(log: LogQueries, *, to: int) -> str:
    """Why no figure goes out now, and what to do; empty while they go."""
    writes = await _newest(log, to, stream="writes")
    if isinstance(writes, WritesSwitched) and not writes.allowed:
        return f"all writes are stopped ({writes.reason}): kcjl writes on"
    off = await switched_off(log, to=to)
    if off is not None:
        return f"publishing is off ({off.reason}): kcjl stock publishing on"
    if await held(log) is not None:
        return "a guard holds the figures: kcjl stock release"
    return ""


async def switched_off(log: LogQueries, *, to: int) -> StockPublishingSwitched | None:
    """Who has stopped the publishing of stock; None while it goes on."""
    switched = await _newest(log, to, stream="stock-publishing")
    if isinstance(switched, StockPublishingSwitched) and not switched.on:
        return switched
    return None
