"""The sales orders of the sandbox's ERP: lines, invoices with their stage, boxes.

Promises: a stage belongs to an invoice, not to an order; dates and times here are aware UTC
moments, rendered in London time elsewhere. Indexed by order code, external reference,
customer, creation and last tracking change. It decides nothing. Invariant: the quantities of
an order's invoices add up to its lines.
Called by the import desk and the staff; read by the SOAP face and by checks.
"""

import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum

from kcjl.money import Money
from kcjl.sandbox.warehouse.documents import OrderDocument
from kcjl.sandbox.warehouse.pricing import UnitPrice
from kcjl.sandbox.warehouse.settings import Courier
from kcjl.sandbox.warehouse.stock import BackOrder, StockItem

__all__ = [
    "ARCHIVES",
    "FUTURES",
    "Box",
    "Cancellation",
    "CourierEntry",
    "Invoice",
    "InvoiceItem",
    "OrderBook",
    "OrderLine",
    "SalesOrder",
    "StageId",
]


class StageId(IntEnum):
    """Where an invoice stands (contract khaos c). Never compare them by size."""

    CANCELLED = 1
    ORDERS_RELEASED = 9
    ORDERS_STAGING = 10
    ORDERS_AUTHORISEPAYMENT = 11
    PRINTPICKING = 12
    ORDERS_PACKBOXES = 13
    ORDERS_SHIP = 14
    ORDERS_PRINTINVOICES = 15
    ORDERS_ISSUEINVOICES = 16
    ORDERS_FUTURE_DATE = 17
    ORDERS_FUTURE_STOCK = 18
    ORDERS_FUTURE_HOLD = 19
    ORDERS_PROCESSING = 20
    ORDERS_FUTURE_TERMS = 21
    ISSUED_CURRENT = 70
    ISSUED_ARCHIVEDQ1 = 71
    ISSUED_ARCHIVEDQ2 = 72
    ISSUED_ARCHIVEDQ3 = 73


ARCHIVES = frozenset(
    {StageId.ISSUED_ARCHIVEDQ1, StageId.ISSUED_ARCHIVEDQ2, StageId.ISSUED_ARCHIVEDQ3}
)
FUTURES = frozenset(
    {
        StageId.ORDERS_FUTURE_DATE,
        StageId.ORDERS_FUTURE_STOCK,
        StageId.ORDERS_FUTURE_HOLD,
        StageId.ORDERS_FUTURE_TERMS,
    }
)
"""From one of them an invoice goes to Released only."""


@dataclass(slots=True)
class CourierEntry:
    """A courier of the system data; renaming it shows on every order that uses it."""

    settings: Courier
    name: str


@dataclass(slots=True, eq=False)
class OrderLine:
    item: StockItem
    site_id: int
    quantity: Decimal
    description: str
    import_ref: str
    pack: int
    """Lines of one pack share a number above 0; 0 is no pack."""
    tax_code: int
    unit: UnitPrice
    discount_percent: Decimal
    net: Money
    tax: Money
    gross: Money
    assigned: Decimal = Decimal(0)
    """Stock that was ever reserved for it and not given back."""
    back_order: BackOrder | None = None
    web_item_ref: str = ""

    @property
    def ready(self) -> Decimal:
        """Units that could go now."""
        return self.assigned if self.item.holds_stock else self.quantity


@dataclass(slots=True, eq=False)
class InvoiceItem:
    line: OrderLine
    quantity: Decimal


@dataclass(slots=True, eq=False)
class Box:
    items: list[InvoiceItem]
    courier: CourierEntry
    shipped_on: date | None = None
    consignment: str = ""

    @property
    def shipped(self) -> bool:
        return self.shipped_on is not None


@dataclass(slots=True, eq=False)
class Invoice:
    code: str
    order: "SalesOrder"
    created_on: date
    items: list[InvoiceItem]
    stage: int
    courier: CourierEntry
    boxes: list[Box] = field(default_factory=list)
    shipped_at: datetime | None = None
    issued_at: datetime | None = None
    plan: int = 0
    """Counts the plans of the staff for it: an older plan that comes due is dropped."""

    @property
    def consignments(self) -> list[str]:
        return [box.consignment for box in self.boxes if box.consignment]

    @property
    def quantity(self) -> Decimal:
        return sum((item.quantity for item in self.items), Decimal(0))

    @property
    def waits_for_stock(self) -> bool:
        return any(item.line.ready < item.line.quantity for item in self.items)

    @property
    def closed(self) -> bool:
        return self.issued_at is not None or self.stage == StageId.CANCELLED


@dataclass(slots=True)
class Cancellation:
    at: datetime
    reason: str
    user_name: str


