"""The ERP's order documents: STATUS_LIST, ORDER_STATUSES and SALES_ORDERS.

Promises: dates of the status are DD/MM/YYYY in London, the others ISO without a zone; a
courier is its name as it is now; a stage is the invoice's. It selects nothing and marks
nothing. Invariant: no line reference is in the status. Source: contract khaos b.4, b.5.
Called by the operations of the SOAP face of the sandbox's ERP.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

import msgspec

from kcjl.sandbox.khaos.forms import Forms
from kcjl.sandbox.khaos.stock_xml import element, flag, plain
from kcjl.sandbox.warehouse.documents import AddressDocument, CustomerDocument
from kcjl.sandbox.warehouse.orders import Box, Invoice, InvoiceItem, SalesOrder, StageId

__all__ = [
    "StatusView",
    "description_of",
    "is_complete",
    "order_statuses",
    "sales_orders",
    "status_list",
    "tracking_url",
    "waits",
]

_DESCRIPTIONS = {
    StageId.CANCELLED: "CANCELLED",
    StageId.ORDERS_RELEASED: "RELEASED",
    StageId.ORDERS_STAGING: "STAGING",
    StageId.ORDERS_AUTHORISEPAYMENT: "PAYMENT",
    StageId.PRINTPICKING: "PICKING",
    StageId.ORDERS_PACKBOXES: "PACKING",
    StageId.ORDERS_SHIP: "SHIPPING",
    StageId.ORDERS_PRINTINVOICES: "INVOICE PRINT",
    StageId.ORDERS_ISSUEINVOICES: "ISSUE",
    StageId.ORDERS_FUTURE_DATE: "AWAITING DATE",
    StageId.ORDERS_FUTURE_STOCK: "AWAITING STOCK",
    StageId.ORDERS_FUTURE_HOLD: "MANUAL HOLD",
    StageId.ORDERS_PROCESSING: "PROCESSING",
    StageId.ORDERS_FUTURE_TERMS: "TERMS HOLD",
    StageId.ISSUED_CURRENT: "ISSUED",
    StageId.ISSUED_ARCHIVEDQ1: "ISSUED ARCHIVE",
    StageId.ISSUED_ARCHIVEDQ2: "ISSUED ARCHIVE A2",
    StageId.ISSUED_ARCHIVEDQ3: "ISSUED ARCHIVE A3",
}


class StatusView(msgspec.Struct, frozen=True, kw_only=True):
    """What of an order the status shows."""

    forms: Forms
    show_items: bool
    separator: str
    """Between the consignment numbers of an invoice."""
    moved: Callable[[Invoice], bool]
    """Whether the stage changed since the last export."""


def status_list(orders: Iterable[tuple[SalesOrder, list[Invoice]]], view: StatusView) -> str:
    """STATUS_LIST; of each order the invoices that were asked for."""
    inner = "".join(_order_status(order, invoices, view) for order, invoices in orders)
    return f"<STATUS_LIST>{inner}</STATUS_LIST>" if inner else "<STATUS_LIST/>"


def _order_status(order: SalesOrder, invoices: list[Invoice], view: StatusView) -> str:
    parts = [
        (
            f"<ORDER_STATUS SORDER_CODE={quoteattr(order.code)}"
            f" ASSOCIATED_REF={quoteattr(order.external_ref)}>"
        ),
        (
            f"<COMPANY_NAME COMPANY_CODE={quoteattr(order.customer_code)}"
            f" OTHER_REF={quoteattr(order.customer_other_ref)}>"
            f"{escape(order.customer_name)}</COMPANY_NAME>"
        ),
        '<ORDER_TYPE TYPE_ID="S">Sales Order</ORDER_TYPE>',
        element("COURIER", order.courier.name),
        element("CURRENCY_CODE", order.currency),
        element("DATE_CREATED", view.forms.status_day(view.forms.day(order.created_at))),
        element("DELIVERY_DATE", view.forms.status_day(order.delivery_date)),
        (
            f'<ITEMS_TOTAL NET_VALUE="{order.items_net.decimal()}">'
            f"{order.items_gross.decimal()}</ITEMS_TOTAL>"
        ),
        (
            f'<DELIVERY_TOTAL NET_VALUE="{order.delivery_net.decimal()}">'
            f"{order.delivery_gross.decimal()}</DELIVERY_TOTAL>"
        ),
        element("COMPLETE", flag(is_complete(order))),
        element("QTY_SOLD", plain(order.quantity_sold)),
        element("QTY_ASSIGNED", plain(order.quantity_assigned)),
    ]
    if order.cancelled is not None:
        at = _cancelled_at(order.cancelled.at, view.forms)
        parts.append(
            "<CANCELLED>"
            + element("CANCELLED_DATE_TIME", at)
            + element("REASON", order.cancelled.reason)
            + element("USER_NAME", order.cancelled.user_name)
            + "</CANCELLED>"
        )
    parts.append("<INVOICES>")
    parts.extend(_invoice(invoice, view) for invoice in invoices)
    parts.append(f"</INVOICES>{view.forms.unknown()}</ORDER_STATUS>")
    return "".join(parts)


def _invoice(invoice: Invoice, view: StatusView) -> str:
    order = invoice.order
    sends_nothing = waits(invoice)
    sent = Decimal(0) if sends_nothing else invoice.quantity
    forms = view.forms
    shipped, issued = forms.day(invoice.shipped_at), forms.day(invoice.issued_at)
    numbers = invoice.consignments
    attributes = {
        "INVOICE_CODE": invoice.code,
        "INVOICE_DATE": forms.status_day(invoice.created_on),
        "SHIP_DATE": forms.status_day(shipped),
        "ISSUE_DATE": forms.status_day(issued),
        "INVOICE_STAGE_ID": str(int(invoice.stage)),
        "INVOICE_STAGE_DESC": description_of(invoice.stage),
        "COURIER": (invoice.courier if shipped else order.courier).name,
        "CONSIGNMENT_REF": view.separator.join(numbers) if shipped else "",
        "TRACKING_URL": tracking_url(invoice.boxes[0]) if shipped and numbers else "",
        "QTY_SOLD": f"{invoice.quantity:.2f}",
        "QTY_SENT": f"{sent:.2f}",
        "MOVED": flag(view.moved(invoice)),
    }
    written = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    inner = "".join(_box(box, view) for box in invoice.boxes)
    if view.show_items:
        items = "".join(
            _item("INVOICE_ITEM", row, Decimal(0) if sends_nothing else row.quantity)
            for row in invoice.items
        )
        inner += f"<INVOICE_ITEMS>{items}</INVOICE_ITEMS>"
    return f"<INVOICE{written}{forms.unknown_attribute()}>{inner}{forms.unknown()}</INVOICE>"


def _box(box: Box, view: StatusView) -> str:
    items = (
        "".join(_item("BOX_ITEM", row, row.quantity) for row in box.items)
        if view.show_items
        else ""
    )
    return (
        f'<BOX SHIPPED="{flag(box.shipped)}"'
        f' SHIP_DATE="{view.forms.status_day(box.shipped_on)}"'
        f" COURIER={quoteattr(box.courier.name)}"
        f" CONSIGNMENT_REF={quoteattr(box.consignment)}"
        f" TRACKING_URL={quoteattr(tracking_url(box))}>{items}</BOX>"
    )


def _item(tag: str, row: InvoiceItem, sent: Decimal) -> str:
    return f'<{tag} STOCK_CODE={quoteattr(row.line.item.code)} QTY_SENT="{sent:.2f}"/>'


def waits(invoice: Invoice) -> bool:
    """Whether nothing of it is shown as sent: it has no stock yet, or is cancelled."""
    return invoice.stage in {StageId.ORDERS_FUTURE_STOCK, StageId.CANCELLED}


def tracking_url(box: Box) -> str:
    if not box.consignment:
        return ""
    return box.courier.settings.tracking_url.replace("{consignment}", box.consignment)


def description_of(stage: int) -> str:
    try:
        return _DESCRIPTIONS[StageId(stage)]
    except ValueError:
        return f"STAGE {stage}"


def _cancelled_at(moment: datetime, forms: Forms) -> str:
    wall = forms.wall(moment)
    return f"{forms.status_day(wall.date())} {wall:%H:%M:%S}"


def order_statuses(orders: Iterable[SalesOrder], forms: Forms, separator: str) -> str:
    """ORDER_STATUSES: one row an invoice, its text the stage id."""
    rows = "".join(
        f"<ORDER REF={quoteattr(order.external_ref)} ID={quoteattr(order.code)}"
        f' INVOICE={quoteattr(invoice.code)} COMPLETE="{flag(is_complete(order))}"'
        f" CONSIGNMENT={quoteattr(separator.join(_sent_numbers(invoice)))}"
        f" URN={quoteattr(order.customer_code)}{forms.unknown_attribute()}>"
        f"{int(invoice.stage)}</ORDER>"
        for order in orders
        for invoice in order.invoices
    )
    return f"<ORDER_STATUSES>{rows}</ORDER_STATUSES>" if rows else "<ORDER_STATUSES/>"


def is_complete(order: SalesOrder) -> bool:
    """All of it is issued; of a cancelled order nothing ever will be."""
    return order.complete and order.cancelled is None


def _sent_numbers(invoice: Invoice) -> list[str]:
    return invoice.consignments if invoice.shipped_at is not None else []


# ── the export of orders ──


def sales_orders(orders: Iterable[SalesOrder], site_names: dict[int, str], forms: Forms) -> str:
    """SALES_ORDERS, in the format of the import; without the ERP's own order code."""
    inner = "".join(_sales_order(order, site_names, forms) for order in orders)
    return f"<SALES_ORDERS>{inner}</SALES_ORDERS>" if inner else "<SALES_ORDERS/>"


