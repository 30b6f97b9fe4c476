"""What a look at the ERP shows of a posting: its total beside ours, and whose its reference is.

Promises: amounts, codes and counts; a customer of the ERP is named by code only (law 7).
Stream: order-<order id>.
"""

from decimal import Decimal

import msgspec

from kcjl.money import Money
from kcjl.orders.events import OrderEvent

__all__ = ["AmountsShown", "LineAmount", "ReferenceTaken", "TotalsCompared"]


class LineAmount(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A line of a total."""

    stock_code: str
    units: Decimal
    gross: Money | None
    """None: told without its tax only."""


class AmountsShown(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a total is made of."""

    lines: tuple[LineAmount, ...]
    delivery: Money | None
    tax: Money | None
    """Of goods and delivery; it is in their amounts. None: not told."""


class TotalsCompared(OrderEvent, frozen=True, kw_only=True):
    """The ERP's total beside ours; where they differ, what each is made of."""

    ours: Money
    erp: Money
    ours_shown: AmountsShown | None = None
    erp_shown: AmountsShown | None = None

    @property
    def agree(self) -> bool:
        return self.ours == self.erp


class ReferenceTaken(OrderEvent, frozen=True, kw_only=True):
    """The ERP has our reference on an order that is not this one: nothing of it is ours.

    It is not posted again unless a person says so.
    """

    reference: str
    erp_order_code: str
    """The order that holds it."""
    customer_code: str
    sales_source: str
    because: str
    """Why it is not ours."""
    money: Money
