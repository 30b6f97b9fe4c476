"""Reversals as the rest of kcjl sees them: refunds and cancelations of amounts on order lines.

Promises: a reversal names one line, its money with the taxes in it, and a reason; a call holds
one reversal, because nobody knows whether several are done all or none (contract g). It sends
nothing. Invariant: there is no idempotency key: a reversal whose outcome is open is looked for
with `reversal_lookup.find_reversal` before it may be sent again, or the customer is paid twice.
Called by the actors; implemented by `reversals.py`. Source: contract johnlewis b.3, d.5, g.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from kcjl.errors import Misuse
from kcjl.johnlewis.order_port import TaxAmount
from kcjl.money import Money

__all__ = [
    "CancelationRequest",
    "ItemResult",
    "RefundRequest",
    "ReversalMade",
    "ReversalOutcome",
    "ReversalPort",
    "ReversalRequest",
]


class ReversalRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the records of this module."""


class ReversalRequest(ReversalRecord, frozen=True, kw_only=True):
    """What refunds and cancelations have in common.

    With TAX_INCLUDED the taxes are inside the amounts, with TAX_EXCLUDED on top of them; all
    taxes of the line are named, in proportion: many refusals come from leaving them out.
    """

    line_id: str
    amount: Money
    shipping_amount: Money
    reason_code: str
    tax_mode: str
    """The order's own."""
    quantity: int = 0
    taxes: tuple[TaxAmount, ...] = ()
    shipping_taxes: tuple[TaxAmount, ...] = ()

    def __post_init__(self) -> None:
        taxes = (tax.amount for tax in (*self.taxes, *self.shipping_taxes))
        several = (self.amount, self.shipping_amount, *taxes)
        if len({each.currency for each in several}) > 1:
            raise Misuse(f"line {self.line_id}: a reversal is in one currency")
        if any(each.amount_minor < 0 for each in several):
            raise Misuse(f"line {self.line_id}: a reversal adds nothing to it")
        if not self.line_id.strip() or not self.reason_code.strip() or self.quantity < 0:
            raise Misuse(f"line {self.line_id!r}: a reversal names a line, a reason and units")


class RefundRequest(ReversalRequest, frozen=True, kw_only=True):
    """OR28: money back after the debit. The quantity is informative; the amount counts."""

    excluded_from_shipment: bool = False
    """The refunded units are no more to be shipped."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.amount or self.shipping_amount):
            raise Misuse(f"line {self.line_id}: a refund gives more than nothing back")


class CancelationRequest(ReversalRequest, frozen=True, kw_only=True):
    """OR30: an amount taken off before the debit. Its quantity is mandatory."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.quantity < 1:
            raise Misuse(f"line {self.line_id}: a cancelation takes at least one unit off")


class ReversalMade(ReversalRecord, frozen=True, kw_only=True):
    """A reversal as the marketplace has taken it."""

    reversal_id: str
    """`refunds[].id` or `cancelations[].id` of the line in OR11."""
    line_id: str
    amount: Money
    shipping_amount: Money
    reason_code: str
    quantity: int
    as_asked: bool
    """False when it was taken with another amount or reason: a person has to look."""
    order_refund_id: str | None = None


class ItemResult(StrEnum):
    """What became of one item of a write."""

    DONE = "DONE"
    REFUSED = "REFUSED"
    """Nothing was done to it."""
    UNSENT = "UNSENT"
    """Certainly not taken: it may be sent again."""
    UNKNOWN = "UNKNOWN"
    """It may be done: look before sending it again."""


class ReversalOutcome(ReversalRecord, frozen=True, kw_only=True):
    """What became of one of several reversals."""

    line_id: str
    result: ItemResult
    message: str = ""
    reason_code: str = ""
    made: ReversalMade | None = None
    """There when it is DONE."""


class ReversalPort(Protocol):
    """Taking money off order lines.

    Every call raises `Refused` (nothing was done), `Unavailable` (certainly not taken) or
    `OutcomeUnknown`: then read the order and ask `find_reversal` before it is sent again.
    """

    async def refund(self, request: RefundRequest) -> ReversalMade: ...  # OR28, one line

    async def refund_lines(
        self, requests: Sequence[RefundRequest]
    ) -> Sequence[ReversalOutcome]: ...  # OR28, one call a line

    async def cancel_line(self, request: CancelationRequest) -> ReversalMade: ...  # OR30

    async def cancel_lines(
        self, requests: Sequence[CancelationRequest]
    ) -> Sequence[ReversalOutcome]: ...  # OR30, one call a line

    async def cancel_order(self, order_id: str) -> None: ...  # OR29