def _sales_order(order: SalesOrder, site_names: dict[int, str], forms: Forms) -> str:
    document = order.document
    placed = document.order_date or order.created_at
    header = (
        element("ORDER_DATE", forms.wall(placed).isoformat(timespec="seconds"))
        + element("DELIVERY_DATE", forms.stock_day(order.delivery_date))
        + element("ORDER_AMOUNT", order.gross_total.decimal())
        + element("ORDER_CURRENCY_CODE", order.currency)
        + element("SITE", site_names[order.site_id])
        + element("ASSOCIATED_REF", order.external_ref)
        + element("DELIVERY_NET", order.delivery_net.decimal())
        + element("DELIVERY_TAX", (order.delivery_gross - order.delivery_net).decimal())
        + element("DELIVERY_GRS", order.delivery_gross.decimal())
        + element("COURIER_CODE", order.courier.settings.code)
        + element("COURIER_DESC", order.courier.name)
        + element("SALES_SOURCE", document.sales_source)
        + element("BRAND", document.brand)
        + element("KEYCODE_CODE", document.keycode)
        + forms.unknown()
        + element("PO_NUMBER", document.po_number)
        + element("ORDER_NOTE", document.order_note)
        + element("INVOICE_NOTE", document.invoice_note)
        + element("COURIER_NOTE", document.courier_note)
    )
    payments = "".join(
        "<PAYMENT_DETAIL>"
        + element("PAYMENT_AMOUNT", payment.amount)
        + element("PAYMENT_TYPE", payment.payment_type)
        + element("CARD_TYPE", payment.card_type)
        + element("PREAUTH", flag(payment.is_preauth))
        + element("AUTH_CODE", payment.auth_code)
        + element("TRANSACTION_ID", payment.transaction_id)
        + element("ACCOUNT_NAME", payment.account_name)
        + "</PAYMENT_DETAIL>"
        for payment in document.payments
    )
    items = "".join(
        "<ORDER_ITEM>"
        + element("STOCK_CODE", line.item.code)
        + "<MAPPING_TYPE>1</MAPPING_TYPE>"
        + element("STOCK_DESC", line.description)
        + element("ORDER_QTY", plain(line.quantity))
        + element("PRICE_NET" if line.unit.is_net else "PRICE_GRS", line.unit.amount)
        + element("TAX_RATE", line.tax_code)
        + element("IMPORT_REF", line.import_ref)
        + "</ORDER_ITEM>"
        for line in order.lines
    )
    return (
        f"<SALES_ORDER>{_customer(order, document.customer)}<PAYMENTS>{payments}</PAYMENTS>"
        f"<ORDER_HEADER>{header}</ORDER_HEADER><ORDER_ITEMS>{items}</ORDER_ITEMS></SALES_ORDER>"
    )


