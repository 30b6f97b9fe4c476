"""The order status document that the ERP sends in a string, as the port's records.

Promises: orders with every invoice and parcel; an empty document is an empty answer, a foreign
one is `ProtocolSurprise`, unknown tags are ignored. It sends nothing, and never guesses a
quantity. Invariant: every INVOICE and BOX counts (contract khaos c, "Decision rules"); stage
ids are looked up, never compared by size. Called by `kws_orders.py`.
Source: contract khaos b.5, c.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from kcjl.errors import Misuse, ProtocolSurprise
from kcjl.khaos.answer_xml import Element
from kcjl.khaos.document_nodes import (
    figure,
    informing_figure,
    is_false,
    is_true,
    nodes,
    own_text,
    text_in,
)
from kcjl.khaos.london import received_date
from kcjl.khaos.order_port import Invoice, OrderProgress, OrderStatus, Parcel, Stage
from kcjl.money import Money

__all__ = [
    "courier_names",
    "dealt_out",
    "followed_at",
    "numbers_in",
    "order_statuses",
    "orders_in_progress",
    "says_shipped",
    "stage_of",
]

CourierCode = Callable[[str], str | None]
"""From a courier's name to its code."""

_STAGES: Mapping[str, Stage] = {
    "1": Stage.CANCELLED,
    "9": Stage.ACCEPTED,
    "10": Stage.ACCEPTED,
    "11": Stage.BLOCKED_PAYMENT,
    "12": Stage.IN_WAREHOUSE,
    "13": Stage.IN_WAREHOUSE,
    "14": Stage.IN_WAREHOUSE,
    "15": Stage.IN_WAREHOUSE,
    "16": Stage.SHIPPED,
    "17": Stage.ON_HOLD,
    "18": Stage.ON_HOLD,
    "19": Stage.ON_HOLD,
    "20": Stage.IN_WAREHOUSE,
    "21": Stage.ON_HOLD,
    "70": Stage.POSTED,
    "71": Stage.POSTED,
    "72": Stage.POSTED,
    "73": Stage.POSTED,
}
"""Invoice stages (contract khaos c); one that is not here is UNKNOWN. 14 is SHIPPED once the
shipment is confirmed."""
_SHIPPING_STAGE = "14"
_SHIPPED_STAGES = frozenset({"16", "70", "71", "72", "73"})
_SEPARATORS = re.compile(r"[,;\s]+")


def order_statuses(
    document: Element | None,
    asked: Sequence[str],
    courier_code: CourierCode,
    *,
    company_code: str = "",
) -> list[OrderStatus]:
    """The orders of `STATUS_LIST` that were asked for, one per reference, as asked for.

    Credit notes are passed over. Of several orders with one reference, one that is not
    cancelled goes before one that is. `company_code`: ours, to compare with theirs.
    """
    wanted = {ref.casefold(): ref for ref in asked}
    found: dict[str, OrderStatus] = {}
    for node in nodes(document, "STATUS_LIST", "ORDER_STATUS"):
        reference = wanted.get((node.get("ASSOCIATED_REF") or "").strip().casefold())
        if reference is None or _is_credit_note(node):
            continue
        status = _order_status(node, reference, courier_code, company_code)
        known = found.get(reference)
        if known is None or (known.cancelled and not status.cancelled):
            found[reference] = status
    return [found[ref] for ref in wanted.values() if ref in found]


def orders_in_progress(document: Element | None) -> list[OrderProgress]:
    """Rows of `ORDER_STATUSES`: one an invoice; a row without our reference says nothing."""
    found = []
    for node in nodes(document, "ORDER_STATUSES", "ORDER"):
        reference, stage_id = (node.get("REF") or "").strip(), own_text(node)
        if reference:
            found.append(
                OrderProgress(
                    external_ref=reference,
                    erp_order_code=(node.get("ID") or "").strip(),
                    invoice_code=(node.get("INVOICE") or "").strip(),
                    stage=stage_of(stage_id),
                    stage_raw=stage_id,
                    complete=is_true(node.get("COMPLETE") or ""),
                    tracking_number=next(iter(numbers_in(node.get("CONSIGNMENT") or "")), ""),
                )
            )
    return found


