"""An offer as OF21 and OF22 show it, and as a row of an export (OF51, OF54).

Promises: every field that the contract lists is there, null where there is nothing to say; a
deleted offer's row of a file is its ids and flags only, as on the platform. It decides nothing.
Called by the offer and the export operations of the John Lewis face.
"""

from collections.abc import Sequence
from datetime import datetime

from kcjl.money import Money
from kcjl.sandbox.johnlewis.answers import Json, amount, instant, second
from kcjl.sandbox.marketplace import MarketplaceSettings, Offer
from kcjl.sandbox.marketplace.moments import end_of_day
from kcjl.sandbox.marketplace.offer_records import Discount, OfferPrice

__all__ = ["EXPORT_COLUMNS", "export_cells", "export_row", "offer_view"]

LOGISTIC_CLASS = "STD"
"""Of an offer that names none."""
EXPORT_COLUMNS = (
    "offer-id", "product-sku", "shop-id", "shop-sku", "active", "deleted",
    "min-shipping-price", "min-shipping-price-additional", "min-shipping-zone",
    "min-shipping-type", "price", "total-price", "price-additional-info", "quantity",
    "description", "state-code", "shop-name", "logistic-class", "channels",
    "discount-price", "origin-price", "discount-start-date", "discount-end-date",
    "available-start-date", "available-end-date", "currency-iso-code", "leadtime-to-ship",
    "min-order-quantity", "max-order-quantity", "package-quantity", "product-tax-code",
    "date-created", "last-updated",
)  # fmt: skip


def offer_view(settings: MarketplaceSettings, offer: Offer, now: datetime) -> Json:
    """OF21, OF22."""
    price = offer.price_at(now)
    pricing = _pricing(offer.price, offer.discount, offer.ranges, now)
    reasons = offer.inactive_because(now)
    kind, product = offer.product_reference or ("SKU", offer.product_sku)
    return {
        "offer_id": offer.offer_id,
        "shop_sku": offer.sku,
        "product_sku": offer.product_sku,
        "product_references": [{"reference": product, "reference_type": kind}],
        "product_title": offer.title,
        "product_brand": None,
        "product_description": None,
        "category_code": offer.category_code,
        "category_label": offer.category_code.capitalize(),
        "quantity": offer.quantity,
        "warehouses": _warehouses(offer),
        "price": amount(price),
        "total_price": amount(price + settings.shipping_price),
        "applicable_pricing": pricing,
        "all_prices": [
            {**pricing, "channel_code": None, "context": None},
            *(_further(each, now) for each in offer.further_prices),
        ],
        "currency_iso_code": settings.currency,
        "state_code": offer.state_code,
        "active": not reasons,
        "inactivity_reasons": reasons,
        **_terms(settings, offer),
        "shipping_deadline": instant(end_of_day(now, settings, _leadtime(settings, offer))),
        "logistic_class": {
            "code": offer.logistic_class or LOGISTIC_CLASS,
            "label": "Standard" if offer.logistic_class is None else offer.logistic_class,
        },
        "min_quantity_alert": offer.min_quantity_alert or 0,
        "fulfillment": {"center": {"code": "DEFAULT"}},
        "internal_description": offer.internal_description,
        "allow_quote_requests": offer.allow_quote_requests,
        "msrp": None if offer.msrp is None else amount(offer.msrp),
    }


def _terms(settings: MarketplaceSettings, offer: Offer) -> Json:
    """What the list and the exports show alike."""
    return {
        "leadtime_to_ship": _leadtime(settings, offer),
        "min_order_quantity": offer.min_order_quantity or 1,
        "max_order_quantity": offer.max_order_quantity or 0,
        "package_quantity": offer.package_quantity or 1,
        "min_shipping_price": amount(settings.shipping_price),
        "min_shipping_price_additional": 0,
        "min_shipping_type": settings.shipping_types[0].code,
        "min_shipping_zone": "UK",
        "channels": [settings.channel_code],
        "offer_additional_fields": [
            {"code": code, "type": "STRING", "value": value}
            for code, value in offer.additional_fields.items()
        ],
        "available_start_date": second(offer.available_from),
        "available_end_date": second(offer.available_until),
        "product_tax_code": offer.product_tax_code,
        "description": offer.description,
        "price_additional_info": offer.price_additional_info,
        "favorite_rank": None,
    }


