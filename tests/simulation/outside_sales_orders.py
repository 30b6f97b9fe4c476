"""Sales orders of the sandbox's ERP as the port's records, in one step.

Promises: what ExportOrderStatusEx and ExportOrders of the sandbox, read by the KWS adapter,
would give for the same warehouse (compared by a test), but for the couriers' codes, which the
adapter takes from another answer: `with_courier_codes` puts them in. It decides nothing.
Invariant: a status that has not changed is the same record as before.
Called by the simulated ERP.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

import msgspec

from kcjl.khaos import port, status_document
from kcjl.khaos.answer_xml import parse_document
from kcjl.khaos.order_export import exported_orders
from kcjl.khaos.status_document import (
    dealt_out,
    followed_at,
    numbers_in,
    says_shipped,
    stage_of,
)
from kcjl.sandbox.khaos.forms import Forms
from kcjl.sandbox.khaos.order_xml import (
    description_of,
    is_complete,
    order_statuses,
    sales_orders,
    tracking_url,
    waits,
)
from kcjl.sandbox.khaos.stock_operations import or_empty
from kcjl.sandbox.khaos.stock_xml import plain
from kcjl.sandbox.warehouse import Warehouse
from kcjl.sandbox.warehouse.orders import Invoice, InvoiceItem, SalesOrder
from kcjl.sandbox.warehouse.settings import WarehouseSettings
from tests.simulation.outside_orders import Stamp

__all__ = ["Shown", "ShownSalesOrders", "exported", "in_progress", "with_courier_codes"]

ISSUED_WITHIN = timedelta(hours=48)
_PLACES = Decimal("0.01")


class Shown(NamedTuple):
    """A status whose parcels have no courier's code yet, and all couriers that it names."""

    status: port.OrderStatus
    couriers: frozenset[str]


class ShownSalesOrders:
    """Sales orders as they are shown now; what has not changed since is not made again."""

    def __init__(self, stamp: Stamp, company_code: str) -> None:
        """`company_code`: the customer that we post under."""
        self._stamp = stamp
        self._company_code = company_code
        self._shown: dict[str, tuple[SalesOrder, WarehouseSettings, object, Shown]] = {}

    def of(self, order: SalesOrder, reference: str, settings: WarehouseSettings) -> Shown:
        looks = _looks(order)
        known = self._shown.get(reference)
        if known is not None and known[0] is order and known[1:3] == (settings, looks):
            return known[3]
        view = _View(
            Forms(settings), self._stamp, settings.consignment_separator, self._company_code
        )
        shown = Shown(view.status(order, reference), _couriers(order))
        self._shown[reference] = order, settings, looks, shown
        return shown


def with_courier_codes(
    status: port.OrderStatus, code_of: Callable[[str], str | None]
) -> port.OrderStatus:
    """The same with the code of each parcel's courier."""
    replace = msgspec.structs.replace
    invoices = tuple(
        replace(
            invoice,
            parcels=tuple(
                replace(parcel, courier_code=code_of(parcel.courier_name))
                if parcel.courier_name
                else parcel
                for parcel in invoice.parcels
            ),
        )
        for invoice in status.invoices
    )
    return replace(status, invoices=invoices)


def exported(
    warehouse: Warehouse, references: Sequence[str], sales_source: str
) -> list[port.ExportedOrder]:
    """Out of the document, as the adapter reads it."""
    settings = warehouse.settings
    found = {order.code: order for ref in references for order in warehouse.orders.by_ref(ref)}
    names = {site.site_id: site.name for site in settings.sites}
    text = or_empty(sales_orders(found.values(), names, Forms(settings)), settings)
    sent = text.encode(settings.charset, "replace").decode(settings.charset)
    return exported_orders(parse_document(sent), refs=references, sales_source=sales_source)


def in_progress(warehouse: Warehouse) -> list[port.OrderProgress]:
    """ExportOrderStatus out of the document, as the adapter reads it."""
    settings, now = warehouse.settings, warehouse.agenda.now
    recent = warehouse.orders.open_or_completed_within(ISSUED_WITHIN, now)
    text = order_statuses(recent, Forms(settings), settings.consignment_separator)
    sent = or_empty(text, settings).encode(settings.charset, "replace")
    return status_document.orders_in_progress(parse_document(sent.decode(settings.charset)))


def _looks(order: SalesOrder) -> object:
    """All of an order that can change and shows."""
    return (
        order.cancelled is not None,
        order.complete,
        order.courier.name,
        [line.ready for line in order.lines],
        [
            (
                invoice.stage,
                invoice.shipped_at,
                invoice.issued_at,
                invoice.courier.name,
                [row.quantity for row in invoice.items],
                [
                    (
                        box.consignment,
                        box.courier.name,
                        box.shipped_on,
                        [row.quantity for row in box.items],
                    )
                    for box in invoice.boxes
                ],
            )
            for invoice in order.invoices
        ],
    )


