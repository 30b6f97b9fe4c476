"""What a payout was against what it should have been: its gaps by name, and the whole sum.

Promises: an unnamed residue can't be written: what was transferred is the lines and the named
amounts, what was expected is the lines less the gaps, and neither is told a second time.
Stream: payout-<cycle id>. Source: design 9, law 5.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from kcjl.money import Money
from kcjl.settlement.events import PayoutEvent

__all__ = [
    "GapEnded",
    "GapFound",
    "GapKind",
    "GapTotal",
    "KindTotal",
    "NamedAmount",
    "PayoutReconciled",
    "ResidueKind",
]

GapKind = Literal[
    "commission_rate",
    "commission_base",
    "commission_vat",
    "amount_differs",
    "missing_line",
    "duplicate_line",
    "unknown_type",
    "refund_without_return",
    "refund_commission_kept",
    "rounding",
    "order_not_in_erp",
    "erp_total_differs",
]
"""Why a line is not what was expected; the manual of settlement says what each means."""

ResidueKind = Literal["balance_carried", "accepted_by_person"]
"""Why a payout's lines are not what was transferred: what was carried over from a cycle below
nothing; what a person has looked at and accepted."""


class GapFound(PayoutEvent, frozen=True, kw_only=True):
    """What was charged or paid is not what was expected: by how much, and where."""

    kind: GapKind
    subject: str
    """The order line; or the order, the refund, the transaction line."""
    expected: Money
    charged: Money
    order_id: str | None
    order_line_id: str | None
    line_ids: tuple[str, ...]
    message: str
    component: str = ""
    """Of the sale or refund: price, shipping, fee, vat; empty: it is about none of them."""

    @property
    def amount(self) -> Money:
        """Signed as the lines are: above nothing is in our favour."""
        return self.charged - self.expected


class GapTotal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All gaps of one kind in a payout."""

    kind: GapKind
    gaps: int
    amount: Money


class GapEnded(PayoutEvent, frozen=True, kw_only=True):
    """A gap that was found when the payout was closed is gone: what was missing came later.

    What was reported of the payout stays as it was; this says what is known since.
    """

    kind: GapKind
    subject: str
    component: str
    amount: Money
    """Of the gap, as it was found."""
    order_id: str | None
    order_line_id: str | None
    reason: str
    still: tuple[GapTotal, ...]
    """The gaps of the payout that stand after this, by kind."""


class NamedAmount(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A part of the residue, by its name."""

    kind: ResidueKind
    amount: Money
    said: str


class KindTotal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All lines of one transaction type in a payout."""

    kind: str
    lines: int
    amount: Money


class PayoutReconciled(PayoutEvent, frozen=True, kw_only=True):
    """A payout's sum: lines, the named parts of its residue, and the gaps within its lines."""

    lines_total: Money
    named: tuple[NamedAmount, ...]
    gaps: tuple[GapTotal, ...]
    orders: int
    terms_version: int
    """The commission terms that were looked at; 0: there were none."""
    by_kind: tuple[KindTotal, ...] = ()
    """What the lines come to by type: all that a later journal needs to know of them."""

    @property
    def residue(self) -> Money:
        return _sum(self.named, self.lines_total.currency)

    @property
    def transferred(self) -> Money:
        return self.lines_total + self.residue

    @property
    def expected(self) -> Money:
        return self.lines_total - _sum(self.gaps, self.lines_total.currency)


def _sum(each: Sequence[GapTotal | NamedAmount], currency: str) -> Money:
    return sum((one.amount for one in each), Money(0, currency))
