"""The documents that the ERP sends in strings, as the port's records.

Promises: products, stock levels, order statuses and couriers, from documents whose unknown
tags are ignored; an empty document is an empty answer, a foreign one is `ProtocolSurprise`.
It sends nothing, and never guesses a quantity: an unreadable figure is an error.
Invariant: every INVOICE and BOX counts (contract khaos c, "Decision rules"); stage ids are
looked up, never compared by size. Called by `kws.py`.
Source: contract khaos b.2, b.5, b.7, b.8.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal, InvalidOperation

from kcjl.errors import Misuse, ProtocolSurprise
from kcjl.khaos.answer_xml import Element, excerpt
from kcjl.khaos.london import received_date
from kcjl.khaos.port import Courier, Invoice, OrderStatus, Parcel, Product, Stage, StockLevel
from kcjl.money import Money

__all__ = ["courier_names", "couriers", "order_statuses", "products", "stock_levels"]

CourierCode = Callable[[str], str | None]
"""From a courier's name to its code."""

FIGURE_DIGITS_MAX = 15
"""A figure with more digits before its point is no quantity and no price."""

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


def couriers(document: Element | None) -> list[Courier]:
    """`SOPDATA/COURIERS/COURIER`."""
    return [
        Courier(name=name, code=(node.get("CODE") or "").strip() or None)
        for node in _nodes(document, "SOPDATA", "COURIER")
        if (name := _own_text(node))
    ]


def stock_levels(
    document: Element | None, site_id: str, *, with_buildable: bool
) -> list[StockLevel]:
    """What one site's `STOCK_STATUS` says.

    A LEVEL that is not there is 0, and of two figures for one code the lower one holds: never
    offer what is not there. With buildable: what first-level children can be made into counts.
    """
    levels: dict[str, StockLevel] = {}
    for node in _nodes(document, "STOCK_STATUS", "STOCK_ITEM"):
        code = (node.get("CODE") or _text(node, "STOCK_CODE")).strip()
        if not code:
            continue
        status = _decimal(node, "STATUS", code)
        available = _decimal(node, "LEVEL", code) or Decimal(0)
        if with_buildable:
            available += _decimal(node, "BUILD_POTENTIAL_CHILDREN", code) or Decimal(0)
        level = StockLevel(
            stock_code=code,
            site_id=site_id,
            available=available,
            status=None if status is None else int(status),
        )
        known = levels.get(code.casefold())
        if known is None or level.available < known.available:
            levels[code.casefold()] = level
    return list(levels.values())


def products(document: Element | None) -> dict[str, Product]:
    """Sellable items of `STOCK_ITEMS`, by lower-case code.

    An item that holds SCS_ITEMs is a parent: it can't be sold, its children can, and they take
    from it what they do not say themselves. An item that is there by itself goes before the
    same one inside its parent. DELETED (made of WEB and DISCONTINUED by the ERP)
    means off sale (contract khaos b.7, e).
    """
    found: dict[str, Product] = {}
    for node in _nodes(document, "STOCK_ITEMS", "STOCK_ITEM"):
        children = list(node.iter("SCS_ITEM"))
        for item in children or [node]:
            product = _product(item, node)
            if product is None:
                continue
            key = product.stock_code.casefold()
            if not children or key not in found:
                found[key] = product
    return found


def order_statuses(
    document: Element | None, asked: Sequence[str], courier_code: CourierCode
) -> list[OrderStatus]:
    """The orders of `STATUS_LIST` that were asked for, one per reference, as asked for.

    Credit notes are passed over. Of several orders with one reference, one that is not
    cancelled goes before one that is.
    """
    wanted = {ref.casefold(): ref for ref in asked}
    found: dict[str, OrderStatus] = {}
    for node in _nodes(document, "STATUS_LIST", "ORDER_STATUS"):
        reference = wanted.get((node.get("ASSOCIATED_REF") or "").strip().casefold())
        if reference is None or _is_credit_note(node):
            continue
        status = _order_status(node, reference, courier_code)
        known = found.get(reference)
        if known is None or (known.cancelled and not status.cancelled):
            found[reference] = status
    return [found[ref] for ref in wanted.values() if ref in found]


def courier_names(document: Element | None) -> set[str]:
    """The names that stand in an order status document."""
    if document is None:
        return set()
    named = {(node.get("COURIER") or "").strip() for node in document.iter("INVOICE", "BOX")}
    ordered = {_own_text(node) for node in document.iter("COURIER")}
    return (named | ordered) - {""}


