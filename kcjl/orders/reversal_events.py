"""What can happen when we give money back: a refund or a cancelation on a person's word.

Promises: one item is one line of the order, and one call; what was asked for, what was taken
and what was found stand apart. No personal data: a reason is a code of the tenant's, what a
person says besides is about the order.
Stream: order-<order id>. Source: contract johnlewis b.3 (OR28, OR29, OR30), d.5.
"""

from datetime import datetime

import msgspec

from kcjl.money import Money
from kcjl.orders.events import OrderEvent

__all__ = [
    "ReversalHeldBack",
    "ReversalIntended",
    "ReversalItem",
    "ReversalMissing",
    "ReversalOrdered",
    "ReversalRefused",
    "ReversalTaken",
    "ReversalUnclear",
    "ReversalUnknown",
    "ReversalWithdrawn",
    "TaxPart",
]


class TaxPart(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One tax in an amount, or on top of it, by the order's tax mode."""

    code: str
    amount: Money


class ReversalItem(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is to be given back of one line; of a whole order (OR29), its lines together."""

    line_id: str
    """Empty: the whole order, in one call."""
    sku: str
    quantity: int
    amount: Money
    shipping_amount: Money
    taxes: tuple[TaxPart, ...]
    shipping_taxes: tuple[TaxPart, ...]


class ReversalEvent(OrderEvent, frozen=True, kw_only=True):
    """Base: of one reversal of one order."""

    reversal_id: str
    """The plan's: the same preview said yes to twice is one reversal."""


class ReversalOrdered(ReversalEvent, frozen=True, kw_only=True):
    """A person has said yes to a preview. Nothing has been sent yet."""

    kind: str
    """refund, cancelation, or order_cancelation: all of it, in one call."""
    reason_code: str
    """The tenant's."""
    reason: str
    """The person's."""
    tax_mode: str
    not_to_ship: bool
    """The refunded units are no more to be shipped."""
    items: tuple[ReversalItem, ...]
    money: Money
    """Goods and shipping of all items, in the order's tax mode."""


class ReversalLineEvent(ReversalEvent, frozen=True, kw_only=True):
    """Base: of one item of it."""

    line_id: str


class ReversalIntended(ReversalLineEvent, frozen=True, kw_only=True):
    """We are about to send it: one line, one call."""

    attempt: int
    there_before: tuple[str, ...]
    """Ids of the reversals that the line had already: none of them is this one."""


class ReversalTaken(ReversalLineEvent, frozen=True, kw_only=True):
    """The marketplace has it: it said so, or shows it."""

    marketplace_id: str
    """Its own id of what was made; empty for a whole order."""
    amount: Money
    shipping_amount: Money
    found_by_lookup: bool
    as_asked: bool
    """False: it was taken with another amount or reason."""


class ReversalRefused(ReversalLineEvent, frozen=True, kw_only=True):
    """It was not done, and won't be: they said no, or it can't be right any more."""

    message: str
    money: Money


class ReversalHeldBack(ReversalLineEvent, frozen=True, kw_only=True):
    """They said no for now, the shop's balance being too low: it is tried again by itself."""

    message: str
    money: Money
    retry_at: datetime


class ReversalUnknown(ReversalLineEvent, frozen=True, kw_only=True):
    """The answer was lost: the order is looked at before anything is sent again."""

    message: str


class ReversalMissing(ReversalLineEvent, frozen=True, kw_only=True):
    """It certainly did not arrive: it may be sent again."""

    attempt: int
    """How many sendings count; one that could not be made at all does not."""


class ReversalUnclear(ReversalLineEvent, frozen=True, kw_only=True):
    """The order shows something that may be it: a person says what it is. Never sent again."""

    message: str
    money: Money


class ReversalWithdrawn(ReversalEvent, frozen=True, kw_only=True):
    """A person ends it: what is not taken of it is not sent any more.

    Of what was unclear it says that the person has looked.
    """

    reason: str
