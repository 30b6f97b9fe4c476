"""What the return operations are asked, in the contract's own field names (b.5).

Promises: plain frozen values; fields that are not known are ignored. They decide nothing.
Called by the room of the returns, and by the HTTP face that reads bodies into them.
"""

import msgspec

__all__ = [
    "AcceptanceRequest",
    "ComplianceLineRequest",
    "ComplianceRequest",
    "ReturnLineRequest",
    "ReturnRequest",
    "ReturnTrackingRequest",
    "UpdateRequest",
]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the requests."""


class ReturnLineRequest(Request, frozen=True, kw_only=True):
    order_line_id: str
    quantity: int
    reason_code: str | None = None


class ReturnRequest(Request, frozen=True, kw_only=True):
    """RT01: one return."""

    order_commercial_id: str
    return_lines: list[ReturnLineRequest]
    reason_code: str | None = None
    method_code: str | None = None
    rma: str | None = None
    label_url: str | None = None
    description: str | None = None
    accepted: bool | None = None

    @classmethod
    def of(
        cls, commercial_id: str, order_line_id: str, quantity: int, reason_code: str
    ) -> "ReturnRequest":
        """Units of one line."""
        line = ReturnLineRequest(
            order_line_id=order_line_id, quantity=quantity, reason_code=reason_code
        )
        return cls(
            order_commercial_id=commercial_id, reason_code=reason_code, return_lines=[line]
        )


class AcceptanceRequest(Request, frozen=True, kw_only=True):
    """RT21: one return accepted or refused."""

    id: str
    accepted: bool | None = None
    rejection_reason_code: str | None = None


class ComplianceLineRequest(Request, frozen=True, kw_only=True):
    order_line_id: str
    compliant: bool | None = None
    non_compliance_reason_code: str | None = None
    non_compliance_additional_info: str | None = None


class ComplianceRequest(Request, frozen=True, kw_only=True):
    """RT26: one return judged."""

    id: str
    return_lines: list[ComplianceLineRequest]


class ReturnTrackingRequest(Request, frozen=True, kw_only=True):
    carrier_code: str | None = None
    carrier_name: str | None = None
    carrier_standard_code: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None


class UpdateRequest(Request, frozen=True, kw_only=True):
    """RT04: one return changed; what is absent stays."""

    id: str
    rma: str | None = None
    label_url: str | None = None
    tracking: ReturnTrackingRequest | None = None