def stage_of(stage_id: str, parcels: Sequence[Parcel] = ()) -> Stage:
    """What an invoice's stage means, by its id; one that is not known is UNKNOWN.

    Shipping is SHIPPED once all of the invoice's parcels are.
    """
    stage_id = stage_id.strip()
    if stage_id == _SHIPPING_STAGE and parcels and all(p.shipped for p in parcels):
        return Stage.SHIPPED
    return _STAGES.get(stage_id, Stage.UNKNOWN)


def says_shipped(stage_id: str) -> bool:
    """Whether an invoice at that stage has left the house, whatever its dates say."""
    return stage_id in _SHIPPED_STAGES


def numbers_in(text: str) -> list[str]:
    """Distinct consignment numbers of an attribute, in order."""
    return list(dict.fromkeys(filter(None, _SEPARATORS.split(text))))


def dealt_out(own: Sequence[Sequence[str]], listed: Sequence[str]) -> list[tuple[str, ...]]:
    """The tracking numbers of each box, or of the invoice where it has none; never nothing.

    `own` are each box's, `listed` the invoice's, which are used only when no box has any
    (contract khaos c).

    >>> dealt_out([[], []], ["A", "B"])
    [('A',), ('B',)]
    """
    if any(own):
        return [tuple(numbers) or ("",) for numbers in own]
    if own and len(listed) == len(own):
        return [(number,) for number in listed]
    return [tuple(listed) or ("",)] * max(1, len(own))


def followed_at(text: str) -> str | None:
    """Where a parcel can be followed, if it is an address that a person can open."""
    address = text.strip()
    return address if address.lower().startswith(("https://", "http://")) else None


def courier_names(document: Element | None) -> set[str]:
    """The names that stand in an order status document."""
    if document is None:
        return set()
    named = {(node.get("COURIER") or "").strip() for node in document.iter("INVOICE", "BOX")}
    ordered = {own_text(node) for node in document.iter("COURIER")}
    return (named | ordered) - {""}


def _order_status(
    node: Element, reference: str, courier_code: CourierCode, company_code: str
) -> OrderStatus:
    code = (node.get("SORDER_CODE") or "").strip()
    if not code:
        raise ProtocolSurprise(f"Khaos Control shows order {reference} without its SORDER_CODE")
    currency = text_in(node, "CURRENCY_CODE") or "GBP"
    courier = text_in(node, "COURIER")
    invoice_nodes = list(node.iter("INVOICE"))
    invoices = tuple(_invoice(invoice, courier, courier_code) for invoice in invoice_nodes)
    cancellation = node.find("CANCELLED")
    customer = _customer_code(node)
    all_cancelled = bool(invoices) and all(i.stage is Stage.CANCELLED for i in invoices)
    return OrderStatus(
        external_ref=reference,
        erp_order_code=code,
        cancelled=_is_cancellation(cancellation) or all_cancelled,
        cancel_reason="" if cancellation is None else text_in(cancellation, "REASON"),
        complete=is_true(text_in(node, "COMPLETE")),
        currency=currency,
        gross_total=_gross_total(node, currency),
        delivery_gross=_pence(_figure(node, "DELIVERY_TOTAL"), currency),
        tax_total=_tax_total(node, currency),
        customer_code=customer,
        of_our_customer=(
            customer.casefold() == company_code.casefold()
            if customer and company_code
            else None
        ),
        invoices=invoices,
        qty_sold=informing_figure(text_in(node, "QTY_SOLD")),
        qty_assigned=informing_figure(text_in(node, "QTY_ASSIGNED")),
    )


def _invoice(node: Element, order_courier: str, courier_code: CourierCode) -> Invoice:
    code = (node.get("INVOICE_CODE") or "").strip()
    stage_id = (node.get("INVOICE_STAGE_ID") or "").strip()
    stage_name = (node.get("INVOICE_STAGE_DESC") or "").strip()
    parcels = tuple(_parcels(node, code, stage_id, order_courier, courier_code))
    return Invoice(
        invoice_code=code,
        stage=stage_of(stage_id, parcels),
        stage_raw=f"{stage_id} {stage_name}".strip(),
        parcels=parcels,
        invoiced_on=_date_at(node, "INVOICE_DATE")[1],
        issued_on=_date_at(node, "ISSUE_DATE")[1],
        qty_sold=informing_figure(node.get("QTY_SOLD") or ""),
        qty_sent=informing_figure(node.get("QTY_SENT") or ""),
    )


