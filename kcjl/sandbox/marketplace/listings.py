"""The lists that a tenant keeps: carriers, delivery services, reasons, fields, documents.

Promises: codes are invented where the contract knows none, and of the platform's own where it
does (johnlewis b.1, b.5). A shop may use only reasons of its right. It decides nothing.
Called by the settings, which hold them, and by the rooms that look codes up.
"""

from typing import Literal

import msgspec

__all__ = [
    "ADDITIONAL_FIELDS",
    "CARRIERS",
    "DOCUMENT_TYPES",
    "LOCALES",
    "OFFER_STATES",
    "REASONS",
    "SHIPPING_TYPES",
    "AdditionalFieldSetting",
    "CarrierSetting",
    "DocumentTypeSetting",
    "Named",
    "ReasonSetting",
    "Setting",
    "ShippingTypeSetting",
]

TRACKING_PLACEHOLDER = "{trackingId}"


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the settings."""


class CarrierSetting(Setting, frozen=True, kw_only=True):
    """SH21: a registered carrier."""

    code: str
    label: str
    standard_code: str | None = None
    tracking_url: str | None = None
    """With {trackingId} where the tracking number goes; then the number is mandatory."""

    @property
    def number_is_mandatory(self) -> bool:
        return self.tracking_url is not None and TRACKING_PLACEHOLDER in self.tracking_url

    def url_for(self, number: str | None) -> str | None:
        if self.tracking_url is None or not number:
            return None
        return self.tracking_url.replace(TRACKING_PLACEHOLDER, number)


class ShippingTypeSetting(Setting, frozen=True, kw_only=True):
    """SH12: a delivery service."""

    code: str
    label: str
    description: str = ""
    standard_code: str | None = None
    click_and_collect: bool = False
    delivery_by_operator: bool = False


class ReasonSetting(Setting, frozen=True, kw_only=True):
    """RE01: why something was refunded, cancelled or returned."""

    code: str
    label: str
    type: str
    is_shop_right: bool = True


class AdditionalFieldSetting(Setting, frozen=True, kw_only=True):
    """AF01: a field of the operator's own."""

    code: str
    label: str
    entity: Literal["OFFER", "ORDER", "ORDER_LINE", "SHOP"]
    type: Literal["STRING", "BOOLEAN", "NUMERIC", "DATE"] = "STRING"
    required: bool = False
    editable: bool = True
    """Whether the shop may write it (OR31)."""
    description: str | None = None


class DocumentTypeSetting(Setting, frozen=True, kw_only=True):
    """DO01: a kind of document."""

    code: str
    label: str
    entity: str = "ORDER"
    description: str | None = None
    by_shop: bool = True
    """Whether the shop may upload and delete it; else it is the platform's own."""


class Named(Setting, frozen=True, kw_only=True):
    """A code and its label."""

    code: str
    label: str


def _url(carrier: str) -> str:
    return f"https://{carrier}.carrier.example/track/{TRACKING_PLACEHOLDER}"


CARRIERS = (
    CarrierSetting(
        code="RM", label="Royal Mail", standard_code="royal-mail", tracking_url=_url("rm")
    ),
    CarrierSetting(code="EVRI", label="Evri", standard_code="evri", tracking_url=_url("evri")),
    CarrierSetting(code="DPD", label="DPD", standard_code="dpd-uk", tracking_url=_url("dpd")),
    CarrierSetting(code="DHL", label="DHL", standard_code="dhl", tracking_url=_url("dhl")),
    CarrierSetting(code="UPS", label="UPS", standard_code="ups", tracking_url=_url("ups")),
    CarrierSetting(code="YODEL", label="Yodel", standard_code="yodel"),
)

SHIPPING_TYPES = (
    ShippingTypeSetting(
        code="STD", label="Standard", description="3 to 5 days", standard_code="CU_ADD-STD"
    ),
    ShippingTypeSetting(
        code="NDD", label="Next day", description="Next day", standard_code="CU_ADD-EXP"
    ),
)