def _order_status(node: Element, reference: str, courier_code: CourierCode) -> OrderStatus:
    code = (node.get("SORDER_CODE") or "").strip()
    if not code:
        raise ProtocolSurprise(f"Khaos Control shows order {reference} without its SORDER_CODE")
    currency = _text(node, "CURRENCY_CODE") or "GBP"
    courier = _text(node, "COURIER")
    invoice_nodes = list(node.iter("INVOICE"))
    invoices = tuple(_invoice(invoice, courier, courier_code) for invoice in invoice_nodes)
    cancellation = node.find("CANCELLED")
    all_cancelled = bool(invoices) and all(i.stage is Stage.CANCELLED for i in invoices)
    return OrderStatus(
        external_ref=reference,
        erp_order_code=code,
        cancelled=_is_cancellation(cancellation) or all_cancelled,
        cancel_reason="" if cancellation is None else _text(cancellation, "REASON"),
        complete=_is_true(_text(node, "COMPLETE")),
        currency=currency,
        gross_total=_gross_total(node, currency),
        invoices=invoices,
    )


def _invoice(node: Element, order_courier: str, courier_code: CourierCode) -> Invoice:
    code = (node.get("INVOICE_CODE") or "").strip()
    stage_id = (node.get("INVOICE_STAGE_ID") or "").strip()
    stage_name = (node.get("INVOICE_STAGE_DESC") or "").strip()
    stage = _STAGES.get(stage_id, Stage.UNKNOWN)
    parcels = tuple(_parcels(node, code, stage_id, order_courier, courier_code))
    if stage_id == _SHIPPING_STAGE and parcels and all(p.shipped for p in parcels):
        stage = Stage.SHIPPED
    return Invoice(
        invoice_code=code,
        stage=stage,
        stage_raw=f"{stage_id} {stage_name}".strip(),
        parcels=parcels,
    )


def _parcels(
    invoice: Element, code: str, stage_id: str, order_courier: str, courier_code: CourierCode
) -> Iterator[Parcel]:
    """One parcel per box; the invoice itself where it has none.

    A parcel has one tracking number. Where an attribute lists several, as many as there are
    boxes are dealt out in order; otherwise the first one stands, because the ERP does not say
    what is in which: parcels are never made up from numbers.
    """
    boxes = list(invoice.iter("BOX"))
    said_shipped, invoice_date = _ship_date(invoice)
    invoice_shipped = said_shipped or stage_id in _SHIPPED_STAGES
    own_items = tuple(_items(invoice.iter("INVOICE_ITEM")))
    numbers = _dealt_out(invoice, boxes)
    for number, box in enumerate(boxes or [invoice]):
        items = tuple(_items(box.iter("BOX_ITEM"))) if boxes else own_items
        names = ((node.get("COURIER") or "").strip() for node in (box, invoice))
        name = next(filter(None, names), order_courier)
        yield Parcel(
            parcel_key=f"{code}/{number + 1}" if boxes else code,
            shipped=invoice_shipped or (bool(boxes) and _is_true(box.get("SHIPPED") or "")),
            courier_name=name,
            courier_code=courier_code(name) if name else None,
            tracking_number=numbers[number],
            shipped_on=_ship_date(box)[1] or invoice_date,
            items=items or (own_items if len(boxes) == 1 else ()),
        )


def _dealt_out(invoice: Element, boxes: list[Element]) -> list[str]:
    """One tracking number, or '', for each box; for the invoice where it has none.

    The invoice's own are used only when no box has any (contract khaos c).
    """
    own = [_numbers(box) for box in boxes]
    if any(own):
        return [next(iter(numbers), "") for numbers in own]
    listed = _numbers(invoice) or [""]
    return listed if len(listed) == len(boxes) else listed[:1] * max(1, len(boxes))


def _ship_date(node: Element) -> tuple[bool, date | None]:
    """Whether a ship date is there, and which; one in a foreign form counts as there."""
    text = node.get("SHIP_DATE")
    try:
        day = received_date(text)
    except ProtocolSurprise:
        return True, None
    return day is not None, day


