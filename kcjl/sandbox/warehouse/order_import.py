"""The ERP's import desk: an order document is checked, then becomes a sales order.

Promises: a refused order leaves no trace; stock is assigned line by line at once. A second
order with the same external reference is never taken. It moves no invoice. Invariant: what
was imported has one sales order, and one reference. Source: contract khaos b.3, h.
Called by the warehouse model.
"""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from functools import partial

import msgspec

from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.sandbox.agenda import Agenda
from kcjl.sandbox.warehouse.check import CheckedOrder, OrderCheck, PricedLine, Spoken
from kcjl.sandbox.warehouse.customers import CustomerBook
from kcjl.sandbox.warehouse.documents import OrderDocument, parse_sales_orders
from kcjl.sandbox.warehouse.faults import KhaosFault
from kcjl.sandbox.warehouse.hours import london_date
from kcjl.sandbox.warehouse.orders import CourierEntry, OrderBook, OrderLine, SalesOrder
from kcjl.sandbox.warehouse.settings import WarehouseSettings
from kcjl.sandbox.warehouse.setup import Setup
from kcjl.sandbox.warehouse.staff import Staff
from kcjl.sandbox.warehouse.stock import BackOrder, StockBook, StockItem

__all__ = ["ImportDesk", "ImportResult", "ImportedOrder", "SkippedOrder"]

_FIRST_ORDER = 70_550
_ACCOUNT, _CARD = 3, 2
_CREATED_TYPE = "[TBC]"
_TOLERANCE = Money(1)
"""A payment may be a penny short of the total, by the rounding of lines."""


class ImportedOrder(msgspec.Struct, frozen=True, kw_only=True):
    sales_order_code: str
    associated_ref: str
    message: str
    urn: str
    """The customer's code."""
    other_ref: str


class SkippedOrder(msgspec.Struct, frozen=True, kw_only=True):
    order_ref: str
    reason: str


class ImportResult(msgspec.Struct, frozen=True, kw_only=True):
    """What ImportOrders answers."""

    imported: tuple[ImportedOrder, ...] = ()
    skipped: tuple[SkippedOrder, ...] = ()

    @property
    def imported_count(self) -> int:
        return len(self.imported)


