"""The gate, the shell: has SKUs confirmed by the ERP, and carries out what people say of them.

Promises: what the ERP said is in the log before anything is worked out from it; an alias is
checked against the ERP's codes first; an answer that a person has overtaken is dropped. It
holds no rule: those stand in `alias.py` and `decide.py`, the questions in `codes.py`.
Called by the stock room. Source: design 6 (gate); contract khaos b.1.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from kcjl.clock import Clock
from kcjl.fold import Table
from kcjl.khaos.port import StockPort
from kcjl.log.port import Recorded
from kcjl.stock.alias import (
    decide_alias,
    decide_fallen,
    decide_withdrawal,
    has_fallen,
)
from kcjl.stock.codes import LONG_AGO, OVERLAP, Codes, confirmed
from kcjl.stock.decide import decide_confirmation
from kcjl.stock.events import stock_key
from kcjl.stock.reads import Reads
from kcjl.stock.state import Match, Product
from kcjl.vocabulary import Event

__all__ = ["ASKED_TOGETHER", "StockGate"]

ASKED_TOGETHER = 1_000
"""What the ERP said of so many is in the log before the next are asked about: of a catalogue
of 100,000 the answers alone would take some 50 MB.
"""


class GateRoom(Protocol):
    """What the gate needs of its room."""

    clock: Clock
    products: Table[Product]
    reads: Table[Reads]

    async def catch_up(self) -> None: ...

    async def commit(
        self, events: Sequence[Event], *, by: str | None = None
    ) -> Sequence[Recorded]: ...


class StockGate:
    """Which SKUs are confirmed stock codes."""

    def __init__(self, room: GateRoom, erp: StockPort) -> None:
        self._room = room
        self._codes = Codes(erp, room.clock)

    # ── what the ERP says ───────────────────────────────────────────────────────────────────

    async def read(self, swept: Sequence[Product] = ()) -> set[str]:
        """Ask about what is due, and what is swept; the keys of the stock codes that were
        edited.
        """
        edited = await self._read_edited()
        products = self._room.products
        looked_at = dict(products.watched())
        looked_at |= {each.key: each for each in self._sharing(edited)}
        looked_at |= {key: products[key] for key in sorted(edited) if key in products}
        due = self._codes.to_ask(looked_at.values(), edited)
        asked = {each.key: each for each in (*swept, *due)}
        await self.confirm(list(asked.values()))
        self._codes.edits_are_known()
        return edited

    async def ask_new_skus(self) -> None:
        """A SKU that an order names and nobody has asked the ERP about yet."""
        products = self._room.products.watched()
        asked = [each for _, each in products if each.match == Match.UNASKED]
        if asked and self._codes.are_read:
            await self.confirm(asked)

    async def read_deleted(self) -> None:
        """A stock code that was deleted in the ERP is asked about: what is gone goes to 0."""
        deleted = await self._codes.read_deleted()
        await self.confirm(self._sharing(deleted))
        self._codes.deletions_are_known()

    async def ask_about_missing(self, keys: Iterable[str]) -> None:
        """A stock code whose levels the ERP does not give may be gone."""
        now = self._room.clock.now()
        await self.confirm(
            [each for each in self._sharing(keys) if self._codes.is_due(each, now)]
        )

    async def confirm(self, products: Sequence[Product]) -> None:
        """Have the ERP say whether it knows them; so many at a time that none is held long."""
        for start in range(0, len(products), ASKED_TOGETHER):
            await self._confirm(products[start : start + ASKED_TOGETHER])

    async def _confirm(self, products: Sequence[Product]) -> None:
        answers = await self._codes.answers(products)
        fallen = [product.sku for product, answer in answers if has_fallen(product, answer)]
        own = await self._codes.find(fallen) if fallen else {}
        events: list[Event] = []
        for product, answer in answers:
            current = self._room.products.get(product.key) or product
            if current.alias != product.alias:
                continue  # a person has spoken meanwhile
            there = own.get(product.sku) if has_fallen(product, answer) else None
            if there is not None and not there.discontinued:
                itself = confirmed(product.sku, there, self._room.clock.now())
                events.extend(decide_fallen(current, itself))
            else:
                events.extend(decide_confirmation(current, answer))
        await self._room.commit(events)

    def _sharing(self, keys: Iterable[str]) -> list[Product]:
        return [each for key in sorted(keys) for each in self._room.products.grouped(key)]

    async def _read_edited(self) -> set[str]:
        reads = self._room.reads.get("reads")
        since: datetime | None = reads.stock_cursor if reads else None
        return await self._codes.read_edited(since - OVERLAP if since else LONG_AGO)

    # ── what people say ─────────────────────────────────────────────────────────────────────

    async def approve_alias(self, sku: str, code: str, *, by: str) -> str:
        """A person names a stock code for a SKU; its gate opens, and its orders go on.

        Returns what came of it. Raises NotFound and Refused, with what to do instead.
        """
        product = await self._known(sku)
        found = await self._codes.find([sku, code])
        now = self._room.clock.now()
        own, named = found.get(sku), found.get(code)
        said_of = product.sku if product else sku
        events = decide_alias(
            product,
            sku=sku,
            code=code,
            own=confirmed(said_of, own, now) if own else None,
            named=confirmed(said_of, named, now) if named else None,
            nearest=() if named else self._codes.nearest(code),
            now=now,
        )
        await self._room.commit(events, by=by)
        known = named.stock_code if named else code
        if not events:
            return f"{sku} stands for stock code {known} already"
        return f"{sku} stands for stock code {known} from now on: its gate is open"

    async def withdraw_alias(self, sku: str, *, by: str) -> str:
        """A person takes an alias back; the SKU is what the ERP says of it again.

        Returns what came of it. Raises NotFound where there is none.
        """
        product = await self._known(sku)
        own = (await self._codes.find([sku])).get(sku)
        now = self._room.clock.now()
        events = decide_withdrawal(
            product,
            sku=sku,
            own=confirmed(product.sku, own, now) if own and product else None,
            nearest=() if own else self._codes.nearest(sku),
            now=now,
        )
        await self._room.commit(events, by=by)
        if own:
            return f"{sku} is stock code {own.stock_code} again"
        return f"{sku} stands for no stock code any more: it is offered at 0"

    async def _known(self, sku: str) -> Product | None:
        await self._room.catch_up()
        if not self._codes.are_read:
            await self._read_edited()
        return self._room.products.get(stock_key(sku))
