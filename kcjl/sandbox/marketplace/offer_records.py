"""What the marketplace keeps of offers: their price and quantity, and the stock imports.

Promises: what is kept changes only in the marketplace's own rooms; amounts are `Money`, times
are aware UTC. It decides nothing but what follows from an offer alone.
Called by the catalogue, the imports and the exports, and by the HTTP face.
"""

from dataclasses import dataclass, field
from datetime import datetime

from kcjl.money import Money

__all__ = ["Discount", "ImportLineError", "Offer", "OfferPrice", "StockImport"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """A lower price for a time; open at an end where that is None."""

    price: Money
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    ranges: tuple[tuple[int, Money], ...] = ()
    """(from so many units, unit price)."""

    def holds_at(self, moment: datetime) -> bool:
        begun = self.starts_at is None or self.starts_at <= moment
        return begun and (self.ends_at is None or moment < self.ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferPrice:
    """One price of an offer, for everybody or for whom it is meant (PRI01, all_prices)."""

    price: Money
    discount: Discount | None = None
    ranges: tuple[tuple[int, Money], ...] = ()
    channel_code: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    organization_ids: tuple[str, ...] = ()
    group_ids: tuple[str, ...] = ()

    @property
    def is_for_everybody(self) -> bool:
        return not (
            self.channel_code
            or self.organization_ids
            or self.group_ids
            or self.starts_at
            or self.ends_at
        )


@dataclass(slots=True, kw_only=True)
class Offer:
    """The shop's price and quantity for one SKU."""

    offer_id: int
    sku: str
    product_sku: str
    title: str
    category_code: str
    price: Money
    quantity: int = 0
    warehouses: dict[str, int] = field(default_factory=dict)
    """Breakdown of the quantity, where the seller gave one."""

    # ── what an offer import may set beside price and quantity (contract b.2) ──
    state_code: str = "11"
    product_reference: tuple[str, str] | None = None
    """(type, id) by which the seller named the product, e.g. ("EAN", "5012345678900")."""
    description: str | None = None
    internal_description: str | None = None
    price_additional_info: str | None = None
    min_quantity_alert: int | None = None
    available_from: datetime | None = None
    available_until: datetime | None = None
    logistic_class: str | None = None
    leadtime_to_ship: int | None = None
    min_order_quantity: int | None = None
    max_order_quantity: int | None = None
    package_quantity: int | None = None
    allow_quote_requests: bool = False
    product_tax_code: str | None = None
    msrp: Money | None = None
    additional_fields: dict[str, str] = field(default_factory=dict)
    discount: Discount | None = None
    ranges: tuple[tuple[int, Money], ...] = ()
    further_prices: tuple[OfferPrice, ...] = ()
    """Prices beside `price`, for a channel, a group, an organisation or a time."""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    is_deleted: bool = False

    def reduce(self, units: int) -> None:
        """Take sold units away, never below 0."""
        self.quantity = max(0, self.quantity - units)
        for code in self.warehouses:
            taken = min(units, self.warehouses[code])
            self.warehouses[code] -= taken
            units -= taken

    def put_back(self, units: int) -> None:
        """Units that were sold are for sale again, in the first warehouse that is named."""
        self.quantity += units
        if self.warehouses:
            first = next(iter(self.warehouses))
            self.warehouses[first] += units

    def empty(self) -> None:
        self.reduce(self.quantity)

    def inactive_because(self, moment: datetime) -> list[str]:
        """Why customers can't buy it then, in the platform's words; empty where they can."""
        reasons = [] if self.quantity > 0 else ["ZERO_QUANTITY"]
        begun = self.available_from is None or self.available_from <= moment
        over = self.available_until is not None and self.available_until <= moment
        if over or not begun:
            reasons.append("NOT_IN_AVAILABILITY_PERIOD")
        return reasons

    def price_at(self, moment: datetime) -> Money:
        """What one unit costs everybody then."""
        discount = self.discount
        return (
            self.price if discount is None or not discount.holds_at(moment) else discount.price
        )


@dataclass(slots=True, kw_only=True)
class ImportLineError:
    """STO03: a refused line of a stock import."""

    line_number: int
    """In the file; the header is line 1."""
    message: str
    columns: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class StockImport:
    """STO01: a file of quantities, taken at once and applied when its turn has come."""

    import_id: str
    created_at: datetime
    content: str
    status: str = "WAITING"
    lines_in_success: int = 0
    columns: tuple[str, ...] = ()
    errors: list[ImportLineError] = field(default_factory=list)
