"""Customers of the marketplace: what they order of a basket, and whether it was there.

Promises: a basket buys the lines that the window covers, or as much of each as it shows; codes
that the ERP does not know are bought beyond it, as in life; each unit sold is counted against
the true free stock at that moment, each unit not sold as lost. It moves no stock.
Invariant: true free stock is the ERP's level less units of marketplace orders that the ERP does
not have yet.
Called by the world.
"""

from collections import Counter, defaultdict

import msgspec

from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.marketplace import (
    BasketLine,
    Customer,
    Marketplace,
    PlacedOrder,
    PostalAddress,
)
from kcjl.sandbox.marketplace.records import OrderLine
from kcjl.sandbox.shoppers import Shopper
from kcjl.sandbox.stocking import Shelf
from kcjl.sandbox.trade import MarketplaceBasket, TradeLine
from kcjl.sandbox.warehouse import Warehouse
from kcjl.sandbox.world_truth import Counters, OversoldLine, sales_orders_of

__all__ = ["Buying", "customer_of"]

_OVERSOLD_KEPT_MAX = 1000
"""Lines kept one by one; the counters go on."""
_OVER = frozenset({"REFUSED", "CANCELED"})


class Buying:
    """Places the trade's baskets, and keeps count."""

    def __init__(
        self,
        agenda: Agenda,
        warehouse: Warehouse,
        marketplace: Marketplace,
        shelf: Shelf,
        counted: Counters,
        *,
        lines_in_part: bool = False,
    ) -> None:
        self._agenda = agenda
        self._warehouse = warehouse
        self._marketplace = marketplace
        self._shelf = shelf
        self._counted = counted
        self._lines_in_part = lines_in_part
        self.oversold: list[OversoldLine] = []
        self.invoice_of: dict[str, str] = {}
        """Marketplace order to the invoice of the trade."""
        self._waiting: defaultdict[str, dict[str, list[OrderLine]]] = defaultdict(dict)
        """SKU in upper case to its lines in orders that the ERP may not have yet."""
        marketplace.on_order_placed.append(self._note_placed)

    def free(self, sku: str) -> int:
        """True free stock: ERP level less units of orders that the ERP does not have yet."""
        if not self._shelf.is_known(sku):
            return 0
        waiting = 0
        lines_of = self._waiting[sku.upper()]
        for order_id in list(lines_of):
            order = self._marketplace.orders[order_id]
            if order.state in _OVER or sales_orders_of(self._warehouse, order):
                del lines_of[order_id]
                continue
            waiting += sum(
                line.quantity - line.not_to_ship for line in lines_of[order_id] if line.is_live
            )
        return int(self._warehouse.level(sku)) - waiting

    def note_waiting(self, order_id: str, line: OrderLine) -> None:
        """The ERP may not have the order of this line (any more)."""
        lines = self._waiting[line.sku.upper()].setdefault(order_id, [])
        if all(each is not line for each in lines):
            lines.append(line)

    def buy(self, basket: MarketplaceBasket) -> None:
        """Order what the window shows; what the ERP does not know is ordered all the same."""
        self._counted.baskets += 1
        beyond = [not self._shelf.is_known(line.sku) for line in basket.lines]
        ordered = self._choose(basket, beyond)
        free = {sku.upper(): self.free(sku) for sku in {line.sku for line in basket.lines}}
        for line, units in zip(basket.lines, ordered, strict=True):
            if units < line.quantity:
                self._count_loss(line, units, free[line.sku.upper()])
        sold = [
            msgspec.structs.replace(line, quantity=units)
            for line, units in zip(basket.lines, ordered, strict=True)
            if units
        ]
        wanted = [
            BasketLine(sku=line.sku, quantity=line.quantity, unit_price=line.unit_price)
            for line in sold
        ]
        placed = self._marketplace.place_order(
            wanted, customer_of(basket.customer), beyond_the_window=any(beyond)
        )
        if placed is None:
            self._counted.baskets_lost += 1
            return
        self.invoice_of[placed.order_id] = basket.invoice
        self._count_sale(placed, sold, free)

    def _choose(self, basket: MarketplaceBasket, beyond: list[bool]) -> list[int]:
        """Units ordered of each line. A basket of which no ware is on offer is not ordered."""
        taken: Counter[str] = Counter()
        chosen: list[int] = []
        for line, unknown in zip(basket.lines, beyond, strict=True):
            there = self._marketplace.offered(line.sku) - taken[line.sku]
            units = line.quantity
            if not unknown and there < line.quantity:
                units = max(0, there) if self._lines_in_part else 0
            if not unknown:
                taken[line.sku] += units
            chosen.append(units)
        wares_wanted = not all(beyond)
        postage_only = not any(
            units and not self._is_mere_charge(line)
            for line, units in zip(basket.lines, chosen, strict=True)
        )
        if wares_wanted and postage_only:
            return [0] * len(chosen)
        return chosen

    def _is_mere_charge(self, line: TradeLine) -> bool:
        """A code that is no product, and no product with another spelling either."""
        return not self._shelf.is_known(line.sku) and not self._shelf.will_be_known(line.sku)

    def _count_loss(self, line: TradeLine, units: int, free: int) -> None:
        """Units of a line that were wanted and not ordered."""
        counted, lost = self._counted, line.quantity - units
        counted.lines_lost += 1
        counted.units_lost += lost
        counted.units_lost_though_free += min(lost, max(0, free - units))
        if not self._marketplace.offered(line.sku):
            counted.units_lost_at_zero += lost

    def _count_sale(
        self, placed: PlacedOrder, sold: list[TradeLine], free: dict[str, int]
    ) -> None:
        counted = self._counted
        for line in sold:
            counted.lines_placed += 1
            counted.units_placed += line.quantity
            if not self._shelf.is_known(line.sku):
                counted.lines_beyond_the_window += 1
                counted.units_beyond_the_window += line.quantity
                continue
            there = max(0, free[line.sku.upper()])
            free[line.sku.upper()] -= line.quantity
            if line.quantity <= there:
                continue
            counted.lines_oversold += 1
            counted.units_oversold += line.quantity - there
            if len(self.oversold) < _OVERSOLD_KEPT_MAX:
                self.oversold.append(
                    OversoldLine(
                        order_id=placed.order_id,
                        sku=line.sku,
                        at=self._agenda.now,
                        quantity=line.quantity,
                        free=there,
                        units_oversold=line.quantity - there,
                    )
                )

    def _note_placed(self, placed: PlacedOrder) -> None:
        self._counted.orders_placed += 1
        for line in self._marketplace.orders[placed.order_id].lines:
            self.note_waiting(placed.order_id, line)


def customer_of(buyer: Shopper) -> Customer:
    """The buyer as the marketplace knows them."""
    return Customer(
        customer_id=buyer.customer_id,
        first_name=buyer.first_name,
        last_name=buyer.last_name,
        delivery=PostalAddress(
            first_name=buyer.first_name,
            last_name=buyer.last_name,
            company=buyer.company or None,
            street_1=buyer.street_1,
            street_2=buyer.street_2 or None,
            city=buyer.city,
            postcode=buyer.postcode,
            county=buyer.county or None,
            phone=buyer.phone,
            additional=buyer.additional or None,
        ),
    )
