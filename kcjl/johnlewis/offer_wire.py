"""Offers as Mirakl writes and reads them, field by field.

Promises: as `wire.py` does: every field of an answer is optional, absent and null are alike,
numbers are decimals. It judges nothing. Invariant: what is sent says each field of a complete
offer; those that are None are left out, which means the same there as resetting them.
Called by `offer_records.py` and `offers.py` only. Source: contract johnlewis b.2.
"""

from decimal import Decimal

import msgspec

__all__ = [
    "WireChange",
    "WireContext",
    "WireDiscountAsked",
    "WireFieldAsked",
    "WireLabelled",
    "WireOffer",
    "WireOfferAsked",
    "WireOfferImport",
    "WireOffers",
    "WirePriceAsked",
    "WirePricing",
    "WireVolumePrice",
    "WireVolumePriceAsked",
]

_Id = int | str | None
_Number = Decimal | None
_Text = str | int | None


class _Wire(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what is read."""


class _Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of what is written; what is None is left out."""


class WireVolumePrice(_Wire, frozen=True, kw_only=True):
    quantity_threshold: _Number = None
    price: _Number = None
    unit_origin_price: _Number = None
    unit_discount_price: _Number = None


class WireContext(_Wire, frozen=True, kw_only=True):
    channel_codes: list[str] | None = None
    customer_group_ids: list[str] | None = None
    customer_organization_ids: list[str] | None = None
    start_date: str | None = None
    end_date: str | None = None


class WirePricing(_Wire, frozen=True, kw_only=True):
    """OF21's `applicable_pricing` and `all_prices[]`, OF54's `prices[]`."""

    price: _Number = None
    origin_price: _Number = None
    unit_origin_price: _Number = None
    unit_discount_price: _Number = None
    discount_start_date: str | None = None
    discount_end_date: str | None = None
    channel_code: _Text = None
    context: WireContext | None = None
    volume_prices: list[WireVolumePrice] | None = None


class WireReference(_Wire, frozen=True, kw_only=True):
    reference: _Text = None
    reference_type: _Text = None


class WireWarehouse(_Wire, frozen=True, kw_only=True):
    code: _Text = None
    quantity: _Number = None


class WireLabelled(_Wire, frozen=True, kw_only=True):
    code: _Text = None
    label: _Text = None


class WireField(_Wire, frozen=True, kw_only=True):
    code: _Text = None
    value: msgspec.Raw = msgspec.Raw(b"")


class WireOffer(_Wire, frozen=True, kw_only=True):
    """OF21."""

    offer_id: _Id = None
    shop_sku: _Text = None
    product_sku: _Text = None
    product_references: list[WireReference] | None = None
    product_title: _Text = None
    category_code: _Text = None
    quantity: _Number = None
    warehouses: list[WireWarehouse] | None = None
    price: _Number = None
    applicable_pricing: WirePricing | None = None
    all_prices: list[WirePricing] | None = None
    currency_iso_code: str | None = None
    state_code: _Text = None
    active: bool | None = None
    inactivity_reasons: list[str] | None = None
    leadtime_to_ship: _Number = None
    logistic_class: WireLabelled | str | int | None = None
    """With its label, or its code alone."""
    min_order_quantity: _Number = None
    max_order_quantity: _Number = None
    package_quantity: _Number = None
    min_quantity_alert: _Number = None
    channels: list[str] | None = None
    available_start_date: str | None = None
    available_end_date: str | None = None
    description: _Text = None
    internal_description: _Text = None
    price_additional_info: _Text = None
    product_tax_code: _Text = None
    allow_quote_requests: bool | None = None
    msrp: _Number = None
    offer_additional_fields: list[WireField] | None = None
    retail_prices: msgspec.Raw = msgspec.Raw(b"")
    eco_contributions: msgspec.Raw = msgspec.Raw(b"")
    pricing_unit: msgspec.Raw = msgspec.Raw(b"")


class WireOffers(_Wire, frozen=True, kw_only=True):
    offers: list[WireOffer] | None = None
    total_count: _Number = None


class WireOfferImport(_Wire, frozen=True, kw_only=True):
    """OF24's answer, and OF02."""

    import_id: _Id = None
    date_created: str | None = None
    status: str | None = None
    lines_read: _Number = None
    lines_in_success: _Number = None
    lines_in_error: _Number = None
    lines_in_pending: _Number = None
    offer_inserted: _Number = None
    offer_updated: _Number = None
    offer_deleted: _Number = None
    has_error_report: bool | None = None
    reason_status: _Text = None


class WireChange(_Wire, frozen=True, kw_only=True):
    """OF54 as JSON, and a row of CSV by the same names."""

    offer_id: _Id = None
    shop_sku: _Text = None
    product_sku: _Text = None
    active: bool | None = None
    deleted: bool | None = None
    quantity: _Number = None
    price: _Number = None
    origin_price: _Number = None
    prices: list[WirePricing] | None = None
    currency_iso_code: str | None = None
    state_code: _Text = None
    leadtime_to_ship: _Number = None
    logistic_class: WireLabelled | str | int | None = None
    """With its label, or its code alone."""
    min_order_quantity: _Number = None
    max_order_quantity: _Number = None
    package_quantity: _Number = None
    last_updated: str | None = None


# ── what is written ─────────────────────────────────────────────────────────────────────────


class WireDiscountAsked(_Asked, frozen=True, kw_only=True):
    price: Decimal
    start_date: str | None = None
    end_date: str | None = None


class WireVolumePriceAsked(_Asked, frozen=True, kw_only=True):
    quantity_threshold: int
    unit_origin_price: Decimal | None = None
    unit_discount_price: Decimal | None = None


class WirePriceAsked(_Asked, frozen=True, kw_only=True):
    unit_origin_price: Decimal
    channel_code: str | None = None
    unit_discount_price: Decimal | None = None
    discount_start_date: str | None = None
    discount_end_date: str | None = None
    volume_prices: list[WireVolumePriceAsked] = []


class WireFieldAsked(_Asked, frozen=True, kw_only=True):
    code: str
    value: str


class WireOfferAsked(_Asked, frozen=True, kw_only=True):
    """OF24: one offer."""

    shop_sku: str
    state_code: str
    price: Decimal
    update_delete: str
    quantity: int | None = None
    product_id: str | None = None
    product_id_type: str | None = None
    discount: WireDiscountAsked | None = None
    all_prices: list[WirePriceAsked] | None = None
    description: str | None = None
    internal_description: str | None = None
    price_additional_info: str | None = None
    product_tax_code: str | None = None
    logistic_class: str | None = None
    leadtime_to_ship: int | None = None
    min_order_quantity: int | None = None
    max_order_quantity: int | None = None
    package_quantity: int | None = None
    min_quantity_alert: int | None = None
    available_started: str | None = None
    available_ended: str | None = None
    allow_quote_requests: bool | None = None
    msrp: Decimal | None = None
    offer_additional_fields: list[WireFieldAsked] | None = None
