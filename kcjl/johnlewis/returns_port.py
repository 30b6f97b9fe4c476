"""Returns as the rest of kcjl sees them.

Promises: a return is what the marketplace tells of goods coming back; states and codes that we
do not know are kept as they came. A return moves no money: a refund does (contract b.5).
It holds personal data (the address that the parcel goes to, words of the customer): those go to
the vault. Invariant: writes tell what became of each return by its id.
Called by the actors; implemented by `returns.py`. Source: contract johnlewis b.5.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from kcjl.johnlewis.order_port import Address
from kcjl.johnlewis.reversal_port import ItemResult

__all__ = [
    "Compliance",
    "LineVerdict",
    "Return",
    "ReturnDecision",
    "ReturnDocument",
    "ReturnFilter",
    "ReturnLine",
    "ReturnOutcome",
    "ReturnPort",
    "ReturnState",
    "ReturnVerdict",
]


class ReturnState(StrEnum):
    """RT11. A state that we do not know is UNKNOWN."""

    WAITING_ACCEPTANCE = "WAITING_ACCEPTANCE"
    IN_PROGRESS = "IN_PROGRESS"
    REFUSED = "REFUSED"
    RECEIVED = "RECEIVED"
    NO_RECEPTION = "NO_RECEPTION"
    CLOSED = "CLOSED"
    CANCELED = "CANCELED"
    UNKNOWN = "UNKNOWN"


class ReturnRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of the records of this module."""


class Compliance(ReturnRecord, frozen=True, kw_only=True):
    """What the shop said of the goods that came back."""

    compliant: bool | None
    reason_code: str | None = None
    additional: str | None = None
    quantity: int | None = None


class ReturnLine(ReturnRecord, frozen=True, kw_only=True):
    line_id: str
    """Of the order line."""
    quantity: int
    reason_code: str = ""
    compliance: tuple[Compliance, ...] = ()


class ReturnDocument(ReturnRecord, frozen=True, kw_only=True):
    document_id: str
    kind: str
    """SYSTEM_RETURN_LABEL, …"""


class Return(ReturnRecord, frozen=True, kw_only=True):
    """RT11: goods that a customer sends back."""

    return_id: str
    state: ReturnState
    state_raw: str
    order_id: str
    commercial_id: str | None
    created_at: datetime
    updated_at: datetime
    lines: tuple[ReturnLine, ...]
    reason_code: str | None = None
    method_code: str | None = None
    rma: str | None = None
    label_url: str | None = None
    description: str | None = None
    """In the customer's words: personal data."""
    rejection_reason_code: str | None = None
    carrier_code: str | None = None
    carrier_name: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    return_address: Address | None = None
    documents: tuple[ReturnDocument, ...] = ()


class ReturnFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which returns; what is empty does not narrow. Lists may be of any length."""

    return_ids: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    created_from: datetime | None = None
    created_until: datetime | None = None
    updated_from: datetime | None = None
    updated_until: datetime | None = None
    order_commercial_ids: tuple[str, ...] = ()
    order_line_ids: tuple[str, ...] = ()
    rmas: tuple[str, ...] = ()
    customer_id: str | None = None


class ReturnDecision(msgspec.Struct, frozen=True, kw_only=True):
    """RT21: yes or no to one return."""

    return_id: str
    accepted: bool
    rejection_reason_code: str | None = None
    """RETURN_REJECTION_NOT_ELIGIBLE, _NOT_NEEDED or _WINDOW_CLOSED; with a no only."""


class LineVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """RT26: whether the goods of one line came back as they should."""

    line_id: str
    compliant: bool
    reason_code: str | None = None
    """RETURN_NON_COMPLIANT_…; with goods that are not compliant only."""
    additional: str | None = None


class ReturnVerdict(msgspec.Struct, frozen=True, kw_only=True):
    return_id: str
    lines: tuple[LineVerdict, ...]


class ReturnOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one return in a write of several."""

    return_id: str
    result: ItemResult
    message: str = ""
    reason_code: str = ""


class ReturnPort(Protocol):
    """Returns, where the tenant has the module on (`TenantProfile.returns_on`); else NotFound.

    A write of at most 100 returns is one request; of more, one per 100. When the first request
    fails as a whole it raises `Refused`, `Unavailable` (certainly not taken) or
    `OutcomeUnknown`; when a later one does, its returns have that as their outcome, and those
    after it are UNSENT. To repeat: read the returns (RT11); a state that is past is done.
    """

    async def returns(self, wanted: ReturnFilter) -> Sequence[Return]: ...  # RT11

    async def decide_returns(
        self, decisions: Sequence[ReturnDecision]
    ) -> Sequence[ReturnOutcome]: ...  # RT21

    async def receive_returns(
        self, return_ids: Sequence[str]
    ) -> Sequence[ReturnOutcome]: ...  # RT25

    async def judge_returns(
        self, verdicts: Sequence[ReturnVerdict]
    ) -> Sequence[ReturnOutcome]: ...  # RT26

    async def close_returns(
        self, return_ids: Sequence[str]
    ) -> Sequence[ReturnOutcome]: ...  # RT27

    async def cancel_returns(
        self, return_ids: Sequence[str]
    ) -> Sequence[ReturnOutcome]: ...  # RT29
