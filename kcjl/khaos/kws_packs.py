"""What is known of packs behind the SOAP web service, so that boxes tell what was ordered.

Promises: statuses whose parcels name packs in place of their children; an order is exported
once, and a product asked for once in a while, and only for orders with something in a parcel.
Where the ERP won't tell, parcels stay as they were told, and the dispatch room asks a person.
It decides nothing about a parcel that `packs.py` does not. Invariant: what is kept is bounded.
Called by `kws.py`. Source: contract khaos b.3, b.4, b.5, b.7.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from kcjl.clock import Clock
from kcjl.errors import CredentialsRefused, Refused, Unavailable
from kcjl.khaos.order_port import ExportedOrder, Invoice, OrderStatus
from kcjl.khaos.packs import Items, Pack, folded
from kcjl.khaos.stock_port import Product

__all__ = ["PackKnowledge"]

PACKS_KEPT = timedelta(hours=6)
"""How long a product is taken to be the pack, or no pack, that it was."""
ORDERS_KEPT_MAX = 10_000
"""Orders whose lines are remembered; beyond that, all are forgotten and asked for anew."""

Ordered = dict[str, Decimal]
"""Units by folded stock code."""
Export = Callable[[Sequence[str]], Awaitable[Sequence[ExportedOrder]]]
Products = Callable[[Sequence[str]], Awaitable[Mapping[str, Product]]]


class PackKnowledge:
    """Which stock codes are packs, and what our orders ordered."""

    def __init__(self, clock: Clock, *, export: Export, products: Products) -> None:
        self._clock = clock
        self._export = export
        self._products = products
        self._ordered: dict[str, Ordered] = {}
        self._packs: dict[str, Pack] = {}
        self._packs_read_at: datetime | None = None

    async def told_in_packs(self, statuses: Sequence[OrderStatus]) -> Sequence[OrderStatus]:
        """The same statuses, with packs for their children where we know of any."""
        with_items = [status for status in statuses if any(_items_of(status))]
        if not with_items:
            return statuses
        try:
            await self._know(with_items)
        except CredentialsRefused:
            raise
        except (Unavailable, Refused):
            return statuses
        return [self._told(status) for status in statuses]

    async def _know(self, statuses: Sequence[OrderStatus]) -> None:
        await self._know_orders([status.external_ref for status in statuses])
        now = self._clock.now()
        if self._packs_read_at is None or now - self._packs_read_at >= PACKS_KEPT:
            self._packs, self._packs_read_at = {}, now
        codes = {
            code for status in statuses for code in self._ordered.get(status.external_ref, ())
        }
        unknown = sorted(codes - self._packs.keys())
        if unknown:
            found = await self._products(unknown)
            for code in unknown:
                product = found.get(code)
                made_of: Items = () if product is None else product.pack_items
                self._packs[code] = (code if product is None else product.stock_code, made_of)

    async def _know_orders(self, refs: Sequence[str]) -> None:
        if len(self._ordered) > ORDERS_KEPT_MAX:
            self._ordered = {}
        unknown = [ref for ref in refs if ref not in self._ordered]
        if not unknown:
            return
        exported = {order.external_ref: order for order in await self._export(unknown)}
        for ref in unknown:
            order = exported.get(ref)
            self._ordered[ref] = {} if order is None else _ordered_by_us(order)

    def _told(self, status: OrderStatus) -> OrderStatus:
        ordered = self._ordered.get(status.external_ref, {})
        packs = [self._packs[code] for code in ordered if code in self._packs]
        if not any(made_of for _, made_of in packs):
            return status
        told = iter(folded(_items_of(status), packs, ordered))
        return msgspec.structs.replace(
            status, invoices=tuple(_with_items(invoice, told) for invoice in status.invoices)
        )


def _items_of(status: OrderStatus) -> list[Items]:
    return [parcel.items for invoice in status.invoices for parcel in invoice.parcels]


def _with_items(invoice: Invoice, told: Iterator[Items]) -> Invoice:
    """The invoice with the next items for each of its parcels."""
    parcels = tuple(
        msgspec.structs.replace(parcel, items=next(told)) for parcel in invoice.parcels
    )
    return msgspec.structs.replace(invoice, parcels=parcels)


def _ordered_by_us(order: ExportedOrder) -> Ordered:
    """What we asked for: lines with our reference; all of them where none has any."""
    ours = [line for line in order.lines if line.external_line_ref] or order.lines
    ordered: Ordered = defaultdict(Decimal)
    for line in ours:
        ordered[line.stock_code.casefold()] += line.quantity
    return ordered
