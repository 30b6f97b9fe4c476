"""Translates what Mirakl tells of offers.

Promises: prices are rounded half up to the penny where the tenant shows more places, and an
offer whose price was rounded says so in `unsendable`: written back it would be another price.
Codes that recur are kept once, so that a hundred thousand offers fit into little memory.
Invariant: an offer without its id, or without its SKU where SKUs are told, is a surprise.
Called by `offers.py` only. Source: contract johnlewis b.2.
"""

import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache

import msgspec

from kcjl.errors import ProtocolSurprise
from kcjl.johnlewis import offer_wire as wire
from kcjl.johnlewis.offer_port import (
    OfferChange,
)
from kcjl.johnlewis.parts import (
    AdditionalField,
    ChannelPrice,
    Discount,
    Labelled,
    ProductReference,
    VolumePrice,
    WarehouseStock,
)
from kcjl.johnlewis.port import Offer
from kcjl.johnlewis.reading import (
    ZERO,
    Page,
    given,
    holds,
    key,
    listed,
    number,
    optional,
    rounded,
    text,
    time,
    total,
    whole,
)
from kcjl.johnlewis.wire import decoded
from kcjl.money import Money

__all__ = [
    "change",
    "change_of_cells",
    "offers",
]

_KEPT_MAX = 10_000
"""Small records recur: so many are made once, and shared by the offers that hold them."""

_CELL_NAMES = {
    "sku": "shop_sku",
    "offer_sku": "shop_sku",
    "state": "state_code",
}
"""CSV columns whose name is not that of the JSON field with other hyphens."""


# ── OF21 ────────────────────────────────────────────────────────────────────────────────────


def offers(body: bytes, currency: str) -> Page[Offer]:
    read = decoded(body, wire.WireOffers, "OF21")
    rows = [
        (key(row.offer_id, "OF21: an offer's id"), _offer(row, currency))
        for row in listed(read.offers, body, "OF21")
    ]
    return Page(rows=rows, total=total(read.total_count))


def _offer(row: wire.WireOffer, currency: str) -> Offer:
    what = f"OF21: offer {row.offer_id}"
    sku = key(row.shop_sku, f"{what}: its SKU")
    pricing = row.applicable_pricing or wire.WirePricing()
    price = pricing.price if row.price is None else row.price
    in_currency = sys.intern(row.currency_iso_code or currency)
    return Offer(
        offer_id=whole(number(row.offer_id, what), what),
        sku=sku,
        quantity=whole(row.quantity or ZERO, what),
        price=_money(price, in_currency, what),
        active=row.active is not False,
        product_title=text(row.product_title),
        category_code=sys.intern(text(row.category_code)),
        product_sku=text(row.product_sku),
        product_references=tuple(
            ProductReference(
                kind=sys.intern(text(each.reference_type)), reference=text(each.reference)
            )
            for each in row.product_references or ()
        ),
        currency=in_currency,
        origin_price=_money(pricing.unit_origin_price, in_currency, what),
        discount=_discount(pricing, in_currency, what),
        prices=_prices(row.all_prices or (), in_currency, what),
        msrp=_money(row.msrp, in_currency, what),
        state_code=sys.intern(text(row.state_code)),
        inactivity_reasons=tuple(map(sys.intern, row.inactivity_reasons or ())),
        warehouses=tuple(
            _stock(text(each.code), whole(each.quantity or ZERO, what))
            for each in row.warehouses or ()
        ),
        leadtime_to_ship=_whole(row.leadtime_to_ship, what),
        logistic_class=_labelled(row.logistic_class),
        min_order_quantity=_whole(row.min_order_quantity, what),
        max_order_quantity=_whole(row.max_order_quantity, what),
        package_quantity=_whole(row.package_quantity, what),
        min_quantity_alert=_whole(row.min_quantity_alert, what),
        channels=tuple(map(sys.intern, row.channels or ())),
        available_from=time(row.available_start_date, what),
        available_until=time(row.available_end_date, what),
        description=text(row.description),
        internal_description=text(row.internal_description),
        price_additional_info=text(row.price_additional_info),
        product_tax_code=sys.intern(text(row.product_tax_code)),
        allow_quote_requests=row.allow_quote_requests is True,
        additional_fields=tuple(_field(each) for each in row.offer_additional_fields or ()),
        unsendable=_unsendable(row, in_currency),
    )


def _money(amount: Decimal | None, currency: str, what: str) -> Money | None:
    return None if amount is None else rounded(amount, currency, what)


def _whole(value: Decimal | None, what: str) -> int | None:
    return None if value is None else whole(value, what)


def _labelled(told: wire.WireLabelled | str | int | None) -> Labelled | None:
    if told is None:
        return None
    if not isinstance(told, wire.WireLabelled):
        told = wire.WireLabelled(code=told)
    code = text(told.code)
    return _label(code, text(told.label)) if code else None


@lru_cache(_KEPT_MAX)
def _label(code: str, label: str) -> Labelled:
    return Labelled(code=code, label=label)


def _field(told: wire.WireField) -> AdditionalField:
    """A value is a text, or JSON as it was written: lists and numbers are kept too."""
    raw = holds(told.value) or b'""'
    value = msgspec.json.decode(raw)
    return _additional(text(told.code), value if isinstance(value, str) else raw.decode())


@lru_cache(_KEPT_MAX)
def _additional(code: str, value: str) -> AdditionalField:
    return AdditionalField(code=code, value=value)


