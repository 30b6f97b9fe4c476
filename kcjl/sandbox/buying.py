"""Customers of the marketplace: what they order of a basket, and whether it was there.

Promises: a basket buys the lines that the window covers; codes that the ERP does not know are
bought beyond it, as in life; each unit sold is counted against the true free stock at that
moment, each unit not sold as lost. It moves no stock. Invariant: true free stock is the ERP's
level less units of marketplace orders that the ERP does not have yet.
Called by the world.
"""

from collections import Counter, defaultdict

from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.marketplace import (
    BasketLine,
    Customer,
    Marketplace,
    PlacedOrder,
    PostalAddress,
)
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
    ) -> None:
        self._agenda = agenda
        self._warehouse = warehouse
        self._marketplace = marketplace
        self._shelf = shelf
        self._counted = counted
        self.oversold: list[OversoldLine] = []
        self.invoice_of: dict[str, str] = {}
        """Marketplace order to the invoice of the trade."""
        self._waiting: defaultdict[str, dict[str, None]] = defaultdict(dict)
        """SKU in upper case to the orders that the ERP may not have yet."""
        marketplace.on_order_placed.append(self._note_placed)

    def free(self, sku: str) -> int:
        """True free stock: ERP level less units of orders that the ERP does not have yet."""
        if not self._shelf.is_known(sku):
            return 0
        waiting = 0
        for order_id in list(self._waiting[sku.upper()]):
            order = self._marketplace.orders[order_id]
            if order.state in _OVER or sales_orders_of(self._warehouse, order):
                del self._waiting[sku.upper()][order_id]
                continue
            waiting += sum(
                line.quantity - line.not_to_ship
                for line in order.live_lines
                if line.sku.upper() == sku.upper()
            )
        return int(self._warehouse.level(sku)) - waiting

    def buy(self, basket: MarketplaceBasket) -> None:
        """Order what the window shows; what the ERP does not know is ordered all the same."""
        self._counted.baskets += 1
        beyond = [not self._shelf.is_known(line.sku) for line in basket.lines]
        chosen = self._choose(basket, beyond)
        free = {sku.upper(): self.free(sku) for sku in {line.sku for line in basket.lines}}
        for line, picked in zip(basket.lines, chosen, strict=True):
            if not picked:
                there = max(0, free[line.sku.upper()])
                self._counted.lines_lost += 1
                self._counted.units_lost += line.quantity
                self._counted.units_lost_though_free += min(line.quantity, there)
        wanted = [
            BasketLine(sku=line.sku, quantity=line.quantity, unit_price=line.unit_price)
            for line, picked in zip(basket.lines, chosen, strict=True)
            if picked
        ]
        placed = self._marketplace.place_order(
            wanted, customer_of(basket.customer), beyond_the_window=any(beyond)
        )
        if placed is None:
            self._counted.baskets_lost += 1
            return
        self.invoice_of[placed.order_id] = basket.invoice
        sold = [line for line, picked in zip(basket.lines, chosen, strict=True) if picked]
        self._count_sale(placed, sold, free)

    def _choose(self, basket: MarketplaceBasket, beyond: list[bool]) -> list[bool]:
        """Which lines are ordered. A basket of which no ware is on offer is not ordered."""
        taken: Counter[str] = Counter()
        chosen: list[bool] = []
        for line, unknown in zip(basket.lines, beyond, strict=True):
            there = self._marketplace.offered(line.sku) - taken[line.sku]
            picked = unknown or there >= line.quantity
            if picked and not unknown:
                taken[line.sku] += line.quantity
            chosen.append(picked)
        wares_wanted = not all(beyond)
        postage_only = not any(
            picked and not self._is_mere_charge(line)
            for line, picked in zip(basket.lines, chosen, strict=True)
        )
        if wares_wanted and postage_only:
            return [False] * len(chosen)
        return chosen

    def _is_mere_charge(self, line: TradeLine) -> bool:
        """A code that is no product, and no product with another spelling either."""
        return not self._shelf.is_known(line.sku) and not self._shelf.will_be_known(line.sku)

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
        for line in placed.lines:
            self._waiting[line.sku.upper()][placed.order_id] = None


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
