"""What the bank says of payouts: that the money has come, how much of it, or that it has not.

Promises: the bank's own words are not kept, since they may name anybody: a line of a statement
stands here by its identity. Stream: payout-<cycle id>. Source: design 9, law 10.
"""

from datetime import date
from typing import Literal

from kcjl.money import Money
from kcjl.settlement.events import PayoutEvent

__all__ = ["MatchedBy", "PayoutReceiptOverdue", "PayoutReceiptWithdrawn", "PayoutReceived"]

MatchedBy = Literal["person", "reference", "amount"]
"""Who says whose money it is: a person; the payout's bank reference in the line; its amount and
day alone.
"""


class PayoutReceived(PayoutEvent, frozen=True, kw_only=True):
    """Money of a payout is in the bank. Occurred when somebody said so."""

    receipt: int
    """The how-manieth of this payout, from 1; those that were withdrawn count."""
    amount: Money
    received_on: date
    """The bank's day: when it was true outside."""
    transferred: Money
    """What the marketplace says that it has paid."""
    received: Money
    """All that has come, with this."""
    matched_by: MatchedBy = "person"
    reference: str = ""
    """What a person gave with it, or the payout's bank reference."""
    bank_line: str = ""
    """The identity of the statement's line; empty: said by hand."""
    source: str = ""
    """The statement's file, and where in it."""


class PayoutReceiptWithdrawn(PayoutEvent, frozen=True, kw_only=True):
    """A person takes back that this money came, or that it was of this payout."""

    receipt: int
    amount: Money
    received_on: date
    bank_line: str
    transferred: Money
    received: Money
    """All that is still said to have come."""
    reason: str


class PayoutReceiptOverdue(PayoutEvent, frozen=True, kw_only=True):
    """A payout was paid so many working days ago, and nobody has seen it in the bank."""

    transferred: Money
    paid_on: date
    due_on: date
