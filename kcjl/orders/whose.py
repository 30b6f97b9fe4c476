"""Orders, the rules of references: whether a sales order with our reference is our order.

Promises: pure; one whose lines name ours is ours; one that names another customer, another
sales source or other lines, or that stands for another of our orders, is not, and why is said.
Invariant: what is not ours is never taken for posted; what tells nothing against it is ours.
Called by `posting.py`. Source: design 7; contract khaos b.3 to b.5.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from kcjl.orders.posting_events import ReferenceTaken
from kcjl.orders.state import OrderEntry, Posting

__all__ = ["Holder", "holder_among_ours", "reference_taken", "why_not_ours"]


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """An order of the ERP, as far as it says whose it is."""

    erp_order_code: str
    customer_code: str = ""
    of_our_customer: bool | None = None
    """None: the ERP does not say, here and below."""
    sales_source: str = ""
    of_our_source: bool | None = None
    line_refs: tuple[str, ...] = ()
    """Our lines' ids, as they were sent along."""


def why_not_ours(entry: OrderEntry, holder: Holder, namesakes: Iterable[OrderEntry]) -> str:
    """Why it is not this order; empty when it is. `namesakes`: ours with its reference."""
    own = {line.line_id for line in entry.lines}
    if not own.isdisjoint(holder.line_refs):
        return ""
    if holder.line_refs:
        return f"its lines are {', '.join(holder.line_refs)}, and this order's are not"
    if holder.of_our_customer is False:
        return f"it is of customer {holder.customer_code}, and not of ours"
    if holder.of_our_source is False:
        return f"its sales source is {holder.sales_source}, and not ours"
    for each in namesakes:
        if each.order_id != entry.order_id and each.erp_order_code == holder.erp_order_code:
            return f"it is our order {each.order_id}, which has the same number"
    return ""


def holder_among_ours(entry: OrderEntry, namesakes: Iterable[OrderEntry]) -> OrderEntry | None:
    """Another of our orders that has this one's reference, and was sent or is there."""
    unsent = (Posting.NONE, Posting.REFUSED)
    return next(
        (
            each
            for each in namesakes
            if each.order_id != entry.order_id and each.posting not in unsent
        ),
        None,
    )


def reference_taken(
    entry: OrderEntry, holder: Holder, because: str, now: datetime
) -> ReferenceTaken:
    return ReferenceTaken(
        order_id=entry.order_id,
        reference=entry.reference,
        erp_order_code=holder.erp_order_code,
        customer_code=holder.customer_code,
        sales_source=holder.sales_source,
        because=because,
        money=entry.total_price,
        occurred_at=now,
    )