def _customer(order: SalesOrder, customer: CustomerDocument) -> str:
    deliver_to = customer.deliver_to or customer.invoice_to
    return (
        "<CUSTOMER_DETAIL><IS_NEW_CUSTOMER>0</IS_NEW_CUSTOMER>"
        + element("COMPANY_CODE", order.customer_code)
        + element("OTHER_REF", order.customer_other_ref)
        + element("WEB_USER", customer.web_user)
        + element("COMPANY_CLASS", customer.company_class)
        + element("COMPANY_NAME", order.customer_name)
        + f"<ADDRESSES><INVADDR>{_address('I', customer.invoice_to)}</INVADDR>"
        + f"<DELADDR>{_address('D', deliver_to)}</DELADDR></ADDRESSES></CUSTOMER_DETAIL>"
    )


def _address(prefix: str, address: AddressDocument) -> str:
    fields = {
        "ADDRESS1": address.line1, "ADDRESS2": address.line2, "ADDRESS3": address.line3,
        "TOWN": address.town, "COUNTY": address.county, "POSTCODE": address.postcode,
        "COUNTRY_CODE": address.country_code, "COUNTRY_NAME": address.country_name,
        "TITLE": address.title, "FORENAME": address.forename, "SURNAME": address.surname,
        "TEL": address.telephone, "FAX": address.fax, "MOBILE": address.mobile,
        "EMAIL": address.email, "ORGANISATION": address.organisation,
    }  # fmt: skip
    return "".join(element(prefix + tag, text) for tag, text in fields.items())