def _reasons(
    type: str,  # noqa: A002 - RE01's word
    *named: tuple[str, str],
    is_shop_right: bool = True,
) -> tuple[ReasonSetting, ...]:
    return tuple(
        ReasonSetting(code=code, label=label, type=type, is_shop_right=is_shop_right)
        for code, label in named
    )


REASONS = (
    *_reasons("REFUND", ("14", "No response from seller"), is_shop_right=False),
    *_reasons(
        "REFUND",
        ("15", "Out of stock"),
        ("16", "Item damaged"),
        ("17", "Item returned"),
        ("18", "Item not received"),
        ("19", "Goodwill"),
    ),
    *_reasons("CANCELATION", ("34", "Cancelled before shipping")),
    *_reasons(
        "CANCELATION",
        ("35", "Cancelled by customer"),
        ("SYSTEM_LATE_SHIPMENT_CANCELATION", "Not shipped in time"),
        is_shop_right=False,
    ),
    *_reasons(
        "INCIDENT_OPEN",
        ("1", "Item not received"),
        ("2", "Item damaged"),
        ("3", "Not as described"),
        is_shop_right=False,
    ),
    *_reasons("INCIDENT_CLOSE", ("21", "Item sent again"), ("22", "Settled with the customer")),
    *_reasons("INCIDENT_CLOSE", ("23", "Closed by the operator"), is_shop_right=False),
    *_reasons("ORDER_MESSAGING", ("41", "Question about delivery"), ("42", "Other question")),
    *_reasons(
        "RETURN",
        ("RETURN_CHANGED_MIND", "Changed mind"),
        ("RETURN_DAMAGED_PRODUCT", "Arrived damaged"),
        ("RETURN_WRONG_PRODUCT", "Wrong item"),
    ),
    *_reasons(
        "RETURN_REJECTION",
        ("RETURN_REJECTION_NOT_ELIGIBLE", "Not eligible"),
        ("RETURN_REJECTION_NOT_NEEDED", "Return not needed"),
        ("RETURN_REJECTION_WINDOW_CLOSED", "Too late"),
    ),
    *_reasons(
        "RETURN_NON_COMPLIANT",
        ("RETURN_NON_COMPLIANT_DAMAGED_PRODUCT", "Came back damaged"),
        ("RETURN_NON_COMPLIANT_WRONG_PRODUCT", "Something else came back"),
        ("RETURN_NON_COMPLIANT_MISSING_PARTS", "Parts are missing"),
    ),
)

ADDITIONAL_FIELDS = (
    AdditionalFieldSetting(code="pack-note", label="Packing note", entity="ORDER"),
    AdditionalFieldSetting(code="pack-date", label="Packed on", entity="ORDER", type="DATE"),
    AdditionalFieldSetting(
        code="loyalty-tier", label="Loyalty tier", entity="ORDER", editable=False
    ),
    AdditionalFieldSetting(code="serial", label="Serial number", entity="ORDER_LINE"),
    AdditionalFieldSetting(
        code="gift-wrap", label="Gift wrap offered", entity="OFFER", type="BOOLEAN"
    ),
    AdditionalFieldSetting(code="eori", label="EORI number", entity="SHOP"),
)

DOCUMENT_TYPES = (
    DocumentTypeSetting(code="SYSTEM_DELIVERY_BILL", label="Delivery bill", by_shop=False),
    DocumentTypeSetting(code="CUSTOMER_INVOICE", label="Customer invoice"),
    DocumentTypeSetting(code="CREDIT_NOTE", label="Credit note"),
    DocumentTypeSetting(code="OTHER", label="Other document"),
)

OFFER_STATES = (Named(code="11", label="New"), Named(code="1", label="Used - like new"))

LOCALES = (Named(code="en_GB", label="English (United Kingdom)"),)
