"""What the offer operations answer: OF2x, imports of stock, offers and prices, OF5x.

Called by the table of described operations.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import UNSET, UnsetType

from kcjl.sandbox.johnlewis.described.shop_answers import ShopModel
from kcjl.sandbox.johnlewis.described.shown import (
    CodedShown,
    FieldShown,
    FulfillmentShown,
    Shown,
    WarehouseShown,
)

__all__ = [
    "OfferExportFile",
    "OfferExportStatus",
    "OfferFileTaken",
    "OfferImportShown",
    "OfferImportTaken",
    "OfferImports",
    "OfferQuantity",
    "OfferShown",
    "Offers",
    "PriceImports",
    "StockImportStatus",
    "TakenImport",
    "Tracked",
]

ImportStatus = Literal["WAITING", "RUNNING", "COMPLETE", "FAILED"]


class ProductReference(Shown, frozen=True, kw_only=True):
    reference: str
    reference_type: str


class VolumePrice(Shown, frozen=True, kw_only=True):
    quantity_threshold: int
    price: Decimal
    unit_origin_price: Decimal
    unit_discount_price: Decimal | None


class Pricing(Shown, frozen=True, kw_only=True):
    price: Decimal
    unit_origin_price: Decimal
    unit_discount_price: Decimal | None
    discount_start_date: datetime | None
    discount_end_date: datetime | None
    volume_prices: list[VolumePrice]


class PriceContext(Shown, frozen=True, kw_only=True):
    channel_codes: list[str]
    customer_organization_ids: list[str]
    customer_group_ids: list[str]
    start_date: datetime | None
    end_date: datetime | None


class PricingOfContext(Pricing, frozen=True, kw_only=True):
    channel_code: str | None
    context: PriceContext | None


class OfferTerms(Shown, frozen=True, kw_only=True):
    leadtime_to_ship: int
    min_order_quantity: int
    max_order_quantity: int
    package_quantity: int
    min_shipping_price: Decimal
    min_shipping_price_additional: Decimal
    min_shipping_type: str
    min_shipping_zone: str
    channels: list[str]
    offer_additional_fields: list[FieldShown]
    available_start_date: datetime | None
    available_end_date: datetime | None
    product_tax_code: str | None
    description: str | None
    price_additional_info: str | None
    favorite_rank: int | None
    quantity: int
    warehouses: list[WarehouseShown]
    currency_iso_code: str
    state_code: str
    fulfillment: FulfillmentShown
    allow_quote_requests: bool
    msrp: Decimal | None


class OfferShown(OfferTerms, frozen=True, kw_only=True):
    offer_id: int
    shop_sku: str
    product_sku: str
    product_references: list[ProductReference]
    product_title: str
    product_brand: str | None
    product_description: str | None
    category_code: str
    category_label: str
    price: Decimal
    total_price: Decimal
    applicable_pricing: Pricing
    all_prices: list[PricingOfContext]
    active: bool
    inactivity_reasons: list[str]
    shipping_deadline: datetime
    logistic_class: CodedShown
    min_quantity_alert: int
    internal_description: str | None


class Offers(Shown, frozen=True, kw_only=True):
    offers: list[OfferShown]
    total_count: int


class OfferQuantity(Shown, frozen=True, kw_only=True):
    offer_id: int
    quantity: int


# ── imports ─────────────────────────────────────────────────────────────────────────────────


class TakenImport(Shown, frozen=True, kw_only=True):
    """STO01, PRI01: a string, unlike OF24's."""

    import_id: str


class StockImportStatus(Shown, frozen=True, kw_only=True):
    import_id: str
    shop_id: int
    date_created: datetime
    status: ImportStatus
    lines_in_success: int
    lines_in_error: int
    has_error_report: bool


class OfferImportTaken(Shown, frozen=True, kw_only=True):
    import_id: int


class OfferFileTaken(Shown, frozen=True, kw_only=True):
    import_id: int
    product_import_id: int | None


