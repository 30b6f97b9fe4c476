"""What the small lists and the statistics answer: OR75, AF01, DO01, OF61, CH11 …, and A21.

Called by the table of described operations.
"""

from decimal import Decimal

import msgspec

from kcjl.sandbox.johnlewis.account_statistics import WITHOUT_MODULE
from kcjl.sandbox.johnlewis.described.shown import CodedShown, Shown
from kcjl.sandbox.marketplace.shop_statistics import METRICS

__all__ = [
    "AdditionalFieldList",
    "Channels",
    "Currencies",
    "DocumentTypes",
    "Locales",
    "LogisticClasses",
    "OfferStates",
    "OrderTaxes",
    "ShippingZones",
    "Statistics",
]


class OrderTax(CodedShown, frozen=True, kw_only=True):
    tax_calculation_rule: str


class OrderTaxes(Shown, frozen=True, kw_only=True):
    taxes: list[OrderTax]


class AdditionalField(CodedShown, frozen=True, kw_only=True):
    type: str
    entity: str
    required: bool
    editable: bool | str
    description: str | None


class AdditionalFieldList(Shown, frozen=True, kw_only=True):
    additional_fields: list[AdditionalField]


class DocumentType(CodedShown, frozen=True, kw_only=True):
    entity: str
    description: str | None


class DocumentTypes(Shown, frozen=True, kw_only=True):
    documents: list[DocumentType]


class OfferStates(Shown, frozen=True, kw_only=True):
    offer_states: list[CodedShown]
    total_count: int


class Channels(Shown, frozen=True, kw_only=True):
    channels: list[CodedShown]


class CurrencyShown(Shown, frozen=True, kw_only=True):
    iso_code: str
    label: str


class Currencies(Shown, frozen=True, kw_only=True):
    currencies: list[CurrencyShown]


class LocaleShown(CodedShown, frozen=True, kw_only=True):
    platform_default: bool


class Locales(Shown, frozen=True, kw_only=True):
    locales: list[LocaleShown]


class ShippingZones(Shown, frozen=True, kw_only=True):
    shipping_zones: list[CodedShown]


class LogisticClasses(Shown, frozen=True, kw_only=True):
    logistic_classes: list[CodedShown]


class Figure(Shown, frozen=True, kw_only=True):
    period: str
    value: Decimal | None


Statistics = msgspec.defstruct(
    "Statistics",
    [
        *(
            (name, list[Figure])
            for name in dict.fromkeys(
                [*METRICS, "offers_count", "evaluations_count", *WITHOUT_MODULE]
            )
        ),
        ("last_updated_date", str),
        ("shop_id", int),
        ("channel", str | None),
    ],
    bases=(Shown,),
    frozen=True,
    kw_only=True,
)
"""A21: each metric is a list of {period, value}."""
