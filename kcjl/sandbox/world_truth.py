"""What is true in a sandbox world, for whoever checks a client against it.

Promises: figures are counted from the two models and the trade, never from what a client says
of itself; the same world at the same time gives the same bytes. It changes nothing.
Invariant: "sales orders of a marketplace order" are those whose reference is its customer order
number, its order id or its commercial id.
Called by the world; shown by the control routes.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import msgspec

from kcjl.money import Money
from kcjl.sandbox.marketplace import Marketplace, Order, Shipment
from kcjl.sandbox.trade import TradeTally
from kcjl.sandbox.warehouse import SalesOrder, Warehouse

__all__ = [
    "Confirmation",
    "Counters",
    "LineTruth",
    "OrderTruth",
    "OversoldLine",
    "ParcelTruth",
    "SalesOrderTruth",
    "Truth",
    "confirmations_of",
    "order_truth",
    "sales_orders_of",
    "truth_of",
]


class OversoldLine(msgspec.Struct, frozen=True, kw_only=True):
    """An order line of which more was sold than was free at that moment."""

    order_id: str
    sku: str
    at: datetime
    quantity: int
    free: int
    """ERP level less units of marketplace orders that the ERP did not have yet."""
    units_oversold: int


class Counters(msgspec.Struct, kw_only=True):
    """What the world counts while it runs."""

    baskets: int = 0
    baskets_lost: int = 0
    """Nothing of them was on offer in the quantity that was wanted."""
    orders_placed: int = 0
    lines_placed: int = 0
    units_placed: int = 0
    lines_lost: int = 0
    """The window showed less than was wanted."""
    units_lost: int = 0
    units_lost_at_zero: int = 0
    """Of these, units of lines of which the window showed nothing."""
    units_lost_though_free: int = 0
    """Of these, units that the true free stock would have covered."""
    lines_beyond_the_window: int = 0
    """Sold whatever the offer showed: codes that the ERP does not know (yet)."""
    units_beyond_the_window: int = 0
    lines_oversold: int = 0
    units_oversold: int = 0
    elsewhere_units: int = 0
    elsewhere_units_short: int = 0
    """Sold through other channels beyond what was there: those sales did not happen."""
    elsewhere_units_no_product: int = 0
    returned_elsewhere_units: int = 0
    returned_elsewhere_units_no_product: int = 0
    adjustments: int = 0
    adjustments_no_product: int = 0
    orders_given_up: int = 0
    """Sales orders of which something waited for stock until a person cancelled it."""
    units_given_up: int = 0
    returns_opened: int = 0
    """By the customers of the world, where the tenant has a returns module."""
    returns_refunded: int = 0
    """Returns of delivered marketplace orders."""


class ParcelTruth(msgspec.Struct, frozen=True, kw_only=True):
    """A box that has left the warehouse."""

    invoice_code: str
    courier: str
    consignment: str
    shipped_on: str
    units: dict[str, int]
    """By stock code."""


class SalesOrderTruth(msgspec.Struct, frozen=True, kw_only=True):
    """A sales order of the ERP that carries the marketplace order's number."""

    code: str
    reference: str
    cancelled: bool
    stages: tuple[int, ...]
    gross_total: Money
    parcels: tuple[ParcelTruth, ...]


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel that the marketplace was told of."""

    shipment_id: str
    """Empty where the order was shipped as a whole (OR24)."""
    carrier_code: str | None
    tracking_number: str | None
    units: dict[str, int]
    """By order line id."""
    at: datetime | None


class LineTruth(msgspec.Struct, frozen=True, kw_only=True):
    line_id: str
    sku: str
    quantity: int
    state: str
    units_shipped: int
    refunds: int


class OrderTruth(msgspec.Struct, frozen=True, kw_only=True):
    """One marketplace order on both sides."""

    order_id: str
    customer_order_number: str
    commercial_id: str
    invoice: str
    """Of the trade that it comes from; empty where a person placed it."""
    state: str
    placed_at: datetime
    shipping_deadline: datetime
    shipped_at: datetime | None
    seller_reference: str | None
    total: Money
    lines: tuple[LineTruth, ...]
    sales_orders: tuple[SalesOrderTruth, ...]
    confirmations: tuple[Confirmation, ...]


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """The world in figures."""

    now: datetime
    trade_over: bool
    finished: bool
    ended: bool
    """The horizon was reached."""
    trade: TradeTally
    counted: Counters
    oversold: tuple[OversoldLine, ...]
    """The first thousand lines; `counted` has them all."""
    mismatches: dict[str, str]
    """SKU to the ERP's other spelling, of all mismatches."""
    mismatches_open: int
    orders_by_state: dict[str, int]
    orders_in_erp: int
    """Marketplace orders that have at least one sales order."""
    sales_orders: int
    """Sales orders in the ERP, whatever they refer to."""
    sales_orders_of_no_order: int
    """Sales orders whose reference is no marketplace order's."""
    sales_orders_per_order_max: int
    parcels_shipped: int
    """Boxes of marketplace orders that have left the warehouse."""
    parcels_confirmed: int
    parcels_confirmed_twice: int
    """Confirmations of one order with a tracking number that another one has already."""
    units_shipped: int
    units_confirmed: int
    orders_confirmed_late: int
    """Shipped at the marketplace after the deadline, or not yet though it has passed."""
    refunds: int
    cycles: int
    payouts_paid: int
    paid_out: Money
    payable: Money
    """Waits for the next cycle."""
    pending: Money
    """Waits for the goods to arrive."""
    units_delivered: int


def sales_orders_of(warehouse: Warehouse, order: Order) -> list[SalesOrder]:
    """Every sales order that carries one of the order's numbers, each once."""
    numbers = (order.customer_order_number, order.order_id, order.commercial_id)
    found: dict[str, SalesOrder] = {}
    for number in numbers:
        for sales_order in warehouse.orders_by_ref(number):
            found[sales_order.code] = sales_order
    return list(found.values())


