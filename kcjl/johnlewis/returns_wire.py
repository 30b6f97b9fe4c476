"""RT11, RT21 and RT25–RT29 as Mirakl writes and reads them, field by field.

Promises: as `wire.py`: fields that are not named are passed over, absent and null are both
None. It judges nothing. Invariant: every field that is read is optional.
Called by `returns.py` only. Source: contract johnlewis b.5.
"""

import msgspec

from kcjl.johnlewis.wire_values import WireAsked, WireId, WireNumber, WireRead, WireText

__all__ = [
    "WireCompliance",
    "WireReturn",
    "WireReturnAddress",
    "WireReturnAsked",
    "WireReturnError",
    "WireReturnLine",
    "WireReturnNamed",
    "WireReturnTracking",
    "WireReturns",
    "WireVerdictAsked",
]


class WireCompliance(WireRead, frozen=True, kw_only=True):
    compliant: bool | None = None
    non_compliance_reason_code: WireText = None
    reason_code: WireText = None
    non_compliance_additional_info: WireText = None
    quantity: WireNumber = None


class WireReturnLine(WireRead, frozen=True, kw_only=True):
    order_line_id: WireId = None
    quantity: WireNumber = None
    reason_code: WireText = None
    compliance: msgspec.Raw = msgspec.Raw(b"")
    """Seen as a list and as null; an object is taken as a list of one."""


class WireReturnTracking(WireRead, frozen=True, kw_only=True):
    carrier_code: WireText = None
    carrier_name: WireText = None
    tracking_number: WireText = None
    tracking_url: WireText = None


class WireReturnAddress(WireRead, frozen=True, kw_only=True):
    """Spelled with and without an underscore before the number."""

    civility: WireText = None
    firstname: WireText = None
    lastname: WireText = None
    company: WireText = None
    street1: WireText = None
    street2: WireText = None
    street_1: WireText = None
    street_2: WireText = None
    zip_code: WireText = None
    city: WireText = None
    state: WireText = None
    country: WireText = None
    country_iso_code: str | None = None
    phone: WireText = None
    additional_info: WireText = None


class WireReturnDocument(WireRead, frozen=True, kw_only=True):
    id: WireId = None
    type: WireText = None


class WireReturn(WireRead, frozen=True, kw_only=True):
    id: WireId = None
    state: str | None = None
    order_id: WireId = None
    order_commercial_id: WireId = None
    date_created: str | None = None
    last_updated: str | None = None
    reason_code: WireText = None
    method_code: WireText = None
    rma: WireText = None
    label_url: WireText = None
    description: WireText = None
    rejection_reason_code: WireText = None
    tracking: WireReturnTracking | None = None
    return_address: WireReturnAddress | None = None
    documents: list[WireReturnDocument] | None = None
    return_lines: list[WireReturnLine] | None = None


class WireReturns(WireRead, frozen=True, kw_only=True):
    data: list[WireReturn] | None = None
    next_page_token: WireText = None


class WireReturnNamed(WireRead, frozen=True, kw_only=True):
    """One of `return_success`."""

    id: WireId = None
    return_id: WireId = None


class WireReturnError(WireRead, frozen=True, kw_only=True):
    """One of `return_errors`: with a message, or with errors of its own (contract d.4)."""

    id: WireId = None
    return_id: WireId = None
    code: WireText = None
    message: WireText = None
    errors: msgspec.Raw = msgspec.Raw(b"")


class WireVerdictAsked(WireAsked, frozen=True, kw_only=True):
    order_line_id: str
    compliant: bool
    non_compliance_reason_code: str | None = None
    non_compliance_additional_info: str | None = None


class WireReturnAsked(WireAsked, frozen=True, kw_only=True):
    """What is written of one return: RT21 says accepted, RT26 the lines, the others the id."""

    id: str
    accepted: bool | None = None
    rejection_reason_code: str | None = None
    return_lines: list[WireVerdictAsked] | None = None
