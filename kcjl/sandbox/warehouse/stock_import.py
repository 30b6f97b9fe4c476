"""ImportStockStatus: a STOCK_STATUS document sets levels and thresholds, absolutely.

Promises: the whole document is read before anything changes; LEVEL is what the item shows
afterwards. It takes no prices. Invariant: an unknown code, or a number that is none, is a
fault and changes nothing. Source: contract khaos e; the document is b.2's.
Called by the warehouse model.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from lxml import etree

from kcjl.sandbox.warehouse.faults import KhaosFault
from kcjl.sandbox.warehouse.reading import parse_document
from kcjl.sandbox.warehouse.stock import StockBook, StockItem

__all__ = ["import_stock_status"]


def import_stock_status(
    stock: StockBook,
    sites: Mapping[int, str],
    document: str,
    *,
    update_data: bool,
    update_levels: bool,
) -> list[StockItem]:
    """Set what the document says; returns the items that it named."""
    root = parse_document(document, "STOCK_STATUS")
    default = _site(sites, root.get("SITE", ""), next(iter(sites)))
    rows = [
        (
            _item(stock, node),
            _site(sites, node.findtext("SITE") or "", default),
            {tag: _number(node, tag) for tag in ("LEVEL", "MIN_LEVEL", "SAFE_LEVEL")},
        )
        for node in root.iterchildren("STOCK_ITEM")
    ]
    for item, site_id, said in rows:
        level = said["LEVEL"]
        if update_levels and level is not None:
            stock.put(item, site_id, level - item.level(site_id))
        if update_data:
            least, safe = said["MIN_LEVEL"], said["SAFE_LEVEL"]
            item.min_level = item.min_level if least is None else int(least)
            item.safe_level = item.safe_level if safe is None else int(safe)
            stock.revised(item)
    return [item for item, *_ in rows]


def _item(stock: StockBook, node: etree._Element) -> StockItem:
    item = stock.find(node.get("CODE", ""))
    if item is None:
        raise KhaosFault(f"Stock item '{node.get('CODE', '')}' does not exist")
    if not item.holds_stock:
        raise KhaosFault(f"Item {item.code} holds no stock")
    return item


def _site(sites: Mapping[int, str], name: str, default: int) -> int:
    if not name:
        return default
    for site_id, known in sites.items():
        if known.casefold() == name.casefold():
            return site_id
    raise KhaosFault(f"Site '{name}' does not exist")


def _number(node: etree._Element, tag: str) -> Decimal | None:
    text = (node.findtext(tag) or "").strip()
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise KhaosFault(f"{tag}: '{text}' is not a valid number", "EConvertError")
    return number