class ImportDesk:
    """Takes order documents in."""

    def __init__(
        self,
        agenda: Agenda,
        setup: Setup,
        stock: StockBook,
        orders: OrderBook,
        customers: CustomerBook,
        couriers: list[CourierEntry],
        staff: Staff,
    ) -> None:
        self._agenda = agenda
        self._setup = setup
        self._stock = stock
        self._orders = orders
        self._customers = customers
        self._staff = staff
        self._checks = OrderCheck(setup, stock, customers, couriers)

    @property
    def _settings(self) -> WarehouseSettings:
        return self._setup.settings

    def take(self, document: str) -> ImportResult:
        """Import the orders of a document; a fault ends the call."""
        return self.take_read(parse_sales_orders(document, self._settings))

    def take_read(self, orders: Iterable[OrderDocument]) -> ImportResult:
        """The same of orders that have been read out of a document."""
        imported: list[ImportedOrder] = []
        skipped: list[SkippedOrder] = []
        spoken = Spoken()
        waiting: list[CheckedOrder] = []
        for order in orders:
            if self._orders.by_ref(order.external_ref) or order.external_ref in spoken.refs:
                skipped.append(self._duplicate(order))
                continue
            checked = self._checks.check(order, spoken)
            if self._settings.batch_is_atomic:
                waiting.append(checked)
                spoken.add(checked)
            else:
                imported.append(self._keep(checked))
        imported.extend(self._keep(checked) for checked in waiting)
        return ImportResult(imported=tuple(imported), skipped=tuple(skipped))

    def take_one(self, order: OrderDocument, *, tolerant: bool) -> SalesOrder:
        """Keep one order; tolerant: with discontinued and run-to-zero items too."""
        if self._orders.by_ref(order.external_ref):
            raise KhaosFault(self._duplicate_reason(order))
        return self._add(self._checks.check(order, Spoken(), tolerant=tolerant))

    def _duplicate(self, order: OrderDocument) -> SkippedOrder:
        reason = self._duplicate_reason(order)
        if self._settings.duplicate_answer == "fault":
            raise KhaosFault(reason)
        return SkippedOrder(order_ref=order.external_ref, reason=reason)

    @staticmethod
    def _duplicate_reason(order: OrderDocument) -> str:
        return f"An order with the associated ref '{order.external_ref}' already exists"

    def confirm(self, order: SalesOrder) -> None:
        """A person confirms an order: it gets its stock, if it has none yet, and invoices."""
        if order.confirmed or order.cancelled is not None:
            raise Misuse(f"{order.code} is confirmed already, or cancelled")
        if not any(line.assigned or line.back_order for line in order.lines):
            self._assign_all(order)
        order.confirmed = True
        self._staff.accept(order)

    # ── keeping ──

    def _keep(self, checked: CheckedOrder) -> ImportedOrder:
        order = self._add(checked)
        return ImportedOrder(
            sales_order_code=order.code,
            associated_ref=order.external_ref,
            message=checked.message,
            urn=order.customer_code,
            other_ref=order.customer_other_ref,
        )

    def _add(self, checked: CheckedOrder) -> SalesOrder:
        order = self._new_order(checked)
        self._orders.add(order)
        order.lines = [self._new_line(priced) for priced in checked.lines]
        if order.confirmed or self._settings.unconfirmed_reserves:
            self._assign_all(order)
        if order.confirmed:
            self._staff.accept(order)
        return order

    def _new_order(self, checked: CheckedOrder) -> SalesOrder:
        document = checked.document
        customer = self._customers.update_or_create(document.customer, checked.currency)
        tomorrow = london_date(self._agenda.now) + timedelta(days=1)
        return SalesOrder(
            code=f"SO{_FIRST_ORDER + len(self._orders.by_code) + 1}",
            external_ref=document.external_ref,
            document=document,
            customer_code=customer.code,
            customer_name=customer.name,
            customer_other_ref=customer.other_ref,
            created_at=self._agenda.now,
            delivery_date=document.delivery_date or tomorrow,
            currency=checked.currency,
            site_id=checked.site_id,
            courier=checked.courier,
            courier_was_ordered=checked.courier_was_ordered,
            delivery_net=checked.delivery_net,
            delivery_gross=checked.delivery_gross,
            paid=_is_paid(document, checked.total),
            confirmed=not self._settings.imports_unconfirmed,
        )

    def _new_line(self, line: PricedLine) -> OrderLine:
        document = line.document
        item = line.item or self._create_unknown(document.stock_code)
        return OrderLine(
            item=item,
            site_id=line.site_id,
            quantity=line.quantity,
            description=document.description or item.description,
            import_ref=document.import_ref,
            pack=line.pack,
            tax_code=line.tax_code,
            unit=line.amounts.unit,
            discount_percent=document.discount_percent,
            net=line.amounts.net,
            tax=line.amounts.tax,
            gross=line.amounts.gross,
            web_item_ref=document.web_item_ref,
        )

    def _create_unknown(self, code: str) -> StockItem:
        """Option 019821: an unknown code becomes an item, and nobody is told."""
        code = code or "unknown"
        known = self._stock.find(code)
        if known is not None:
            return known
        now = self._agenda.now
        item = StockItem(
            code=code, item_id=self._stock.next_item_id(),
            description=f"{_CREATED_TYPE} {code}",
            sell_price=Money(0, self._settings.system_currency),
            launched_at=now, revised_at=now, moved_at=now, on_web=False,
        )  # fmt: skip
        self._stock.add(item)
        return item

    def _assign_all(self, order: SalesOrder) -> None:
        for number, line in enumerate(order.lines):
            self._assign(order, line, number)

    def _assign(self, order: SalesOrder, line: OrderLine, number: int) -> None:
        """Reserve what is free; what is short waits for goods-in."""
        if not line.item.holds_stock:
            return
        line.assigned = self._stock.assign(line.item, line.site_id, line.quantity)
        short = line.quantity - line.assigned
        if short:
            line.back_order = BackOrder(
                due=order.delivery_date,
                turn=len(self._orders.by_code) * 1000 + number,
                quantity=short,
                on_assigned=partial(self._staff.stock_came, order, line),
            )
            self._stock.wait(line.item, line.site_id, line.back_order)


def _is_paid(document: OrderDocument, total: Money) -> bool:
    """Whether the payments cover the order; an account order counts as paid."""
    if any(payment.payment_type == _ACCOUNT for payment in document.payments):
        return True
    taken = sum(
        (
            payment.amount
            for payment in document.payments
            if payment.payment_type != _CARD or (payment.auth_code and not payment.is_preauth)
        ),
        Decimal(0),
    )
    return taken >= total.decimal() - _TOLERANCE.decimal()