@dataclass(slots=True, eq=False)
class SalesOrder:
    code: str
    external_ref: str
    document: OrderDocument
    customer_code: str
    customer_name: str
    customer_other_ref: str
    created_at: datetime
    delivery_date: date
    currency: str
    site_id: int
    courier: CourierEntry
    courier_was_ordered: bool
    delivery_net: Money
    delivery_gross: Money
    paid: bool
    lines: list[OrderLine] = field(default_factory=list)
    invoices: list[Invoice] = field(default_factory=list)
    confirmed: bool = True
    """No invoice is made of an order that is not."""
    cancelled: Cancellation | None = None
    tracking_changed_at: datetime | None = None

    @property
    def items_gross(self) -> Money:
        return sum((line.gross for line in self.lines), Money(0, self.currency))

    @property
    def items_net(self) -> Money:
        return sum((line.net for line in self.lines), Money(0, self.currency))

    @property
    def gross_total(self) -> Money:
        return self.items_gross + self.delivery_gross

    @property
    def complete(self) -> bool:
        """Everything is issued (or cancelled) and nothing is left to do."""
        if not self.invoices:
            return self.cancelled is not None
        return all(invoice.closed for invoice in self.invoices)

    @property
    def quantity_sold(self) -> Decimal:
        return sum((line.quantity for line in self.lines), Decimal(0))

    @property
    def quantity_assigned(self) -> Decimal:
        return sum((line.ready for line in self.lines), Decimal(0))


class OrderBook:
    """Every sales order, and the ways to find it."""

    def __init__(self) -> None:
        self.by_code: dict[str, SalesOrder] = {}
        self._by_ref: dict[str, list[SalesOrder]] = {}
        self._by_customer: dict[str, list[SalesOrder]] = {}
        self._by_invoice: dict[str, Invoice] = {}
        self._created: list[SalesOrder] = []
        self._open: dict[str, SalesOrder] = {}
        self._completed: dict[str, datetime] = {}
        self._tracking: dict[str, datetime] = {}

    def add(self, order: SalesOrder) -> None:
        self.by_code[order.code] = order
        self._by_ref.setdefault(order.external_ref, []).append(order)
        self._by_customer.setdefault(order.customer_code.casefold(), []).append(order)
        self._created.append(order)
        self._open[order.code] = order

    def has_item(self, item: StockItem) -> bool:
        """Whether an order line was ever made of the item."""
        return any(line.item is item for order in self._created for line in order.lines)

    def add_invoice(self, invoice: Invoice) -> None:
        invoice.order.invoices.append(invoice)
        self._by_invoice[invoice.code] = invoice

    def next_invoice_number(self) -> int:
        return len(self._by_invoice) + 1

    def invoice(self, code: str) -> Invoice | None:
        return self._by_invoice.get(code)

    def by_ref(self, external_ref: str) -> list[SalesOrder]:
        return list(self._by_ref.get(external_ref.strip(), ()))

    def by_customer(self, customer_code: str) -> list[SalesOrder]:
        return list(self._by_customer.get(customer_code.strip().casefold(), ()))

    def created_between(
        self, earliest: datetime | None, latest: datetime | None
    ) -> list[SalesOrder]:
        rows = self._created
        first = 0
        if earliest is not None:
            first = bisect.bisect_left(rows, earliest, key=lambda order: order.created_at)
        last = len(rows)
        if latest is not None:
            last = bisect.bisect_right(rows, latest, key=lambda order: order.created_at)
        return rows[first:last]

    def tracked_between(
        self, earliest: datetime | None, latest: datetime | None
    ) -> Iterator[SalesOrder]:
        """Orders whose tracking changed last in that window, the latest first."""
        for code in reversed(self._tracking):
            when = self._tracking[code]
            if earliest is not None and when < earliest:
                return
            if latest is None or when <= latest:
                yield self.by_code[code]

    def note_tracking(self, order: SalesOrder, now: datetime) -> None:
        order.tracking_changed_at = now
        self._tracking.pop(order.code, None)
        self._tracking[order.code] = now

    def note_progress(self, order: SalesOrder, now: datetime) -> None:
        """Move an order between the open and the completed ones as it now stands."""
        if order.complete:
            self._open.pop(order.code, None)
            self._completed.pop(order.code, None)
            self._completed[order.code] = now
        else:
            self._open[order.code] = order
            self._completed.pop(order.code, None)

    def open_or_completed_within(self, span: timedelta, now: datetime) -> list[SalesOrder]:
        recent: list[SalesOrder] = []
        for code in reversed(self._completed):
            if self._completed[code] < now - span:
                break
            recent.append(self.by_code[code])
        recent.reverse()
        return [*recent, *self._open.values()]
