"""The `SALES_ORDERS` document that the ERP writes of its own orders, without the buyer.

Promises: reference, date, currency, amount and lines of each order that was asked for; names
and addresses are passed over, so they never enter a record. It sends nothing. Invariant: the
ERP's own order number is there only where the document, or the question, gives it (contract
khaos b.4). Called by `kws_orders.py`. Source: contract khaos b.3, b.4.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from kcjl.errors import ProtocolSurprise
from kcjl.khaos.answer_xml import Element
from kcjl.khaos.document_nodes import figure_in, informing_figure, nodes, text_in
from kcjl.khaos.london import received_moment
from kcjl.khaos.order_port import ExportedLine, ExportedOrder

__all__ = ["exported_orders"]


def exported_orders(
    document: Element | None,
    *,
    refs: Sequence[str] = (),
    order_code: str = "",
    sales_source: str = "",
) -> list[ExportedOrder]:
    """The orders with these references; with `order_code`, the one that it was asked for.

    `sales_source`: ours, to compare with theirs.
    """
    wanted = {ref.casefold(): ref for ref in refs}
    found = []
    for node in nodes(document, "SALES_ORDERS", "SALES_ORDER"):
        header = node.find("ORDER_HEADER")
        if header is None:
            raise ProtocolSurprise("Khaos Control exported an order without its ORDER_HEADER")
        told = text_in(header, "ASSOCIATED_REF")
        reference = told if order_code else wanted.get(told.casefold())
        if reference is not None:
            order = _order(node, header, reference, order_code)
            told_source = text_in(header, "SALES_SOURCE").strip()
            if told_source and sales_source:
                is_ours = told_source.casefold() == sales_source.casefold()
                order = msgspec.structs.replace(
                    order, sales_source=told_source, of_our_source=is_ours
                )
            found.append(order)
    return found


def _order(node: Element, header: Element, reference: str, order_code: str) -> ExportedOrder:
    stated = node.get("SORDER_CODE") or text_in(header, "SORDER_CODE")
    return ExportedOrder(
        external_ref=reference,
        erp_order_code=stated.strip() or order_code or None,
        ordered_at=received_moment(text_in(header, "ORDER_DATE")),
        currency=text_in(header, "ORDER_CURRENCY_CODE") or "GBP",
        amount=informing_figure(text_in(header, "ORDER_AMOUNT")),
        lines=tuple(_line(item) for item in node.iterfind("ORDER_ITEMS/ORDER_ITEM")),
    )


def _line(item: Element) -> ExportedLine:
    code = text_in(item, "STOCK_CODE")
    return ExportedLine(
        stock_code=code,
        quantity=figure_in(item, "ORDER_QTY", code) or Decimal(0),
        unit_gross=informing_figure(text_in(item, "PRICE_GRS")),
        unit_net=informing_figure(text_in(item, "PRICE_NET")),
        external_line_ref=text_in(item, "IMPORT_REF"),
    )
