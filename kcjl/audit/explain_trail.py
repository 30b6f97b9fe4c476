"""The events around an order of a product: from the figure that was shown to the read after it.

Promises: bounded, and says so at its bound; reads the log by streams and types, never from its
first event on. It decides nothing.
Called by `explain_reading.py` and tests.
"""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from kcjl.errors import NotFound
from kcjl.in_flight import IN_FLIGHT_EVENTS
from kcjl.log.port import LogQueries, Recorded, Selection
from kcjl.orders.events import LineOrdered, OrderReceived
from kcjl.stock.events import (
    LevelsWatched,
    StockImportEndedLate,
    StockImportFailed,
    StockImportFinished,
    StockImportGivenUp,
    StockImportIntended,
    StockImportSent,
    StockImportUnknown,
    StockRead,
    stock_key,
)
from kcjl.stock.state import Product

__all__ = ["EVENTS_MAX", "ProductsAt", "Trail", "received_of", "trail_of"]

EVENTS_MAX = 50_000
"""Of one trail: a busy day's; beyond it the trail is cut, and says so."""
IMPORTS_LOOKED_AT_MAX = 2_000
IMPORTS_AFTER_MAX = 200
PAGE = 200
ENDS = (StockImportFinished.__name__, StockImportFailed.__name__, StockImportGivenUp.__name__)
HEARD = tuple(
    each.__name__
    for each in (
        *IN_FLIGHT_EVENTS,
        StockRead,
        LevelsWatched,
        StockImportIntended,
        StockImportSent,
        StockImportUnknown,
        StockImportFailed,
        StockImportFinished,
        StockImportGivenUp,
        StockImportEndedLate,
    )
)

ProductsAt = Callable[[int, str], Awaitable[Sequence[Product]]]
"""All products of a SKU's stock code, as of a position."""


class Trail(msgspec.Struct, frozen=True, kw_only=True):
    """What `oversold_line` wants."""

    order: Recorded
    before: tuple[Product, ...]
    events: tuple[Recorded, ...]
    cut: bool


async def received_of(log: LogQueries, order_id: str, *, to: int | None = None) -> Recorded:
    """The first sight of an order. Raises NotFound."""
    asked = Selection(
        stream=f"order-{order_id}", types=(OrderReceived.__name__,), to=to, page=1
    )
    async for page in log.select(asked):
        return page[0]
    raise NotFound(
        f"there is no order {order_id!r} of {log.merchant}: `kcjl orders list --all` names "
        "those there are"
    )


async def trail_of(
    log: LogQueries,
    order: Recorded,
    sku: str,
    products_at: ProductsAt,
    *,
    to: int | None = None,
) -> Trail:
    """Up to the position `to`, if one is named: what was known then."""
    there = await products_at(order.position, sku)
    skus = {shown.sku for each in there for shown in each.shown} | {sku}
    first = await _shown_from(log, order, skus)
    last = await _until(log, order, there, skus, to)
    events: list[Recorded] = []
    cut = False
    async for page in log.select(Selection(types=HEARD, after=first, to=last)):
        events.extend(page)
        if len(events) > EVENTS_MAX:
            cut = True
            break
    before = await products_at(first, sku) or there
    return Trail(order=order, before=tuple(before), events=tuple(events), cut=cut)


async def _shown_from(log: LogQueries, order: Recorded, skus: set[str]) -> int:
    """The position before the import whose figure stood there when the order was placed."""
    looked_at, oldest = 0, order.position
    asked = Selection(
        types=(StockImportIntended.__name__,), to=order.position, backward=True, page=PAGE
    )
    async for page in log.select(asked):
        for each in page:
            if not _is_of(each, skus):
                continue
            oldest = each.position
            ended = await _ended(log, each)
            if (
                ended is not None
                and isinstance(ended.event, StockImportFinished)
                and ended.occurred_at <= order.occurred_at
            ):
                return oldest - 1
        looked_at += len(page)
        if looked_at >= IMPORTS_LOOKED_AT_MAX:
            break
    return oldest - 1


async def _until(
    log: LogQueries,
    order: Recorded,
    there: Sequence[Product],
    skus: set[str],
    to: int | None,
) -> int:
    """The end of the first import that had a level which was read after the order."""
    read = await _read_after(log, order, there, to)
    if read is None:
        head = to
        async for page in log.select(Selection(to=to, backward=True, page=1)):
            head = page[0].position
        return head or order.position
    looked_at = 0
    asked = Selection(
        types=(StockImportIntended.__name__,), after=read.position, to=to, page=PAGE
    )
    async for page in log.select(asked):
        for each in page:
            looked_at += 1
            if _is_of(each, skus):
                ended = await _ended(log, each)
                last = ended.position if ended is not None else each.position
                return last if to is None else min(last, to)
        if looked_at >= IMPORTS_AFTER_MAX:
            break
    return read.position


async def _read_after(
    log: LogQueries, order: Recorded, there: Sequence[Product], to: int | None
) -> Recorded | None:
    found: list[Recorded] = []
    for key in {each.key for each in there} or {stock_key(line.sku) for line in _lines(order)}:
        asked = Selection(
            stream=f"product-{key}",
            types=("LevelRead",),
            after=order.position,
            to=to,
            page=PAGE,
        )
        async for page in log.select(asked):
            later = [each for each in page if each.occurred_at > order.occurred_at]
            found.extend(later[:1])
            if later:
                break
    return min(found, key=lambda each: each.position, default=None)


async def _ended(log: LogQueries, intended: Recorded) -> Recorded | None:
    async for page in log.select(Selection(stream=intended.stream, types=ENDS, page=1)):
        return page[0]
    return None


def _is_of(recorded: Recorded, skus: set[str]) -> bool:
    event = recorded.event
    return isinstance(event, StockImportIntended) and any(
        figure.sku in skus for figure in event.figures
    )


def _lines(order: Recorded) -> tuple[LineOrdered, ...]:
    return order.event.lines if isinstance(order.event, OrderReceived) else ()