def _numbers(node: Element) -> list[str]:
    """Distinct consignment numbers, in order."""
    listed = _SEPARATORS.split(node.get("CONSIGNMENT_REF") or "")
    return list(dict.fromkeys(number for number in listed if number))


def _items(nodes: Iterator[Element]) -> Iterator[tuple[str, Decimal]]:
    """(stock code, units), each code once; what was not sent is not in it."""
    units: dict[str, tuple[str, Decimal]] = {}
    for node in nodes:
        code = (node.get("STOCK_CODE") or "").strip()
        sent = _figure(node.get("QTY_SENT") or "", f"QTY_SENT of {code}") or Decimal(0)
        spelt, before = units.get(code.casefold(), (code, Decimal(0)))
        units[code.casefold()] = (spelt, before + sent)
    return (item for item in units.values() if item[0] and item[1] > 0)


def _product(item: Element, parent: Element) -> Product | None:
    def said(tag: str) -> str:
        return _text(item, tag) or _text(parent, tag)

    code = _text(item, "STOCK_CODE")
    if not code:
        return None
    controlled = said("STOCK_CONTROLLED")
    multiple = _figure(said("SALES_MULTIPLE"), f"SALES_MULTIPLE of {code}")
    cap = _figure(said("MAX_DISPLAY_QTY"), f"MAX_DISPLAY_QTY of {code}")
    gone = _is_true(said("DELETED")) or _is_true(said("DISCONTINUED"))
    return Product(
        stock_code=code,
        description=said("STOCK_DESC") or said("DESC"),
        discontinued=gone,
        run_to_zero=_is_true(said("RUN_TO_ZERO")),
        stock_controlled=not controlled or _is_true(controlled),
        sales_multiple=int(multiple.to_integral_value(ROUND_CEILING))
        if multiple is not None and multiple > 0
        else None,
        display_cap=int(cap) if cap is not None and cap > 0 else None,
    )


def _gross_total(node: Element, currency: str) -> Money | None:
    """Items and delivery, gross, to the penny; None when the ERP does not say."""
    items = _figure(_text(node, "ITEMS_TOTAL"), "ITEMS_TOTAL")
    if items is None:
        return None
    delivery = _figure(_text(node, "DELIVERY_TOTAL"), "DELIVERY_TOTAL") or Decimal(0)
    pence = (items + delivery).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    try:
        return Money.parse(pence, currency)
    except Misuse:
        return None


def _nodes(document: Element | None, root: str, tag: str) -> list[Element]:
    """The nodes of a document; a foreign root counts only when it holds such nodes."""
    if document is None:
        return []
    nodes = list(document.iter(tag))
    if not nodes and document.tag != root:
        raise ProtocolSurprise(
            f"Khaos Control sent <{document.tag}> where <{root}> was due: "
            f"{excerpt(' '.join(str(text) for text in document.itertext()))}"
        )
    return nodes


def _is_credit_note(node: Element) -> bool:
    kind = node.find("ORDER_TYPE")
    if kind is None:
        return False
    identity = (kind.get("TYPE_ID") or "").strip().upper()
    return identity.startswith("C") or "credit" in _own_text(kind).casefold()


def _is_cancellation(node: Element | None) -> bool:
    """The node's presence says it, unless its text says no."""
    return node is not None and (len(node) > 0 or _own_text(node).casefold() not in _NO)


_NO = frozenset({"0", "false", "n", "no"})
_YES = frozenset({"-1", "1", "true", "y", "yes"})


def _is_true(text: str) -> bool:
    return text.strip().casefold() in _YES


def _decimal(node: Element, tag: str, code: str) -> Decimal | None:
    return _figure(_text(node, tag), f"{tag} of {code}")


def _figure(text: str, what: str) -> Decimal | None:
    """A plain decimal; None for a blank one. Raises ProtocolSurprise when it is no number."""
    if not text.strip():
        return None
    try:
        figure = Decimal(text.strip())
    except InvalidOperation:
        figure = Decimal("NaN")
    if not figure.is_finite() or figure.adjusted() > FIGURE_DIGITS_MAX:
        raise ProtocolSurprise(f"Khaos Control sent {text[:40]!r} as {what}")
    return figure


def _text(node: Element, tag: str) -> str:
    """The text of the first child of that tag; '' when there is none."""
    child = node.find(tag)
    return "" if child is None else _own_text(child)


def _own_text(node: Element) -> str:
    return (node.text or "").strip()
