"""What the stock room asks the ERP about codes, and when.

Promises: a SKU that nobody has asked about is asked at once; one that the ERP does not know is
asked again when a code as near as a slip comes up in its edited list, and once an hour at most,
so many at a time; a stock code that was deleted, or has lost its levels, is asked again. It
decides nothing; what it keeps is a cache, read again at each start.
Invariant: "the ERP does not know it" is only ever said after the ERP has answered.
Called by `actor.py`. Source: contract khaos b.1, b.7.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta

import anyio.lowlevel

from kcjl.clock import Clock
from kcjl.khaos.port import Product as ErpProduct
from kcjl.khaos.port import StockPort
from kcjl.stock.events import SkuConfirmed, SkuUnmatched, stock_key
from kcjl.stock.nearest import CodeIndex, bare
from kcjl.stock.state import Match, Product

__all__ = ["ASKED_AGAIN_MAX", "ASK_AGAIN", "LONG_AGO", "OVERLAP", "Codes", "confirmed"]

OVERLAP = timedelta(hours=2)
"""Reads of moved, edited and deleted products reach back so far (contract khaos b.1)."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
ASK_AGAIN = timedelta(hours=1)
"""How long an answer «unknown» stands when nothing hints that it has changed."""
ASKED_AGAIN_MAX = 500
"""SKUs of that kind that one poll asks about: the others have their turn in the next ones."""


class Codes:
    """The ERP's stock codes as far as we have heard of them, and the questions about them."""

    def __init__(self, erp: StockPort, clock: Clock) -> None:
        self.known = CodeIndex()
        """Every stock code of the ERP, to propose from."""
        self._erp = erp
        self._clock = clock
        self.are_read = False
        """The list of codes has been read since this process began."""
        self._cursor = self._next_cursor = LONG_AGO
        self._asked_at: dict[str, datetime] = {}
        self._proposed: dict[str, tuple[int, tuple[str, ...]]] = {}
        self._deleted: set[str] = set()
        self._deleted_cursor = self._next_deleted = LONG_AGO

    def edits_are_known(self) -> None:
        """What was edited is in the log: the next look begins where the last one did."""
        self._cursor = self._next_cursor

    async def read_edited(self, since: datetime) -> set[str]:
        """Keys of the stock codes that were edited `since`, or since the last look.

        The first look of a process reads the whole list: so there is all to propose from.
        """
        began = self._clock.now()
        edited = await self._erp.edited_products(self._cursor)
        self.known.add(each.stock_code for each in edited)
        self.are_read = True
        self._next_cursor = began - OVERLAP
        return {
            stock_key(each.stock_code)
            for each in edited
            if each.changed_at is None or each.changed_at >= since
        }

    async def read_deleted(self) -> set[str]:
        """Keys of the stock codes that were deleted since the last look; first all there are.

        None where this ERP can't tell. A code may have been made anew since: ask before it is
        taken for gone.
        """
        if not self._erp.capabilities.deleted_entries:
            return set()
        began = self._clock.now()
        rows = await self._erp.deleted_products(self._deleted_cursor)
        deleted = {stock_key(each.stock_code) for each in rows}
        self._deleted |= deleted
        self._next_deleted = began - OVERLAP
        return deleted

    def deletions_are_known(self) -> None:
        """What was deleted is in the log: the next look begins where the last one did."""
        self._deleted_cursor = self._next_deleted

    def to_ask(self, products: Iterable[Product], changed: Collection[str]) -> list[Product]:
        """Those that the ERP is to be asked about now. `changed`: keys of stock codes."""
        now = self._clock.now()
        hints = {bare(key) for key in changed}
        asked: list[Product] = []
        waiting: list[Product] = []
        for product in products:
            if product.match == Match.UNASKED or stock_key(product.spelling) in changed:
                asked.append(product)
            elif product.match == Match.UNMATCHED:
                if bare(product.spelling) in hints:
                    asked.append(product)
                elif self.is_due(product, now):
                    waiting.append(product)
        waiting.sort(key=lambda each: self._asked_at.get(each.key, LONG_AGO))
        return asked + waiting[:ASKED_AGAIN_MAX]

    def is_due(self, product: Product, now: datetime) -> bool:
        """The last answer is so old that it may be asked for again without a reason."""
        return now - self._asked_at.get(product.key, LONG_AGO) >= ASK_AGAIN

    async def answers(
        self, products: Sequence[Product]
    ) -> list[tuple[Product, SkuConfirmed | SkuUnmatched]]:
        """What the ERP says about each."""
        found = await self._erp.products(list({each.spelling: None for each in products}))
        now = self._clock.now()
        said: list[tuple[Product, SkuConfirmed | SkuUnmatched]] = []
        for product in products:
            self._asked_at[product.key] = now
            there = found.get(product.spelling)
            if there is not None:
                said.append((product, confirmed(product.said_of, there, now)))
                continue
            said.append((product, self._unmatched(product, now)))
            await anyio.lowlevel.checkpoint()  # looking for near codes takes its time
        return said

    async def find(self, codes: Sequence[str]) -> dict[str, ErpProduct]:
        """The ERP's own products under these codes."""
        return await self._erp.products(list(dict.fromkeys(codes)))

    def nearest(self, sku: str) -> tuple[str, ...]:
        """The nearest stock codes; worked out again when codes have come or gone."""
        at, near = self._proposed.get(sku, (-1, ()))
        if at != self.known.changes:
            near = tuple(each.code for each in self.known.nearest(sku))
            self._proposed[sku] = (self.known.changes, near)
        return near

    def _unmatched(self, product: Product, now: datetime) -> SkuUnmatched:
        gone = product.alias or product.stock_code
        if gone:
            self.known.discard(gone)
        return SkuUnmatched(
            sku=product.said_of,
            nearest=self.nearest(product.sku),
            because=self._because(product),
            occurred_at=now,
        )

    def _because(self, product: Product) -> str:
        code = product.alias or product.stock_code
        if not code:
            return product.unmatched_because
        deleted = stock_key(code) in self._deleted
        fate = "was deleted in the ERP" if deleted else "is no longer in the ERP"
        if product.alias:
            return f"it stands for {code}, which {fate}"
        return f"stock code {code} {fate}"


def confirmed(sku: str, found: ErpProduct, now: datetime) -> SkuConfirmed:
    """The ERP's product, said of a SKU."""
    return SkuConfirmed(
        sku=sku,
        stock_code=found.stock_code,
        discontinued=found.discontinued,
        run_to_zero=found.run_to_zero,
        stock_controlled=found.stock_controlled,
        sales_multiple=found.sales_multiple,
        display_cap=found.display_cap,
        occurred_at=now,
    )