class OfferImportShown(Shown, frozen=True, kw_only=True):
    import_id: int
    date_created: datetime
    mode: Literal["NORMAL", "REPLACE", "PARTIAL_UPDATE"]
    status: Literal[
        "WAITING_SYNCHRONIZATION_PRODUCT", "WAITING", "RUNNING", "COMPLETE", "FAILED"
    ]
    lines_read: int
    lines_in_success: int
    lines_in_error: int
    lines_in_pending: int
    offer_inserted: int
    offer_updated: int
    offer_deleted: int
    has_error_report: bool
    reason_status: str | None
    type: str


class OfferImports(Shown, frozen=True, kw_only=True):
    data: list[OfferImportShown]
    next_page_token: str | None
    previous_page_token: str | None


class PriceImportShown(Shown, frozen=True, kw_only=True):
    import_id: str
    shop_id: int
    date_created: datetime
    status: ImportStatus
    reason_status: str | None
    origin: str
    lines_in_success: int
    lines_in_error: int
    offers_updated: int
    offers_in_error: int
    has_error_report: bool


class PriceImports(Shown, frozen=True, kw_only=True):
    data: list[PriceImportShown]
    next_page_token: str | None
    previous_page_token: str | None


# ── exports ─────────────────────────────────────────────────────────────────────────────────


class Tracked(Shown, frozen=True, kw_only=True):
    """OF52, OR13, TL03."""

    tracking_id: str


class ExportError(Shown, frozen=True, kw_only=True):
    code: str
    detail: str


class OfferExportStatus(Shown, frozen=True, kw_only=True):
    status: Literal["PENDING", "COMPLETED", "FAILED"]
    last_updated: datetime
    error: ExportError | UnsetType = UNSET
    urls: list[str] | UnsetType = UNSET


class ExportedOffer(Shown, frozen=True, kw_only=True):
    """A deleted offer has its ids and flags only; `include_fields` may leave out the rest."""

    offer_id: int | UnsetType = UNSET
    product_sku: str | UnsetType = UNSET
    shop_id: int | UnsetType = UNSET
    shop_sku: str | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    deleted: bool | UnsetType = UNSET
    shop_name: str | UnsetType = UNSET
    model: ShopModel | UnsetType = UNSET
    currency_iso_code: str | UnsetType = UNSET
    state_code: str | UnsetType = UNSET
    quantity: int | UnsetType = UNSET
    warehouses: list[WarehouseShown] | UnsetType = UNSET
    prices: list[PricingOfContext] | UnsetType = UNSET
    logistic_class: str | UnsetType = UNSET
    leadtime_to_ship: int | UnsetType = UNSET
    min_order_quantity: int | UnsetType = UNSET
    max_order_quantity: int | UnsetType = UNSET
    package_quantity: int | UnsetType = UNSET
    min_shipping_price: Decimal | UnsetType = UNSET
    min_shipping_price_additional: Decimal | UnsetType = UNSET
    min_shipping_type: str | UnsetType = UNSET
    min_shipping_zone: str | UnsetType = UNSET
    channels: list[str] | UnsetType = UNSET
    offer_additional_fields: list[FieldShown] | UnsetType = UNSET
    available_start_date: datetime | UnsetType | None = UNSET
    available_end_date: datetime | UnsetType | None = UNSET
    product_tax_code: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    price_additional_info: str | UnsetType | None = UNSET
    favorite_rank: int | UnsetType | None = UNSET
    fulfillment: FulfillmentShown | UnsetType = UNSET
    allow_quote_requests: bool | UnsetType = UNSET
    msrp: Decimal | UnsetType | None = UNSET
    date_created: datetime | UnsetType | None = UNSET
    last_updated: datetime | UnsetType | None = UNSET


class OfferExportObject(Shown, frozen=True, kw_only=True):
    offers: list[ExportedOffer]


OfferExportFile = list[ExportedOffer] | OfferExportObject
"""A plain list, or an object on a tenant that is set so."""
