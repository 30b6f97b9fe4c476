"""The events behind a product's sum: found by reading the log's streams backwards.

Promises: nothing after the position that is asked for is looked at; a stream is read no further
back than it is needed, and imports so many at most. It reads the log and writes nothing.
Called by `kcjl stock show` and `explain`.
"""

from collections.abc import Sequence

import msgspec

from kcjl.log.port import LogQueries, Recorded, Selection
from kcjl.stock.events import (
    LevelRead,
    OfferListed,
    SkuAliasApproved,
    SkuAliasWithdrawn,
    SkuConfirmed,
    SkuUnmatched,
    StockImportIntended,
)
from kcjl.stock.shown import OFFER_EVENTS
from kcjl.stock.state import Product

__all__ = ["Origins", "origins_of"]

PAGE = 200
LEVELS_KEPT = 5
IMPORTS_LOOKED_AT_MAX = 2_000
IMPORTS_KEPT = 2
GATE_EVENTS = (SkuConfirmed, SkuUnmatched, SkuAliasApproved, SkuAliasWithdrawn)


class Origins(msgspec.Struct, frozen=True, kw_only=True):
    """What a sum rests on, oldest first in each."""

    products: tuple[Recorded, ...]
    """Of the product and of those that share its stock code: the gate's events, the offers,
    and the newest levels.
    """
    orders: tuple[Recorded, ...]
    """Of the orders that are in flight."""
    policy: tuple[Recorded, ...]
    imports: tuple[Recorded, ...]
    """The newest imports with a figure of the product, and what became of them."""

    @property
    def chain(self) -> list[Recorded]:
        """All of them, in the order in which they were recorded."""
        every = {
            each.position: each
            for part in (self.products, self.orders, self.policy[-1:], self.imports)
            for each in part
        }
        return [every[position] for position in sorted(every)]


async def origins_of(log: LogQueries, products: Sequence[Product], *, to: int) -> Origins:
    """The events behind these products' sum, as of a position."""
    told: list[Recorded] = []
    for product in products:
        told.extend(await _of_product(log, product.key, to))
    orders: list[Recorded] = []
    for order_id in dict.fromkeys(e.order_id for p in products for e in p.in_flight):
        orders.extend(await _stream(log, f"order-{order_id}", to))
    skus = {each.sku for product in products for each in product.shown}
    return Origins(
        products=tuple(told),
        orders=tuple(orders),
        policy=tuple(await _stream(log, "stock-policy", to)),
        imports=tuple(await _imports(log, skus, to)),
    )


async def _of_product(log: LogQueries, key: str, to: int) -> list[Recorded]:
    """Levels are many: after the newest few only what else there is counts."""
    found: list[Recorded] = []
    levels = 0
    asked = Selection(stream=f"product-{key}", to=to, backward=True, page=PAGE)
    async for page in log.select(asked):
        for each in page:
            if isinstance(each.event, LevelRead):
                levels += 1
                if levels <= LEVELS_KEPT:
                    found.append(each)
            elif isinstance(each.event, (*GATE_EVENTS, OfferListed, *OFFER_EVENTS)):
                found.append(each)
    return found[::-1]


async def _stream(log: LogQueries, stream: str, to: int) -> list[Recorded]:
    return [
        each
        async for page in log.select(Selection(stream=stream, to=to, page=PAGE))
        for each in page
    ]


async def _imports(log: LogQueries, skus: set[str], to: int) -> list[Recorded]:
    found: list[Recorded] = []
    looked_at = 0
    asked = Selection(types=("StockImportIntended",), to=to, backward=True, page=PAGE)
    async for page in log.select(asked):
        for each in page:
            event = each.event
            if not isinstance(event, StockImportIntended):
                continue
            if any(figure.sku in skus for figure in event.figures):
                found.append(each)
            if len(found) == IMPORTS_KEPT:
                break
        looked_at += len(page)
        if len(found) == IMPORTS_KEPT or looked_at >= IMPORTS_LOOKED_AT_MAX:
            break
    told: list[Recorded] = []
    for each in reversed(found):
        told.extend(await _stream(log, each.stream, to))
    return told
