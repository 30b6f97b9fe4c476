"""One offer as a seller wrote it, by JSON (OF24) or in a file (OF01), and its reading.

Promises: a field that is `None` is reset, one that is `UNSET` is kept (contract b.2): what JSON
leaves out is None, what a file has no column for is UNSET. What can't be used is said in one
sentence for people. It changes no offer. Invariant: amounts are `Money`, never a float.
Called by the offer imports and the price imports.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from kcjl.errors import Misuse
from kcjl.money import Money
from kcjl.sandbox.marketplace.offer_records import Discount, OfferPrice

__all__ = [
    "CSV_COLUMNS",
    "LineRefused",
    "Prices",
    "WrittenDiscount",
    "WrittenField",
    "WrittenOffer",
    "WrittenPrice",
    "WrittenRange",
    "from_cells",
    "to_cells",
]

Text: TypeAlias = str | UnsetType | None
Number: TypeAlias = Decimal | UnsetType | None
"""By JSON a number or a string (contract b.0)."""
Whole: TypeAlias = int | str | UnsetType | None


class LineRefused(Exception):
    """Raised when a line of an import can't be used. The other lines are not touched by it."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what a seller writes; fields that are not known are ignored."""


class WrittenRange(Written, frozen=True, kw_only=True):
    quantity_threshold: int
    price: Decimal | None = None
    unit_origin_price: Decimal | None = None
    unit_discount_price: Decimal | None = None


class WrittenDiscount(Written, frozen=True, kw_only=True):
    price: Decimal | None = None
    start_date: str | None = None
    end_date: str | None = None
    ranges: list[WrittenRange] | str | None = None


class WrittenPrice(Written, frozen=True, kw_only=True):
    channel_code: str | None = None
    unit_origin_price: Decimal | None = None
    unit_discount_price: Decimal | None = None
    discount_start_date: str | None = None
    discount_end_date: str | None = None
    volume_prices: list[WrittenRange] | None = None


class WrittenField(Written, frozen=True, kw_only=True):
    code: str
    value: str | None = None


class WrittenOffer(Written, frozen=True, kw_only=True):
    """An offer of OF24; all that is left out but the product is reset."""

    shop_sku: str | None = None
    product_id: Text = UNSET
    product_id_type: Text = UNSET
    state_code: Text = None
    price: Number = None
    update_delete: str | None = None
    quantity: Whole = None
    description: Text = None
    internal_description: Text = None
    price_additional_info: Text = None
    min_quantity_alert: Whole = None
    available_started: Text = None
    available_ended: Text = None
    logistic_class: Text = None
    leadtime_to_ship: Whole = None
    min_order_quantity: Whole = None
    max_order_quantity: Whole = None
    package_quantity: Whole = None
    allow_quote_requests: bool | str | UnsetType | None = None
    product_tax_code: Text = UNSET
    msrp: Number = UNSET
    discount: WrittenDiscount | UnsetType | None = None
    all_prices: list[WrittenPrice] | UnsetType | None = None
    price_ranges: str | UnsetType | None = UNSET
    """Of a file only: `1|20,10|15`."""
    offer_additional_fields: list[WrittenField] | UnsetType | None = UNSET


_FIELD_OF_COLUMN = {
    "sku": "shop_sku",
    "product-id": "product_id",
    "product-id-type": "product_id_type",
    "description": "description",
    "internal-description": "internal_description",
    "price": "price",
    "price-additional-info": "price_additional_info",
    "quantity": "quantity",
    "min-quantity-alert": "min_quantity_alert",
    "state": "state_code",
    "available-start-date": "available_started",
    "available-end-date": "available_ended",
    "logistic-class": "logistic_class",
    "allow-quote-requests": "allow_quote_requests",
    "leadtime-to-ship": "leadtime_to_ship",
    "min-order-quantity": "min_order_quantity",
    "max-order-quantity": "max_order_quantity",
    "package-quantity": "package_quantity",
    "update-delete": "update_delete",
    "price-ranges": "price_ranges",
}
_DISCOUNT_COLUMNS = {
    "discount-price": "price",
    "discount-start-date": "start_date",
    "discount-end-date": "end_date",
    "discount-ranges": "ranges",
}
CSV_COLUMNS = (*_FIELD_OF_COLUMN, *_DISCOUNT_COLUMNS)
"""The columns of an offer file; any other one is a custom field by its code."""


def from_cells(cells: Mapping[str, str]) -> WrittenOffer:
    """A line of a file: what has no column is kept, an empty cell resets."""
    written: dict[str, object] = {
        field: (cells[column] or None) if column in cells else UNSET
        for column, field in _FIELD_OF_COLUMN.items()
    }
    written["shop_sku"] = cells.get("sku")
    if isinstance(written["price"], str):
        written["price"] = _decimal("price", written["price"])
    written["update_delete"] = cells.get("update-delete")
    written["discount"] = UNSET
    if any(column in cells for column in _DISCOUNT_COLUMNS):
        lower = cells.get("discount-price")
        discount = WrittenDiscount(
            price=_decimal("discount price", lower) if lower else None,
            start_date=cells.get("discount-start-date") or None,
            end_date=cells.get("discount-end-date") or None,
            ranges=cells.get("discount-ranges") or None,
        )
        written["discount"] = None if discount == WrittenDiscount() else discount
    written["all_prices"] = UNSET
    custom = [
        WrittenField(code=column, value=value or None)
        for column, value in cells.items()
        if column not in CSV_COLUMNS
    ]
    written["offer_additional_fields"] = custom or UNSET
    return WrittenOffer(**written)  # type: ignore[arg-type]


