"""Products, levels, sites and couriers as the ERP tells them; part of its port.

Promises: quantities and prices are Decimal as the ERP gives them, times are aware UTC, dates
stay dates, and None is "the ERP does not say". Invariant: `available` is net of what is
allocated already; nothing is ever subtracted from it twice (contract khaos e).
Called through `port.py`. Source: contract khaos b.1, b.2, b.7, b.8, e, h.
"""

from datetime import date, datetime
from decimal import Decimal

from kcjl.khaos.record import Record

__all__ = ["Courier", "Product", "ProductRef", "Site", "StockLevel", "StockPotential"]


class Site(Record, frozen=True, kw_only=True):
    site_id: str
    name: str
    is_default: bool = False


class Courier(Record, frozen=True, kw_only=True):
    name: str
    code: str | None = None
    courier_id: str | None = None


class ProductRef(Record, frozen=True, kw_only=True):
    """A stock code that was edited, moved, launched or deleted."""

    stock_code: str
    description: str = ""
    other_ref: str | None = None
    parent_code: str | None = None
    changed_at: datetime | None = None


class Product(Record, frozen=True, kw_only=True):
    stock_code: str
    """As the ERP spells it; compare case-insensitively."""
    description: str
    discontinued: bool
    run_to_zero: bool
    stock_controlled: bool
    sales_multiple: int | None = None
    display_cap: int | None = None
    stock_id: str | None = None
    other_ref: str | None = None
    """Another code of the product, often a barcode; not a reference of an order."""
    parent_code: str | None = None
    barcodes: tuple[str, ...] = ()
    on_web: bool | None = None
    sell_price: Decimal | None = None
    sell_price_is_net: bool | None = None
    web_price: Decimal | None = None
    """None also where the ERP says 0: no price of its own for the web."""
    vat_percent: Decimal | None = None
    pack_items: tuple[tuple[str, Decimal], ...] = ()
    """(stock code, units) of what a pack is made of; the ERP adds them to an order itself."""
    launch_on: date | None = None


class StockLevel(Record, frozen=True, kw_only=True):
    """What one site has free to sell: already net of what is allocated."""

    stock_code: str
    site_id: str
    available: Decimal
    """May be negative or fractional."""
    status: int | None = None
    """0 in stock, 1 all allocated, 2 due, 3 not due soon, 4 discontinued, 5 non-controlled."""
    on_order: Decimal | None = None
    back_order: Decimal | None = None
    """Ordered by customers with no stock allocated."""
    build_potential: Decimal | None = None
    """Units that could be built of first-level children; in `available` only by setting."""
    due: date | None = None
    """When the purchase order in question is due."""
    read_at: datetime | None = None
    """When the asking began, or when the ERP's push arrived."""
    physical: Decimal | None = None
    allocated: Decimal | None = None


class StockPotential(Record, frozen=True, kw_only=True):
    """A product over all sites: free to sell, on order, and what is owed to customers."""

    stock_code: str
    other_ref: str | None
    available: Decimal
    on_order: Decimal
    back_order: Decimal
    potential: Decimal
    """available + on order − back order; may be negative."""