@lru_cache(_KEPT_MAX)
def _stock(code: str, quantity: int) -> WarehouseStock:
    return WarehouseStock(code=code, quantity=quantity)


def _discount(pricing: wire.WirePricing, currency: str, what: str) -> Discount | None:
    if pricing.unit_discount_price is None:
        return None
    return Discount(
        price=rounded(pricing.unit_discount_price, currency, what),
        start_at=time(pricing.discount_start_date, what),
        end_at=time(pricing.discount_end_date, what),
    )


def _prices(
    told: Iterable[wire.WirePricing], currency: str, what: str
) -> tuple[ChannelPrice, ...]:
    """Those that say more than the offer's own price and discount do."""
    return tuple(
        _channel_price(price, channel, currency, what)
        for price in told
        for channel in _channels(price)
        if (price.unit_origin_price is not None or price.price is not None)
        and (channel is not None or price.volume_prices)
    )


def _channels(price: wire.WirePricing) -> list[str | None]:
    context = price.context or wire.WireContext()
    if context.channel_codes:
        return [*context.channel_codes]
    return [optional(price.channel_code)]


def _channel_price(
    price: wire.WirePricing, channel: str | None, currency: str, what: str
) -> ChannelPrice:
    origin = price.price if price.unit_origin_price is None else price.unit_origin_price
    return ChannelPrice(
        channel_code=channel,
        unit_origin_price=rounded(given(origin, f"{what}: a price"), currency, what),
        unit_discount_price=_money(price.unit_discount_price, currency, what),
        discount_start_at=time(price.discount_start_date, what),
        discount_end_at=time(price.discount_end_date, what),
        volume_prices=tuple(
            VolumePrice(
                quantity_threshold=whole(
                    given(each.quantity_threshold, f"{what}: a volume price's threshold"), what
                ),
                unit_origin_price=_money(each.unit_origin_price, currency, what),
                unit_discount_price=_money(each.unit_discount_price, currency, what),
            )
            for each in price.volume_prices or ()
        ),
    )


def _unsendable(row: wire.WireOffer, currency: str) -> tuple[str, ...]:
    """What the offer has and OF24 would reset, because no record of ours carries it."""
    names = [
        name
        for name in ("retail_prices", "eco_contributions", "pricing_unit")
        if holds(getattr(row, name)) is not None
    ]
    prices = [row.applicable_pricing or wire.WirePricing(), *(row.all_prices or ())]
    if any(_is_narrow(price.context) for price in prices if price.context):
        names.append("all_prices")
    amounts = [row.price, row.msrp] + [
        amount
        for price in prices
        for amount in (price.unit_origin_price, price.unit_discount_price)
    ]
    places = Money(0, currency).decimal().as_tuple().exponent
    if any(
        amount is not None
        and amount.is_finite()
        and amount.normalize().as_tuple().exponent < places
        for amount in amounts
    ):
        names.append("price")
    return tuple(names)


def _is_narrow(context: wire.WireContext) -> bool:
    """A price for a group of customers or a period, which OF24's prices can't say."""
    return bool(
        context.customer_group_ids
        or context.customer_organization_ids
        or context.start_date
        or context.end_date
    )


# ── OF51, OF54 ──────────────────────────────────────────────────────────────────────────────


def change(row: wire.WireChange, currency: str, operation: str) -> OfferChange:
    what = f"{operation}: offer {row.offer_id}"
    offer_id = whole(number(row.offer_id, f"{operation}: an offer's id"), what)
    in_currency = sys.intern(row.currency_iso_code or currency)
    deleted = row.deleted is True
    logistic_class = _labelled(row.logistic_class)
    return OfferChange(
        offer_id=offer_id,
        deleted=deleted,
        active=row.active is True and not deleted,
        sku=optional(row.shop_sku),
        product_sku=optional(row.product_sku),
        quantity=_whole(row.quantity, what),
        price=_money(row.price, in_currency, what),
        origin_price=_money(_origin_price(row), in_currency, what),
        currency=row.currency_iso_code and in_currency,
        state_code=optional(row.state_code),
        leadtime_to_ship=_whole(row.leadtime_to_ship, what),
        logistic_class_code=logistic_class.code if logistic_class else None,
        min_order_quantity=_whole(row.min_order_quantity, what),
        max_order_quantity=_whole(row.max_order_quantity, what),
        package_quantity=_whole(row.package_quantity, what),
        updated_at=time(row.last_updated, what),
    )


def _origin_price(row: wire.WireChange) -> Decimal | None:
    """As told, or the first of the prices that holds on every channel and for everybody."""
    if row.origin_price is not None:
        return row.origin_price
    for each in row.prices or ():
        context = each.context or wire.WireContext()
        if context.channel_codes or each.channel_code or _is_narrow(context):
            continue
        for amount in (each.origin_price, each.unit_origin_price, each.price):
            if amount is not None:
                return amount
    return None


def change_of_cells(cells: Mapping[str, str], currency: str, operation: str) -> OfferChange:
    """A row of CSV: an empty cell is a field that was not told."""
    fields: dict[str, object] = {}
    for column, cell in cells.items():
        name = column.replace("-", "_")
        if cell.strip():
            fields.setdefault(_CELL_NAMES.get(name, name), cell.strip())
    fields.pop("prices", None)
    try:
        row = msgspec.convert(fields, wire.WireChange, strict=False)
    except msgspec.MsgspecError as error:
        raise ProtocolSurprise(f"{operation}: a row could not be read: {error}") from None
    return change(row, currency, operation)
