"""Orders in bulk: every order that changed within a span of time, however many there are.

Promises: one call reads a span of any length, in windows of a year at most, each one export of
theirs; orders come in bounded batches while the files arrive, so memory holds one piece of a
file and one batch. Each state of an order comes once; an order that changes meanwhile may come
again, newer. It keeps no cursor. Invariant: the end of the iterator means that every file of
every window was read to its last byte; anything less raises.
Called through `OrderExportPort`. Source: contract johnlewis b.3 (OR13, OR14, OR15), f.8.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec

from kcjl.errors import Misuse, Refused
from kcjl.johnlewis import order_records, order_wire
from kcjl.johnlewis.access import SellerApiSettings
from kcjl.johnlewis.export_port import ExportMemory
from kcjl.johnlewis.exports import ORDERS, Exports, NothingKept
from kcjl.johnlewis.port import Order
from kcjl.johnlewis.splitting import JsonRows

__all__ = ["BATCH_ORDERS", "OrderExportCalls", "OrderExportPort"]

WINDOW = timedelta(days=365)
"""A window of more than a year is a 400 (contract f.8)."""

BATCH_ORDERS = 500
"""Orders handed over at once."""

ORDERS_MAX = 5_000_000
"""So many orders one call tells apart; more is asked for in shorter spans."""


class OrderExportPort(Protocol):
    """Catching up."""

    def orders_caught_up(
        self, since: datetime, until: datetime, *, memory: ExportMemory | None = None
    ) -> AsyncGenerator[Sequence[Order], None]: ...


class OrderExportCalls:
    """The order exports of one shop. Fields are set by `SellerApi`."""

    _settings: SellerApiSettings
    _currency: str
    _exports: Exports

    async def orders_caught_up(
        self, since: datetime, until: datetime, *, memory: ExportMemory | None = None
    ) -> AsyncGenerator[Sequence[Order], None]:
        """OR13 → OR14 → OR15: all orders updated from `since` to `until`, in no order.

        Each batch has at most `BATCH_ORDERS`. Close the iterator when leaving early
        (`contextlib.aclosing`). After an error call it again: with a memory the export that is
        under way is gone on with, and what was given before comes again.

        Raises `Refused` for an export that failed or a file at a host that is not allowed,
        `Unavailable` for one that is not done in time or broke off.
        """
        memory = memory or NothingKept()
        seen: dict[str, datetime] = {}
        for start, end in _windows(since, until):
            batch: list[Order] = []
            async with aclosing(self._window(start, end, memory)) as told:
                async for order in told:
                    known = seen.get(order.order_id)
                    if known is not None and known >= order.updated_at:
                        continue
                    if known is None and len(seen) >= ORDERS_MAX:
                        raise Misuse(f"OR13: more than {ORDERS_MAX} orders; ask for less time")
                    seen[order.order_id] = order.updated_at
                    batch.append(order)
                    if len(batch) >= BATCH_ORDERS:
                        yield batch
                        batch = []
            if batch:
                yield batch

    async def _window(
        self, start: datetime, end: datetime, memory: ExportMemory
    ) -> AsyncGenerator[Order, None]:
        asked = {
            "start_update_date": _moment(start),
            "end_update_date": _moment(end),
            "items_per_chunk": self._settings.export_rows_per_file,
        }
        subject = f"of orders updated {_moment(start)} to {_moment(end)}"
        name = f"OR13 {subject}"
        urls = await self._exports.finished(
            ORDERS, msgspec.json.encode(asked), subject, memory=memory, name=name
        )
        try:
            for url in urls:
                reader = JsonRows(order_wire.WireOrder, name="orders", what="OR15")
                async with aclosing(self._exports.pieces(ORDERS, url)) as pieces:
                    async for piece in pieces:
                        for row in reader.feed(piece):
                            yield order_records.order(row, self._currency, "OR15")
                for row in reader.finish():
                    yield order_records.order(row, self._currency, "OR15")
        except Refused:
            await memory.forget(name)  # the files are gone: the next call asks anew
            raise
        await memory.forget(name)


def _windows(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Whole seconds, outwards; the windows touch, because bounds may count or not."""
    if since.tzinfo is None or until.tzinfo is None:
        raise Misuse(f"{since} or {until} has no time zone")
    start = since.astimezone(UTC).replace(microsecond=0)
    last = until.astimezone(UTC)
    if last.microsecond:
        last = last.replace(microsecond=0) + timedelta(seconds=1)
    if start >= last:
        raise Misuse(f"OR13: {since} is not before {until}")
    while start < last:
        end = min(start + WINDOW, last)
        yield start, end
        start = end


def _moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