def _parcels(
    invoice: Element, code: str, stage_id: str, order_courier: str, courier_code: CourierCode
) -> Iterator[Parcel]:
    """One parcel per box; the invoice itself where it has none.

    A parcel has one tracking number. Where an attribute lists several, as many as there are
    boxes are dealt out in order; otherwise the first one stands and the others are told beside
    it, because the ERP does not say what is in which: parcels are never made up from numbers.
    """
    boxes = list(invoice.iter("BOX"))
    said_shipped, invoice_date = _date_at(invoice)
    invoice_shipped = said_shipped or says_shipped(stage_id)
    own_items = tuple(_items(invoice.iter("INVOICE_ITEM")))
    numbers = dealt_out([_numbers(box) for box in boxes], _numbers(invoice))
    for number, box in enumerate(boxes or [invoice]):
        items = tuple(_items(box.iter("BOX_ITEM"))) if boxes else own_items
        names = ((node.get("COURIER") or "").strip() for node in (box, invoice))
        name = next(filter(None, names), order_courier)
        yield Parcel(
            parcel_key=f"{code}/{number + 1}" if boxes else code,
            shipped=invoice_shipped or (bool(boxes) and is_true(box.get("SHIPPED") or "")),
            courier_name=name,
            courier_code=courier_code(name) if name else None,
            tracking_number=numbers[number][0],
            more_tracking_numbers=numbers[number][1:],
            shipped_on=_date_at(box)[1] or invoice_date,
            items=items or (own_items if len(boxes) == 1 else ()),
            tracking_url=_url(box) or (_url(invoice) if len(boxes) <= 1 else None),
        )


def _date_at(node: Element, name: str = "SHIP_DATE") -> tuple[bool, date | None]:
    """Whether a date is there, and which; one in a foreign form counts as there."""
    text = node.get(name)
    try:
        day = received_date(text)
    except ProtocolSurprise:
        return True, None
    return day is not None, day


def _numbers(node: Element) -> list[str]:
    return numbers_in(node.get("CONSIGNMENT_REF") or "")


def _url(node: Element) -> str | None:
    return followed_at(node.get("TRACKING_URL") or "")


def _items(rows: Iterator[Element]) -> Iterator[tuple[str, Decimal]]:
    """(stock code, units), each code once; what was not sent is not in it."""
    units: dict[str, tuple[str, Decimal]] = {}
    for node in rows:
        code = (node.get("STOCK_CODE") or "").strip()
        sent = figure(node.get("QTY_SENT") or "", f"QTY_SENT of {code}") or Decimal(0)
        spelt, before = units.get(code.casefold(), (code, Decimal(0)))
        units[code.casefold()] = (spelt, before + sent)
    return (item for item in units.values() if item[0] and item[1] > 0)


def _gross_total(node: Element, currency: str) -> Money | None:
    """Items and delivery, gross, to the penny; None when the ERP does not say."""
    items = _figure(node, "ITEMS_TOTAL")
    if items is None:
        return None
    return _pence(items + (_figure(node, "DELIVERY_TOTAL") or Decimal(0)), currency)


def _tax_total(node: Element, currency: str) -> Money | None:
    """What of goods and delivery is tax; None where a net value is not told."""
    tax = Decimal(0)
    for tag in ("ITEMS_TOTAL", "DELIVERY_TOTAL"):
        gross, total = _figure(node, tag), node.find(tag)
        net = None if total is None else informing_figure(total.get("NET_VALUE") or "")
        if gross and net is None:
            return None
        tax += (gross or Decimal(0)) - (net or Decimal(0))
    return _pence(tax, currency)


def _figure(node: Element, tag: str) -> Decimal | None:
    return figure(text_in(node, tag), tag)


def _pence(amount: Decimal | None, currency: str) -> Money | None:
    if amount is None:
        return None
    pence = amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    try:
        return Money.parse(pence, currency)
    except Misuse:
        return None


def _customer_code(node: Element) -> str:
    customer = node.find("COMPANY_NAME")
    return "" if customer is None else (customer.get("COMPANY_CODE") or "").strip()


def _is_credit_note(node: Element) -> bool:
    kind = node.find("ORDER_TYPE")
    if kind is None:
        return False
    identity = (kind.get("TYPE_ID") or "").strip().upper()
    return identity.startswith("C") or "credit" in own_text(kind).casefold()


def _is_cancellation(node: Element | None) -> bool:
    """The node's presence says it, unless its text says no."""
    return node is not None and (len(node) > 0 or not is_false(own_text(node)))
