"""Offers as the rest of kcjl sees them: written whole, followed, read back, what changed.

Promises: `CompleteOffer` has no field with a default: OF24 resets what is left out, so whoever
writes an offer says every field, and None is said on purpose. An import's id is a number.
It moves no stock; STO01 does. Invariant: an offer that was read with more than this record
holds can't be made complete from it (`Offer.unsendable`), so nothing is lost by a write.
Called by who keeps offers; implemented by `offers.py`. Source: contract johnlewis b.2, f.16.
"""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

import msgspec

from kcjl.errors import Misuse
from kcjl.johnlewis.parts import AdditionalField, ChannelPrice, Discount, OfferChange
from kcjl.johnlewis.port import Offer
from kcjl.money import Money

__all__ = [
    "CompleteOffer",
    "OfferChange",
    "OfferImport",
    "OfferImportError",
    "OfferImportStatus",
    "OfferPort",
    "OfferRemoval",
    "completed",
]


class CompleteOffer(msgspec.Struct, frozen=True, kw_only=True):
    """OF24: one offer, whole. What is None is deleted or goes back to the tenant's default."""

    sku: str
    product_id: str | None
    """None only for an offer that exists: its product is kept."""
    product_id_type: str | None
    state_code: str
    price: Money
    quantity: int
    discount: Discount | None
    prices: tuple[ChannelPrice, ...]
    description: str | None
    internal_description: str | None
    price_additional_info: str | None
    product_tax_code: str | None
    logistic_class_code: str | None
    leadtime_to_ship: int | None
    min_order_quantity: int | None
    max_order_quantity: int | None
    package_quantity: int | None
    min_quantity_alert: int | None
    available_from: datetime | None
    available_until: datetime | None
    allow_quote_requests: bool
    msrp: Money | None
    additional_fields: tuple[AdditionalField, ...]


class OfferRemoval(msgspec.Struct, frozen=True, kw_only=True):
    """OF24: one offer to delete; state and price are asked for all the same."""

    sku: str
    state_code: str
    price: Money


class OfferImportStatus(StrEnum):
    """OF02. A status that we do not know is taken as RUNNING: it is not final."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"


class OfferImport(msgspec.Struct, frozen=True, kw_only=True):
    """OF02: how far an import of offers is."""

    import_id: int
    status: OfferImportStatus
    created_at: datetime | None = None
    lines_read: int = 0
    lines_in_success: int = 0
    lines_in_error: int = 0
    lines_in_pending: int = 0
    offers_inserted: int = 0
    offers_updated: int = 0
    offers_deleted: int = 0
    has_error_report: bool = False
    reason: str = ""


class OfferImportError(msgspec.Struct, frozen=True, kw_only=True):
    """OF03: one refused line of an import."""

    line_number: int
    """0 where they did not say."""
    sku: str
    message: str


class OfferPort(Protocol):
    """What can be asked about offers."""

    async def offers(self) -> Sequence[Offer]: ...  # OF21

    async def publish_offers(
        self, offers: Sequence[CompleteOffer], removals: Sequence[OfferRemoval] = ()
    ) -> int: ...  # OF24

    async def offer_import(self, import_id: int) -> OfferImport: ...  # OF02

    async def offer_import_done(
        self, import_id: int, asked_at: datetime
    ) -> OfferImport: ...  # OF02

    async def offer_import_errors(
        self, import_id: int
    ) -> Sequence[OfferImportError]: ...  # OF03

    def offers_changed(self, since: datetime) -> AsyncGenerator[Sequence[OfferChange], None]:
        """OF51: one file, as it arrives."""
        ...

    def offers_exported(
        self, since: datetime | None, *, form: Literal["json", "csv"] = "json"
    ) -> AsyncGenerator[Sequence[OfferChange], None]:
        """OF52, OF53, OF54; without a time every offer, the inactive ones too."""
        ...


def completed(offer: Offer, *, quantity: int | None = None) -> CompleteOffer:
    """An offer as it was read, ready to be written back with changes.

    Raises `Misuse` when it has something that the record can't carry and OF24 would delete.
    """
    price = offer.origin_price or offer.price
    if offer.unsendable or price is None or not offer.state_code:
        lacking = [] if price is not None else ["a price"]
        lacking += [] if offer.state_code else ["a state"]
        raise Misuse(
            f"offer {offer.sku} can't be written whole: it has {list(offer.unsendable)} "
            f"that would be lost, and lacks {lacking}"
        )
    reference = offer.product_references[0] if offer.product_references else None
    return CompleteOffer(
        sku=offer.sku,
        product_id=reference.reference if reference else offer.product_sku or None,
        product_id_type=reference.kind if reference else "SKU" if offer.product_sku else None,
        state_code=offer.state_code,
        price=price,
        quantity=offer.quantity if quantity is None else quantity,
        discount=offer.discount,
        prices=offer.prices,
        description=offer.description or None,
        internal_description=offer.internal_description or None,
        price_additional_info=offer.price_additional_info or None,
        product_tax_code=offer.product_tax_code or None,
        logistic_class_code=offer.logistic_class.code if offer.logistic_class else None,
        leadtime_to_ship=offer.leadtime_to_ship,
        min_order_quantity=offer.min_order_quantity,
        max_order_quantity=offer.max_order_quantity,
        package_quantity=offer.package_quantity,
        min_quantity_alert=offer.min_quantity_alert,
        available_from=offer.available_from,
        available_until=offer.available_until,
        allow_quote_requests=offer.allow_quote_requests,
        msrp=offer.msrp,
        additional_fields=offer.additional_fields,
    )