def confirmations_of(order: Order, shipments: list[Shipment]) -> list[Confirmation]:
    """The parcels that the marketplace was told of; an OR24 is one of all lines."""
    confirmed = [
        Confirmation(
            shipment_id=shipment.shipment_id,
            carrier_code=shipment.tracking.carrier_code if shipment.tracking else None,
            tracking_number=shipment.tracking.number if shipment.tracking else None,
            units={line.order_line_id: line.quantity for line in shipment.lines},
            at=shipment.shipped_at,
        )
        for shipment in shipments
        if shipment.shipped_at is not None
    ]
    if not confirmed and order.shipped_at is not None:
        tracking = order.tracking
        confirmed.append(
            Confirmation(
                shipment_id="",
                carrier_code=tracking.carrier_code if tracking else None,
                tracking_number=tracking.number if tracking else None,
                units={line.line_id: line.shipped for line in order.lines if line.shipped},
                at=order.shipped_at,
            )
        )
    return confirmed


def order_truth(
    warehouse: Warehouse, order: Order, shipments: list[Shipment], invoice: str
) -> OrderTruth:
    """An order as both sides have it now."""
    total = Money(0, order.lines[0].price.currency)
    for line in order.lines:
        total = total + line.price + line.shipping_price
    return OrderTruth(
        order_id=order.order_id,
        customer_order_number=order.customer_order_number,
        commercial_id=order.commercial_id,
        invoice=invoice,
        state=order.state,
        placed_at=order.created_at,
        shipping_deadline=order.shipping_deadline,
        shipped_at=order.shipped_at,
        seller_reference=order.seller_reference,
        total=total,
        lines=tuple(
            LineTruth(
                line_id=line.line_id,
                sku=line.sku,
                quantity=line.quantity,
                state=line.state,
                units_shipped=line.shipped,
                refunds=len(line.refunds),
            )
            for line in order.lines
        ),
        sales_orders=tuple(
            SalesOrderTruth(
                code=sales_order.code,
                reference=sales_order.external_ref,
                cancelled=sales_order.cancelled is not None,
                stages=tuple(int(invoice.stage) for invoice in sales_order.invoices),
                gross_total=sales_order.gross_total,
                parcels=tuple(_parcels(sales_order)),
            )
            for sales_order in sales_orders_of(warehouse, order)
        ),
        confirmations=tuple(confirmations_of(order, shipments)),
    )


def _parcels(sales_order: SalesOrder) -> Iterator[ParcelTruth]:
    for invoice in sales_order.invoices:
        for box in invoice.boxes:
            if box.shipped_on is None:
                continue
            units: Counter[str] = Counter()
            for item in box.items:
                units[item.line.item.code] += int(item.quantity)
            yield ParcelTruth(
                invoice_code=invoice.code,
                courier=box.courier.name,
                consignment=box.consignment,
                shipped_on=box.shipped_on.isoformat(),
                units=dict(units),
            )


def truth_of(
    *,
    now: datetime,
    warehouse: Warehouse,
    marketplace: Marketplace,
    orders: list[OrderTruth],
    counted: Counters,
    oversold: list[OversoldLine],
    tally: TradeTally,
    mismatches: dict[str, str],
    mismatches_open: int,
    units_delivered: int,
    trade_over: bool,
    finished: bool,
    ended: bool,
) -> Truth:
    """All figures of a world."""
    claimed = {sale.code for order in orders for sale in order.sales_orders}
    parcels = [p for order in orders for sale in order.sales_orders for p in sale.parcels]
    cycles = list(marketplace.cycles.values())
    paid = [cycle for cycle in cycles if cycle.payout_state == "PAID"]
    currency = marketplace.settings.currency
    return Truth(
        now=now,
        trade_over=trade_over,
        finished=finished,
        ended=ended,
        trade=tally,
        counted=counted,
        oversold=tuple(oversold),
        mismatches=mismatches,
        mismatches_open=mismatches_open,
        orders_by_state=dict(sorted(Counter(order.state for order in orders).items())),
        orders_in_erp=sum(1 for order in orders if order.sales_orders),
        sales_orders=len(warehouse.sales_orders),
        sales_orders_of_no_order=len(warehouse.sales_orders.keys() - claimed),
        sales_orders_per_order_max=max((len(o.sales_orders) for o in orders), default=0),
        parcels_shipped=len(parcels),
        parcels_confirmed=sum(len(order.confirmations) for order in orders),
        parcels_confirmed_twice=sum(_confirmed_twice(order) for order in orders),
        units_shipped=sum(sum(parcel.units.values()) for parcel in parcels),
        units_confirmed=sum(
            sum(parcel.units.values()) for order in orders for parcel in order.confirmations
        ),
        orders_confirmed_late=sum(1 for order in orders if _is_late(order, now)),
        refunds=sum(line.refunds for order in orders for line in order.lines),
        cycles=len(cycles),
        payouts_paid=len(paid),
        paid_out=sum((cycle.amount_to_seller for cycle in paid), Money(0, currency)),
        payable=marketplace.ledger.total("PAYABLE"),
        pending=marketplace.ledger.total("PENDING"),
        units_delivered=units_delivered,
    )


def _confirmed_twice(order: OrderTruth) -> int:
    numbers = [c.tracking_number for c in order.confirmations if c.tracking_number]
    return len(numbers) - len(set(numbers))


def _is_late(order: OrderTruth, now: datetime) -> bool:
    if order.shipped_at is not None:
        return order.shipped_at > order.shipping_deadline
    return order.state == "SHIPPING" and now > order.shipping_deadline