def _leadtime(settings: MarketplaceSettings, offer: Offer) -> int:
    """0 is shown as 1 (contract b.2)."""
    days = offer.leadtime_to_ship
    return max(1, settings.shipping_deadline_days if days is None else days)


def _warehouses(offer: Offer) -> list[Json]:
    return [{"code": code, "quantity": units} for code, units in offer.warehouses.items()]


# ── prices ──────────────────────────────────────────────────────────────────────────────────


def _further(each: OfferPrice, now: datetime) -> Json:
    context = None
    if not each.is_for_everybody:
        context = {
            "channel_codes": [each.channel_code] if each.channel_code else [],
            "customer_organization_ids": list(each.organization_ids),
            "customer_group_ids": list(each.group_ids),
            "start_date": second(each.starts_at),
            "end_date": second(each.ends_at),
        }
    pricing = _pricing(each.price, each.discount, each.ranges, now)
    return {**pricing, "channel_code": each.channel_code, "context": context}


def _pricing(
    origin: Money,
    discount: Discount | None,
    ranges: Sequence[tuple[int, Money]],
    now: datetime,
) -> Json:
    """A price with its discount and its volume prices, the single unit's among them."""
    lower = dict(discount.ranges) if discount else {}
    holds = discount is not None and discount.holds_at(now)
    steps: dict[int, Money] = {1: origin, **dict(ranges)}
    volume = []
    for threshold, whole in sorted(steps.items()):
        cut = discount.price if discount and threshold == 1 else None
        cut = lower.get(threshold, cut)
        volume.append({"quantity_threshold": threshold, **_units(whole, cut, holds=holds)})
    return {
        **_units(origin, discount.price if discount else None, holds=holds),
        "discount_start_date": second(discount.starts_at) if discount else None,
        "discount_end_date": second(discount.ends_at) if discount else None,
        "volume_prices": volume,
    }


def _units(origin: Money, lower: Money | None, *, holds: bool) -> Json:
    return {
        "price": amount(lower if lower is not None and holds else origin),
        "unit_origin_price": amount(origin),
        "unit_discount_price": None if lower is None else amount(lower),
    }


# ── exports ─────────────────────────────────────────────────────────────────────────────────


def export_row(settings: MarketplaceSettings, offer: Offer, now: datetime) -> Json:
    """OF54 in JSON."""
    ids: Json = {
        "offer_id": offer.offer_id,
        "product_sku": offer.product_sku,
        "shop_id": settings.shop_id,
        "shop_sku": offer.sku,
        "active": not offer.is_deleted and not offer.inactive_because(now),
        "deleted": offer.is_deleted,
    }
    if offer.is_deleted:
        return ids
    pricing = _pricing(offer.price, offer.discount, offer.ranges, now)
    whole: Json = {**pricing, "channel_code": None, "context": None}
    further = [_further(each, now) for each in offer.further_prices]
    return {
        **ids,
        "shop_name": settings.shop_name,
        "model": settings.shop_model,
        "currency_iso_code": settings.currency,
        "state_code": offer.state_code,
        "quantity": offer.quantity,
        "warehouses": _warehouses(offer),
        "prices": [whole, *further],
        "logistic_class": offer.logistic_class or LOGISTIC_CLASS,
        **_terms(settings, offer),
        "fulfillment": {"center": {"code": "DEFAULT"}},
        "allow_quote_requests": offer.allow_quote_requests,
        "msrp": None if offer.msrp is None else amount(offer.msrp),
        "date_created": second(offer.created_at),
        "last_updated": second(offer.updated_at),
    }


def export_cells(settings: MarketplaceSettings, offer: Offer, now: datetime) -> dict[str, str]:
    """OF51, and OF54 in CSV: column to cell; a deleted offer has its first six."""
    row = export_row(settings, offer, now)
    price = offer.price_at(now)
    discount = offer.discount
    cells = {
        **row,
        "price": amount(price),
        "total_price": amount(price + settings.shipping_price),
        "origin_price": amount(offer.price),
        "discount_price": None if discount is None else amount(discount.price),
        "discount_start_date": second(discount.starts_at) if discount else None,
        "discount_end_date": second(discount.ends_at) if discount else None,
        "channels": settings.channel_code,
    }
    columns = EXPORT_COLUMNS[:6] if offer.is_deleted else EXPORT_COLUMNS
    written = {column: _cell(cells.get(column.replace("-", "_"))) for column in columns}
    return written if offer.is_deleted else {**written, **offer.additional_fields}


def _cell(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
