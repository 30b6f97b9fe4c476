"""Which SKUs an order has: what routing by SKU needs to know of the orders' own exceptions.

Promises: pure; an order that has ended is forgotten. Called by the desk.
"""

import msgspec

from kcjl.fold import Fold
from kcjl.orders.events import OrderChanged, OrderReceived
from kcjl.vocabulary import Event, held_once

__all__ = ["ORDER_SKUS", "OrderSkus"]

ENDED = frozenset({"CLOSED", "REFUSED", "CANCELED"})


class OrderSkus(msgspec.Struct, frozen=True, kw_only=True):
    skus: tuple[str, ...]


def _keys(event: Event) -> tuple[str, ...]:
    return (event.order_id,) if isinstance(event, OrderReceived | OrderChanged) else ()


def _evolve(entry: OrderSkus | None, event: Event, _key: str) -> OrderSkus | None:
    match event:
        case OrderReceived():
            skus = dict.fromkeys(held_once(line.sku) for line in event.lines)
            return OrderSkus(skus=tuple(skus))
        case OrderChanged() if event.state in ENDED:
            return None
        case _:
            return entry


ORDER_SKUS: Fold[OrderSkus] = Fold(
    _keys, _evolve, OrderSkus, hears=(OrderReceived, OrderChanged)
)
"""By order."""
