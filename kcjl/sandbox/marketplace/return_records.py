"""Returns as the marketplace keeps them.

Promises: what is kept changes only in the room of the returns. Times are aware UTC, in whole
seconds. It decides nothing. Called by the returns, their HTTP face and the world.
"""

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Compliance", "Return", "ReturnLine", "ReturnOutcome", "ReturnTracking"]


@dataclass(slots=True, kw_only=True)
class Compliance:
    """RT26: whether what came back is as it should be."""

    is_compliant: bool
    reason_code: str | None = None
    additional_info: str | None = None


@dataclass(slots=True, kw_only=True)
class ReturnLine:
    """Units of one order line."""

    order_line_id: str
    quantity: int
    reason_code: str
    compliance: Compliance | None = None


@dataclass(slots=True, kw_only=True)
class ReturnTracking:
    """How the parcel on its way back can be followed."""

    carrier_code: str | None = None
    carrier_name: str | None = None
    carrier_standard_code: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None


@dataclass(slots=True, kw_only=True)
class Return:
    """Units of one order that a customer sends back."""

    return_id: str
    order_id: str
    commercial_id: str
    customer_id: str
    state: str
    """WAITING_ACCEPTANCE, IN_PROGRESS, REFUSED, RECEIVED, NO_RECEPTION, CLOSED or CANCELED."""
    created_at: datetime
    updated_at: datetime
    reason_code: str
    method_code: str
    rma: str
    label_url: str | None = None
    description: str | None = None
    rejection_reason_code: str | None = None
    tracking: ReturnTracking | None = None
    lines: list[ReturnLine]


@dataclass(slots=True, kw_only=True)
class ReturnOutcome:
    """What became of one item of a return call: a return, or a message why not."""

    key: str
    """The return's id; the commercial id of the order for RT01."""
    made: Return | None = None
    message: str | None = None
