"""Settlement, the rules of matching: what each transaction line belongs to.

Promises: pure; each line has one counterpart: its order line or refund, a penalty or fee on an
order, a document, a one-off, the subscription, the reserve, or its cycle. A line of a sale is
tied when the ERP has the sales order, through the customer order number, and never before.
It judges no amounts. Called by `actor.py` and the CLI. Source: contract johnlewis e.3, e.7.
"""

from datetime import datetime
from typing import Literal

import msgspec

from kcjl.settlement.events import (
    PAYMENT,
    ROLE_OF_KIND,
    SettlementLineSeen,
    SettlementLineTied,
    TieTo,
)
from kcjl.settlement.sold import SoldOrder
from kcjl.settlement.state import Line
from kcjl.vocabulary import Event

__all__ = ["Counterpart", "CounterpartKind", "counterpart_of", "decide_tie"]

CounterpartKind = Literal[
    "order_line",
    "refund",
    "penalty",
    "fee",
    "document",
    "one_off",
    "subscription",
    "reserve",
    "cycle",
    "unknown_type",
]


class Counterpart(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a line is the money of."""

    kind: CounterpartKind
    name: str
    """The order line, the refund, the document's number, the cycle; as the marketplace says."""


_BY_START: tuple[tuple[str, CounterpartKind], ...] = (
    ("SELLER_PENALTY_FEE", "penalty"),
    ("SELLER_FEE_ON_ORDER", "fee"),
    ("MANUAL_", "document"),
    ("INVOICEABLE_ONE_OFF_", "one_off"),
    ("SUBSCRIPTION_", "subscription"),
    ("RESERVE_", "reserve"),
    ("OPERATOR_REMITTED_REFUND_", "refund"),
    ("OPERATOR_PAID_REFUND_", "refund"),
    ("REFUND_", "refund"),
)
_NEED_NO_SALE = ("penalty", "fee", "document", "one_off")


def counterpart_of(seen: SettlementLineSeen) -> Counterpart:
    """By its type; a type that nobody knows says so and belongs to its cycle."""
    cycle = seen.cycle_id or ""
    if seen.kind == PAYMENT:
        return Counterpart(kind="cycle", name=cycle)
    if seen.kind not in ROLE_OF_KIND:
        return Counterpart(kind="unknown_type", name=seen.order_line_id or cycle)
    kind = next((kind for start, kind in _BY_START if seen.kind.startswith(start)), None)
    if kind is None:
        return Counterpart(kind="order_line", name=seen.order_line_id or seen.order_id or "")
    names: dict[CounterpartKind, str | None] = {
        "refund": seen.refund_id,
        "document": seen.manual_document or seen.document_number,
        "one_off": seen.document_number,
        "penalty": seen.order_id,
        "fee": seen.order_id,
    }
    return Counterpart(kind=kind, name=names.get(kind) or cycle)


def decide_tie(line: Line, sold: SoldOrder | None, now: datetime) -> tuple[Event, ...]:
    """Tie a line to its order, and through the customer order number to the sales order.

    A penalty or a fee is tied to the order alone: there may never have been a sale. So is what
    belongs to an order that is not ours to post.
    """
    if sold is None or not line.wants_tie or line.seen.order_id is None:
        return ()
    to: TieTo
    if sold.erp_order_code:
        to = "sales_order"
    elif sold.passed_over:
        to = "passed_over"
    elif counterpart_of(line.seen).kind in _NEED_NO_SALE:
        to = "order"
    else:
        return ()
    return (
        SettlementLineTied(
            line_id=line.seen.line_id,
            order_id=line.seen.order_id,
            order_line_id=line.seen.order_line_id,
            reference=sold.reference,
            erp_order_code=sold.erp_order_code,
            to=to,
            occurred_at=now,
        ),
    )
