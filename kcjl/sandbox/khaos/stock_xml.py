"""The ERP's stock documents: STOCK_STATUS, STOCK_ITEMS and SOPDATA.

Promises: -1/0 booleans, decimals with a dot, the ERP's own spelling of codes; only the level
is shown, never what is physical or assigned. It selects nothing. Source: contract khaos b.2,
b.7, b.8. Invariant: what cannot stand in XML does not get here.
Called by the operations of the SOAP face of the sandbox's ERP.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal
from xml.sax.saxutils import escape, quoteattr

from kcjl.sandbox.warehouse.hours import london_date
from kcjl.sandbox.warehouse.orders import CourierEntry
from kcjl.sandbox.warehouse.settings import WarehouseSettings
from kcjl.sandbox.warehouse.stock import StockBook, StockItem

__all__ = ["element", "flag", "plain", "sop_data", "stock_items", "stock_status"]

_DUE_SOON = timedelta(days=14)
_NO_DATE = "1899-12-30"


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


def stock_status(
    rows: Iterable[tuple[StockItem, int]],
    *,
    stock: StockBook,
    site_names: dict[int, str],
    title: str,
    today: date,
    next_with_free_stock: bool,
    extra_tags: bool,
) -> str:
    """STOCK_STATUS with one STOCK_ITEM a row (item, site)."""
    inner = "".join(
        _status_item(
            item, site_id, stock, today, next_with_free_stock, site_names if extra_tags else {}
        )
        for item, site_id in rows
    )
    if not inner:
        return f"<STOCK_STATUS SITE={quoteattr(title)}/>"
    return f"<STOCK_STATUS SITE={quoteattr(title)}>{inner}</STOCK_STATUS>"


def _status_item(
    item: StockItem,
    site_id: int,
    stock: StockBook,
    today: date,
    next_with_free_stock: bool,  # noqa: FBT001
    site_names: dict[int, str],
) -> str:
    level = item.level(site_id)
    other_ref = f" OTHER_REF={quoteattr(item.other_ref)}" if item.other_ref else ""
    parts = [
        (
            f'<STOCK_ITEM CODE={quoteattr(item.code)} ID="{item.item_id}"{other_ref}'
            f" DESC={quoteattr(item.description)}>"
        ),
        element("BUY_PRICE", item.buy_price.decimal()),
        element("SELL_PRICE", item.sell_price.decimal()),
        "<WEBSELL_PRICE>0</WEBSELL_PRICE>",
        element("SAFE_LEVEL", item.safe_level),
        element("MIN_LEVEL", item.min_level),
        element("LEVEL", plain(level)),
        element("STATUS", _status(item, level, site_id, today)),
        element("LEAD_TIME", _lead_time(item, next_with_free_stock=next_with_free_stock)),
    ]
    if item.pack_of:
        parts.append(
            element("BUILD_POTENTIAL_CHILDREN", _build_potential(item, stock, site_id))
        )
    if site_names:
        parts.append(element("SITE", site_names[site_id]))
        parts.append(element("ON_ORDER_LEVEL", plain(item.units_on_order())))
        parts.append("<MAX_BO_QTY>0</MAX_BO_QTY>")
    parts.append("</STOCK_ITEM>")
    return "".join(parts)


def _status(item: StockItem, level: Decimal, site_id: int, today: date) -> int:
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


def _lead_time(item: StockItem, *, next_with_free_stock: bool) -> str:
    """Due date of the oldest purchase, or of the first that back orders do not use up."""
    promised = item.units_on_back_order() if next_with_free_stock else Decimal(-1)
    for due, quantity in item.on_order:
        promised -= quantity
        if promised < 0:
            return due.isoformat()
    return _NO_DATE


def _build_potential(item: StockItem, stock: StockBook, site_id: int) -> int:
    """How many packs the free stock of the children makes."""
    packs = [
        max(Decimal(0), stock.get(code).level(site_id)) / units
        for code, units in item.pack_of
        if stock.get(code).holds_stock
    ]
    return int(min(packs).to_integral_value(ROUND_FLOOR)) if packs else 0


def stock_items(
    items: Iterable[StockItem], *, stock: StockBook, settings: WarehouseSettings
) -> str:
    """STOCK_ITEMS: what the items are, without levels."""
    inner = "".join(_stock_item(item, stock, settings) for item in items)
    return f"<STOCK_ITEMS>{inner}</STOCK_ITEMS>" if inner else "<STOCK_ITEMS/>"


def _stock_item(item: StockItem, stock: StockBook, settings: WarehouseSettings) -> str:
    is_net = flag(item.sell_price_is_net)
    barcodes = "".join(
        f"<BARCODE DESC={quoteattr('Main')}>{escape(code)}</BARCODE>" for code in item.barcodes
    )
    links = "".join(
        "<LINK_ITEM>"
        + element("STOCK_CODE", stock.get(code).code)
        + "<LINK_TYPE>3</LINK_TYPE>"
        + element("LINK_VALUE", plain(units))
        + "</LINK_ITEM>"
        for code, units in item.pack_of
    )
    children = "".join(
        f"<SCS_ITEM>{element('STOCK_CODE', code)}</SCS_ITEM>" for code in item.children
    )
    parts = [
        "<STOCK_ITEM>",
        element("STOCK_CODE", item.code),
        element("ASSOCIATED_REF", item.other_ref),
        element("STOCK_DESC", item.description),
        element("LONG_DESC", item.description),
        f'<BUY_PRICE IS_NET="-1">{item.buy_price.decimal()}</BUY_PRICE>',
        f'<SELL_PRICE IS_NET="{is_net}">{item.sell_price.decimal()}</SELL_PRICE>',
        "<SELL_PRICE_WEB>0</SELL_PRICE_WEB>",
        element("VAT_RATE", settings.tax_percent[item.tax_code]),
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
        element("LAUNCH_DATE", london_date(item.launched_at).isoformat()),
        f"<BARCODES>{barcodes}</BARCODES>",
        f"<LINKED_ITEMS>{links}</LINKED_ITEMS>",
    ]
    if children:
        parts.append(f"<SCS><STYLE>{children}</STYLE></SCS>")
    if settings.extra_tags:
        parts.append(
            "<PURCHASE_MULTIPLE>1</PURCHASE_MULTIPLE><HEIGHT>0</HEIGHT><WIDTH>0</WIDTH>"
            "<DEPTH>0</DEPTH><COUNTRY_OF_MANUFACTURE/><ICN_CODE/>"
        )
    parts.append("</STOCK_ITEM>")
    return "".join(parts)


def sop_data(couriers: Iterable[CourierEntry] | None) -> str:
    """SOPDATA with the couriers, or empty when they were not asked for."""
    if couriers is None:
        return "<SOPDATA/>"
    rows = "".join(
        f"<COURIER{_code(entry)}>{escape(entry.name)}</COURIER>" for entry in couriers
    )
    return f"<SOPDATA><COURIERS>{rows}</COURIERS></SOPDATA>"


def _code(entry: CourierEntry) -> str:
    return f" CODE={quoteattr(entry.settings.code)}" if entry.settings.code else ""
