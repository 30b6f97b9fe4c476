"""The ERP's stock documents: STOCK_STATUS and STOCK_ITEMS.

Promises: -1/0 booleans, decimals with a dot, the ERP's own spelling of codes; only the level
is shown, never what is physical or assigned. It selects nothing. Source: contract khaos b.2,
b.7. Invariant: what cannot stand in XML does not get here.
Called by the operations of the SOAP face of the sandbox's ERP.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal
from xml.sax.saxutils import escape, quoteattr

import msgspec

from kcjl.sandbox.khaos.forms import Forms
from kcjl.sandbox.warehouse.settings import WarehouseSettings
from kcjl.sandbox.warehouse.stock import StockBook, StockItem

__all__ = [
    "StockView",
    "build_potential",
    "element",
    "flag",
    "lead_time",
    "plain",
    "status_of",
    "stock_items",
    "stock_status",
]

_DUE_SOON = timedelta(days=14)


def element(tag: str, text: object) -> str:
    return f"<{tag}>{escape(str(text))}</{tag}>"


def flag(value: bool) -> str:  # noqa: FBT001 - it writes one
    return "-1" if value else "0"


def plain(number: Decimal) -> str:
    """A decimal without trailing zeros and without an exponent.

    >>> plain(Decimal("2.50"))
    '2.5'
    """
    if number == number.to_integral_value():
        return str(int(number))
    return f"{number.normalize():f}"


class StockView(msgspec.Struct, frozen=True, kw_only=True):
    """What of the stock a document shows."""

    stock: StockBook
    forms: Forms
    settings: WarehouseSettings
    site_names: dict[int, str]
    today: date
    next_with_free_stock: bool = False
    says_sites: bool = False
    """SITE in every item: all sites stand in one document."""


def stock_status(rows: Iterable[tuple[StockItem, int]], view: StockView, title: str) -> str:
    """STOCK_STATUS with one STOCK_ITEM a row (item, site)."""
    inner = "".join([_status_item(item, site_id, view) for item, site_id in rows])
    if not inner:
        return f"<STOCK_STATUS SITE={quoteattr(title)}/>"
    return f"<STOCK_STATUS SITE={quoteattr(title)}>{inner}</STOCK_STATUS>"


def _status_item(item: StockItem, site_id: int, view: StockView) -> str:
    level = item.level(site_id)
    forms = view.forms
    other_ref = f" OTHER_REF={quoteattr(item.other_ref)}" if item.other_ref else ""
    due = lead_time(item, next_with_free_stock=view.next_with_free_stock)
    parts = [
        (
            f'<STOCK_ITEM CODE={quoteattr(item.code)} ID="{item.item_id}"{other_ref}'
            f" DESC={quoteattr(item.description)}{forms.unknown_attribute()}>"
        ),
        element("BUY_PRICE", item.buy_price.decimal()),
        element("SELL_PRICE", item.sell_price.decimal()),
        "<WEBSELL_PRICE>0</WEBSELL_PRICE>",
        element("SAFE_LEVEL", item.safe_level),
        element("MIN_LEVEL", item.min_level),
        element("LEVEL", plain(level)),
        element("STATUS", status_of(item, level, site_id, view.today)),
        element("LEAD_TIME", forms.stock_day(due)),
    ]
    if item.pack_of:
        parts.append(
            element("BUILD_POTENTIAL_CHILDREN", build_potential(item, view.stock, site_id))
        )
    if view.settings.extra_tags or view.says_sites:
        parts.append(element("SITE", view.site_names[site_id]))
        parts.append(element("ON_ORDER_LEVEL", plain(item.units_on_order())))
        parts.append("<MAX_BO_QTY>0</MAX_BO_QTY>")
    parts.append(f"{forms.unknown()}</STOCK_ITEM>")
    return "".join(parts)


def status_of(item: StockItem, level: Decimal, site_id: int, today: date) -> int:
    """0 in stock, 1 all allocated, 2 due, 3 not due soon, 4 discontinued, 5 non-controlled."""
    if item.discontinued:
        return 4
    if not item.stock_controlled:
        return 5
    if level > 0:
        return 0
    if item.physical.get(site_id, Decimal(0)) > 0:
        return 1
    soon = any(due <= today + _DUE_SOON for due, _ in item.on_order)
    return 2 if soon else 3


def lead_time(item: StockItem, *, next_with_free_stock: bool) -> date | None:
    """Due date of the oldest purchase, or of the first that back orders do not use up."""
    promised = item.units_on_back_order() if next_with_free_stock else Decimal(-1)
    for due, quantity in item.on_order:
        promised -= quantity
        if promised < 0:
            return due
    return None


def build_potential(item: StockItem, stock: StockBook, site_id: int) -> int:
    """How many packs the free stock of the children makes."""
    packs = [
        max(Decimal(0), stock.get(code).level(site_id)) / units
        for code, units in item.pack_of
        if stock.get(code).holds_stock
    ]
    return int(min(packs).to_integral_value(ROUND_FLOOR)) if packs else 0


# ── what the items are ──


def stock_items(items: Iterable[StockItem], view: StockView) -> str:
    """STOCK_ITEMS: what the items are, without levels; children as the setting says (b.7)."""
    rows: list[str] = []
    done: dict[int, None] = {}
    for item in items:
        inside = item.parent_code and view.settings.scs_answer == "in_parent"
        top = view.stock.get(item.parent_code) if inside else item
        if top.item_id not in done:
            done[top.item_id] = None
            rows.append(f"<STOCK_ITEM>{_stock_item(top, view)}</STOCK_ITEM>")
    return f"<STOCK_ITEMS>{''.join(rows)}</STOCK_ITEMS>" if rows else "<STOCK_ITEMS/>"


def _stock_item(item: StockItem, view: StockView) -> str:
    forms = view.forms
    is_net = flag(item.sell_price_is_net)
    barcodes = "".join(
        f"<BARCODE DESC={quoteattr('Main')}>{escape(code)}</BARCODE>" for code in item.barcodes
    )
    parts = [
        element("STOCK_CODE", item.code),
        element("ASSOCIATED_REF", item.other_ref),
        element("STOCK_DESC", item.description),
        element("LONG_DESC", item.description),
        f'<BUY_PRICE IS_NET="-1">{item.buy_price.decimal()}</BUY_PRICE>',
        f'<SELL_PRICE IS_NET="{is_net}">{item.sell_price.decimal()}</SELL_PRICE>',
        *_flags(item, view),
        element("LAUNCH_DATE", forms.stock_day(forms.day(item.launched_at))),
        f"<BARCODES>{barcodes}</BARCODES>",
        _linked_items(item, view.stock),
    ]
    if item.children:
        parts.append(_scs(item, view))
    if view.settings.extra_tags:
        parts.append(
            "<PURCHASE_MULTIPLE>1</PURCHASE_MULTIPLE><HEIGHT>0</HEIGHT><WIDTH>0</WIDTH>"
            "<DEPTH>0</DEPTH><COUNTRY_OF_MANUFACTURE/><ICN_CODE/>"
        )
    return "".join(parts) + forms.unknown()


def _flags(item: StockItem, view: StockView) -> tuple[str, ...]:
    """What parents and children say in the same way."""
    return (
        "<SELL_PRICE_WEB>0</SELL_PRICE_WEB>",
        element("VAT_RATE", view.settings.tax_percent.get(item.tax_code, 0)),
        element("STOCK_ID", item.item_id),
        "<WEIGHT>0</WEIGHT>",
        element("DELETED", flag(item.discontinued or not item.on_web)),
        element("WEB", flag(item.on_web)),
        element("DISCONTINUED", flag(item.discontinued)),
        element("RUN_TO_ZERO", flag(item.run_to_zero)),
        "<DROP_SHIP>0</DROP_SHIP>",
        element("STOCK_CONTROLLED", flag(item.stock_controlled)),
        element("MIN_LEVEL", item.min_level),
        element("SAFE_LEVEL", item.safe_level),
        element("SALES_MULTIPLE", item.sales_multiple),
        element("MAX_DISPLAY_QTY", item.max_display),
    )


def _linked_items(item: StockItem, stock: StockBook) -> str:
    links = "".join(
        "<LINK_ITEM>"
        + element("STOCK_CODE", stock.get(code).code)
        + "<LINK_TYPE>3</LINK_TYPE>"
        + element("LINK_VALUE", plain(units))
        + "</LINK_ITEM>"
        for code, units in item.pack_of
    )
    return f"<LINKED_ITEMS>{links}</LINKED_ITEMS>"


def _scs(parent: StockItem, view: StockView) -> str:
    """The children by their styles, level in level; the prices' IS_NET is the parent's."""
    children = [view.stock.get(code) for code in parent.children]
    return f"<SCS>{_styles(children, 0, view)}</SCS>"


def _styles(children: list[StockItem], depth: int, view: StockView) -> str:
    by_style: dict[tuple[str, str], list[StockItem]] = {}
    for child in children:
        style = child.styles[depth] if depth < len(child.styles) else (child.description, "")
        by_style.setdefault(style, []).append(child)
    rows: list[str] = []
    for (name, suffix), of_style in by_style.items():
        deeper = [child for child in of_style if len(child.styles) > depth + 1]
        inner = "".join(
            _scs_item(child, view) for child in of_style if len(child.styles) <= depth + 1
        )
        if deeper:
            inner += _styles(deeper, depth + 1, view)
        head = element("DESCRIPTION", name) + element("SCS_CODE_SUFFIX", suffix)
        rows.append(f"<STYLE>{head}{inner}</STYLE>")
    return "".join(rows)


def _scs_item(item: StockItem, view: StockView) -> str:
    barcodes = "".join(element("BARCODE", code) for code in item.barcodes)
    parts = [
        element("STOCK_CODE", item.code),
        element("ASSOCIATED_REF", item.other_ref),
        element("DESCRIPTION", item.description),
        element("BUY_PRICE", item.buy_price.decimal()),
        element("SELL_PRICE", item.sell_price.decimal()),
        *_flags(item, view),
        f"<BARCODES>{barcodes}</BARCODES>",
        _linked_items(item, view.stock),
    ]
    return f"<SCS_ITEM>{''.join(parts)}{view.forms.unknown()}</SCS_ITEM>"
