"""A child process: what the rooms hold of orders that have ended.

Orders and dispatch fold a trade of any length, page by page, each order to its end, and nobody
keeps the pages: what the process grew by in the second half is what they hold of its orders.
Called by ordering.py: `python -m tests.benchmarks.ended ORDERS WARM`.
"""

import sys
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice

import anyio

from kcjl.dispatch import actor as dispatch_actor
from kcjl.dispatch.events import DispatchClosed, ParcelConfirmed, ParcelShipped, SalesOrdersKept
from kcjl.log.port import Recorded
from kcjl.orders import actor as orders_actor
from kcjl.orders.events import OrderReceived, ReferenceWritten
from kcjl.orders.posting_events import TotalsCompared
from kcjl.vocabulary import Event
from tests.benchmarks.morning import resident_kb
from tests.projections.long_trade import long_trade
from tests.rooms import MERCHANT, Premises
from tests.trade import gbp

PAGE = 1_000
HASH = bytes(32)
DAY = timedelta(days=1)


async def held_kb(orders: int, warm: int) -> float:
    """KB an order of the second half."""
    for module in (orders_actor, dispatch_actor):
        module.WARM = warm  # type: ignore[attr-defined]
    async with Premises().open() as process:
        halfway_kb = seen = halfway = 0
        trade = _recorded(_to_the_end(long_trade(orders)))
        while page := list(islice(trade, PAGE)):
            for room in (process.orders, process.dispatch):
                await room.fold(page)
            seen += sum(isinstance(each.event, OrderReceived) for each in page)
            if not halfway and seen >= orders // 2:
                halfway_kb, halfway = resident_kb(), seen
        return (resident_kb() - halfway_kb) / (seen - halfway)


def _to_the_end(trade: Iterable[Event]) -> Iterator[Event]:
    """With what happens to an order in the days after it has left."""
    for event in trade:
        yield event
        if isinstance(event, ParcelShipped):
            yield from _ended(event)


def _ended(parcel: ParcelShipped) -> Iterator[Event]:
    order_id, at = parcel.order_id, parcel.occurred_at + DAY
    total = gbp(2_000)
    yield TotalsCompared(order_id=order_id, ours=total, erp=total, occurred_at=at)
    yield ReferenceWritten(order_id=order_id, erp_order_code="SO", occurred_at=at)
    yield ParcelConfirmed(
        order_id=order_id,
        parcel_key=parcel.parcel_key,
        lines=(),
        shipment_id="S",
        already=False,
        occurred_at=at,
    )
    yield DispatchClosed(order_id=order_id, reason="all of it is confirmed", occurred_at=at)
    yield SalesOrdersKept(order_ids=(order_id,), occurred_at=at)


def _recorded(trade: Iterator[Event]) -> Iterator[Recorded]:
    for position, event in enumerate(trade, start=1):
        yield Recorded(
            merchant=MERCHANT,
            position=position,
            stream=event.stream,
            revision=1,
            type=type(event).__name__,
            schema=1,
            occurred_at=event.occurred_at,
            recorded_at=event.occurred_at,
            correlation_id="",
            causation=None,
            by="trade",
            data=b"",
            hash=HASH,
            event=event,
        )


if __name__ == "__main__":
    sys.stdout.write(f"{anyio.run(held_kb, int(sys.argv[1]), int(sys.argv[2])):.3f}\n")