def to_cells(written: WrittenOffer) -> dict[str, str]:
    """What was sent by JSON, in the columns of a file: for its error report."""
    cells: dict[str, str] = {}
    for column, field in _FIELD_OF_COLUMN.items():
        value = getattr(written, field)
        cells[column] = "" if value is None or value is UNSET else str(value)
    discount = written.discount if isinstance(written.discount, WrittenDiscount) else None
    for column, field in _DISCOUNT_COLUMNS.items():
        value = None if discount is None else getattr(discount, field)
        cells[column] = "" if value is None else str(value)
    custom = written.offer_additional_fields
    for each in custom if isinstance(custom, list) else []:
        cells[each.code] = each.value or ""
    return cells


# ── the values of a line ────────────────────────────────────────────────────────────────────


class Prices:
    """Amounts, dates and ranges as the tenant takes them."""

    def __init__(self, currency: str, *, decimals: int, discount_period_required: bool) -> None:
        self._currency = currency
        self._decimals = decimals
        self._period_required = discount_period_required

    def money(self, name: str, written: Decimal | str) -> Money:
        """An amount above 0."""
        amount = _decimal(name, written)
        if not amount.is_finite() or not 0 < amount < 10**10:
            raise LineRefused(f"The {name} '{written}' is not above 0")
        exponent = amount.normalize().as_tuple().exponent
        if isinstance(exponent, int) and -exponent > self._decimals:
            raise LineRefused(
                f"The {name} '{written}' has more than {self._decimals} decimal places"
            )
        try:
            return Money.parse(amount, self._currency)
        except Misuse:
            raise LineRefused(f"The {name} '{written}' is not an amount") from None

    def discount(self, written: WrittenDiscount, price: Money) -> Discount | None:
        """A discount of a price; None where nothing is given."""
        ranges = self._ranges(written.ranges)
        if written.price is None:
            if written.start_date or written.end_date or ranges:
                raise LineRefused("The discount has no price")
            return None
        lower = self.money("discount price", written.price)
        if lower >= price:
            raise LineRefused(f"The discount price '{lower.decimal()}' is not below the price")
        starts_at = moment_of("discount start date", written.start_date)
        ends_at = moment_of("discount end date", written.end_date)
        if self._period_required and (starts_at is None or ends_at is None):
            raise LineRefused("The discount needs a start date and an end date")
        if starts_at is not None and ends_at is not None and ends_at <= starts_at:
            raise LineRefused("The discount ends before it starts")
        return Discount(price=lower, starts_at=starts_at, ends_at=ends_at, ranges=ranges)

    def of_channel(self, written: WrittenPrice) -> OfferPrice:
        """One of OF24's all_prices."""
        if written.unit_origin_price is None:
            raise LineRefused("A price of all_prices has no unit_origin_price")
        price = self.money("unit origin price", written.unit_origin_price)
        volume = written.volume_prices or []
        discount = self.discount(
            WrittenDiscount(
                price=written.unit_discount_price,
                start_date=written.discount_start_date,
                end_date=written.discount_end_date,
            ),
            price,
        )
        if discount is not None:
            lower = tuple(
                (each.quantity_threshold, self.money("price", each.unit_discount_price))
                for each in volume
                if each.unit_discount_price is not None
            )
            discount = Discount(
                price=discount.price,
                starts_at=discount.starts_at,
                ends_at=discount.ends_at,
                ranges=lower,
            )
        return OfferPrice(
            price=price,
            discount=discount,
            channel_code=written.channel_code or None,
            ranges=self._ranges(volume),
        )

    def ranges(self, written: str | None) -> tuple[tuple[int, Money], ...]:
        """`1|20,10|15`: from 1 unit 20 each, from 10 units 15 each."""
        return self._ranges(written)

    def _ranges(
        self, written: Sequence[WrittenRange] | str | None
    ) -> tuple[tuple[int, Money], ...]:
        if written is None or isinstance(written, str):
            return self._range_list(written or "")
        read = []
        for each in written:
            amount = each.unit_origin_price if each.price is None else each.price
            if amount is None:
                raise LineRefused("A volume price has no price")
            if each.quantity_threshold < 1:
                raise LineRefused("The threshold of a volume price is at least 1")
            read.append((each.quantity_threshold, self.money("volume price", amount)))
        return tuple(read)

    def _range_list(self, written: str) -> tuple[tuple[int, Money], ...]:
        read = []
        for part in filter(None, (part.strip() for part in written.split(","))):
            threshold, bar, amount = part.partition("|")
            if not bar or not (threshold.isascii() and threshold.isdigit()):
                raise LineRefused(f"The price range '{part}' is not written as 10|15")
            read.append((whole_of("threshold", threshold), self.money("range price", amount)))
        return tuple(read)


QUANTITY_MAX = 1_000_000_000


def _decimal(name: str, written: Decimal | str) -> Decimal:
    try:
        return Decimal(written)
    except InvalidOperation:
        raise LineRefused(f"The {name} '{str(written)[:40]}' is not a number") from None


def whole_of(name: str, written: int | str) -> int:
    """A whole number from 0 to 1 000 000 000."""
    text = str(written)
    if not (text.isascii() and text.isdigit()) or len(text) > 10:  # noqa: PLR2004 - digits that no number of ours has
        raise LineRefused(f"The {name} '{text[:40]}' is not a whole number")
    number = int(text)
    if number > QUANTITY_MAX:
        raise LineRefused(f"The {name} '{text}' is above {QUANTITY_MAX}")
    return number


def moment_of(name: str, written: str | None) -> datetime | None:
    """An ISO 8601 date or time in UTC; a time without a zone is UTC."""
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise LineRefused(f"The {name} '{written[:40]}' is not an ISO 8601 date") from None
