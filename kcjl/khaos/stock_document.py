"""The ERP's documents of products, levels and couriers, as the port's records.

Promises: what a document says and no more; of two figures for one code the lower one holds,
so that nothing is offered that is not there. It sends nothing. Invariant: a parent of sizes
and colours is never a product; its children are (contract khaos b.7, e). Called by `kws.py`
and its areas. Source: contract khaos b.1, b.2, b.7, b.8, e.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import ROUND_CEILING, Decimal

from kcjl.errors import ProtocolSurprise
from kcjl.khaos.answer_xml import Element
from kcjl.khaos.document_nodes import (
    figure,
    figure_in,
    informing_figure,
    is_true,
    nodes,
    own_text,
    text_in,
)
from kcjl.khaos.london import received_date, received_moment
from kcjl.khaos.stock_port import Courier, Product, ProductRef, StockLevel, StockPotential

__all__ = [
    "couriers",
    "families",
    "listed",
    "potential",
    "product_ref",
    "product_refs",
    "products",
    "stock_levels",
]

_PACK = "3"
"""LINK_TYPE of what a pack is made of."""


def couriers(document: Element | None) -> list[Courier]:
    """`SOPDATA/COURIERS/COURIER`."""
    return [
        Courier(name=name, code=(node.get("CODE") or "").strip() or None)
        for node in nodes(document, "SOPDATA", "COURIER")
        if (name := own_text(node))
    ]


def stock_levels(
    document: Element | None, site_id: str, *, with_buildable: bool, read_at: datetime
) -> list[StockLevel]:
    """What one site's `STOCK_STATUS` says.

    A LEVEL that is not there is 0. With buildable: what first-level children can be made into
    counts as available.
    """
    levels: dict[str, StockLevel] = {}
    for node in nodes(document, "STOCK_STATUS", "STOCK_ITEM"):
        code = (node.get("CODE") or text_in(node, "STOCK_CODE")).strip()
        if not code:
            continue
        status = figure_in(node, "STATUS", code)
        available = figure_in(node, "LEVEL", code) or Decimal(0)
        buildable = informing_figure(text_in(node, "BUILD_POTENTIAL_CHILDREN"))
        if with_buildable:
            available += figure_in(node, "BUILD_POTENTIAL_CHILDREN", code) or Decimal(0)
        level = StockLevel(
            stock_code=code,
            site_id=site_id,
            available=available,
            status=None if status is None else int(status),
            on_order=informing_figure(text_in(node, "ON_ORDER_LEVEL")),
            build_potential=buildable,
            due=_date_in(node, "LEAD_TIME"),
            read_at=read_at,
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
    for node in nodes(document, "STOCK_ITEMS", "STOCK_ITEM"):
        children = list(node.iter("SCS_ITEM"))
        for item in children or [node]:
            product = _product(item, node)
            if product is None:
                continue
            key = product.stock_code.casefold()
            if not children or key not in found:
                found[key] = product
    return found


def families(document: Element | None) -> dict[str, tuple[str, ...]]:
    """The children of each parent in `STOCK_ITEMS`, by the parent's code."""
    found: dict[str, tuple[str, ...]] = {}
    for node in nodes(document, "STOCK_ITEMS", "STOCK_ITEM"):
        children = (text_in(item, "STOCK_CODE") for item in node.iter("SCS_ITEM"))
        named = tuple(dict.fromkeys(child for child in children if child))
        if named and (parent := text_in(node, "STOCK_CODE")):
            found[parent] = named
    return found


def listed(document: Element | None, *, found: bool = False) -> Iterator[dict[str, str]]:
    """Rows of a packed stock list: whatever has a code, as field (lower case) → text.

    `found`: rows of it have been read already.
    """
    if document is None:
        return
    for node in document.iter():
        fields = {
            str(child.tag).casefold(): own_text(child) for child in node if not len(child)
        }
        code = fields.get("stock_code") or fields.get("stockcode") or node.get("CODE")
        if code:
            found = True
            yield fields | {"stockcode": code}
    if not found and len(document):
        raise ProtocolSurprise(
            f"Khaos Control sent <{document.tag}> as a stock list, and no code is in it"
        )


def product_refs(rows: Iterable[dict[str, str]], now: datetime) -> list[ProductRef]:
    """Each `TStockInfo`, or row of the packed list, that has a code; read at `now`."""
    refs = (product_ref(fields, now) for fields in rows)
    return [ref for ref in refs if ref.stock_code]