def _couriers(order: SalesOrder) -> frozenset[str]:
    """The names that the status document would have."""
    names = {order.courier.name.strip()}
    for invoice in order.invoices:
        names.add(_courier_of(invoice))
        names.update(box.courier.name.strip() for box in invoice.boxes)
    return frozenset(names - {""})


def _courier_of(invoice: Invoice) -> str:
    """The invoice's own once it is shipped, and the order's before."""
    shipped = invoice.shipped_at is not None
    return (invoice.courier if shipped else invoice.order.courier).name.strip()


class _View(NamedTuple):
    """How the orders are shown."""

    forms: Forms
    stamp: Stamp
    separator: str
    company_code: str

    def status(self, order: SalesOrder, reference: str) -> port.OrderStatus:
        invoices = tuple(self._invoice(invoice) for invoice in order.invoices)
        customer = order.customer_code.strip()
        gone = bool(invoices) and all(i.stage is port.Stage.CANCELLED for i in invoices)
        return port.OrderStatus(
            external_ref=reference,
            erp_order_code=order.code,
            cancelled=order.cancelled is not None or gone,
            cancel_reason="" if order.cancelled is None else order.cancelled.reason.strip(),
            complete=is_complete(order),
            currency=order.currency,
            gross_total=order.gross_total,
            delivery_gross=order.delivery_gross,
            tax_total=order.gross_total - order.items_net - order.delivery_net,
            customer_code=customer,
            of_our_customer=customer.casefold() == self.company_code.casefold()
            if customer
            else None,
            invoices=invoices,
            qty_sold=Decimal(plain(order.quantity_sold)),
            qty_assigned=Decimal(plain(order.quantity_assigned)),
        )

    def _invoice(self, invoice: Invoice) -> port.Invoice:
        stage_id = str(int(invoice.stage))
        parcels = tuple(self._parcels(invoice, stage_id))
        issued_at = invoice.issued_at
        sent = Decimal(0) if waits(invoice) else invoice.quantity
        return port.Invoice(
            invoice_code=invoice.code,
            stage=stage_of(stage_id, parcels),
            stage_raw=f"{stage_id} {description_of(invoice.stage)}".strip(),
            parcels=parcels,
            invoiced_on=invoice.created_on,
            issued_on=None if issued_at is None else self.forms.day(self.stamp(issued_at)),
            qty_sold=invoice.quantity.quantize(_PLACES),
            qty_sent=sent.quantize(_PLACES),
        )

    def _parcels(self, invoice: Invoice, stage_id: str) -> Iterator[port.Parcel]:
        """One a box; the invoice itself where it has none."""
        boxes, shipped_at = invoice.boxes, invoice.shipped_at
        day = None if shipped_at is None else self.forms.day(self.stamp(shipped_at))
        shipped = day is not None or says_shipped(stage_id)
        courier = _courier_of(invoice) or invoice.order.courier.name.strip()
        own_items = () if waits(invoice) else _items(invoice.items)
        listed = self.separator.join(invoice.consignments) if day is not None else ""
        numbers = dealt_out([numbers_in(box.consignment) for box in boxes], numbers_in(listed))
        if not boxes:
            yield port.Parcel(
                parcel_key=invoice.code,
                shipped=shipped,
                courier_name=courier,
                courier_code=None,
                tracking_number=numbers[0][0],
                more_tracking_numbers=numbers[0][1:],
                shipped_on=day,
                items=own_items,
            )
        for number, box in enumerate(boxes):
            items = _items(box.items)
            yield port.Parcel(
                parcel_key=f"{invoice.code}/{number + 1}",
                shipped=shipped or box.shipped,
                courier_name=box.courier.name.strip() or courier,
                courier_code=None,
                tracking_number=numbers[number][0],
                more_tracking_numbers=numbers[number][1:],
                shipped_on=box.shipped_on or day,
                items=items or (own_items if len(boxes) == 1 else ()),
                tracking_url=followed_at(tracking_url(box)),
            )


def _items(rows: Iterable[InvoiceItem]) -> tuple[tuple[str, Decimal], ...]:
    units: dict[str, tuple[str, Decimal]] = {}
    for row in rows:
        code = row.line.item.code
        spelt, before = units.get(code.casefold(), (code, Decimal(0)))
        units[code.casefold()] = spelt, before + row.quantity.quantize(_PLACES)
    return tuple(item for item in units.values() if item[1] > 0)
