"""Answers of the seller API as records: base, refusals, pages and what several answers share.

Promises: a field without a default is always there; `| None` may be null; amounts are numbers,
dates ISO 8601 in UTC. The records describe: the face writes its answers itself, and tests hold
the two together. Called by the description's other modules.
"""

from decimal import Decimal
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

__all__ = [
    "AddressShown",
    "ChannelCodeShown",
    "CodedShown",
    "DeliveryAddressShown",
    "ErrorShown",
    "FieldShown",
    "FulfillmentShown",
    "OrderReferencesShown",
    "Refusal",
    "Shown",
    "TaxShown",
    "TaxedPartShown",
    "WarehouseShown",
]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the answers."""


class ErrorShown(Shown, frozen=True, kw_only=True):
    code: str
    field: str | None
    message: str


class Refusal(Shown, frozen=True, kw_only=True):
    """Why a call was refused; nothing was done. `code` and `errors` where codes are named."""

    message: str
    status: int
    code: str | UnsetType = UNSET
    errors: list[ErrorShown] | UnsetType = UNSET


class AddressShown(Shown, frozen=True, kw_only=True):
    civility: str | None
    firstname: str
    lastname: str
    company: str | None
    company_2: str | None
    street_1: str
    street_2: str | None
    zip_code: str
    city: str
    state: str | None
    country: str
    country_iso_code: str | None
    """ISO 3166 alpha-3."""
    phone: str | None
    phone_secondary: str | None


class DeliveryAddressShown(AddressShown, frozen=True, kw_only=True):
    additional_info: str | None


class CenterShown(Shown, frozen=True, kw_only=True):
    code: str


class FulfillmentShown(Shown, frozen=True, kw_only=True):
    center: CenterShown


class OrderReferencesShown(Shown, frozen=True, kw_only=True):
    order_reference_for_customer: str | None
    order_reference_for_seller: str | None


class TaxShown(Shown, frozen=True, kw_only=True):
    """Tax on a fee."""

    code: str
    amount: Decimal
    rate: Decimal


class TaxedPartShown(TaxShown, frozen=True, kw_only=True):
    """Tax on a price."""

    tax_calculation_rule: Literal["PROPORTIONAL_TO_AMOUNT", "NONE"]


class ChannelCodeShown(Shown, frozen=True, kw_only=True):
    code: str


class CodedShown(Shown, frozen=True, kw_only=True):
    code: str
    label: str


class FieldShown(Shown, frozen=True, kw_only=True):
    """A custom field."""

    code: str
    type: str
    value: str | None


class WarehouseShown(Shown, frozen=True, kw_only=True):
    code: str
    quantity: int
