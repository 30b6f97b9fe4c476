"""What crosses the marketplace's door in the trade's words: baskets, customers, placed orders.

Promises: plain frozen values that can be written to a journal and read back. They decide
nothing. Invariant: an address is personal data of an invented person. Called by the trade that
buys, by the records that keep them, and by the HTTP face that shows them.
"""

import msgspec

from kcjl.money import Money

__all__ = [
    "BasketLine",
    "Customer",
    "PlacedLine",
    "PlacedOrder",
    "PostalAddress",
    "Reason",
    "Tracking",
]


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the plain values that cross the marketplace's door."""


class PostalAddress(Input, frozen=True, kw_only=True):
    """Where a parcel or a bill goes."""

    first_name: str = ""
    last_name: str = ""
    civility: str | None = None
    company: str | None = None
    street_1: str = ""
    street_2: str | None = None
    city: str = ""
    postcode: str = ""
    county: str | None = None
    country: str = "United Kingdom"
    country_code: str | None = "GBR"
    """ISO 3166 alpha-3; may be absent."""
    phone: str | None = None
    additional: str | None = None


class Customer(Input, frozen=True, kw_only=True):
    """Who buys."""

    customer_id: str
    first_name: str
    last_name: str
    delivery: PostalAddress
    billing: PostalAddress | None = None
    """The delivery address where absent."""
    locale: str = "en_GB"


class BasketLine(Input, frozen=True, kw_only=True):
    """What a customer wants of one SKU."""

    sku: str
    quantity: int
    unit_price: Money
    shipping_price: Money | None = None
    """Where no line of the basket says it, the tenant's rule holds."""


class PlacedLine(Input, frozen=True, kw_only=True):
    """A line that was sold."""

    order_line_id: str
    sku: str
    quantity: int


class PlacedOrder(Input, frozen=True, kw_only=True):
    """An order as the customer sees it confirmed."""

    order_id: str
    commercial_id: str
    customer_order_number: str
    lines: tuple[PlacedLine, ...]
    unsold: tuple[BasketLine, ...] = ()
    """Lines of the basket of which less was offered than wanted."""


class Tracking(Input, frozen=True, kw_only=True):
    """How a parcel can be followed."""

    carrier_code: str | None = None
    carrier_standard_code: str | None = None
    carrier_name: str | None = None
    number: str | None = None
    url: str | None = None


class Reason(Input, frozen=True, kw_only=True):
    """Why an order or a line is in its state."""

    code: str
    label: str