def product_ref(fields: dict[str, str], now: datetime) -> ProductRef:
    """One of them; its code is empty where it has none."""

    def said(name: str, packed: str) -> str:
        return fields.get(name) or fields.get(packed) or ""

    try:
        changed_at = received_moment(
            said("lastupdated", "last_updated") or said("deleteddate", "deleted_date"), now=now
        )
    except ProtocolSurprise:
        changed_at = None  # the code is what counts
    return ProductRef(
        stock_code=said("stockcode", "stock_code"),
        description=said("stockdesc", "stock_desc"),
        other_ref=said("otherref", "other_ref") or None,
        parent_code=said("parentcode", "parent_code") or None,
        changed_at=changed_at,
    )


def potential(fields: dict[str, str]) -> StockPotential:
    """One `TStockPotential`. What it does not say is 0; the potential is worked out then."""
    code = fields["stockcode"]

    def said(name: str) -> Decimal | None:
        return figure(fields.get(name, ""), f"{name} of {code}")

    available = said("available") or Decimal(0)
    on_order = said("onorder") or Decimal(0)
    back_order = said("backorder") or Decimal(0)
    stated = said("potential")
    return StockPotential(
        stock_code=code,
        other_ref=fields.get("otherref") or None,
        available=available,
        on_order=on_order,
        back_order=back_order,
        potential=available + on_order - back_order if stated is None else stated,
    )


def _product(item: Element, parent: Element) -> Product | None:
    def said(tag: str) -> str:
        return text_in(item, tag) or text_in(parent, tag)

    code = text_in(item, "STOCK_CODE")
    if not code:
        return None
    controlled, on_web = said("STOCK_CONTROLLED"), said("WEB")
    multiple = figure(said("SALES_MULTIPLE"), f"SALES_MULTIPLE of {code}")
    cap = figure(said("MAX_DISPLAY_QTY"), f"MAX_DISPLAY_QTY of {code}")
    priced = item if text_in(item, "SELL_PRICE") else parent
    price_node = priced.find("SELL_PRICE")
    is_net = None if price_node is None else price_node.get("IS_NET")
    web_price = informing_figure(said("SELL_PRICE_WEB"))
    return Product(
        stock_code=code,
        description=said("STOCK_DESC") or said("DESC"),
        discontinued=is_true(said("DELETED")) or is_true(said("DISCONTINUED")),
        run_to_zero=is_true(said("RUN_TO_ZERO")),
        stock_controlled=not controlled or is_true(controlled),
        sales_multiple=int(multiple.to_integral_value(ROUND_CEILING))
        if multiple is not None and multiple > 0
        else None,
        display_cap=int(cap) if cap is not None and cap > 0 else None,
        stock_id=text_in(item, "STOCK_ID") or None,
        other_ref=text_in(item, "ASSOCIATED_REF") or None,
        parent_code=None if item is parent else text_in(parent, "STOCK_CODE") or None,
        barcodes=_barcodes(item),
        on_web=is_true(on_web) if on_web else None,
        sell_price=informing_figure(text_in(priced, "SELL_PRICE")),
        sell_price_is_net=None if is_net is None else is_true(is_net),
        web_price=web_price or None,
        vat_percent=informing_figure(said("VAT_RATE")),
        pack_items=_pack_items(item, code),
        launch_on=_date_of(said("LAUNCH_DATE")),
    )


def _barcodes(item: Element) -> tuple[str, ...]:
    """Distinct barcodes of the item itself, in order."""
    listed = (own_text(node) for node in item.iterfind("BARCODES/BARCODE"))
    return tuple(dict.fromkeys(code for code in listed if code))


def _pack_items(item: Element, code: str) -> tuple[tuple[str, Decimal], ...]:
    """(stock code, units) of what the pack is made of."""
    links = [
        (text_in(node, "STOCK_CODE"), figure_in(node, "LINK_VALUE", f"a pack item of {code}"))
        for node in item.iterfind("LINKED_ITEMS/LINK_ITEM")
        if text_in(node, "LINK_TYPE") == _PACK
    ]
    return tuple(
        (child, Decimal(1) if units is None else units) for child, units in links if child
    )


def _date_in(node: Element, tag: str) -> date | None:
    return _date_of(text_in(node, tag))


def _date_of(text: str) -> date | None:
    """A date that only informs: one in a foreign form is not there."""
    try:
        return received_date(text)
    except ProtocolSurprise:
        return None
