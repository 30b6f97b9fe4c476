"""Sales orders of the sandbox's ERP as the port's records, in one step.

Promises: what ExportOrderStatusEx of the sandbox, read by the KWS adapter, would give for the
same warehouse (compared by a test). It decides nothing. Called by the simulated ERP.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from kcjl.khaos import port
from kcjl.khaos.status_document import _SEPARATORS, _SHIPPED_STAGES, _SHIPPING_STAGE, stage_of
from kcjl.sandbox.khaos.order_xml import _description
from kcjl.sandbox.warehouse.hours import london_date
from kcjl.sandbox.warehouse.orders import Invoice, InvoiceItem, SalesOrder, StageId
from tests.simulation.outside_orders import Stamp

__all__ = ["ShownSalesOrders"]

_WAITING = frozenset({StageId.ORDERS_FUTURE_STOCK, StageId.CANCELLED})
_PLACES = Decimal("0.01")


class ShownSalesOrders:
    """Sales orders as they are shown now; what has not changed since is not made again."""

    def __init__(self, stamp: Stamp) -> None:
        self._stamp = stamp
        self._shown: dict[str, tuple[SalesOrder, object, port.OrderStatus]] = {}

    def of(self, order: SalesOrder, reference: str) -> port.OrderStatus:
        looks = _looks(order)
        known = self._shown.get(reference)
        if known is not None and known[0] is order and known[1] == looks:
            return known[2]
        shown = _status(order, reference, self._stamp)
        self._shown[reference] = order, looks, shown
        return shown


def _looks(order: SalesOrder) -> object:
    """All of an order that can change and shows."""
    return (
        order.cancelled is not None,
        order.courier.name,
        [
            (
                invoice.stage,
                invoice.shipped_at,
                invoice.issued_at,
                invoice.courier.name,
                [(box.consignment, box.courier.name, box.shipped_on) for box in invoice.boxes],
            )
            for invoice in order.invoices
        ],
    )


def _status(order: SalesOrder, reference: str, stamp: Stamp) -> port.OrderStatus:
    invoices = tuple(_invoice(invoice, stamp) for invoice in order.invoices)
    gone = bool(invoices) and all(i.stage is port.Stage.CANCELLED for i in invoices)
    return port.OrderStatus(
        external_ref=reference,
        erp_order_code=order.code,
        cancelled=order.cancelled is not None or gone,
        cancel_reason=order.cancelled.reason.strip() if order.cancelled is not None else "",
        complete=order.complete,
        currency=order.currency,
        gross_total=order.gross_total,
        invoices=invoices,
    )


def _invoice(invoice: Invoice, stamp: Stamp) -> port.Invoice:
    stage_id = str(int(invoice.stage))
    stage = stage_of(stage_id)
    parcels = tuple(_parcels(invoice, stage_id, stamp))
    if stage_id == _SHIPPING_STAGE and parcels and all(p.shipped for p in parcels):
        stage = port.Stage.SHIPPED
    return port.Invoice(
        invoice_code=invoice.code,
        stage=stage,
        stage_raw=f"{stage_id} {_description(invoice.stage)}".strip(),
        parcels=parcels,
    )


def _parcels(invoice: Invoice, stage_id: str, stamp: Stamp) -> Iterator[port.Parcel]:
    """One a box; the invoice itself where it has none."""
    day: date | None = None
    if invoice.shipped_at is not None:
        day = london_date(stamp(invoice.shipped_at))
    invoice_shipped = day is not None or stage_id in _SHIPPED_STAGES
    courier = invoice.courier if day is not None else invoice.order.courier
    own_items = () if invoice.stage in _WAITING else _items(invoice.items)
    if not invoice.boxes:
        yield port.Parcel(
            parcel_key=invoice.code,
            shipped=invoice_shipped,
            courier_name=courier.name.strip(),
            courier_code=courier.settings.code or None,
            tracking_number="",
            shipped_on=day,
            items=own_items,
        )
        return
    for number, box in enumerate(invoice.boxes, start=1):
        entry = box.courier if box.courier.name.strip() else courier
        listed = [part for part in _SEPARATORS.split(box.consignment) if part]
        shipped_on = box.shipped_on
        if shipped_on is not None and day is not None:
            shipped_on = day
        items = _items(box.items)
        yield port.Parcel(
            parcel_key=f"{invoice.code}/{number}",
            shipped=invoice_shipped or box.shipped,
            courier_name=entry.name.strip(),
            courier_code=entry.settings.code or None,
            tracking_number=listed[0] if listed else "",
            shipped_on=shipped_on or day,
            items=items or (own_items if len(invoice.boxes) == 1 else ()),
        )


def _items(rows: Iterable[InvoiceItem]) -> tuple[tuple[str, Decimal], ...]:
    units: dict[str, tuple[str, Decimal]] = {}
    for row in rows:
        code = row.line.item.code
        spelt, before = units.get(code.casefold(), (code, Decimal(0)))
        units[code.casefold()] = spelt, before + row.quantity.quantize(_PLACES)
    return tuple(item for item in units.values() if item[1] > 0)
