"""Answers after a sale: cancelations, own fields, documents, returns, changes of parcels.

Called by the table of described operations.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import UNSET, UnsetType

from kcjl.sandbox.johnlewis.described.order_answers import TaxMode, TaxPartShown
from kcjl.sandbox.johnlewis.described.shown import ErrorShown, FieldShown, Shown

__all__ = [
    "CancelationsMade",
    "DescribedShipments",
    "FieldsWritten",
    "ItemsToReturn",
    "OrderDocuments",
    "ReturnOutcomes",
    "Returns",
    "ReturnsMade",
    "UploadedDocuments",
]


class CancelationMade(Shown, frozen=True, kw_only=True):
    cancelation_id: str
    order_line_id: str
    amount: Decimal
    shipping_amount: Decimal
    quantity: int
    reason_code: str
    currency_iso_code: str
    taxes: list[TaxPartShown]
    shipping_taxes: list[TaxPartShown]
    fees: list[dict[str, object]]


class CancelationsMade(Shown, frozen=True, kw_only=True):
    order_tax_mode: TaxMode
    cancelations: list[CancelationMade]


class FieldsOfLine(Shown, frozen=True, kw_only=True):
    order_line_id: str
    order_line_additional_fields: list[FieldShown]


class WrittenFields(Shown, frozen=True, kw_only=True):
    order_id: str
    order_additional_fields: list[FieldShown]
    order_lines: list[FieldsOfLine]


class FieldErrors(Shown, frozen=True, kw_only=True):
    errors: list[ErrorShown]
    input: dict[str, object]


class FieldsWritten(Shown, frozen=True, kw_only=True):
    """OR31: 200 in both cases, one of the two is there."""

    order_update_result: WrittenFields | UnsetType = UNSET
    order_update_errors: FieldErrors | UnsetType = UNSET


# ── documents ───────────────────────────────────────────────────────────────────────────────


class OrderDocument(Shown, frozen=True, kw_only=True):
    id: int
    order_id: str
    file_name: str
    type: str
    date_uploaded: datetime
    file_size: int


class OrderDocuments(Shown, frozen=True, kw_only=True):
    order_documents: list[OrderDocument]
    total_count: int


class NamedDocument(Shown, frozen=True, kw_only=True):
    file_name: str
    type_code: str


class FailedDocument(Shown, frozen=True, kw_only=True):
    input: NamedDocument
    errors: list[ErrorShown]


class UploadedDocuments(Shown, frozen=True, kw_only=True):
    """OR74: the failed ones only."""

    errors_count: int
    order_documents: list[FailedDocument]


# ── returns ─────────────────────────────────────────────────────────────────────────────────


class ReturnTrackingShown(Shown, frozen=True, kw_only=True):
    carrier_code: str | None
    carrier_name: str | None
    carrier_standard_code: str | None
    tracking_number: str | None
    tracking_url: str | None


class ReturnAddress(Shown, frozen=True, kw_only=True):
    company: str | None
    street1: str
    street2: str | None
    city: str
    zip_code: str
    country_iso_code: str | None


class ComplianceShown(Shown, frozen=True, kw_only=True):
    compliant: bool
    non_compliance_reason_code: str | None
    non_compliance_additional_info: str | None


class ReturnLineShown(Shown, frozen=True, kw_only=True):
    order_line_id: str
    quantity: int
    reason_code: str
    compliance: list[ComplianceShown] | None


class ReturnShown(Shown, frozen=True, kw_only=True):
    id: str
    state: Literal[
        "WAITING_ACCEPTANCE", "IN_PROGRESS", "REFUSED", "RECEIVED", "NO_RECEPTION", "CLOSED",
        "CANCELED",
    ]  # fmt: skip
    order_id: str
    order_commercial_id: str
    date_created: datetime
    last_updated: datetime
    reason_code: str
    method_code: str
    rma: str
    label_url: str | None
    description: str | None
    rejection_reason_code: str | None
    tracking: ReturnTrackingShown | None
    return_address: ReturnAddress
    documents: list[dict[str, object]]
    return_lines: list[ReturnLineShown]


class Returns(Shown, frozen=True, kw_only=True):
    data: list[ReturnShown]
    next_page_token: str | None
    previous_page_token: str | None


class ItemToReturn(Shown, frozen=True, kw_only=True):
    order_commercial_id: str
    order_id: str
    order_line_id: str
    returnable_quantity: int
    available_return_reasons: list[str]
    available_return_methods: list[str]
    return_window: int | None


class ItemsToReturn(Shown, frozen=True, kw_only=True):
    data: list[ItemToReturn]
    next_page_token: str | None
    previous_page_token: str | None


class ReturnError(Shown, frozen=True, kw_only=True):
    id: str
    message: str


class ReturnDone(Shown, frozen=True, kw_only=True):
    id: str


class ReturnOutcomes(Shown, frozen=True, kw_only=True):
    """RT04, RT21 to RT29: item by item."""

    return_success: list[ReturnDone]
    return_errors: list[ReturnError]


class ReturnRefused(Shown, frozen=True, kw_only=True):
    order_commercial_id: str
    message: str


class ReturnsMade(Shown, frozen=True, kw_only=True):
    """RT01: item by item."""

    return_success: list[ReturnShown]
    return_errors: list[ReturnRefused]


# ── parcels ─────────────────────────────────────────────────────────────────────────────────


class DescribedShipment(Shown, frozen=True, kw_only=True):
    shipment_id: str


class UndescribedShipment(Shown, frozen=True, kw_only=True):
    shipment_id: str
    errors: list[ErrorShown]


class DescribedShipments(Shown, frozen=True, kw_only=True):
    """ST31: item by item."""

    shipment_update_success: list[DescribedShipment]
    shipment_update_errors: list[UndescribedShipment]
